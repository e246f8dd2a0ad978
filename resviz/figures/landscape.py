"""The loss around networks' weights: maps on one colour scale, a cut through their middles, a table, and a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from resviz.figures.chart import Axis, Chart, Markers, Note, Rule, Series, base_figure
from resviz.figures.theme import INK, PLAIN, RESIDUAL_LINE, WARNING, LineStyle, number, power_of_ten, rgb, signal
from resviz.results import Landscape
from resviz.spec.net import Design

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = [
    "colour_bar",
    "colour_range",
    "cut",
    "frame",
    "landscape_map",
    "landscape_surface",
    "logs",
    "loss_cells",
    "loss_range",
    "picture",
]

Floats = NDArray[np.float64]
_STYLES: Final[Mapping[Design, LineStyle]] = {"residual": RESIDUAL_LINE, "plain": LineStyle(PLAIN, "dash", "square")}
_RINGS: Final = 12  # contour lines over the whole colour scale
_WORDS: Final = {"size": 16}
_LEAST: Final = 1e-6  # a loss that is drawn as nothing


def colour_range(found: Mapping[Design, Landscape]) -> tuple[float, float]:
    """`loss_range` of all of them."""
    return loss_range(each.losses for each in found.values())


def loss_range(planes: Iterable[np.ndarray]) -> tuple[float, float]:
    """log10 of the least and of the greatest finite loss on several planes, at least a tenth of a decade apart."""
    every = np.concatenate([losses[np.isfinite(losses)] for losses in planes])
    found = logs(every if every.size else np.ones(1))
    low, high = float(found.min()), float(found.max())
    return (low, high) if high - low >= 0.1 else (low - 0.05, high + 0.05)


def logs(losses: np.ndarray) -> np.ndarray:
    """log10 of losses; what is next to none is drawn as a millionth."""
    return np.log10(np.maximum(losses, _LEAST))


def _ticks(span: tuple[float, float]) -> tuple[tuple[float, str], ...]:
    """Losses of 1, 2 and 5 times a power of ten, or about five powers where there are many; the ends where neither lies between."""
    low, high = span
    factors = (1, 2, 5) if high - low < 2 else (1,)
    step = max(1, round((high - low) / 5))
    powers = range(math.floor(low / step) * step, math.ceil(high) + 1, step)
    places = [(math.log10(factor) + power, _short(factor, power)) for power in powers for factor in factors]
    inside = tuple((place, text) for place, text in places if low <= place <= high)
    return inside if len(inside) > 1 else ((low, number(10**low)), (high, number(10**high)))


def _short(factor: int, power: int) -> str:
    return power_of_ten(power) if factor == 1 and abs(power) > 2 else f"{factor * 10.0**power:g}"


def colour_bar(span: tuple[float, float]) -> dict[str, object]:
    """Of losses, under the map, where a phone has room for it."""
    places, words = zip(*_ticks(span), strict=True)
    lying = {"orientation": "h", "thickness": 10, "len": 0.9, "x": 0.5, "xanchor": "center", "y": -0.2, "yanchor": "top"}
    return lying | {"tickvals": places, "ticktext": words, "tickangle": 0}


def loss_cells(figure: go.Figure, places: tuple[Floats, Floats], losses: Floats, span: tuple[float, float], hover: str) -> None:
    """Cells with contour lines, coloured by log10 of the losses; `places` are those of the columns and of the rows."""
    (x, y), (low, high) = places, span
    z = np.clip(logs(losses), low, high)
    figure.add_heatmap(
        x=x,
        y=y,
        z=z,
        zmin=low,
        zmax=high,
        colorscale=list(signal(64)),
        colorbar=colour_bar(span),
        customdata=[[number(value) for value in row] for row in losses.tolist()],
        hovertemplate=hover,
    )
    figure.add_contour(
        x=x,
        y=y,
        z=z,
        contours={"coloring": "none", "start": low, "end": high, "size": (high - low) / _RINGS},
        line={"color": INK, "width": 0.8},
        opacity=0.6,
        showscale=False,
        showlegend=False,
        hoverinfo="skip",
    )


def landscape_map(found: Landscape, span: tuple[float, float], height: int = 460) -> go.Figure:
    """The loss on the plane as cells with contour lines, on a colour scale that spans log10 of the losses; the network is the cross."""
    figure = base_figure(height)
    hover = "x %{x:.3g}, y %{y:.3g}<br>loss %{customdata}<extra></extra>"
    loss_cells(figure, (found.places, found.places), found.losses, span, hover)
    figure.add_scatter(
        x=[0], y=[0], mode="markers", marker={"symbol": "cross-thin", "size": 14, "line": {"width": 2, "color": INK}},
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    ends = [float(found.places[0]), float(found.places[-1])]
    room = (ends[1] - ends[0]) / (found.grid - 1) / 2
    figure.update_xaxes(
        title={"text": "d₁", "font": _WORDS}, range=[ends[0] - room, ends[1] + room], showgrid=False, constrain="domain"
    )
    figure.update_yaxes(
        title={"text": "d₂", "font": _WORDS},
        range=[ends[0] - room, ends[1] + room],
        showgrid=False,
        scaleanchor="x",
        constrain="domain",
    )
    figure.update_layout(margin={"l": 56, "r": 8, "t": 24, "b": 92})
    return figure


def landscape_surface(found: Landscape, span: tuple[float, float], height: int = 460) -> go.Figure:
    """The same as a surface that can be turned."""
    figure = base_figure(height)
    low, high = span
    places, words = zip(*_ticks(span), strict=True)
    figure.add_surface(
        x=found.places,
        y=found.places,
        z=np.clip(logs(found.losses), low, high),
        cmin=low,
        cmax=high,
        colorscale=list(signal(64)),
        colorbar=colour_bar(span),
        customdata=[[number(value) for value in row] for row in found.losses.tolist()],
        hovertemplate="x %{x:.3g}, y %{y:.3g}<br>loss %{customdata}<extra></extra>",
    )
    small = {"tickfont": {"size": 14}}
    axes = {"xaxis": {"title": {"text": "d₁"}} | small, "yaxis": {"title": {"text": "d₂"}} | small}
    upright = {"title": {"text": "loss"}, "range": [low, high], "tickvals": places, "ticktext": words} | small
    figure.update_layout(scene=axes | {"zaxis": upright, "aspectmode": "cube"}, margin={"l": 0, "r": 0, "t": 24, "b": 48})
    return figure


def cut(found: Mapping[Design, Landscape], height: int = 260) -> Chart:
    """The loss along d₁ through both networks, on a log axis, with what guessing costs."""
    low, high = colour_range(found)
    room = 0.06 * (high - low)
    lines = tuple(
        Series(
            key,
            each.places,
            np.where(np.isfinite(each.cut), logs(np.where(np.isfinite(each.cut), each.cut, 1.0)), np.nan),
            _STYLES[key],
            tuple(
                (f"x {place:.3g}", f"loss {number(loss)}")
                for place, loss in zip(each.places.tolist(), each.cut.tolist(), strict=True)
            ),
            Markers(_STYLES[key].symbol, 5),
        )
        for key, each in found.items()
    )
    guess = float(np.log10(next(iter(found.values())).guess))
    marked = low <= guess <= high
    ends = next(iter(found.values())).places
    places = np.linspace(ends[0], ends[-1], 5).tolist()
    return Chart(
        height,
        Axis("along d₁, 0 is the network", ticks=tuple((float(x), f"{x:g}".replace("-", "−")) for x in places)),
        Axis("loss", (low - room, high + room), _ticks((low, high))),
        lines,
        rules=(Rule(WARNING, y=guess, width=1, dotted=True),) if marked else (),
        notes=(Note("guessing", y=guess),) if marked else (),
    )


def frame(found: Mapping[Design, Landscape]) -> pd.DataFrame:
    """Every point as a row (net, x, y, loss)."""
    import pandas as pd

    rows = [
        (key, float(x), float(y), float(each.losses[i, j]))
        for key, each in found.items()
        for i, y in enumerate(each.places)
        for j, x in enumerate(each.places)
    ]
    return pd.DataFrame(rows, columns=["net", "x", "y", "loss"])


def picture(found: Mapping[Design, Landscape], side: int = 528, span: tuple[float, float] | None = None) -> Image.Image:
    """The maps side by side, a square of `side` pixels each, in the same colours; `span` is theirs unless others share it."""
    low, high = span or colour_range(found)
    colours = np.array([rgb(colour) for colour in signal(256)], np.uint8)
    gap = side // 16
    whole = Image.new("RGB", (len(found) * (side + gap) - gap, side), "white")
    for n, each in enumerate(found.values()):
        shares = (np.clip(logs(each.losses), low, high) - low) / (high - low)
        cells = colours[np.rint(255 * shares[::-1]).astype(int)]  # y grows upwards
        whole.paste(Image.fromarray(cells).resize((side, side), Image.Resampling.NEAREST), (n * (side + gap), 0))
    return whole
