"""Controls that are views of the spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from resviz.spec.net import PRESETS, Activation, Block, Init, NetSpec, Norm, Shortcut, Stem, name_of, preset_of
from resviz.ui.state import bound, change, current_spec

__all__ = [
    "block_control",
    "design_controls",
    "drop_control",
    "preset_control",
    "seed_control",
    "shape_controls",
    "skip_control",
    "try_this",
    "word",
]

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
    "cifar": "3×3",
    "imagenet": "7×7 + pool",
    "preact-basic": "pre-activation basic",
    "preact-bottleneck": "pre-activation bottleneck",
}


def word(value: str) -> str:
    """A spec's value as the field writes it."""
    return _WORDS.get(value, value)


def preset_control() -> None:
    """Start from a network of the papers."""
    names = [name for name, spec in PRESETS.items() if spec.residual]
    current, residual = preset_of(current_spec()), current_spec().residual

    def apply() -> None:
        chosen: str | None = st.session_state["preset"]
        if chosen is not None:
            change(lambda spec: PRESETS[chosen] if spec.residual else PRESETS[chosen].plain())

    st.session_state["preset"] = current
    st.selectbox(
        "Network", names, key="preset", on_change=apply, format_func=lambda n: name_of(PRESETS[n] if residual else PRESETS[n].plain()), index=None,
        placeholder="your own design", help="A network of the papers to start from.",
    )  # fmt: skip


def skip_control() -> None:
    """All skips, none of them, or each block's own choice."""
    spec = current_spec()
    names = list(spec.block_names())
    has = [name for name in names if spec.has_skip(name)]

    def choose() -> None:
        chosen = st.session_state["skips"]
        if chosen == "each block":
            st.session_state.each = True
        elif chosen is not None:
            st.session_state.each = False
            cut = frozenset(names) if chosen == "none" else frozenset()
            change(lambda s: replace(s, residual=True, cut=cut, dropped=s.dropped - cut))

    def write_back() -> None:
        cut = frozenset(st.session_state["cuts"])
        change(lambda s: replace(s, residual=True, cut=cut, dropped=s.dropped - cut))

    some = bool(st.session_state.get("each")) or 0 < len(has) < len(names)
    st.session_state["skips"] = "each block" if some else "all" if has else "none"
    st.segmented_control(
        "Skip connections", ["all", "none", "each block"], key="skips", on_change=choose, required=True,
        help="A block without its skip passes only F(x), with the same weights. Clicking an arc of the diagram does the same.",
    )  # fmt: skip
    if some:
        st.session_state["cuts"] = [name for name in names if name not in has]
        st.multiselect("Cut in", names, key="cuts", on_change=write_back, placeholder="no block")


def drop_control(spec: NetSpec) -> None:
    """Branches taken out: what is left of such a block is its skip."""

    def write_back() -> None:
        dropped = frozenset(st.session_state["drops"])
        change(lambda s: replace(s, dropped=dropped, cut=s.cut - dropped))

    st.session_state["drops"] = [name for name in spec.block_names() if name in spec.dropped]
    st.multiselect(
        "Drop the residual branch in", list(spec.block_names()), key="drops", on_change=write_back, placeholder="no block",
        help="A lesion: the block passes x alone.",
    )  # fmt: skip


def design_controls(spec: NetSpec) -> None:
    """Norm, initialisation, activation and, where it means something, the shortcut."""
    st.segmented_control(
        "Normalisation", list(Norm), format_func=word, required=True, help="What follows each convolution.", **bound("norm")
    )
    inits = [init for init in Init if init is not Init.ZERO_GAMMA or spec.norm is not Norm.NONE]
    st.selectbox("Initialisation", inits, format_func=word, help="How weights are drawn before training.", **bound("init"))
    st.selectbox(
        "Activation", list(Activation), format_func=word, help="The nonlinearity after each norm.", **bound("activation")
    )
    if spec.residual:
        st.segmented_control(
            "Shortcut",
            list(Shortcut),
            required=True,
            help="A zero-pads, B projects where the shape changes, C always projects.",
            **bound("shortcut"),
        )


def shape_controls(spec: NetSpec) -> None:
    """How many blocks each stage holds, the stem, and the widths."""

    def write_back() -> None:
        counts = tuple(int(st.session_state[f"blocks.{stage}"]) for stage in range(len(spec.blocks)))
        change(lambda current: current.resized(blocks=counts))

    def stages(counts: tuple[int, ...]) -> None:
        change(lambda current: current.resized(blocks=counts))

    for stage, blocks in enumerate(spec.blocks):
        st.session_state[f"blocks.{stage}"] = blocks
        st.number_input(f"Blocks in layer{stage + 1}", 1, 512, key=f"blocks.{stage}", on_change=write_back)
    with st.container(horizontal=True):
        st.button("Add a stage", on_click=stages, args=((*spec.blocks, 1),), disabled=len(spec.blocks) == 6)
        st.button("Remove the last", on_click=stages, args=(spec.blocks[:-1],), disabled=len(spec.blocks) == 1)
    st.segmented_control(
        "Stem", list(Stem), format_func=word, required=True, help="What stands before the blocks.", **bound("stem")
    )
    st.number_input("Width", 1, 1024, step=8, help="Planes of the first stage; each later stage doubles them.", **bound("width"))
    if spec.block.bottleneck:
        st.number_input("Groups", 1, 256, help="Of the 3×3 convolution: more than 1 makes a ResNeXt.", **bound("groups"))
        st.number_input(
            "Width per group",
            1,
            1024,
            help="Of 64: 128 doubles the bottleneck's inner width (Wide ResNet).",
            **bound("width_per_group"),
        )
    st.number_input("Classes", 1, 100_000, help="Outputs of the last layer.", **bound("classes"))
    st.number_input("Input channels", 1, 64, help="3 for colour, 1 for grey.", **bound("in_channels"))


def block_control() -> None:
    st.selectbox(
        "Residual unit",
        list(Block),
        format_func=word,
        help="Two 3×3 convolutions, or a bottleneck of 1×1, 3×3, 1×1.",
        **bound("block"),
    )


def seed_control() -> None:
    st.number_input("Seed", 0, 2**31 - 1, help="The same seed draws the same weights.", **bound("seed"))


def try_this(settings: Mapping[str, NetSpec]) -> None:
    """Telling settings, one click away; undo takes them back."""
    st.markdown("**Try this**")
    with st.container(horizontal=True):
        for label, spec in settings.items():
            st.button(label, key=f"try.{label}", on_click=change, args=(lambda _, chosen=spec: chosen,))
