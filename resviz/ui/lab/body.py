"""The Lab: networks that learn side by side, what every layer of theirs does, and the hand that reaches in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st

from resviz.spec.comparisons import COMPARISONS, PLANE_COMPARISONS, UNET_COMPARISONS
from resviz.spec.lab import LabPlan, plan_to_query
from resviz.ui import story
from resviz.ui.grammar import beside, chips, why
from resviz.ui.lab import controls, stage
from resviz.ui.lab.export import export
from resviz.ui.lab.masks import masks
from resviz.ui.lab.planes import planes
from resviz.ui.lab.session import session
from resviz.ui.markdown import sentence
from resviz.ui.page import Address

__all__ = ["show"]


def show(address: Address) -> None:
    """Controls, figures, files and explanations; the address is the plan's."""
    lab = session()
    if lab.notice:
        st.warning(sentence(lab.notice), icon=":material/info:")
    place, drawer = beside()
    with drawer:
        controls.setup(lab)
    with place:
        chips({label: partial(lab.reset, plan) for label, plan in _TELLING.items()})
        controls.transport(lab)
        with st.container(key="reserve-lab"):
            planes(lab)
            masks(lab)
            stage.stage(lab)
    stage.measurements(lab)
    export(lab)
    story.where_am_i(story.in_the_lab(lab.current, lab.step))
    why(_WHY)
    address.add(plan_to_query(lab.current))


_TELLING: Final[Mapping[str, LabPlan]] = {
    "Where does batch norm help?": COMPARISONS["Batch norm or none"](56),
    "Watch one diverge": COMPARISONS["Three initialisations"](56),
    "Degradation, live": COMPARISONS["Shallow and deep"](56),
    "See the boundary": PLANE_COMPARISONS["Points in the plane"](20),
    "Mark every pixel": UNET_COMPARISONS["Long, short, both, none"](18),
}
_WHY: Final = (
    r"A step changes a weight by $\Delta w = -\eta\, m$ with $m \leftarrow 0.9\,m + \partial L/\partial w$: where the gradient is zero "
    r"nothing moves, and $\|\Delta w\|/\|w\|$ says how much of a weight is new after a step. The signal plots ask the same forwards: "
    "batch norm keeps each residual branch's variance at about one, so that the trunk's grows by a constant a block; without it "
    "every block multiplies it (De & Smith 2020, arXiv 2002.10444; Brock et al. 2021, arXiv 2101.08692). Gradients are recorded "
    "at every step and thinned once there are more than 512 of them, the signal every 16 steps, held-out images every 50."
)
