"""How alike layers are, as a map of layers × layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resviz.figures.chart import base_figure
from resviz.figures.theme import signal
from resviz.results import Similarity

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["similarity_frame", "similarity_map"]


def similarity_map(found: Similarity, down: str, across: str, height: int = 480) -> go.Figure:
    """Linear CKA of every layer of one network, downwards, with every layer of another, from 0 to 1; `down` and `across` name them."""
    figure = base_figure(height)
    figure.add_heatmap(
        x=list(found.columns),
        y=list(found.rows),
        z=found.values,
        zmin=0,
        zmax=1,
        colorscale=list(signal(64)),
        colorbar={"title": {"text": "CKA"}, "thickness": 12},
        hovertemplate="%{y} and %{x}<br>CKA %{z:.3f}<extra></extra>",
    )
    figure.update_xaxes(
        title={"text": f"{across}, input → output", "font": {"size": 16}}, showgrid=False, type="category", nticks=10
    )
    figure.update_yaxes(title={"text": down, "font": {"size": 16}}, showgrid=False, type="category", nticks=10)
    figure.update_layout(margin={"l": 96, "r": 8, "t": 12, "b": 96})
    return figure


def similarity_frame(found: Similarity) -> pd.DataFrame:
    """The table of layers × layers."""
    import pandas as pd

    return pd.DataFrame(found.values, index=list(found.rows), columns=list(found.columns))
