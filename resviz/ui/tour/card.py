"""The card at the top of a stop: predict, run, see, why; elsewhere the way back to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st

from resviz.spec.tour import STOPS as COUNT
from resviz.spec.tour import Tour
from resviz.ui.components.mount import component
from resviz.ui.tour import progress
from resviz.ui.tour.stops import STOPS, Stop

__all__ = ["show"]

_POINTER = Path(__file__).parents[1] / "components" / "tour" / "tour"
_PACE = 1.0  # seconds between two looks at whether it was done


@cache
def _pointer() -> Callable[..., object]:
    return component("tour", _POINTER)


def show(page: str) -> None:
    """Where the visitor is on the tour, and on the stop's own page what is asked or was found."""
    tour = progress.current()
    if tour is None:
        return
    stop = progress.stop_of(tour)
    with st.container(key="tour", border=True):
        _head(tour, stop)
        if stop.page != page:
            progress.way(f"Back to stop {tour.stop}, on {stop.page}", ":material/arrow_forward:")
        elif tour.choice is None:
            with st.container(key="tour-ask"):
                _ask(stop)
        else:
            with st.container(key="tour-answer"):
                _answer(tour, stop, tour.choice)


def _head(tour: Tour, stop: Stop) -> None:
    """The stops on their trunk, and the ways out."""
    marks = "".join(
        f'<li class="{"said" if said else "open"}"{" aria-current=step" if n == tour.stop else ""}>'
        f'<span class="unseen">Stop {n}{", predicted" if said else ""}</span><span aria-hidden="true">⊕</span></li>'
        for n, said in enumerate(tour.said, 1)
    )
    with st.container(horizontal=True, vertical_alignment="center", key="tour-head"):
        st.html(f'<ol class="stops" aria-label="Stops of the tour">{marks}</ol>', width="content")
        st.markdown(f"**Stop {tour.stop} of {COUNT}: {stop.title}**", width="content")
        if st.button("Start again", key="tour.again", icon=":material/replay:", type="tertiary"):
            progress.move(1)
        st.button("Leave the tour", key="tour.leave", icon=":material/close:", type="tertiary", on_click=progress.leave)


def _ask(stop: Stop) -> None:
    """The question as the page's own, and three predictions; element by element what `_answer` puts in their places."""
    st.title(stop.question, anchor=False)
    st.markdown("**Predict**: choose one, then the page shows what happens.")
    with st.container(key="tour-choices"):
        for i, choice in enumerate(stop.choices):
            st.button(choice, key=f"tour.choice.{i}", on_click=progress.choose, args=(i,), width="stretch")


def _answer(tour: Tour, stop: Stop, choice: int) -> None:
    """What was predicted, what there is to do, and what came of it."""
    st.markdown(stop.question)
    st.markdown(f"**You predict**: {stop.choices[choice]}.")
    over = _over(tour, stop)
    with st.container(key="tour-found"):
        st.fragment(run_every=None if over else _PACE)(_run_and_see)(tour, stop, choice, over)
    if not over:
        return
    if tour.stop < COUNT:
        if st.button(f"Next: {STOPS[tour.stop].title}", key="tour.next", type="primary", icon=":material/arrow_forward:"):
            progress.move(tour.stop + 1)
    else:
        st.markdown(f"**That was the tour.** {_kept(tour)} Every page is open to you now.")


def _over(tour: Tour, stop: Stop) -> bool:
    """Whether it was done, once, and there is something to see of it."""
    over: set[int] = st.session_state.setdefault("tour.over", set())
    if stop.done():
        over.add(tour.stop)
    return tour.stop in over and stop.seen() is not None


def _run_and_see(tour: Tour, stop: Stop, choice: int, over: bool) -> None:
    """Looks every second whether it was done; then the whole page is told, which stops the looking."""
    if over is not _over(tour, stop):
        st.rerun()
    seen = stop.seen() if over else None
    if seen is None:
        _run(stop)
        return
    st.markdown(f"**See**: {seen.words}")
    truth = stop.choices[seen.right]
    st.markdown(f"**{'Your prediction held' if seen.right == choice else 'You predicted otherwise. Measured'}: {truth}.**")
    source, url = stop.source
    st.markdown(f"**Why**: {stop.why} ([{source}]({url}))")


def _run(stop: Stop) -> None:
    """What to do next, the control that does it, and somebody who does it instead."""
    marked = ", ".join(f".st-key-{key}" for key in stop.mark)
    st.html(f"<style>{marked} {{ outline: 2px dashed var(--control); outline-offset: 5px; border-radius: .4rem; }}</style>")
    st.markdown(f"**Run**: {stop.action}" + ("" if stop.done() else " It has a dashed frame."))
    with st.container(horizontal=True, vertical_alignment="center"):
        if not stop.done():
            _pointer()(key="tour-pointer", data={"keys": list(stop.mark)}, height="content", width="content")
            st.button("Do it for me", key="tour.do", on_click=stop.do, icon=":material/smart_button:")
        else:
            st.caption("Measuring…")


def _kept(tour: Tour) -> str:
    """How many predictions held, of those whose measurements this session still has."""
    found = [(seen, said) for stop, said in zip(STOPS, tour.said, strict=True) if said and (seen := stop.seen()) is not None]
    held = sum("abc"[seen.right] == said for seen, said in found)
    return f"{held} of {len(found)} predictions held."
