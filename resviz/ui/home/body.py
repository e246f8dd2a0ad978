"""Home: one comparison to replay and to cut, ways on from there, and the paper's argument."""

from __future__ import annotations

import sys
import time
from functools import cache
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from resviz.spec.lab import plan_from_query
from resviz.ui.components.stage import read_stage, show_stage
from resviz.ui.markdown import sentence
from resviz.ui.tour.progress import tour_invitation

__all__ = ["show"]

_read = cache(read_stage)
_PAINTING: Final = 0.3  # seconds that a fresh server leaves to the browser before it imports what follows


def show() -> None:
    """The stage, the tour, the doors to the pages, the map of the story, and why it works, folded."""
    _stage()
    if "numpy" not in sys.modules:
        time.sleep(_PAINTING)
    # after the stage: figures, numpy and pandas take a moment to import
    from resviz.ui.home import doors, why
    from resviz.ui.story import story_map

    tour_invitation()
    doors.show()
    story_map()
    why.show()


def _stage() -> None:
    """The recorded comparison; a link that was followed in it stays in this session."""
    try:
        data, note = _read()
    except ValueError as error:
        st.warning(sentence(error), icon=":material/info:")
        return
    with st.container(key="stage"):
        show_stage(data, _go)
    st.caption(note)
    if where := st.session_state.pop("home.go", ""):
        st.switch_page(where, query_params={})


def _go(where: str) -> None:
    """A link of the stage; it comes from the browser, so what is none leads nowhere."""
    link = urlsplit(where)
    if link.path == "degradation":
        st.session_state["home.go"] = "pages/degradation.py"
    elif link.path == "lab" and (plan := plan_from_query(dict(parse_qsl(link.query)))[0]) is not None:
        from resviz.ui.lab.session import hand_over

        hand_over(plan)
        st.session_state["home.go"] = "pages/lab.py"
