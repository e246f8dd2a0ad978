"""Methods over many pictures: a dot with its interval for each, and the same as tables."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from resviz.figures.chart import base_figure
from resviz.figures.theme import method_styles, number
from resviz.results import METRICS, Interval, Ranking

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["baseline_table", "interval_table", "metric_dots", "picture_table", "rank_dots", "ranking_table"]

_ROW, _MARGINS = 34, 84  # pixels


def rank_dots(found: Ranking) -> go.Figure:
    """The methods' mean ranks, the best first."""
    figure = _dots(found, found.ranks)
    figure.update_xaxes(title="mean rank ↓", range=[0.8, len(found.methods) + 0.2], dtick=1)
    return figure


def metric_dots(found: Ranking, metric: str) -> go.Figure:
    """One metric's medians, in the same order."""
    figure = _dots(found, found.medians[metric])
    figure.update_xaxes(title=METRICS[metric].title + METRICS[metric].arrow)
    return figure


def _dots(found: Ranking, intervals: Sequence[Interval]) -> go.Figure:
    """A method keeps its colour and its row in every figure."""
    figure, styles = base_figure(_MARGINS + _ROW * len(found.methods)), method_styles()
    for i in found.order:
        style, each = styles[i % len(styles)], intervals[i]
        known = math.isfinite(each.value)
        figure.add_scatter(
            x=[each.value if known else None],
            y=[html.escape(found.methods[i], quote=False)],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [np.nan_to_num(each.high - each.value)],
                "arrayminus": [np.nan_to_num(each.value - each.low)],
                "color": style.colour,
                "thickness": 2.5,
                "width": 0,
            },
            mode="markers",
            marker={"color": style.colour, "symbol": "circle", "size": 12},
            hovertemplate=f"{html.escape(found.methods[i])}: {_words(each)}<extra></extra>",
        )
        if not known:
            figure.add_annotation(
                text=_words(each), x=0.5, xref="paper", y=html.escape(found.methods[i], quote=False), showarrow=False
            )
    ends = [end for each in intervals for end in (each.value, each.low, each.high) if math.isfinite(end)]
    room = 0.06 * (max(ends, default=1.0) - min(ends, default=0.0)) or 0.05  # beside the dots that are farthest out
    figure.update_xaxes(range=[min(ends, default=0.0) - room, max(ends, default=1.0) + room])
    figure.update_yaxes(autorange="reversed", automargin=True, ticksuffix="  ", showgrid=False)
    figure.update_layout(showlegend=False, margin={"l": 8, "r": 16, "t": 12, "b": 56})
    return figure


def _words(each: Interval) -> str:
    return f"{number(each.value)} ({number(each.low)} to {number(each.high)})" if math.isfinite(each.value) else "not measured"


def ranking_table(found: Ranking) -> pd.DataFrame:
    """The methods, best first, each value with its interval."""
    columns = {f"{metric.title}{metric.arrow}": found.medians[name] for name, metric in METRICS.items()}
    rows = [
        {"method": found.methods[i], "mean rank": _words(found.ranks[i])}
        | {title: _words(of[i]) for title, of in columns.items()}
        for i in found.order
    ]
    return pd.DataFrame(rows)


def interval_table(found: Ranking) -> pd.DataFrame:
    """The same as numbers, a row for each method and metric; `pictures` is how many could be measured."""
    rows = [
        {
            "method": found.methods[i],
            "metric": name,
            "median": intervals[i].value,
            "low": intervals[i].low,
            "high": intervals[i].high,
            "pictures": counts[i],
        }
        for name, (intervals, counts) in {
            "mean rank": (found.ranks, [len(found.pictures)] * len(found.methods)),
            **{name: (found.medians[name], np.isfinite(found.scores[name]).sum(1).tolist()) for name in METRICS},
        }.items()
        for i in found.order
    ]
    return pd.DataFrame(rows)


def picture_table(found: Ranking) -> pd.DataFrame:
    """Every picture's value for each method and metric."""
    rows = [
        {"picture": picture, "answer": answer, "method": method} | {name: found.scores[name][i, j] for name in METRICS}
        for j, (picture, answer) in enumerate(zip(found.pictures, found.answers, strict=True))
        for i, method in enumerate(found.methods)
    ]
    return pd.DataFrame(rows)


def baseline_table(found: Ranking) -> pd.DataFrame:
    """Kendall's τ between the order with the baseline and that with each other one."""
    rows = [
        {"another baseline": kind, "τ, pixel flipping alone": _words(each.flipping), "τ, mean ranks": _words(each.ranking)}
        for kind, each in found.survives.items()
    ]
    return pd.DataFrame(rows)
