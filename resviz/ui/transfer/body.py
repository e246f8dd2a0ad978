"""Transfer: pictures of somebody's own, a trained network, and three ways to teach the one to the other."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

import streamlit as st

from resviz.data.album import Album
from resviz.figures import captions
from resviz.figures.transfer import confusion_table, courses, curve_chart, layer_changes, mode_table
from resviz.results import LearningCurve, Transferred
from resviz.spec.transfer import FEWEST, MODES, TransferMode, TransferPlan, usual_plan
from resviz.training.transfer.lesson import FEATURES, PIXELS, SHARE, Lesson
from resviz.ui.components.chart import line_chart
from resviz.ui.grammar import beside, chips, why
from resviz.ui.markdown import sentence
from resviz.ui.shelf import my_networks
from resviz.ui.transfer import pictures
from resviz.ui.transfer.mistakes import hand_on, mistakes
from resviz.ui.transfer.session import Room, Taught, room, starts

__all__ = ["show"]


def show() -> None:
    """Pictures and network in the drawer; what was learned on the stage."""
    held = room()
    stage, drawer = beside()
    with drawer:
        album = pictures.choose_album(held)
        start, share, seed = _start()
        plans = _plans(seed)
        my_networks()
    taught: list[Taught] = []
    with stage:
        chips(_TELLING)
        lesson = _lesson(held, album, start, share, seed)
        if lesson is not None:
            taught = _figure(held, lesson, plans)
    held_out = () if lesson is None else tuple(each.key for _, each in lesson.parts[1])
    _look_over(held, album, held_out)
    if lesson is not None and taught:
        _more([each.found for each in taught])
        mistakes(held.token, lesson, taught)
        hand_on(lesson, taught)
    why(_WHY)


def _choose(modes: list[TransferMode]) -> None:
    st.session_state["transfer.modes"] = modes


_TELLING: Final = {
    "The head alone": partial(_choose, ["head"]),
    "All three ways": partial(_choose, list(MODES)),
}


def _start() -> tuple[str, float, int]:
    """The network that is taught, the share held out and the seed."""
    names = starts()
    if st.session_state.get("transfer.from") not in names:
        st.session_state.pop("transfer.from", None)
    usual = next((place for place, name in enumerate(names) if name.endswith("-imagenette")), 0)
    start = st.selectbox("Start from", list(names), index=usual, format_func=names.__getitem__, key="transfer.from")
    with st.popover("Split and seed", icon=":material/tune:", width="stretch"):
        percent = st.slider("Held out of each class", 10, 60, round(100 * SHARE), 5, format="%d %%", key="transfer.share")
        seed = st.number_input(
            "Seed", 0, 10_000, key="transfer.seed", help="Draws who is held out, the batches and random weights."
        )
    return start, percent / 100, int(seed)


def _plans(seed: int) -> list[TransferPlan]:
    """The chosen ways, in order."""
    st.session_state.setdefault("transfer.modes", ["head"])
    chosen = st.pills("Ways to learn", list(MODES), selection_mode="multi", format_func=MODES.__getitem__, key="transfer.modes")
    plans = [usual_plan(mode, seed) for mode in MODES if mode in chosen]
    if "finetune" not in chosen:
        return plans
    with st.popover("Of fine-tuning", icon=":material/tune:", width="stretch"):
        stages = st.segmented_control("Last stages that learn", (0, 1, 2, 4), required=True, default=1, key="transfer.stages")
        frozen = st.toggle("Batch norms keep what they learned", True, key="transfer.frozen")
        rate = st.select_slider("Highest rate", (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02), 0.005, key="transfer.rate")
    return [
        TransferPlan("finetune", seed, plan.epochs, rate, stages, frozen) if plan.mode == "finetune" else plan for plan in plans
    ]


def _lesson(held: Room, album: Album, start: str, share: float, seed: int) -> Lesson | None:
    """What is learned; None after saying what it still needs."""
    try:
        lesson = held.lesson(album.usable(), start, share, seed)
    except ValueError as error:
        if not len(album):
            st.info(
                f"Give a zip with a folder for each class, or name a class and drop its pictures: two classes at least, {FEWEST} pictures each."
            )
        else:
            st.warning(sentence(error), icon=":material/info:")
        return None
    for line in lesson.album.said[:5]:
        st.warning(sentence(line), icon=":material/info:")
    return lesson


def _figure(held: Room, lesson: Lesson, plans: list[TransferPlan]) -> list[Taught]:
    """The curve with the modes on it, what it says, and their table; each progress stands where what it comes to will."""
    above, below = st.container(key="reserve-transfer-curve"), st.container(key="reserve-transfer-modes")
    with above:
        curve = held.curve(lesson)
    with below:
        answers = [held.taught(lesson, plan) for plan in plans]
        for answer in (curve, *answers):
            if isinstance(answer, ValueError):
                st.error(sentence(answer))
    taught = [each for each in answers if isinstance(each, Taught)]
    runs = [each.found for each in taught]
    measured = curve if isinstance(curve, LearningCurve) else None
    if measured is not None:
        with above:
            line_chart(curve_chart(measured, runs), "transfer-curve", "Held-out accuracy by pictures a class")
            st.markdown(captions.curve_note(measured, FEATURES, PIXELS))
    if runs:
        with below:
            st.markdown(captions.transfer_note(runs, None if measured is None else float(measured.middle(PIXELS)[-1])))
            st.html(mode_table(runs, measured, PIXELS))
    return taught


def _more(runs: list[Transferred]) -> None:
    """Who is taken for whom, the course, and what moved."""
    with st.expander("Who is taken for whom", expanded=True), st.container(horizontal=True, gap="large"):
        for run in runs:
            with st.container(width="content"):
                st.markdown(f"**{MODES[run.plan.mode]}**")
                st.html(confusion_table(run))
    trained = [run for run in runs if run.plan.mode != "head"]
    if not trained:
        return
    with st.expander("Epoch by epoch"):
        line_chart(courses(trained), "transfer-loss", "Loss by epoch")
        line_chart(courses(trained, "held_out"), "transfer-held", "Held-out accuracy by epoch")
        st.caption(
            "The marked epoch has the least loss on the watched pictures, a fifth of those to learn from; the held-out ones have no say in it."
        )
    with st.expander("What learning changed, layer by layer"):
        line_chart(layer_changes(trained), "transfer-moved", "How far each layer's weights moved")
        line_chart(layer_changes(trained, "gradients"), "transfer-gradients", "Mean gradient norm of each layer")


def _look_over(held: Room, album: Album, out: Iterable[str]) -> None:
    if len(album):
        with st.expander(
            f"The pictures: {len(album)} in {len(album.classes)} class{'' if len(album.classes) == 1 else 'es'}", expanded=True
        ):
            own = st.session_state.get("transfer.source") == "Your own"
            pictures.look_over(held, album, own, out)


_WHY: Final = (
    "**Head only** asks the network once about each picture and fits a linear classifier to what its own head reads: a convex question with "
    "one answer, regularised so that Σ cross-entropy + ½‖w‖² is least. **Fine-tuning** starts from that head and lets the last stage learn at "
    "a low rate (a random head would bend the features first: Kumar et al. 2022, arXiv 2202.10054); batch norms keep their statistics, "
    "since a dozen pictures would give poor ones. **From scratch** learns every layer from random weights. Early layers are general and late ones "
    "particular (Yosinski et al. 2014, arXiv 1411.1792); with few pictures a linear head is hard to beat, and whether pre-training helps once "
    "there are many is disputed (He et al. 2019, arXiv 1811.08883). The default example is textures, which a network that learned photographs tells "
    "apart, and single pixels do not."
)
