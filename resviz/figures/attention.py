"""What is left of tokens' differences by depth, and who reads whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from resviz.figures.axes import log_axis, log_range, logs
from resviz.figures.chart import Axis, Chart, Markers, Note, Rule, Series, base_figure
from resviz.figures.theme import CUT, PLAIN, RESIDUAL_LINE, WARNING, LineStyle, number, signal
from resviz.results import AttentionMaps, Collapse

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["attention_frame", "attention_mosaic", "collapse_frame", "collapse_lines"]

_STYLES: Final = {
    "with skips": RESIDUAL_LINE,
    "as cut": LineStyle(CUT, "dashdot", "triangle-up-open"),
    "without skips": LineStyle(PLAIN, "dash", "square"),
    "with skips, no MLP": RESIDUAL_LINE._replace(dash="dot"),
    "attention alone": LineStyle(PLAIN, "dot", "triangle-up-open"),
}
_EPSILON: Final = float(np.finfo(np.float64).eps)


def collapse_lines(found: Collapse, height: int = 360) -> Chart:
    """‖res(X)‖ / ‖X‖ behind each layer, on a log axis down to what double precision can tell from 0."""
    decades = log_range(np.concatenate(list(found.residuals.values())), -18, 0)
    every = max(1, -(-found.layers // 8))
    lines = tuple(
        Series(
            name,
            np.arange(found.layers + 1),
            logs(values, decades),
            _STYLES[name],
            tuple((f"behind layer {n}" if n else "what enters", number(value)) for n, value in enumerate(values.tolist())),
            Markers(_STYLES[name].symbol, 5),
        )
        for name, values in found.residuals.items()
    )
    floor = float(np.log10(_EPSILON))
    return Chart(
        height,
        Axis("layers passed", (-0.5, found.layers + 0.5), tuple((float(n), str(n)) for n in range(0, found.layers + 1, every))),
        log_axis(decades, "‖res(X)‖ / ‖X‖"),
        lines,
        rules=(Rule(WARNING, y=floor, width=1, dotted=True),),
        notes=(Note("rounding of fp64", y=floor),),
    )


def collapse_frame(found: Collapse) -> pd.DataFrame:
    """Every point as a row (variant, layer, residual)."""
    import pandas as pd

    rows = [(name, n, value) for name, values in found.residuals.items() for n, value in enumerate(values.tolist())]
    return pd.DataFrame(rows, columns=["variant", "layers passed", "residual over norm"])


def attention_mosaic(found: AttentionMaps) -> go.Figure:
    """What the class token reads of the patches: a map of the picture for every layer, downwards, and head; the picture before them."""
    layers, heads, side = found.weights.shape[0], found.weights.shape[1], found.side
    step = side + 1  # a patch's width between any two
    maps = np.full((layers * step - 1, heads * step - 1), np.nan)
    for layer in range(layers):
        for head in range(heads):
            top, left = layer * step, head * step
            maps[top : top + side, left : left + side] = found.weights[layer, head, 0, 1:].reshape(side, side)
    middle = (side - 1) / 2
    figure = base_figure(max(240, min(900, 60 + 56 * layers)))
    figure.add_heatmap(
        z=maps,
        zmin=0,
        colorscale=list(signal(64)),
        colorbar={"title": {"text": "weight"}, "thickness": 12},
        hoverongaps=False,
        hovertemplate="weight %{z:.4f}<extra></extra>",
    )
    figure.update_xaxes(
        title="head",
        showgrid=False,
        tickvals=[head * step + middle for head in range(heads)],
        ticktext=[str(head) for head in range(heads)],
    )
    figure.update_yaxes(
        title="layer",
        showgrid=False,
        autorange="reversed",
        scaleanchor="x",
        constrain="domain",
        tickvals=[layer * step + middle for layer in range(layers)],
        ticktext=[str(layer) for layer in range(layers)],
    )
    figure.update_layout(margin={"l": 48, "r": 8, "t": 12, "b": 48})
    return figure


def attention_frame(found: AttentionMaps) -> pd.DataFrame:
    """Every weight as a row (layer, head, reader, read, weight); token 0 is the class token."""
    import pandas as pd

    index = pd.MultiIndex.from_product([range(n) for n in found.weights.shape], names=["layer", "head", "reader", "read"])
    return pd.DataFrame({"weight": found.weights.ravel()}, index=index).reset_index()
