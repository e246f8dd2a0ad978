"""A chart as a value: lines or one heatmap on two axes, with bands, rules and words. Our view draws its data, Plotly its files."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from resviz.figures.theme import CONTROL, GRID, OVERFLOW, ZERO, LineStyle, on_screen, signal

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Axis", "Band", "Chart", "Heat", "Markers", "Note", "Rule", "Series", "base_figure", "to_plotly"]

Values = Sequence[float] | np.ndarray

_DASHES: Final = {"solid": "", "dash": "7 4", "dot": "2 4", "dashdot": "8 3 2 3"}
_TYPE: Final = 16  # pixels: Plotly cannot know how large the screen is
_SYMBOLS: Final = {"x-thin-open": "cross", "triangle-up-open": "triangle", "square": "square"}


@dataclass(frozen=True)
class Axis:
    """`ticks` are (place, text); None lets the drawer choose them, a `range` of None goes as far as the values.

    `meaning` names what the axis shows: a zoom lasts as long as it is the same, without one as long as the range is. The words
    of a `level` axis are never turned to make room.
    """

    title: str = ""
    range: tuple[float, float] | None = None
    ticks: tuple[tuple[float, str], ...] | None = None
    meaning: str = ""
    level: bool = False

    def data(self, values: Iterable[Values]) -> dict[str, object]:
        """For the view, where the `values` on it are known."""
        ticks = None if self.ticks is None else [list(tick) for tick in self.ticks]
        return {"title": self.title, "ticks": ticks, "range": list(self.range or _around(values))}

    def to_plotly(self) -> dict[str, object]:
        """As Plotly's layout has it."""
        axis: dict[str, object] = {"gridcolor": GRID, "zeroline": False, "tickfont": {"size": _TYPE}}
        if self.title:
            axis["title"] = {"text": self.title, "font": {"size": _TYPE}}
        if self.range is not None:
            axis["range"] = list(self.range)
        if self.ticks is not None:
            axis |= {"tickvals": [place for place, _ in self.ticks], "ticktext": [text for _, text in self.ticks]}
        return axis | ({"tickangle": 0} if self.level else {})


def _around(values: Iterable[Values]) -> tuple[float, float]:
    """From the least to the greatest with a little room."""
    every = np.concatenate([np.zeros(0), *(np.asarray(each, np.float64) for each in values)])
    every = every[np.isfinite(every)]
    low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
    room = 0.04 * (high - low) or 0.5
    return low - room, high + room


@dataclass(frozen=True)
class Markers:
    """Of a line's points: one symbol and size for all or one for each, by Plotly's names; `outline` is a rim's width."""

    symbol: str | tuple[str, ...] = "circle"
    size: float | tuple[float, ...] = 6
    outline: float = 0

    def data(self, count: int) -> dict[str, object]:
        """For the view: a symbol and a size for each of `count` points."""
        symbols = (self.symbol,) * count if isinstance(self.symbol, str) else self.symbol
        sizes = self.size if isinstance(self.size, tuple) else (self.size,) * count
        return {"symbols": [_SYMBOLS.get(symbol, "circle") for symbol in symbols], "sizes": [float(size) for size in sizes]}

    def to_plotly(self, colour: str) -> dict[str, object]:
        """As Plotly's trace has it."""
        marker: dict[str, object] = {"color": colour, "symbol": self.symbol, "size": self.size}
        return marker | ({"line": {"width": self.outline, "color": colour}} if self.outline else {})


@dataclass(frozen=True, eq=False)
class Series:
    """A line; a y that is not finite is a gap. `points` are (name, value) of each point as a reader sees them.

    Without a `legend` it is a trail: nothing is said of it, and nobody points at it.
    """

    name: str
    x: Values
    y: Values
    style: LineStyle
    points: tuple[tuple[str, str], ...] = ()
    markers: Markers | None = None
    width: float = 2
    opacity: float | None = None
    legend: bool = True

    def data(self) -> dict[str, object]:
        """For the view."""
        y = np.asarray(self.y, np.float64)
        markers: Mapping[str, object] = {"symbols": [], "sizes": []} if self.markers is None else self.markers.data(len(y))
        return {
            "name": self.name,
            "legend": self.legend,
            "x": np.asarray(self.x, np.float64).tolist(),
            "y": [round(v, 4) if math.isfinite(v) else None for v in y.tolist()],
            "color": on_screen(self.style.colour),
            "mark": on_screen(self.style.mark or self.style.colour),
            "dash": _DASHES[self.style.dash],
            "width": self.width,
            "opacity": self.opacity,
            "markers": self.markers is not None,
            "names": [name for name, _ in self.points],
            "values": [value for _, value in self.points],
            **markers,
        }

    def to_plotly(self) -> dict[str, object]:
        """As one of Plotly's traces."""
        line = {"color": self.style.colour, "dash": self.style.dash, "width": self.width}
        trace: dict[str, object] = {"type": "scatter", "name": self.name, "x": self.x, "y": self.y, "line": line}
        if self.legend:
            said = "<b>%{customdata[0]}</b><br>%{customdata[1]}<extra>" + self.name + "</extra>"
            trace |= {"customdata": self.points, "hovertemplate": said}
        else:
            trace |= {"showlegend": False, "hoverinfo": "skip"}
        if self.opacity is not None:
            trace["opacity"] = self.opacity
        if self.markers is None:
            return trace | {"mode": "lines"}
        return trace | {"mode": "lines+markers", "marker": self.markers.to_plotly(self.style.mark or self.style.colour)}


@dataclass(frozen=True, eq=False)
class Heat:
    """A row of cells for each of `names`, one at each `x`, which are whole numbers; z is (names, x).

    What is below `low` is drawn as an exact zero, what is NaN as missing.
    """

    name: str
    names: tuple[str, ...]
    x: np.ndarray
    z: np.ndarray
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def data(self) -> dict[str, object]:
        """For the view, the cells as bytes: 0 below the scale, 1 to 253 the scale, 254 what is missing."""
        z = np.asarray(self.z, np.float64)
        with np.errstate(invalid="ignore"):
            cells = np.where(z < self.low, 0, 1 + np.rint((z - self.low) / (self.high - self.low) * 252))
        cells = np.where(np.isnan(z), 254, cells).astype(np.uint8)
        return {
            "x": [int(v) for v in self.x],
            "names": list(self.names),
            "cells": base64.b64encode(cells.tobytes()).decode(),
            "colours": _heat_colours(),
            "range": [self.low, self.high],
            "ticks": [list(tick) for tick in self.ticks],
        }

    def to_plotly(self) -> dict[str, object]:
        """As one of Plotly's traces."""
        bar = {"title": {"text": "norm"}, "tickvals": [v for v, _ in self.ticks], "ticktext": [text for _, text in self.ticks]}
        cells: dict[str, object] = {
            "x": self.x,
            "y": list(range(len(self.names))),
            "z": self.z,
            "zmin": self.low,
            "zmax": self.high,
        }
        return cells | {
            "type": "heatmap",
            "colorscale": list(signal(64)),
            "name": self.name,
            "meta": list(self.names),
            "colorbar": bar,
        }


@cache
def _heat_colours() -> list[str]:
    """255 colours: one for an exact zero, the ramp, and one for what is not finite."""
    return [on_screen(colour) for colour in (ZERO, *signal(253), OVERFLOW)]


@dataclass(frozen=True)
class Band:
    """From x0 to x1, over the whole height."""

    x0: float
    x1: float
    colour: str

    def to_plotly(self) -> dict[str, object]:
        """As one of Plotly's shapes."""
        edges: dict[str, object] = {"x0": self.x0, "x1": self.x1, "y0": 0, "y1": 1, "yref": "paper"}
        return edges | {"type": "rect", "fillcolor": self.colour, "opacity": 0.18, "line": {"width": 0}}


@dataclass(frozen=True)
class Rule:
    """A line over the whole chart, upright at an x or level at a y."""

    colour: str
    x: float | None = None
    y: float | None = None
    width: float = 1.5
    dotted: bool = False

    def data(self) -> dict[str, object]:
        """For the view."""
        place: dict[str, object] = {"y": self.y} if self.x is None else {"x": self.x}
        return place | {"color": on_screen(self.colour), "dash": self.dotted}

    def to_plotly(self) -> dict[str, object]:
        """As one of Plotly's shapes."""
        line: dict[str, object] = {"color": self.colour, "width": self.width} | ({"dash": "dot"} if self.dotted else {})
        if self.x is None:
            return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": self.y, "y1": self.y, "line": line}
        return {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": self.x, "x1": self.x, "line": line}


@dataclass(frozen=True)
class Note:
    """Words at the right end of a y, or over an x, where they have a `hint`."""

    text: str
    x: float | None = None
    y: float | None = None
    hint: str = ""

    def data(self) -> dict[str, object]:
        """For the view."""
        place: dict[str, object] = {"y": self.y} if self.x is None else {"x": self.x, "hint": self.hint}
        return place | {"text": self.text}

    def to_plotly(self) -> dict[str, object]:
        """As one of Plotly's annotations."""
        place: dict[str, object] = {"x": 1, "xref": "paper", "y": self.y, "xanchor": "right"}
        if self.x is not None:
            place = {"x": self.x, "y": 1, "yref": "paper", "hovertext": self.hint}
        return place | {"text": self.text, "showarrow": False, "yanchor": "bottom", "font": {"size": _TYPE}}


@dataclass(frozen=True)
class Chart:
    """Everything of one figure; `height` is in pixels."""

    height: int
    x: Axis
    y: Axis
    series: tuple[Series, ...] = ()
    heat: Heat | None = None
    bands: tuple[Band, ...] = ()
    rules: tuple[Rule, ...] = ()
    notes: tuple[Note, ...] = ()

    def data(self) -> dict[str, object]:
        """For the view: JSON-able."""
        x = self.x.data(series.x for series in self.series)
        return {
            "height": self.height,
            "x": x | {"span": self.x.meaning or repr(x["range"])},
            "y": self.y.data(series.y for series in self.series),
            "series": [series.data() for series in self.series],
            "heat": None if self.heat is None else self.heat.data(),
            "bands": [{"x0": band.x0, "x1": band.x1, "color": on_screen(band.colour)} for band in self.bands],
            "lines": [rule.data() for rule in self.rules],
            "notes": [note.data() for note in self.notes],
        }


def to_plotly(chart: Chart) -> go.Figure:
    """The same as a figure of Plotly's, for files."""
    import plotly.graph_objects as go

    drawn: tuple[Series | Heat, ...] = chart.series if chart.heat is None else (*chart.series, chart.heat)
    layout = _layout(chart.height) | {
        "xaxis": chart.x.to_plotly(),
        "yaxis": chart.y.to_plotly(),
        "shapes": [*(band.to_plotly() for band in chart.bands), *(rule.to_plotly() for rule in chart.rules)],
        "annotations": [note.to_plotly() for note in chart.notes],
    }
    if chart.x.meaning:
        layout["uirevision"] = chart.x.meaning
    return go.Figure({"data": [each.to_plotly() for each in drawn], "layout": layout})


def base_figure(height: int) -> go.Figure:
    """An empty figure of Plotly's in the house style; colours of text and paper come from the page's theme."""
    import plotly.graph_objects as go

    axes = {"xaxis": Axis().to_plotly(), "yaxis": Axis().to_plotly(), "shapes": [], "annotations": []}
    return go.Figure({"data": [], "layout": _layout(height) | axes})


def _layout(height: int) -> dict[str, object]:
    return {
        "height": height,
        "margin": {"l": 64, "r": 16, "t": 36, "b": 48},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"align": "left", "font": {"size": _TYPE}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "rgba(128,138,150,0.8)", "activecolor": CONTROL},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "xanchor": "left", "font": {"size": _TYPE}},
        "font": {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": _TYPE},
    }
