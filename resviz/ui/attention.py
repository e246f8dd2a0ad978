"""What attention does to tokens: sections for the session's Transformer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from resviz.figures import captions
from resviz.figures.attention import attention_frame, attention_mosaic, collapse_frame, collapse_lines
from resviz.machine import fitting_threads
from resviz.progress import Tick
from resviz.results import AttentionMaps, Collapse
from resviz.shared import Public
from resviz.spec.comparisons import fitting
from resviz.spec.datasets import DATASETS
from resviz.spec.lab import LabPlan, fitting_data
from resviz.spec.names import describe
from resviz.spec.net import SpecError
from resviz.spec.transformer import TransformerSpec
from resviz.ui import cache
from resviz.ui.components.chart import chart, line_chart
from resviz.ui.markdown import sentence
from resviz.ui.waiting import result_of

if TYPE_CHECKING:
    from torch import Tensor

    from resviz.nets.families.transformer import Transformer

__all__ = ["attention_section", "rank_section"]

_DEEP: Final = 24
_STEPS: Final = (0, 50, 150, 400)
_INPUTS: Final = 64
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

    found = result_of("rank", Public(("tokens", design)), "Comparing tokens behind every layer", work)
    if isinstance(found, str):
        st.info(sentence(found), icon=":material/info:")
    if not isinstance(found, Collapse):
        return
    line_chart(collapse_lines(found), "rank", "What is left of the tokens' differences behind each layer, on a log axis")
    st.markdown(captions.collapse_note(found, describe(design)))
    st.markdown(captions.collapse_claim(found))
    st.download_button(
        "Residuals (CSV)", lambda: collapse_frame(found).to_csv(index=False), "rank.csv", "text/csv", on_click="ignore"
    )


def attention_section(spec: TransformerSpec) -> None:
    """What the class token reads of a digit or a sequence, before training and, where the network fits the lab's, after a few steps."""
    name = fitting_data([spec])[0]
    data = DATASETS[name]
    taught = fitting(spec, data.side, data.channels, data.classes or 10) == spec and spec.vocabulary in (0, data.symbols)
    sequence = spec.vocabulary > 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = int(
            st.number_input(
                "Sequence" if sequence else "Digit",
                0,
                _INPUTS - 1,
                key="attention.digit",
                help=f"Which of {_INPUTS} {'sequences; the answer is the symbol behind ▸' if sequence else 'handwritten digits'}.",
                width=160,
            )
        )
        steps = 0
        if taught:
            steps = (
                st.segmented_control(
                    "Steps learned", _STEPS, required=True, default=_STEPS[2], key="attention.steps", help=f"On {data.title}."
                )
                or 0
            )

    def work(tick: Tick) -> AttentionMaps:
        from resviz.probes.attention import attention_maps

        with fitting_threads(spec.image):
            plan = LabPlan((spec,), name, lr=_RATE) if taught else None
            net = _taught(spec, plan, steps, tick)
            inputs, labels = _held_out(plan) if plan else cache.batch_of(spec, "digits", _INPUTS, spec.image, 0)
            return attention_maps(net, inputs[number : number + 1], int(labels[number]), steps)

    found = result_of("attention", ("attention", spec, steps, number), "Reading attention", work)
    if found is None:
        return
    chart(
        attention_mosaic(found),
        "attention",
        f"What the class token reads of each {'symbol' if sequence else 'patch'}, by layer and head",
    )
    st.markdown(captions.attention_note(found, describe(spec)))
    st.download_button(
        "Weights (CSV)", lambda: attention_frame(found).to_csv(index=False), "attention.csv", "text/csv", on_click="ignore"
    )


def _taught(spec: TransformerSpec, plan: LabPlan | None, steps: int, tick: Tick) -> Transformer:
    """The network after so many steps of a plan's SGD."""
    from resviz.data.datasets import sets_of
    from resviz.nets.build import build
    from resviz.nets.families.transformer import Transformer
    from resviz.training.lab import Lab

    net = build(spec)
    if plan is not None and steps:
        lab = Lab(plan, lambda: sets_of(plan), recording=False, looks=steps)
        for step in range(steps):
            tick(step / steps)
            lab.advance()
        net, _ = lab.network(0)
    assert isinstance(net, Transformer)  # as its spec is
    return net.eval()


def _held_out(plan: LabPlan) -> tuple[Tensor, Tensor]:
    """Inputs that it did not learn from."""
    from resviz.data.datasets import sets_of

    chosen = sets_of(plan)[1].subset(_INPUTS)
    return chosen.normalised(chosen.images), chosen.labels
