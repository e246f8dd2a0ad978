"""What attention does to tokens: sections for the session's Transformer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from resviz.figures import captions
from resviz.figures.attention import attention_frame, attention_mosaic, collapse_frame, collapse_lines
from resviz.machine import fitting_threads
from resviz.progress import Tick
from resviz.results import AttentionMaps, Collapse
from resviz.spec.datasets import DATASETS
from resviz.spec.lab import LabPlan
from resviz.spec.names import describe
from resviz.spec.net import SpecError
from resviz.spec.transformer import TransformerSpec
from resviz.ui import cache
from resviz.ui.components.chart import chart, line_chart
from resviz.ui.waiting import result_of

if TYPE_CHECKING:
    from torch import Tensor

    from resviz.nets.families.transformer import Transformer

__all__ = ["attention_section", "rank_section"]

_DEEP: Final = 24
_STEPS: Final = (0, 50, 150, 400)
_DIGITS: Final = 64
_RATE: Final = 0.05


def rank_section(spec: TransformerSpec) -> None:
    """What is left of the tokens' differences by depth, with skips and without, with MLPs and without."""
    depth = st.segmented_control("Layers", [6, 12, _DEEP], required=True, default=_DEEP, key="rank.layers") or _DEEP
    design = spec.resized(num_layers=depth)

    def work(tick: Tick) -> Collapse | str:
        from resviz.probes.rank import rank_collapse

        with fitting_threads(spec.image):
            try:
                return rank_collapse(design, tick=tick)
            except SpecError as error:  # too large for this machine's memory
                return str(error)

    found = result_of("rank", ("rank", design), "Comparing tokens behind every layer", work)
    if isinstance(found, str):
        st.info(f"{found[0].upper()}{found[1:]}.", icon=":material/info:")
    if not isinstance(found, Collapse):
        return
    line_chart(collapse_lines(found), "rank", "What is left of the tokens' differences behind each layer, on a log axis")
    st.markdown(captions.collapse_note(found, describe(design)))
    st.markdown(captions.collapse_claim(found))
    st.download_button(
        "Residuals (CSV)", lambda: collapse_frame(found).to_csv(index=False), "rank.csv", "text/csv", on_click="ignore"
    )


def attention_section(spec: TransformerSpec) -> None:
    """What the class token reads of a digit, before training and, where the network is for digits, after a few steps."""
    digits = (spec.image, spec.in_channels, spec.classes) == (DATASETS["digits"].side, 1, 10)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = int(
            st.number_input("Digit", 0, _DIGITS - 1, key="attention.digit", help="Which of 64 handwritten digits.", width=160)
        )
        steps = 0
        if digits:
            steps = (
                st.segmented_control(
                    "Steps learned", _STEPS, required=True, default=_STEPS[2], key="attention.steps", help="On digits."
                )
                or 0
            )

    def work(tick: Tick) -> AttentionMaps:
        from resviz.probes.attention import attention_maps

        with fitting_threads(spec.image):
            net = _taught(spec, steps, tick)
            pictures, labels = _held_out() if digits else cache.batch_of(spec, "digits", _DIGITS, spec.image, 0)
            return attention_maps(net, pictures[number : number + 1], int(labels[number]), steps)

    found = result_of("attention", ("attention", spec, steps, number), "Reading attention", work)
    if found is None:
        return
    chart(attention_mosaic(found), "attention", "What the class token reads of each patch, by layer and head")
    st.markdown(captions.attention_note(found, describe(spec)))
    st.download_button(
        "Weights (CSV)", lambda: attention_frame(found).to_csv(index=False), "attention.csv", "text/csv", on_click="ignore"
    )


def _taught(spec: TransformerSpec, steps: int, tick: Tick) -> Transformer:
    """The network after so many steps of SGD on handwritten digits."""
    from resviz.data.datasets import named_sets
    from resviz.nets.build import build
    from resviz.nets.families.transformer import Transformer
    from resviz.training.lab import Lab

    net = build(spec)
    if steps:
        lab = Lab(LabPlan((spec,), lr=_RATE), lambda: named_sets("digits"), recording=False, looks=steps)
        for step in range(steps):
            tick(step / steps)
            lab.advance()
        net, _ = lab.network(0)
    assert isinstance(net, Transformer)  # as its spec is
    return net.eval()


def _held_out() -> tuple[Tensor, Tensor]:
    """Digits that it did not learn from."""
    from resviz.data.datasets import named_sets

    chosen = named_sets("digits")[1].subset(_DIGITS)
    return chosen.normalised(chosen.images), chosen.labels
