"""More of the networks whose landscape is seen: how sharply the loss curves where they are, and how alike their layers are."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from resviz.figures import captions
from resviz.machine import fitting_threads
from resviz.probes.sharpness import sharpness
from resviz.progress import Tick
from resviz.results import Sharpness
from resviz.spec.landscape import PICTURES, LandscapePlan
from resviz.spec.net import Design
from resviz.training.pairs import rate_of
from resviz.ui.landscape.path import path_section
from resviz.ui.similarity import similarity_section
from resviz.ui.waiting import result_of
from resviz.zoo.classifier import Classifier
from resviz.zoo.learned import pictures_of

__all__ = ["show"]


def show(plan: LandscapePlan, nets: Mapping[Design, Classifier]) -> None:
    """Each where it is asked for: both take seconds."""
    if st.toggle("Measure the largest curvature", key="landscape.curvature", help="λ_max of the Hessian in all weights."):
        _curvature(plan, nets)
    if st.toggle("Compare the layers", key="landscape.layers", help="Linear CKA of what every block makes of the same pictures."):
        similarity_section(list(nets.values()), f"{plan.depth}.{plan.weights}.{plan.run}")
    if st.toggle(
        "Follow the training",
        key="landscape.path",
        help="Both are trained anew, their weights kept after every epoch, and their way is drawn in the plane in which most of it lies.",
    ):
        with st.container(key="reserve-landscape-path"):
            path_section(plan)


def _curvature(plan: LandscapePlan, nets: Mapping[Design, Classifier]) -> None:
    def work(tick: Tick) -> dict[Design, Sharpness]:
        found: dict[Design, Sharpness] = {}
        for n, (design, classifier) in enumerate(nets.items()):

            def hear(fraction: float, note: str = "", partial: object = None, n: int = n, design: Design = design) -> bool:
                return tick((n + fraction) / len(nets), f"{design}, {note}")

            images, targets = pictures_of(classifier, PICTURES)
            with fitting_threads(images.shape[-1]):
                found[design] = sharpness(classifier.private_view(), images, targets, plan.around.statistics, tick=hear)
        return found

    rate = st.number_input(
        "Learning rate η", 0.0001, 10.0, rate_of(plan), format="%.4f", key=f"landscape.rate.{plan.depth}.{plan.run}", width=180
    )
    key = "sharpness", plan.depth, plan.weights, plan.run
    found = result_of("landscape.sharpness", key, "Measuring the largest curvature", work)
    if found:
        st.markdown(captions.sharpness_note(found, rate))
