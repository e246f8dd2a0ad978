"""Landscape: the loss around a residual network's weights beside that around a plain one's, from coarse to fine."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import streamlit as st

from resviz.figures.landscape import frame, picture
from resviz.machine import fitting_threads
from resviz.probes.landscape import landscapes
from resviz.progress import Tick
from resviz.results import Landscape
from resviz.spec.landscape import (
    DEPTHS,
    GRIDS,
    LANDSCAPE_PARAMETERS,
    PICTURES,
    LandscapePlan,
    Weights,
    lost,
    plan_from_query,
    plan_to_query,
)
from resviz.spec.net import Design
from resviz.training.pairs import bundled_pair, pair
from resviz.ui import waiting
from resviz.ui.explain.link import valid
from resviz.ui.grammar import beside, chips, why
from resviz.ui.landscape import more
from resviz.ui.landscape.maps import maps, said, shown
from resviz.ui.left_out import followed, leave_out, say_left_out
from resviz.ui.page import Address
from resviz.ui.state import went_back
from resviz.ui.tied import Bound, tied
from resviz.zoo.classifier import Classifier
from resviz.zoo.learned import pictures_of

__all__ = ["show"]

_PLAN: Final = "landscape.plan"
_SLOT: Final = "landscape"
_KEPT: Final = 64  # planes: 17 kB each at the finest
_Measured = dict[Design, Landscape]


def show(address: Address) -> None:
    """The controls beside both maps, what they say, and more measurements of the same networks."""
    plan = _plan()
    stage, drawer = beside()
    with drawer:
        _controls(plan)
    with stage:
        say_left_out()
        chips(_telling(plan))
        nets = _networks(plan)
        found = _stage(plan, nets) if nets else None
    if nets and found:
        with st.expander("More measurements: the largest curvature, and the layers"):
            more.show(plan, nets)
    why(_WHY)
    address.add(_link(plan))


# ------------------------------------------------------------------------------------------ what is asked


def _plan() -> LandscapePlan:
    """As the visitor left it; as the address says to who comes for the first time or goes back."""
    state = st.session_state
    if _PLAN not in state or went_back():
        query = {name: text for name, text in st.query_params.items() if name in LANDSCAPE_PARAMETERS}
        asked = plan_from_query(query)
        strange = lost(query, asked)
        followed(query)
        leave_out(strange)
        told = "weights" in query and "weights" not in strange
        state[_PLAN] = asked if told else replace(asked, weights=_usual(asked))
    plan: LandscapePlan = state[_PLAN]
    return plan


def _usual(plan: LandscapePlan) -> Weights:
    """Before training a first picture is there at once; training takes a moment where no trained networks came along."""
    return "trained" if bundled_pair(plan) else "start"


def _link(plan: LandscapePlan) -> dict[str, str]:
    """What the address says: what differs from what the page begins with."""
    told = {name: text for name, text in plan_to_query(plan).items() if name != "weights"}
    return told if plan.weights == _usual(plan) else told | {"weights": plan.weights}


def _change(**to: object) -> None:
    st.session_state[_PLAN] = replace(st.session_state[_PLAN], **to)


def _telling(plan: LandscapePlan) -> dict[str, Callable[[], None]]:
    other = next(depth for depth in DEPTHS if depth != plan.depth)
    trained = plan.weights == "trained"
    return {
        f"{other} layers": partial(_change, depth=other),
        "Before training" if trained else "Trained": partial(_change, weights="start" if trained else "trained"),
        "Another plane": partial(_change, plane=plan.plane + 1),
        "Closer" if plan.extent > 0.5 else "Farther": partial(_change, extent=0.25 if plan.extent > 0.5 else 1.0),
    }


def _controls(plan: LandscapePlan) -> None:
    """Which networks, and which plane through their weights."""

    def bound(name: str) -> Bound:
        return tied(f"landscape.{name}", getattr(plan, name), lambda value: _change(**{name: value}))

    st.segmented_control("Depth", DEPTHS, required=True, format_func=lambda depth: f"{depth} layers", **bound("depth"))
    st.segmented_control(
        "Weights",
        ("trained", "start"),
        required=True,
        format_func={"trained": "trained", "start": "before training"}.__getitem__,
        help="Trained on scikit-learn's handwritten digits, in this session where no such networks came with the project.",
        **bound("weights"),
    )
    st.select_slider("Points along a side", GRIDS, help="A finer map keeps the coarser one's points.", **bound("grid"))
    st.segmented_control(
        "Shown as",
        ("map", "surface"),
        required=True,
        key=valid("landscape.view", ("map", "surface"), "map"),
        help="A map reads exactly; a surface can be turned.",
    )
    with st.expander("More"):
        extents = sorted({0.1, 0.25, 0.5, 1.0, 2.0, plan.extent})
        st.select_slider("Extent", extents, help="1 goes as far as the weights are long.", **bound("extent"))
        st.number_input("Plane", 0, 10_000, help="The seed of its two directions.", **bound("plane"))
        st.number_input("Training", 0, 10_000, help="The seed of the weights before training.", **bound("run"))
    about = "the running ones of training, as they are" if plan.around.statistics == "trained" else "those of the pictures"
    st.caption(f"{PICTURES} of the training pictures; batch norm's statistics are {about}.")


# ------------------------------------------------------------------------------------------ what is measured


def _networks(plan: LandscapePlan) -> dict[Design, Classifier] | None:
    """Both, or None after drawing how far their training is."""
    key = "landscape.nets", plan.depth, plan.weights, plan.run
    nets = waiting.result_of("landscape.nets", key, f"Training both networks of {plan.depth} layers", partial(pair, plan))
    if nets is None:
        maps({})
    return nets


@st.cache_resource(show_spinner=False)
def _measured() -> OrderedDict[LandscapePlan, _Measured]:
    """What was measured of each plane so far, whatever became of the job: nothing is measured twice."""
    return OrderedDict()


def _stage(plan: LandscapePlan, nets: Mapping[Design, Classifier]) -> _Measured | None:
    """Both maps as they sharpen; what was there when the visitor cancelled stays. None where that is nothing yet."""
    place, status = st.container(), st.container()
    kept, plane, view = _measured(), replace(plan, grid=GRIDS[0]), st.session_state["landscape.view"]

    def partly(slot: str, so_far: _Measured | None) -> None:
        maps(shown(so_far or kept.get(plane, {})), view)

    wanted = _SLOT, ("landscape", plan), "Measuring both networks", partial(_work, plan, nets, kept)
    (found,) = waiting.results_of([wanted], [status], partly)
    job = st.session_state["jobs"].get(_SLOT)
    if found is None and job is not None and job.live:
        return None
    both = shown(found or kept.get(plane, {}))
    with place:
        maps(both, view)
    if both:
        said(both, plan.weights == "trained", plan.depth)
        _files(both)
    return both or None


def _work(
    plan: LandscapePlan, nets: Mapping[Design, Classifier], kept: OrderedDict[LandscapePlan, _Measured], tick: Tick
) -> _Measured:
    """The job: what an earlier one has measured of this plane is not measured again, and what this one does is kept at once."""
    plane = replace(plan, grid=GRIDS[0])

    def hear(fraction: float, note: str = "", partial: object = None) -> bool:
        if isinstance(partial, dict):
            _keep(kept, plane, partial)
        return tick(fraction, note, partial)

    images, targets = pictures_of(nets["residual"], PICTURES)
    views = {design: classifier.private_view() for design, classifier in nets.items()}
    with fitting_threads(images.shape[-1]):
        found = landscapes(views, images, targets, plan.around, plan.grid, known=kept.get(plane), tick=hear)
    _keep(kept, plane, found)
    return found


def _keep(kept: OrderedDict[LandscapePlan, _Measured], plane: LandscapePlan, found: _Measured) -> None:
    """Unless as many points were kept already: a coarser map may be asked for after a finer one."""
    if sum(each.measured for each in found.values()) >= sum(each.measured for each in kept.get(plane, {}).values()):
        kept[plane] = found
        while len(kept) > _KEPT:
            kept.popitem(last=False)


def _files(found: _Measured) -> None:
    """Every point as a table, and the maps as one picture; a map's own camera saves it as SVG."""

    def csv() -> str:
        return str(frame(found).to_csv(index=False))

    def png() -> bytes:
        buffer = io.BytesIO()
        picture(found).save(buffer, "PNG")
        return buffer.getvalue()

    with st.container(horizontal=True):
        st.download_button("Points (CSV)", csv, "landscape.csv", "text/csv", on_click="ignore")
        st.download_button("Maps (PNG)", png, "landscape.png", "image/png", on_click="ignore")


_WHY: Final = (
    "Li et al. 2018 (arXiv 1712.09913) walk from the trained weights w along two random directions and draw the loss at w + x·d₁ + y·d₂. "
    "A network whose weights are all twice as large computes the same under batch norm, so plain random directions would make it look "
    "flatter than it is: each filter of a direction is made as long as the network's own (**filter normalisation**), and biases and norms stay. "
    "Both networks get the same draw. What is seen is two dimensions out of tens of thousands; bumps on the plane are bumps, but a smooth "
    "plane proves nothing of the other directions. The largest curvature, λ_max, does look at all of them, and depends on the weights' scale "
    "(Dinh et al. 2017, arXiv 1703.04933). That skips help by this smoothness alone is argued, not settled (arXiv 2506.14386)."
)
