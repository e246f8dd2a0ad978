"""What is left of tokens' differences by depth, and who reads whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from resviz.figures.axes import log_axis, log_range, logs
from resviz.figures.chart import Axis, Chart, Markers, Series, base_figure
from resviz.figures.theme import CUT, INK, PAPER, PLAIN, RESIDUAL_LINE, STROKE, LineStyle, number, signal
from resviz.results import AttentionMaps, Collapse
from resviz.spec.datasets import symbol

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


def collapse_lines(found: Collapse, height: int = 360) -> Chart:
    """‖res(X)‖ / ‖X‖ behind each layer, on a log axis; at 10⁻¹⁶ it is double precision's rounding."""
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
    return Chart(
        height,
        Axis("layers passed", (-0.5, found.layers + 0.5), tuple((float(n), str(n)) for n in range(0, found.layers + 1, every))),
        log_axis(decades, "‖res(X)‖ / ‖X‖"),
        lines,
    )


def collapse_frame(found: Collapse) -> pd.DataFrame:
    """Every point as a row (variant, layer, residual)."""
    import pandas as pd

    rows = [(name, n, value) for name, values in found.residuals.items() for n, value in enumerate(values.tolist())]
    return pd.DataFrame(rows, columns=["variant", "layers passed", "residual over norm"])


def attention_mosaic(found: AttentionMaps) -> go.Figure:
    """What the class token reads of the patches or symbols: a map for every layer, downwards, and head; what is read before them."""
    from plotly.subplots import make_subplots

    layers, heads, side = found.weights.shape[0], found.weights.shape[1], found.side
    step = side + 1  # a patch's width between any two
    maps = np.full((layers * step - 1, heads * step - 1), np.nan)
    for layer in range(layers):
        for head in range(heads):
            top, left = layer * step, head * step
            maps[top : top + side, left : left + side] = found.weights[layer, head, 0, 1:].reshape(side, side)
    middle = (side - 1) / 2
    height = max(360, min(1100, 200 + 80 * layers))
    figure = make_subplots(rows=2, cols=1, row_heights=[1, height / 130 - 1], vertical_spacing=30 / height)
    figure.update_layout(base_figure(height).layout)
    figure.add_heatmap(**_read(found), showscale=False, hoverinfo="skip", row=1, col=1)
    figure.add_heatmap(
        z=maps,
        zmin=0,
        colorscale=list(signal(64)),
        colorbar={"title": {"text": "weight"}, "thickness": 12, "len": 0.75, "y": 0, "yanchor": "bottom"},
        hoverongaps=False,
        hovertemplate="weight %{z:.4f}<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_xaxes(showgrid=False, constrain="domain", showticklabels=False, row=1, col=1)
    figure.update_yaxes(showgrid=False, constrain="domain", autorange="reversed")
    figure.update_yaxes(showticklabels=False, scaleanchor="x", row=1, col=1)
    figure.update_xaxes(
        title="head",
        showgrid=False,
        constrain="domain",
        tickvals=_places(heads, step, middle),
        ticktext=[*map(str, range(heads))],
        row=2,
        col=1,
    )
    figure.update_yaxes(
        title="layer", tickvals=_places(layers, step, middle), ticktext=[*map(str, range(layers))], scaleanchor="x2", row=2, col=1
    )
    figure.update_layout(margin={"l": 48, "r": 8, "t": 12, "b": 48})
    return figure


def _read(found: AttentionMaps) -> dict[str, object]:
    """What the tokens were made of: a picture in grey, or letters with the marker's place shaded."""
    if not found.symbols:
        return {"z": found.picture, "colorscale": [[0, PAPER], [1, INK]]}
    numbers = found.picture.round().astype(int)
    text = [[symbol(number) for number in row] for row in numbers.tolist()]
    return {
        "z": (numbers == 0).astype(float),
        "colorscale": [[0, PAPER], [1, STROKE]],
        "text": text,
        "texttemplate": "%{text}",
        "textfont": {"color": INK, "size": 15},
        "xgap": 1,
        "ygap": 1,
    }


def _places(count: int, step: int, middle: float) -> list[float]:
    return [each * step + middle for each in range(count)]


def attention_frame(found: AttentionMaps) -> pd.DataFrame:
    """Every weight as a row (layer, head, reader, read, weight); token 0 is the class token."""
    import pandas as pd

    index = pd.MultiIndex.from_product([range(n) for n in found.weights.shape], names=["layer", "head", "reader", "read"])
    return pd.DataFrame({"weight": found.weights.ravel()}, index=index).reset_index()
