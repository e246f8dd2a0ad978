"""The surest wrong answers, each with its Grad-CAM, and what becomes of the network."""

from __future__ import annotations

from functools import partial

import streamlit as st

from resviz.attribution.question import Asked, Case, attribute
from resviz.figures import captions
from resviz.results import Attribution
from resviz.spec.transfer import MODES
from resviz.training.transfer.keep import checkpoint_of, transfer_card, transfer_recording
from resviz.training.transfer.lesson import Lesson
from resviz.ui.components.evidence import panel, photo_url
from resviz.ui.markdown import literal
from resviz.ui.shelf import explain_with, keep, put
from resviz.ui.transfer.session import Taught
from resviz.ui.waiting import results_of
from resviz.ui.widgets.pickers import Photograph

__all__ = ["hand_on", "mistakes"]

_WORST = 4


def mistakes(token: str, lesson: Lesson, taught: list[Taught]) -> None:
    """Those of one way; `token` keeps what is remembered of them to this session."""
    with st.expander("The surest mistakes, and which pixels spoke for them", expanded=True):
        chosen = _one_of(taught, "transfer.wrong")
        places = chosen.found.worst(_WORST)
        if not places:
            st.caption(
                f"{MODES[chosen.found.plan.mode]} makes none of the {captions.counted(len(chosen.found.labels), 'held-out picture')}."
            )
            return
        shown = [lesson.parts[1][place][1] for place in places]
        answers = chosen.found.probabilities[list(places)]
        cases = [Case(chosen.net, each.image, int(answer.argmax())) for each, answer in zip(shown, answers, strict=True)]
        asked = Asked.of("grad-cam")
        maps = results_of(
            [
                (
                    f"transfer.map{n}",
                    ("mistakes", token, lesson.key, chosen.found.plan, each.key),
                    "Grad-CAM",
                    partial(_map, case, asked),
                )
                for n, (case, each) in enumerate(zip(cases, shown, strict=True))
            ]
        )
        with st.container(key="panels-transfer"):
            for n, (case, answer, found) in enumerate(zip(cases, answers, maps, strict=True)):
                truth = lesson.categories[int(chosen.found.labels[places[n]])]
                title = f"{literal(truth)}, taken for {literal(case.words)} ({captions.percent(float(answer.max()))})"
                photo = photo_url(chosen.net.preprocessing.window(case.photograph))
                panel(
                    photo, chosen.net.preprocessing.crop, f"transfer-{n}", title, f"{title}, with Grad-CAM for the answer", found
                )


def _map(case: Case, asked: Asked, tick: object) -> Attribution:
    return attribute(case, asked)


def _one_of(taught: list[Taught], key: str) -> Taught:
    names = [MODES[each.found.plan.mode] for each in taught]
    best = max(range(len(taught)), key=lambda n: taught[n].found.accuracy)
    if len(names) == 1:
        return taught[0]
    if st.session_state.get(key) not in names:
        st.session_state.pop(key, None)
    name = st.segmented_control("Of", names, required=True, default=names[best], key=key)
    return taught[names.index(name)]


def hand_on(lesson: Lesson, taught: list[Taught]) -> None:
    """On the shelf, or on to the page that asks which pixels decided, with a held-out picture."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = _one_of(taught, "transfer.kept")
        usual = f"{' '.join(lesson.categories[:3])} {chosen.found.plan.mode}"[:60]
        name = st.text_input("Its name", usual, key=f"transfer.name.{usual}")
        make = partial(_file, lesson, chosen)
        st.button("Put it on the shelf", icon=":material/bookmark_add:", on_click=keep, args=(name or usual, make))
        if st.button("Explain with it", icon=":material/search:") and (own := put(name or usual, make)) is not None:
            label, picture = lesson.parts[1][0]
            explain_with(own, Photograph(picture.key, f"A held-out picture, labelled {lesson.categories[label]}", picture.image))


def _file(lesson: Lesson, chosen: Taught) -> bytes:
    card = transfer_card(lesson, chosen.found, chosen.net)
    return checkpoint_of(chosen.net, card, transfer_recording(chosen.found, chosen.net))
