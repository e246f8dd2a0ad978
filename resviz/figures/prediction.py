"""What a network answers, as bars."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from resviz.figures.chart import base_figure
from resviz.figures.theme import SIGNAL
from resviz.results import Prediction

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["prediction_bars"]


def prediction_bars(prediction: Prediction, k: int = 5) -> go.Figure:
    """The k most probable classes."""
    top = prediction.top(k)[::-1]
    figure = base_figure(60 + 30 * len(top))
    figure.add_bar(
        x=[100 * p for _, p in top],
        y=[html.escape(name, quote=False) for name, _ in top],  # Plotly reads tags, links among them
        orientation="h",
        marker={"color": SIGNAL},
        text=[f"{100 * p:.1f} %" for _, p in top],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
    )
    figure.update_xaxes(visible=False, range=[0, 132])
    figure.update_yaxes(automargin=True, ticksuffix="  ", showgrid=False)  # a line would strike the numbers through
    figure.update_layout(margin={"l": 8, "r": 8, "t": 28, "b": 4})
    return figure
