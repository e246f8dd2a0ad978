"""What the middle of a feature map sees of the picture, inside the square that can reach it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from resviz.figures.chart import base_figure
from resviz.figures.theme import INK, PAPER, power_of_ten, signal
from resviz.results import Reach
from resviz.spec.net import Design

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["field_frame", "reach_maps"]

_TITLES: Final[Mapping[Design, str]] = {"residual": "with skips", "plain": "without skips"}
_DECADES: Final = 4  # below the strongest, where the ramp begins
_LEVELS: Final = 200  # steps of the ramp: a byte a pixel is enough


def reach_maps(found: Mapping[Design, Reach], height: int = 460) -> go.Figure:
    """Each network's strength on one logarithmic ramp that ends at its own strongest pixel, with the effective field as a dashed square."""
    from plotly.subplots import make_subplots

    titles = [_TITLES[key] for key in found]
    figure = make_subplots(rows=1, cols=len(found), horizontal_spacing=0.06, subplot_titles=titles)
    figure.update_layout(base_figure(height).layout)
    for column, each in enumerate(found.values(), start=1):
        half = (each.theoretical - 1) // 2
        figure.add_heatmap(
            x0=-half, dx=1, y0=-half, dy=1, z=_levels(each), coloraxis="coloraxis", row=1, col=column,
            hovertemplate="%{x}, %{y} pixels from the middle<extra></extra>",
        )  # fmt: skip
        _square(figure, each.theoretical / 2, column, {"color": INK, "width": 1})
        _square(figure, each.width / 2, column, {"color": PAPER, "width": 2, "dash": "dash"})
        anchor = "x" if column == 1 else f"x{column}"
        room = [-half * 1.06 - 1, half * 1.06 + 1]
        ticks = {"tickfont": {"size": 14}, "tickvals": [-half, 0, half], "tickangle": 0}  # a phone has both side by side
        title = {"text": "pixels", "font": {"size": 14}}
        figure.update_xaxes(title=title, range=room, showgrid=False, constrain="domain", row=1, col=column, **ticks)
        figure.update_yaxes(range=room[::-1], showgrid=False, constrain="domain", scaleanchor=anchor, row=1, col=column, **ticks)
        figure.update_yaxes(showticklabels=column == 1, row=1, col=column)  # both have the same
    marks = list(range(-_DECADES, 1))
    bar = {
        "orientation": "h",
        "thickness": 10,
        "len": 0.6,
        "x": 0.5,
        "xanchor": "center",
        "y": -0.28,
        "yanchor": "top",
        "title": {"text": "of the strongest pixel", "side": "bottom"},
        "tickvals": [_LEVELS * (1 + mark / _DECADES) for mark in marks],
        "ticktext": [power_of_ten(mark) for mark in marks],
    }
    scale = {"colorscale": list(signal(64)), "cmin": 0, "cmax": _LEVELS, "colorbar": bar}
    figure.update_layout(coloraxis=scale, margin={"t": 48, "b": 130})
    return figure


def _levels(found: Reach) -> np.ndarray:
    """(width, width) bytes: where on the ramp each pixel is; nothing at all is at its beginning."""
    most = float(found.strength.max()) or 1.0
    decades = np.log10(np.maximum(found.strength / most, 10.0**-_DECADES))
    return np.rint(_LEVELS * (1 + decades / _DECADES)).astype(np.uint8)


def _square(figure: go.Figure, half: float, column: int, line: Mapping[str, object]) -> None:
    figure.add_shape(type="rect", x0=-half, x1=half, y0=-half, y1=half, line=line, row=1, col=column)


def field_frame(found: Mapping[Design, Reach]) -> pd.DataFrame:
    """Every pixel as a row (net, x, y, strength); x and y from the middle, a network's strengths add up to 1."""
    import pandas as pd

    frames = []
    for key, each in found.items():
        half = (each.theoretical - 1) // 2
        y, x = np.indices(each.strength.shape) - half
        frames.append(pd.DataFrame({"net": key, "x": x.ravel(), "y": y.ravel(), "strength": each.strength.ravel()}))
    return pd.concat(frames, ignore_index=True)
