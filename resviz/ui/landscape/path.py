"""Both networks trained while one waits, and the way of their weights over the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from resviz.figures import captions
from resviz.figures.landscape import loss_range
from resviz.figures.trajectory import trajectory_frame, trajectory_map
from resviz.machine import fitting_threads
from resviz.probes.trajectory import trajectory
from resviz.progress import Tick
from resviz.results import Trajectory
from resviz.shared import Public
from resviz.spec.landscape import PICTURES, LandscapePlan
from resviz.spec.net import Design
from resviz.training.descent import descent, learned_from
from resviz.ui.components.chart import chart
from resviz.ui.waiting import result_of

__all__ = ["path_section"]

_TITLES: Final[Mapping[Design, str]] = {"residual": "With skips", "plain": "Without skips"}
_TRAINING: Final = 0.6  # of the time


def path_section(plan: LandscapePlan) -> None:
    """The path of each training in its own plane, side by side."""

    def work(tick: Tick) -> Mapping[Design, Trajectory]:
        found: dict[Design, Trajectory] = {}
        images, targets = learned_from(PICTURES)
        with fitting_threads(images.shape[-1]):
            for design, spec in plan.specs.items():

                def hear(share: float, begun: float, note: str, design: Design = design, done: int = len(found)) -> bool:
                    return tick((done + begun + share) / len(plan.specs), f"{design}, {note}")

                def trained(fraction: float, note: str = "", partial: object = None) -> bool:
                    return hear(_TRAINING * fraction, 0, note)

                def walked(fraction: float, note: str = "", partial: object = None) -> bool:
                    return hear((1 - _TRAINING) * fraction, _TRAINING, note)

                net, kept = descent(spec, tick=trained)
                found[design] = trajectory(net, kept, (images, targets), tick=walked)
        return found

    found = result_of(
        "landscape.path", Public(("trajectory", plan.depth, plan.run)), "Training both and keeping their weights", work
    )
    if found is None:
        return
    span = loss_range(each.losses for each in found.values())
    for column, (design, each) in zip(st.columns(len(found), gap="medium"), found.items(), strict=True):
        with column:
            st.markdown(f"**{_TITLES[design]}**")
            chart(trajectory_map(each, span), f"path-{design}", f"Path of the training over the loss, {_TITLES[design].lower()}")
    st.markdown(captions.trajectory_note(found))
    st.markdown(captions.trajectory_claim(found))
    st.download_button(
        "Paths (CSV)", lambda: trajectory_frame(found).to_csv(index=False), "paths.csv", "text/csv", on_click="ignore"
    )
