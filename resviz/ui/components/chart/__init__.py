"""Figures on a page: Plotly's own chart, and a quick view of lines and heatmaps that redraws in place and keeps the zoom."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from resviz.figures.chart import Chart
from resviz.figures.recolour import recoloured
from resviz.figures.theme import dark
from resviz.ui.components.mount import component
from resviz.ui.drawn import note

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["chart", "line_chart"]


def chart(figure: go.Figure, key: str, alt: str) -> None:
    """A Plotly figure as Plotly draws it, in the page's theme; its camera button saves SVG."""
    note(key, alt, figure)
    config: dict[str, object] = {
        "displaylogo": False,
        "displayModeBar": True,
        "modeBarButtons": [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
        "toImageButtonOptions": {"format": "svg", "filename": f"resviz-{key}"},
    }
    st.plotly_chart(recoloured(figure, dark) if st.context.theme.type == "dark" else figure, key=key, alt=alt, config=config)


@cache
def _component() -> Callable[..., object]:
    return component("chart", Path(__file__).with_name("chart"))


def line_chart(figure: Chart, key: str, alt: str, on_select: Callable[[str], None] | None = None) -> None:
    """Lines or a heatmap in our own view; a click calls `on_select` with the name of the point or the layer."""

    def clicked() -> None:
        name = st.session_state[key].clicked
        if on_select is not None and isinstance(name, str):
            on_select(name)

    note(key, alt, figure)
    data = figure.data() | {"key": key, "alt": alt, "select": on_select is not None}
    _component()(key=key, data=data, on_clicked_change=clicked, height="content")
