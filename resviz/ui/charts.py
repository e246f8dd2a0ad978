"""A figure on a page, with its picture and its numbers to take along."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

__all__ = ["chart"]


def chart(figure: go.Figure, key: str, alt: str, *, select: bool = False) -> str | None:
    """Draw a figure; its camera button saves SVG. With `select`, the name of the clicked point is returned."""
    config: dict[str, Any] = {
        "displaylogo": False,
        "displayModeBar": True,
        "modeBarButtons": [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
        "toImageButtonOptions": {"format": "svg", "filename": f"resviz-{key}"},
    }
    if not select:
        st.plotly_chart(figure, key=key, alt=alt, config=config)
        return None
    event: Any = st.plotly_chart(figure, key=key, alt=alt, config=config, on_select="rerun", selection_mode="points")
    points = event["selection"]["points"]
    return points[0]["customdata"][0] if points else None
