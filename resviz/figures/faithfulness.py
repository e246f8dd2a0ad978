"""How far maps can be trusted, as curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from resviz.figures.chart import base_figure
from resviz.figures.theme import method_styles
from resviz.results import Faithfulness

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["faithfulness_curves", "sanity_lines"]


def faithfulness_curves(measured: Mapping[str, Faithfulness], insertion: bool) -> go.Figure:
    """The class's probability while the strongest pixels are taken away, or put back."""
    figure = base_figure(250 + 20 * len(measured))  # a line of legend each
    for n, (title, found) in enumerate(measured.items()):
        area = found.insertion_auc if insertion else found.deletion_auc
        figure.add_scatter(
            x=100 * np.asarray(found.fractions),
            y=100 * np.asarray(found.insertion if insertion else found.deletion),
            name=f"{title} {area:.3f}",
            mode="lines",
            line=_line(n),
            hovertemplate="%{x:.0f} % of the pixels: %{y:.1f} %",
        )
    figure.update_xaxes(title=f"strongest pixels {'put back' if insertion else 'taken away'} (%)")
    figure.update_yaxes(title="probability (%)", range=[-2, 102])
    return figure


def sanity_lines(measured: Mapping[str, Faithfulness]) -> go.Figure:
    """Likeness to the map of the trained network while its weights are shuffled from the top."""
    figure = base_figure(300)
    for n, (title, found) in enumerate(measured.items()):
        figure.add_scatter(
            x=["trained", *found.stages], y=[1.0, *found.similarity], name=title, mode="lines+markers", line=_line(n)
        )
    figure.update_xaxes(title="weights shuffled down to")
    figure.update_yaxes(title="rank correlation", range=[-1.05, 1.05])
    return figure


def _line(n: int) -> dict[str, object]:
    styles = method_styles()
    style = styles[n % len(styles)]
    return {"color": style.colour, "dash": style.dash, "width": 2}
