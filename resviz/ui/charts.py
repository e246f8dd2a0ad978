"""Figures on a page: Plotly's own chart, and a quick view of its lines that redraws in place and keeps the zoom."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

__all__ = ["chart", "line_chart"]

_HERE = Path(__file__).parent
_HTML = (
    '<div class="wrap"><div class="head"><div class="legend"></div><div class="tools">'
    '<button class="reset" title="Show the whole axis again (drag across the figure to zoom)">Reset zoom</button>'
    '<button class="svg" title="Download the figure as SVG">SVG</button>'
    '<button class="png" title="Download the figure as PNG">PNG</button></div></div>'
    '<div class="body"><div class="chart"></div><div class="tooltip" role="status"></div></div></div>'
)
_DASHES = {"dash": "7 4", "dot": "2 4", "dashdot": "8 3 2 3"}
_SYMBOLS = {"x-thin-open": "cross", "triangle-up-open": "triangle", "square": "square"}


def chart(figure: Any, key: str, alt: str) -> None:
    """A Plotly figure as Plotly draws it; its camera button saves SVG."""
    config: dict[str, Any] = {
        "displaylogo": False,
        "displayModeBar": True,
        "modeBarButtons": [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
        "toImageButtonOptions": {"format": "svg", "filename": f"resviz-{key}"},
    }
    st.plotly_chart(figure, key=key, alt=alt, config=config)


@cache
def _component() -> Callable[..., Any]:
    js = "\n".join((_HERE / name).read_text() for name in ("common.js", "chart.js"))
    return st.components.v2.component("resviz_chart", html=_HTML, css=(_HERE / "chart.css").read_text(), js=js)


def line_chart(figure: Any, key: str, alt: str, on_select: Callable[[str], None] | None = None) -> None:
    """The lines of a Plotly figure; a click on a point calls `on_select` with the first of the point's custom data."""

    def clicked() -> None:
        name = st.session_state[key].clicked
        if on_select is not None and isinstance(name, str):
            on_select(name)

    data = _lean(figure) | {"key": key, "alt": alt, "select": on_select is not None}
    _component()(key=key, data=data, on_clicked_change=clicked, height="content")


def _lean(figure: Any) -> dict[str, Any]:
    """What the view draws of a figure: lines with markers, axes, bands, rules and the words on them."""
    layout = figure.layout
    shapes = layout.shapes or ()
    return {
        "height": layout.height,
        "x": _axis(layout.xaxis, [v for trace in figure.data for v in trace.x]),
        "y": _axis(layout.yaxis, [v for trace in figure.data for v in trace.y]),
        "series": [_series(trace) for trace in figure.data],
        "bands": [{"x0": s.x0, "x1": s.x1, "color": s.fillcolor} for s in shapes if s.type == "rect"],
        "lines": [
            {"x" if s.x0 == s.x1 else "y": s.x0 if s.x0 == s.x1 else s.y0, "color": s.line.color, "dash": s.line.dash == "dot"}
            for s in shapes
            if s.type == "line"
        ],
        "notes": [{"y": a.y, "text": a.text, "color": a.font.color} for a in layout.annotations or ()],
    }


def _axis(axis: Any, values: Sequence[float]) -> dict[str, Any]:
    finite = [v for v in values if v is not None and math.isfinite(v)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    pad = 0.04 * (high - low) or 0.5
    ticks = None if axis.tickvals is None else [[v, t] for v, t in zip(axis.tickvals, axis.ticktext, strict=True)]
    span = axis.range or (low - pad, high + pad)
    return {"title": axis.title.text or "", "ticks": ticks, "range": list(span), "span": repr(span)}


def _each(value: Any, n: int) -> list[Any]:
    """A marker's property for every point: plotly takes one for all or a list."""
    return [value] * n if value is None or isinstance(value, (str, int, float)) else list(value)


def _series(trace: Any) -> dict[str, Any]:
    points = trace.customdata
    if points is None:
        points = [[f"{x:g}", f"{y:.4g}"] for x, y in zip(trace.x, trace.y, strict=True)]
    return {
        "name": trace.name or "",
        "legend": trace.showlegend is not False,
        "x": [float(v) for v in trace.x],
        "y": [None if v is None or not math.isfinite(v) else round(float(v), 4) for v in trace.y],
        "color": trace.line.color,
        "dash": _DASHES.get(trace.line.dash or "", ""),
        "opacity": trace.opacity,
        "markers": "markers" in (trace.mode or "lines+markers"),
        "symbols": [_SYMBOLS.get(symbol, "circle") for symbol in _each(trace.marker.symbol, len(trace.x))],
        "sizes": [float(size or 6) for size in _each(trace.marker.size, len(trace.x))],
        "names": [str(point[0]) for point in points],
        "values": [str(point[1]) for point in points],
    }
