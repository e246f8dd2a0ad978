"""What the lab waits for before its first step: data to be fetched, and what a step will cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from resviz.figures import captions
from resviz.progress import Tick
from resviz.spec.datasets import DATASETS
from resviz.ui.lab.session import Session
from resviz.ui.waiting import result_of

if TYPE_CHECKING:
    from resviz.training.estimate import Estimate

__all__ = ["download", "estimated"]

_SHORT: Final = 1.5  # seconds a first step may take without being asked for


def download(lab: Session) -> None:
    """CIFAR-10, where it is not on this machine yet and the visitor asks for it."""
    from resviz.data.datasets import CIFAR_MEGABYTES, download_cifar10

    def work(tick: Tick) -> bool:
        for fraction in download_cifar10():
            tick(fraction, f"{fraction * CIFAR_MEGABYTES:.0f} of {CIFAR_MEGABYTES} MB")
        return True

    st.caption(f"CIFAR-10 is not on this machine yet: 60,000 pictures of 32×32 pixels, {CIFAR_MEGABYTES} MB.")
    if st.button("Download CIFAR-10", icon=":material/download:") or st.session_state.get("lab.downloading"):
        st.session_state["lab.downloading"] = True
        if result_of("cifar10", "cifar10", "Downloading CIFAR-10", work):
            st.session_state["lab.downloading"] = False
            st.rerun()


def estimated(lab: Session, place: DeltaGenerator) -> None:
    """What a step will cost, from a few steps of shallow networks of the same designs."""
    plan = lab.plan

    def work(tick: Tick) -> Estimate:
        from resviz.data.datasets import sets_of
        from resviz.machine import fitting_threads
        from resviz.training.estimate import estimate

        with fitting_threads(DATASETS[plan.data].side):
            own = lab.own if plan.data == "own" else None
            return estimate(plan, (own or sets_of(plan))[0])

    key = ("estimate", tuple(replace(spec, seed=0) for spec in plan.contenders), plan.data, plan.batch, plan.share)
    found = result_of("estimate", key, "Estimating", work)
    if found is None:
        return
    if lab.lab is None and not lab.error and found.seconds < _SHORT:
        lab.run_to(1)  # so that there is something to see
    data = DATASETS[plan.data]
    what = data.things if data.points or data.symbols else f"images of {data.side} px"
    with place:
        st.caption(
            f"Estimated: {captions.pace(found.seconds)}, {found.memory / 2**30:.2f} GiB. SGD, momentum 0.9, {plan.batch} {what} a batch.",
        )
