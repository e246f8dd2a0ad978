"""A training's way over the loss, in the plane of its first two principal components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from resviz.figures.captions.numbers import percent
from resviz.figures.chart import base_figure
from resviz.figures.landscape import loss_cells
from resviz.figures.theme import INK, PAPER
from resviz.results import Trajectory
from resviz.spec.net import Design

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["trajectory_frame", "trajectory_map"]


def trajectory_map(found: Trajectory, span: tuple[float, float], height: int = 460) -> go.Figure:
    """The loss as cells with contour lines on a colour scale that spans log10 of the losses, and the way over it from start to end."""
    figure = base_figure(height)
    loss_cells(figure, (found.xs, found.ys), found.losses, span, "loss %{customdata}<extra></extra>")
    _way(figure, found)
    titles = [f"component {k + 1}: {percent(share)} of the variance" for k, share in enumerate(found.variance)]
    figure.update_xaxes(title={"text": titles[0], "font": {"size": 16}}, showgrid=False)
    figure.update_yaxes(title={"text": titles[1], "font": {"size": 16}}, showgrid=False)
    figure.update_layout(margin={"l": 64, "r": 8, "t": 24, "b": 92})
    return figure


def _way(figure: go.Figure, found: Trajectory) -> None:
    """A line with a rim, as it begins where the ramp is strong and ends where it is pale."""
    last = len(found.steps) - 1
    rim = {"color": PAPER, "width": 6}
    figure.add_scatter(x=found.at[:, 0], y=found.at[:, 1], mode="lines", line=rim, showlegend=False, hoverinfo="skip")
    figure.add_scatter(
        x=found.at[:, 0],
        y=found.at[:, 1],
        mode="lines+markers+text",
        line={"color": INK, "width": 2.5},
        marker={"size": 8, "color": PAPER, "line": {"color": INK, "width": 2}},
        text=["start", *[""] * (last - 1), "end"],
        textposition="top center",
        textfont={"size": 16, "color": [PAPER, *[INK] * last]},
        customdata=list(found.steps),
        hovertemplate="step %{customdata}<extra></extra>",
        showlegend=False,
        cliponaxis=False,
    )


def trajectory_frame(found: Mapping[Design, Trajectory]) -> pd.DataFrame:
    """Every kept moment as a row (net, step, x, y)."""
    import pandas as pd

    rows = [
        (key, step, float(x), float(y))
        for key, each in found.items()
        for step, (x, y) in zip(each.steps, each.at.tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["net", "step", "x", "y"])
