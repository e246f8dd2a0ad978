"""The race on handwritten digits: started, watched and stopped by the visitor."""

from __future__ import annotations

import math
from dataclasses import replace

import streamlit as st

from resviz.figures import captions, lab
from resviz.spec.lab import LabPlan
from resviz.spec.net import Init, NetSpec, Norm
from resviz.spec.presets import cifar_blocks
from resviz.ui.components.chart import line_chart
from resviz.ui.lab.session import Session
from resviz.ui.markdown import literal

__all__ = ["show"]

_SETTINGS = {
    "no norm, PyTorch init": (Norm.NONE, Init.PYTORCH, 0.02),
    "batch norm, Kaiming init": (Norm.BATCH, Init.KAIMING, 0.1),
}


def show() -> NetSpec:
    """The controls, and the race filling in under them; the network with skips that is chosen there."""
    st.markdown(
        "Live, and not the comparison above: 1,500 handwritten digits of 8×8 pixels instead of CIFAR-10, some hundred steps instead of "
        "30 epochs, without a norm unless you choose one; both networks on the same batches."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        depth = st.selectbox("Depth", [20, 32, 44, 56, 110], index=3, key="race.depth", width=110)
        setting = st.selectbox("Design", list(_SETTINGS), key="race.setting", width=230)
        steps = st.selectbox("Steps", [60, 150, 300, 600], index=1, key="race.steps", width=110)
        seed = st.number_input("Seed", 0, 10_000, 0, key="race.seed", width=130)
        norm, init, lr = _SETTINGS[setting]
        spec = NetSpec(blocks=cifar_blocks(depth), norm=norm, init=init, in_channels=1, seed=int(seed))
        plan = LabPlan((spec, spec.plain()), lr=lr, seed=int(seed), steps=steps)
        held: Session | None = st.session_state.get("race")
        if st.button(
            "Start again" if held else "Start",
            type="primary",
            icon=":material/sprint:",
            disabled=held is not None and held.running,
        ):
            st.session_state.race = held = Session(replace(plan, steps=0))
            held.run_to(steps)
            st.rerun()
        if held is not None and held.running:
            st.button("Stop", on_click=held.pause, icon=":material/stop:")
    if held is None:
        st.caption("A depth of 56 and 150 steps take some ten seconds on two idle cores. The Lab goes on from here.")
        return spec
    _watch(held) if held.running else _draw(held)
    return spec


@st.fragment(run_every=0.5)
def _watch(held: Session) -> None:
    if not held.running or held.job is None:
        st.rerun()
    left = held.job.remaining
    text = (held.job.note or "waiting for a free core") + (f", about {math.ceil(left)} s left" if left else "")
    st.progress(held.job.fraction, text)
    _draw(held)


def _draw(held: Session) -> None:
    if held.error or (held.job is not None and held.job.state == "failed"):
        st.error(
            f"The race ended: {literal(held.error or (held.job and held.job.error))}. Start it again, or choose fewer layers."
        )
    record = held.lab.record() if held.lab else None
    if record is None:
        return
    loss, profile = st.columns(2, gap="medium")
    with loss:
        st.markdown("**Loss**")
        line_chart(lab.line_over_time(record, "loss"), "race-loss", "Training loss of both networks by step")
    with profile:
        st.markdown(f"**Gradient of every layer at step {record.step}**")
        figure = lab.layer_lines(record, "gradients", record.step, lab.gradient_decades(record))
        line_chart(figure, "race-profile", "Gradient norm of every layer at this step")
    st.markdown(captions.lab_note(record, record.step))
