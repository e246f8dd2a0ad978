"""A sweep's table as a map over two of its axes and as lines along one, with medians and ranges over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from resviz.figures.axes import log_axis
from resviz.figures.chart import Axis, Chart, Markers, Series, base_figure
from resviz.figures.theme import INK, PAPER, PLAIN, LineStyle, method_styles, number, signal
from resviz.spec.sweep import MEASURES

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["Spread", "grouped", "sweep_lines", "sweep_map"]

_WORDS: Final = 400  # cells that are written in, beyond which they are too small to be read
_MIDDLE: Final = 0.47  # of the ramp, where ink and paper are read equally well on it
_OF_SKIPS: Final = {"all": LineStyle(INK), "none": LineStyle(PLAIN, "dash", "square")}


class Spread(NamedTuple):
    """Of the runs of one setting: the median, the least and the greatest of those that ended well, and how many did."""

    median: float
    least: float
    greatest: float
    runs: int

    def __str__(self) -> str:
        if not self.runs:
            return "diverged"
        same = self.least == self.greatest
        return number(self.median) + ("" if same else f" ({number(self.least)}–{number(self.greatest)})")


_NONE: Final = Spread(math.nan, math.nan, math.nan, 0)


def grouped(table: pd.DataFrame, axes: tuple[str, str], measure: str) -> dict[tuple[object, object], Spread]:
    """How the runs of every pair of values of two axes lie; one that diverged has no number."""
    runs: dict[tuple[object, object], list[float]] = {}
    for one, other, value in zip(table[axes[0]], table[axes[1]], table[measure].astype(float), strict=True):
        runs.setdefault((one, other), []).append(value)
    found = {}
    for pair, each in runs.items():
        well = [value for value in each if math.isfinite(value)]
        found[pair] = Spread(float(np.median(well)), min(well), max(well), len(well)) if well else _NONE
    return found


def sweep_map(table: pd.DataFrame, down: str, across: str, axes: Mapping[str, Sequence[object]], measure: str) -> go.Figure:
    """The median over seeds, and over whatever else is left in the table, of every pair of values; what never ended well is empty."""
    about, found = MEASURES[measure], grouped(table, (down, across), measure)
    rows, columns = list(axes[down]), list(axes[across])
    median = np.array([[found.get((row, column), _NONE).median for column in columns] for row in rows])
    words = [[str(found.get((row, column), "")) for column in columns] for row in rows]
    scale = np.log10(np.where(median > 0, median, np.nan)) if about.decades else median
    figure = base_figure(120 + 54 * len(rows))
    figure.add_heatmap(
        x=[str(value) for value in columns],
        y=[str(value) for value in rows],
        z=scale,
        customdata=words,
        colorscale=list(signal(64)),
        showscale=False,
        hovertemplate=f"{down}=%{{y}}, {across}=%{{x}}<br>{about.title}: %{{customdata}}<extra></extra>",
        xgap=2,
        ygap=2,
    )
    shares = _shares(scale)
    for i, j in np.ndindex(shares.shape) if shares.size <= _WORDS else ():
        text = words[i][j].partition(" ")[0]  # the median alone, which a phone has room for
        # in the dark the ramp brightens where it darkens in the light, and both tokens change places with it
        font = {"size": 16, "color": PAPER if shares[i, j] > _MIDDLE else INK}
        figure.add_annotation(x=j, y=i, text=text, showarrow=False, font=font)
    figure.update_xaxes(title={"text": across, "font": {"size": 16}}, showgrid=False, type="category", side="top")
    figure.update_yaxes(title={"text": down, "font": {"size": 16}}, showgrid=False, type="category", autorange="reversed")
    figure.update_layout(margin={"l": 96, "r": 8, "t": 60, "b": 12})
    return figure


def _shares(scale: np.ndarray) -> np.ndarray:
    """Where on its ramp every number lies, from 0 to 1."""
    finite = scale[np.isfinite(scale)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (scale - low) / ((high - low) or 1.0)


def sweep_lines(table: pd.DataFrame, along: str, apart: str, axes: Mapping[str, Sequence[object]], measure: str) -> Chart:
    """The median over the runs along one axis, a line for each value of another; the least and the greatest as pale lines."""
    about, found = MEASURES[measure], grouped(table, (along, apart), measure)
    places = list(axes[along])
    series: list[Series] = []
    styles = method_styles()
    for i, value in enumerate(axes[apart]):
        own = [found.get((place, value), _NONE) for place in places]
        style = _OF_SKIPS.get(str(value), styles[i % len(styles)])
        for kind in ("least", "greatest"):
            y = [_drawn(getattr(each, kind), about.decades) for each in own]
            series.append(Series(f"{apart}={value}, {kind}", range(len(places)), y, style, width=1, opacity=0.4, legend=False))
        points = tuple((f"{along}={place}, {apart}={value}", str(each)) for place, each in zip(places, own, strict=True))
        y = [_drawn(each.median, about.decades) for each in own]
        series.append(Series(f"{apart}={value}", range(len(places)), y, style, points, Markers(style.symbol, 7)))
    ends = tuple((float(i), str(place)) for i, place in enumerate(places))
    title = f"{about.title}{', ' + about.unit if about.unit else ''}"
    x = Axis(along, (-0.3, len(places) - 0.7), ends, meaning=along, level=True)
    finite = [value for each in series for value in each.y if math.isfinite(value)]
    up = log_axis((math.floor(min(finite)), math.ceil(max(finite))), title) if about.decades and finite else Axis(title)
    return Chart(360, x, up, tuple(series))


def _drawn(value: float, decades: bool) -> float:
    if decades:
        return math.log10(value) if value > 0 and math.isfinite(value) else math.nan
    return value
