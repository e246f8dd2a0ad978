"""Figures on a page: Plotly's own chart, and a quick view of lines and heatmaps that redraws in place and keeps the zoom."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from resviz.figures.theme import WARNING, viridis

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
    js = "\n".join(path.read_text(encoding="utf-8") for path in (_HERE.parent / "common.js", _HERE / "chart.js"))
    return st.components.v2.component("resviz_chart", html=_HTML, css=(_HERE / "chart.css").read_text(encoding="utf-8"), js=js)


def line_chart(figure: Any, key: str, alt: str, on_select: Callable[[str], None] | None = None) -> None:
    """The lines, or the heatmap, of a Plotly figure; a click calls `on_select` with the name of the point or the layer."""

    def clicked() -> None:
        name = st.session_state[key].clicked
        if on_select is not None and isinstance(name, str):
            on_select(name)

    data = _lean(figure) | {"key": key, "alt": alt, "select": on_select is not None}
    _component()(key=key, data=data, on_clicked_change=clicked, height="content")


def _lean(figure: Any) -> dict[str, Any]:
    """What the view draws of a figure: lines with markers or one heatmap, axes, bands, rules and the words on them."""
    if not isinstance(figure, dict):
        figure = {"data": [trace.to_plotly_json() for trace in figure.data], "layout": figure.layout.to_plotly_json()}
    layout = figure["layout"]
    shapes = layout.get("shapes") or ()
    x = _axis(layout.get("xaxis", {}), [trace["x"] for trace in figure["data"]])
    return {
        "height": layout["height"],
        # a zoom lasts as long as the axis means the same
        "x": x | {"span": layout.get("uirevision") or repr(x["range"])},
        "y": _axis(layout.get("yaxis", {}), [trace["y"] for trace in figure["data"]]),
        "series": [_series(trace) for trace in figure["data"] if trace["type"] == "scatter"],
        "heat": next((_heat(trace) for trace in figure["data"] if trace["type"] == "heatmap"), None),
        "bands": [{"x0": s["x0"], "x1": s["x1"], "color": s.get("fillcolor")} for s in shapes if s["type"] == "rect"],
        "lines": [_rule(s) for s in shapes if s["type"] == "line"],
        "notes": [
            {"text": a["text"], "color": a["font"]["color"]}
            | ({"x": a["x"], "hint": a.get("hovertext", "")} if a.get("yref") == "paper" else {"y": a["y"]})
            for a in layout.get("annotations") or ()
        ],
    }


def _rule(shape: dict[str, Any]) -> dict[str, Any]:
    place = {"x": shape["x0"]} if shape["x0"] == shape["x1"] else {"y": shape["y0"]}
    return place | {"color": shape["line"]["color"], "dash": shape["line"].get("dash") == "dot"}


def _axis(axis: dict[str, Any], values: Sequence[Any]) -> dict[str, Any]:
    ticks = [[v, t] for v, t in zip(axis["tickvals"], axis["ticktext"], strict=True)] if "tickvals" in axis else None
    span = axis.get("range")
    if span is None:
        every = np.concatenate([np.asarray(v, np.float64) for v in values]) if values else np.zeros(0)
        every = every[np.isfinite(every)]
        low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
        pad = 0.04 * (high - low) or 0.5
        span = (low - pad, high + pad)
    return {"title": axis.get("title", {}).get("text", ""), "ticks": ticks, "range": list(span)}


def _heat(trace: dict[str, Any]) -> dict[str, Any]:
    """A heatmap's cells as bytes: 0 below the scale (an exact zero), 1 to 253 the scale, 254 what is missing."""
    z, low, high = np.asarray(trace["z"], np.float64), trace["zmin"], trace["zmax"]
    with np.errstate(invalid="ignore"):
        cells = np.where(z < low, 0, 1 + np.rint((z - low) / (high - low) * 252))
    cells = np.where(np.isnan(z), 254, cells).astype(np.uint8)
    bar = trace["colorbar"]
    return {
        "x": [int(v) for v in trace["x"]],
        "names": list(trace["meta"]),
        "cells": base64.b64encode(cells.tobytes()).decode(),
        "colours": _heat_colours(),
        "range": [low, high],
        "ticks": [[v, t] for v, t in zip(bar["tickvals"], bar["ticktext"], strict=True)],
    }


@cache
def _heat_colours() -> list[str]:
    """255 colours: black for an exact zero, viridis, and orange for what is not finite."""
    return ["#000000", *viridis(253), WARNING]


def _each(value: Any, n: int) -> list[Any]:
    """A marker's property for every point: plotly takes one for all or a list."""
    return [value] * n if value is None or isinstance(value, (str, int, float)) else list(value)


def _series(trace: dict[str, Any]) -> dict[str, Any]:
    x, y = np.asarray(trace["x"], np.float64), np.asarray(trace["y"], np.float64)
    line, marker = trace["line"], trace.get("marker", {})
    data: dict[str, Any] = {
        "name": trace.get("name", ""),
        "legend": trace.get("showlegend") is not False,
        "x": x.tolist(),
        "y": [None if math.isnan(v) else v for v in np.where(np.isfinite(y), np.round(y, 4), np.nan).tolist()],
        "color": line["color"],
        "dash": _DASHES.get(line.get("dash") or "", ""),
        "width": line.get("width") or 2,
        "opacity": trace.get("opacity"),
        "markers": "markers" in trace.get("mode", "lines+markers"),
        "symbols": [],
        "sizes": [],
        "names": [],
        "values": [],
    }
    if data["markers"]:
        data["symbols"] = [_SYMBOLS.get(symbol, "circle") for symbol in _each(marker.get("symbol"), len(x))]
        data["sizes"] = [float(size or 6) for size in _each(marker.get("size"), len(x))]
    if trace.get("hoverinfo") != "skip":
        points = trace.get("customdata")
        if points is None:
            points = [[f"{a:g}", f"{b:.4g}"] for a, b in zip(x, y, strict=True)]
        data |= {"names": [str(point[0]) for point in points], "values": [str(point[1]) for point in points]}
    return data
