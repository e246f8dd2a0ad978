"""Controls that are views of the spec."""

from __future__ import annotations

import streamlit as st

from resviz.spec import PRESETS, Activation, Block, Init, NetSpec, Norm, Shortcut, describe, preset_of
from resviz.ui.state import bound, change, current_spec

__all__ = ["design_controls", "preset_control", "shape_controls", "skip_control"]

_WORDS = {
    "batch": "BN",
    "group": "GN",
    "none": "none",
    "kaiming": "Kaiming",
    "xavier": "Xavier",
    "pytorch": "PyTorch default",
} | {
    "zero-gamma": "Kaiming, zero-γ",
    "relu": "ReLU",
    "gelu": "GELU",
}


def _word(value: str) -> str:
    return _WORDS.get(value, value)


def preset_control() -> None:
    """Start from a network of the papers."""
    names = [name for name, spec in PRESETS.items() if spec.residual]
    current = preset_of(current_spec())

    def apply() -> None:
        chosen: str | None = st.session_state["preset"]
        if chosen is not None:
            change(lambda spec: PRESETS[chosen] if spec.residual else PRESETS[chosen].plain())

    st.session_state["preset"] = current
    st.selectbox(
        "Network", names, key="preset", on_change=apply, format_func=lambda n: describe(PRESETS[n]).split(" · ")[0], index=None,
        placeholder="your own design", help="A network of the papers to start from.",
    )  # fmt: skip


def skip_control() -> None:
    st.toggle(
        "Skip connections",
        **bound("residual"),
        help="Off: every block passes only F(x), with the same weights (a plain network).",
    )


def design_controls(spec: NetSpec) -> None:
    """Norm, initialisation, activation and, where it means something, the shortcut."""
    st.segmented_control("Normalisation", list(Norm), format_func=_word, help="What follows each convolution.", **bound("norm"))
    inits = [init for init in Init if init is not Init.ZERO_GAMMA or spec.norm is not Norm.NONE]
    st.selectbox("Initialisation", inits, format_func=_word, help="How weights are drawn before training.", **bound("init"))
    st.selectbox(
        "Activation", list(Activation), format_func=_word, help="The nonlinearity after each norm.", **bound("activation")
    )
    if spec.residual:
        st.segmented_control(
            "Shortcut",
            list(Shortcut),
            help="A zero-pads, B projects where the shape changes, C always projects.",
            **bound("shortcut"),
        )


def shape_controls(spec: NetSpec) -> None:
    """The block, and how many of it each stage holds."""
    st.selectbox("Block", list(Block), help="Two 3×3 convolutions, or a bottleneck of 1×1, 3×3, 1×1.", **bound("block"))

    def write_back() -> None:
        counts = tuple(int(st.session_state[f"blocks.{stage}"]) for stage in range(len(spec.blocks)))
        change(lambda current: current.resized(blocks=counts))

    for stage, blocks in enumerate(spec.blocks):
        st.session_state[f"blocks.{stage}"] = blocks
        st.number_input(f"Blocks in layer{stage + 1}", 1, 200, key=f"blocks.{stage}", on_change=write_back)
