"""The race on handwritten digits: started, watched and stopped by the visitor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from resviz.figures import gradients, training, words
from resviz.spec import Init, NetSpec, Norm, cifar_blocks
from resviz.ui.charts import line_chart
from resviz.ui.jobs import Cancelled, Job, JobsFull, Tick, submit

__all__ = ["Entry", "run_race", "show"]

_SETTINGS = {
    "no norm, PyTorch init": (Norm.NONE, Init.PYTORCH, 0.02),
    "batch norm, Kaiming init": (Norm.BATCH, Init.KAIMING, 0.1),
}


@dataclass(frozen=True)
class Entry:
    """What to race: the depth, the design both share, the rate, and how many steps."""

    depth: int
    norm: Norm
    init: Init
    lr: float
    steps: int
    seed: int

    def contenders(self) -> dict[str, NetSpec]:
        spec = NetSpec(blocks=cifar_blocks(self.depth), norm=self.norm, init=self.init, in_channels=1, seed=self.seed)
        return {"residual": spec, "plain": spec.plain()}


def run_race(entry: Entry, tick: Tick) -> tuple[Any, ...]:
    """Every step so far, also where it is stopped early."""
    from resviz.training.race import Race, digits_split

    train, test = digits_split()
    steps: list[Any] = []
    try:
        for step in Race(entry.contenders(), train, test, entry.lr, entry.steps, seed=entry.seed):
            steps.append(step)
            tick(step.step / step.steps, f"step {step.step} of {step.steps}", tuple(steps))
    except Cancelled:
        pass  # a stopped race keeps what it has
    return tuple(steps)


def show() -> None:
    """The controls, and the race filling in under them."""
    st.markdown("The same comparison, live: 1,500 handwritten digits of 8×8 pixels, both networks on the same batches.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        depth = st.selectbox("Depth", [20, 32, 44, 56, 110], index=3, key="race.depth", width=110)
        setting = st.selectbox("Design", list(_SETTINGS), key="race.setting", width=230)
        steps = st.selectbox("Steps", [60, 150, 300, 600], index=1, key="race.steps", width=110)
        seed = st.number_input("Seed", 0, 10_000, 0, key="race.seed", width=130)
        norm, init, lr = _SETTINGS[setting]
        entry = Entry(depth, norm, init, lr, steps, int(seed))
        job: Job | None = st.session_state.get("race")
        live = job is not None and job.live
        if st.button("Start again" if job else "Start", type="primary", icon=":material/sprint:", disabled=live):
            try:
                st.session_state.race = submit(("race", entry), lambda tick: run_race(entry, tick))
            except JobsFull as full:
                st.warning(str(full), icon=":material/hourglass:")
            st.rerun()
        if job is not None and live:
            st.button("Stop", on_click=job.cancel, icon=":material/stop:")
    if job is None:
        st.caption("A depth of 56 and 150 steps take about a quarter of a minute on two cores.")
        return
    _watch(job) if live else _draw(job)


@st.fragment(run_every=0.5)
def _watch(job: Job) -> None:
    if not job.live:
        st.rerun()
    left = job.remaining
    st.progress(job.fraction, (job.note or "waiting for a free core") + (f", about {left:.0f} s left" if left else ""))
    _draw(job)


def _draw(job: Job) -> None:
    if job.state == "failed":
        st.error(f"The race ended with an error: {job.error}. Start it again, or choose fewer layers.")
        return
    steps = job.result if job.state == "done" else job.partial
    if not steps:
        return
    entry: Entry = job.key[1]  # type: ignore[index] # submitted above
    loss, profile = st.columns(2, gap="medium")
    with loss:
        st.markdown("**Loss**")
        line_chart(training.loss_curves(steps, steps[-1].steps), "race-loss", "Training loss of both networks by step")
    with profile:
        st.markdown(f"**Gradient of every layer at step {steps[-1].step}**")
        decades = gradients.log_range(np.concatenate([p.norms for p in steps[-1].profiles.values()]), -9, 3)
        figure = gradients.gradient_profiles(steps[-1].profiles, decades, height=320)
        line_chart(figure, "race-profile", "Gradient norm of every layer at this step")
    st.markdown(words.race_note(steps, entry.depth))
