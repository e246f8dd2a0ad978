"""Where this session is on the tour: seeded from the link, moved on by the card, written back with every page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import streamlit as st

from resviz.spec.lab import plan_from_query
from resviz.spec.query import from_query, to_query
from resviz.spec.tour import STOPS, TOUR_PARAMETERS, Tour, tour_from_query, tour_to_query
from resviz.ui.state import change, current_spec, went_back

if TYPE_CHECKING:
    from resviz.ui.tour.stops import Stop

__all__ = [
    "FIRST",
    "arrive",
    "asks",
    "choose",
    "current",
    "keep_address",
    "leave",
    "move",
    "query",
    "stop_of",
    "tour_invitation",
    "way",
]

FIRST: Final = "pages/degradation.py"  # the first stop's, for links that are drawn where no stop is read yet
_LATE: Final = 2.0  # seconds in which an address may still be the one of a tour that was left


def current() -> Tour | None:
    """None where this session takes no tour."""
    tour: Tour | None = st.session_state.get("tour")
    return tour


def query() -> dict[str, str]:
    """The tour's part of every address and link."""
    return tour_to_query(current())


def arrive() -> None:
    """Take the tour from the address: after the browser's Back, and where this session has none."""
    left = time.monotonic() - st.session_state.get("tour.left", -_LATE) < _LATE
    if went_back() or (current() is None and not left):
        st.session_state["tour"] = tour_from_query(st.query_params.to_dict())


def stop_of(tour: Tour) -> Stop:
    """Its entry in the table."""
    from resviz.ui.tour.stops import STOPS

    return STOPS[tour.stop - 1]


def asks(page: str) -> bool:
    """Whether this page is a stop whose question is still open: nothing is shown then that would answer it."""
    tour = current()
    return tour is not None and tour.choice is None and stop_of(tour).page == page


def keep_address() -> None:
    """The page's own part of the address as it is, the tour's as it is now."""
    now = st.query_params.to_dict()
    wanted = {name: text for name, text in now.items() if name not in TOUR_PARAMETERS} | query()
    if wanted != now:
        st.query_params.from_dict(wanted)


def choose(choice: int) -> None:
    """Note a prediction, and bring the page into the setting that it is about."""
    tour = current()
    if tour is None:
        return
    st.session_state["tour"], stop = tour.choose(choice), stop_of(tour)
    st.session_state.setdefault("tour.over", set()).discard(tour.stop)
    st.session_state.update(stop.before)
    if stop.page == "Gradients":
        change(lambda _: from_query(stop.setting)[0])
    elif stop.page == "Lab" and (plan := plan_from_query(stop.setting)[0]) is not None:
        from resviz.ui.lab.session import hand_over

        hand_over(plan)
    elif stop.page == "Explain":
        from resviz.ui.explain.link import enter_with

        enter_with(stop.setting)


def move(stop: int) -> None:
    """On to a stop, with what was predicted so far; to the first one with nothing."""
    tour = current()
    there = Tour(stop, tour.said if tour is not None and stop > 1 else Tour().said)
    st.session_state["tour"] = there
    st.switch_page(stop_of(there).file, query_params=query())


def leave() -> None:
    """The pages are as they always are again."""
    st.session_state.update({"tour": None, "tour.left": time.monotonic()})


def way(label: str = "Tour", icon: str | None = None) -> None:
    """A link to the tour: to where this session is on it, or to its beginning."""
    tour = current()
    begin = {} if tour is not None else tour_to_query(Tour())
    st.page_link(
        FIRST if tour is None else stop_of(tour).file,
        label=label,
        icon=icon,
        query_params=to_query(current_spec()) | query() | begin,
    )


def tour_invitation() -> None:
    """For Home: take the tour, or go on with it."""
    tour = current()
    label = "**Take the five-minute tour**" if tour is None else f"**Go on with the tour**: stop {tour.stop} of {STOPS}"
    way(f"{label}: five predictions, five measurements" if tour is None else label, ":material/tour:")
