"""Who reads what in a DenseNet, as a map of sources × readers for each dense block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from resviz.figures.chart import base_figure
from resviz.figures.theme import signal
from resviz.results import Reuse

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["reuse_maps"]


def reuse_maps(found: Sequence[Reuse], height: int = 420) -> go.Figure:
    """The blocks side by side on one scale, from 0 to the largest mean |w|; what is not read stays empty."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=len(found), horizontal_spacing=0.06, subplot_titles=[each.block for each in found])
    figure.update_layout(base_figure(height).layout)
    for column, each in enumerate(found, start=1):
        figure.add_heatmap(
            x=list(each.readers),
            y=list(each.sources),
            z=each.values,
            coloraxis="coloraxis",
            row=1,
            col=column,
            hovertemplate="%{x} reads %{y}<br>mean |w| %{z:.4f}<extra></extra>",
            hoverongaps=False,
        )
    most = max(float(np.nanmax(each.values)) for each in found)
    bar = {"title": {"text": "mean |w|"}, "thickness": 12}
    figure.update_layout(coloraxis={"colorscale": list(signal(64)), "cmin": 0, "cmax": most, "colorbar": bar}, margin={"t": 48})
    figure.update_xaxes(title="reader", type="category", showgrid=False)
    figure.update_yaxes(type="category", showgrid=False, autorange="reversed")
    figure.update_yaxes(title="source", row=1, col=1)
    return figure
