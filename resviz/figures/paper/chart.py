"""A chart on paper, and its numbers beside it."""

from __future__ import annotations

import csv
import io
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, cast

import numpy as np

from resviz.figures.chart import Axis, Chart, Heat, Note, Series
from resviz.figures.paper.sheet import DASHES, MARKERS, Paper, saved
from resviz.figures.theme import OVERFLOW, STROKE, ZERO, signal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["chart_csv", "chart_file"]

_SHAPE: Final = 0.62  # of a figure's height to its width
_OPEN: Final = ("-open", "-thin")


def chart_file(chart: Chart, title: str, form: str, paper: Paper) -> bytes:
    """The chart as a file of one of `FORMATS`."""
    return saved(_drawn(chart, paper), form, title)


def _drawn(chart: Chart, paper: Paper) -> Figure:
    from matplotlib.figure import Figure

    named = [series for series in chart.series if series.legend]
    rows = math.ceil(len(named) / _columns(paper)) if len(named) > 1 else 0
    figure = Figure(figsize=(paper.width, paper.width * _SHAPE + rows * paper.points / 55), layout="constrained")
    axes = figure.add_subplot()
    for band in chart.bands:
        axes.axvspan(band.x0, band.x1, color=paper.colour(band.colour), alpha=0.18, linewidth=0)
    for rule in chart.rules:
        look = {"color": paper.colour(rule.colour), "linewidth": 0.5 * rule.width, "linestyle": ":" if rule.dotted else "-"}
        line = axes.axvline(rule.x) if rule.x is not None else axes.axhline(cast(float, rule.y))
        line.set(**look)
    if chart.heat is not None:
        _cells(axes, figure, chart.heat, paper)
    for series in chart.series:
        _line(axes, series, paper)
    for note in chart.notes:
        _note(axes, note, 0.85 * paper.points)
    _axis(axes, "x", chart.x, [series.x for series in chart.series], paper)
    _axis(axes, "y", chart.y, [series.y for series in chart.series], paper)
    if rows:
        figure.legend(
            loc="outside upper left",
            ncols=min(len(named), _columns(paper)),
            fontsize=0.9 * paper.points,
            frameon=False,
            handlelength=2.4,
        )
    return figure


def _note(axes: Axes, note: Note, points: float) -> None:
    """Words at the right end of a y, or over an x."""
    if note.x is None:
        at, frame = (1.0, cast(float, note.y)), axes.get_yaxis_transform()
    else:
        at, frame = (note.x, 1.0), axes.get_xaxis_transform()
    axes.text(*at, note.text, fontsize=points, ha="right" if note.x is None else "center", va="bottom", transform=frame)


def _columns(paper: Paper) -> int:
    return max(1, round(paper.width * 72 / (14 * paper.points)))


def _axis(axes: Axes, which: Literal["x", "y"], axis: Axis, values: Sequence[Sequence[float] | np.ndarray], paper: Paper) -> None:
    """Ticks and words of one axis; a frame and grid that stay behind the data."""
    side = axes.xaxis if which == "x" else axes.yaxis
    if values or axis.range is not None:
        low, high = cast(list[float], axis.data(values)["range"])
        axes.set(**{f"{which}lim": (low, high)})
    if axis.ticks is not None:
        side.set_ticks([place for place, _ in axis.ticks], [text for _, text in axis.ticks])
    letters = int(_SHAPE * paper.width * 72 / (0.65 * paper.points))
    side.set_label_text(axis.title if which == "x" else textwrap.fill(axis.title, letters), fontsize=paper.points)
    axes.tick_params(which, labelsize=0.9 * paper.points, width=0.5, length=2)
    axes.grid(True, color=paper.colour(STROKE), linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_linewidth(0.5)


def _line(axes: Axes, series: Series, paper: Paper) -> None:
    """A series with its dash and symbols; what is not finite is a gap."""
    colour, mark = paper.colour(series.style.colour), paper.colour(series.style.mark or series.style.colour)
    x, y = np.asarray(series.x, np.float64), np.asarray(series.y, np.float64)
    y = np.where(np.isfinite(y), y, np.nan)
    label = series.name if series.legend else "_"
    (line,) = axes.plot(x, y, label=label)
    line.set(color=colour, linestyle=DASHES[series.style.dash], linewidth=0.5 * series.width, alpha=series.opacity or 1)
    if series.markers is None:
        return
    own = series.markers.symbol if isinstance(series.markers.symbol, str) else series.style.symbol
    size = 1.2 + 2 * min(1.0, 30 / max(1, len(x)))  # many symbols are small ones
    line.set(marker=MARKERS.get(own, "o"), markersize=size, markeredgecolor=mark, markeredgewidth=0.6)
    line.set_markerfacecolor(_inside(own, mark))
    if isinstance(series.markers.symbol, tuple):  # points that are no number, told by their symbol
        for at in (i for i, symbol in enumerate(series.markers.symbol) if symbol != own):
            odd = series.markers.symbol[at]
            (point,) = axes.plot(x[at], y[at], marker=MARKERS.get(odd, "o"), markersize=4, markeredgecolor=mark)
            point.set_markerfacecolor(_inside(odd, mark))


def _inside(symbol: str, colour: str) -> str:
    return "none" if any(word in symbol for word in _OPEN) else colour


def _cells(axes: Axes, figure: Figure, heat: Heat, paper: Paper) -> None:
    """A heatmap with its scale; a step lasts until the next one that was recorded."""
    from matplotlib.colors import ListedColormap

    colours = ListedColormap([paper.colour(colour) for colour in signal(253)]).with_extremes(
        under=paper.colour(ZERO), bad=paper.colour(OVERFLOW)
    )
    edges = np.append(heat.x, heat.x[-1] + (heat.x[-1] - heat.x[-2] if len(heat.x) > 1 else 1)).astype(np.float64)
    rows = np.arange(len(heat.names) + 1) - 0.5
    drawn = axes.pcolormesh(
        edges, rows, np.ma.masked_invalid(heat.z), cmap=colours, vmin=heat.low, vmax=heat.high, rasterized=True
    )
    bar = figure.colorbar(drawn, ax=axes, ticks=[place for place, _ in heat.ticks], fraction=0.05, pad=0.02)
    bar.ax.set_yticklabels([text for _, text in heat.ticks], fontsize=0.9 * paper.points)
    bar.outline.set_linewidth(0.4)
    axes.grid(False)


def chart_csv(chart: Chart) -> str:
    """Every number of the chart: a line for each point of each series, or for each cell."""
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(["series", chart.x.title or "x", chart.y.title or "y", "name", "value"])
    for series in chart.series:
        for i, (x, y) in enumerate(zip(series.x, series.y, strict=True)):
            name, value = series.points[i] if i < len(series.points) else ("", "")
            table.writerow([series.name, f"{float(x):.9g}", f"{float(y):.9g}", name, value])
    if chart.heat is not None:
        for row, name in enumerate(chart.heat.names):
            for column, x in enumerate(chart.heat.x.tolist()):
                table.writerow([chart.heat.name, f"{x:.9g}", row, name, f"{float(chart.heat.z[row, column]):.9g}"])
    return buffer.getvalue()
