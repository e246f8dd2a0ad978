"""What this page has drawn, for whoever wants it in a file: each figure under its key, the newest of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from resviz.figures.chart import Chart
    from resviz.figures.diagram import Diagram
    from resviz.figures.paper import Maps

__all__ = ["Drawn", "drawn", "forget", "note"]

_KEPT = "drawn"


class Drawn(NamedTuple):
    """A figure and what it shows, in words."""

    title: str
    figure: Chart | Diagram | Maps | go.Figure


def forget() -> None:
    """A page begins to be drawn."""
    st.session_state[_KEPT] = {}


def note(key: str, title: str, figure: Chart | Diagram | Maps | go.Figure) -> None:
    """A figure is drawn; it takes the place of the one before under its key."""
    st.session_state.setdefault(_KEPT, {})[key] = Drawn(title, figure)


def drawn() -> Mapping[str, Drawn]:
    """Every figure of the page, in the order in which they were first drawn."""
    kept: Mapping[str, Drawn] = st.session_state.get(_KEPT, {})
    return kept
