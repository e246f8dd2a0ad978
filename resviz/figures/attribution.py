"""A photograph, the evidence laid over it, and the classes it speaks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from resviz.figures.theme import CUT, IDENTITY, NEGATIVE, PLAIN, POSITIVE, RESIDUAL, WARNING, base_figure
from resviz.results import Attribution, Faithfulness, Prediction

__all__ = [
    "STYLES",
    "Look",
    "attribution_figure",
    "faithfulness_curves",
    "maps_together",
    "overlay_image",
    "photograph",
    "prediction_bars",
    "sanity_lines",
]

STYLES = ("heat", "contour", "masked")
_DASHES = ("solid", "dash", "dot", "dashdot")
_COLOURS = (RESIDUAL, PLAIN, IDENTITY, CUT, WARNING)


@dataclass(frozen=True)
class Look:
    """How a map lies on its photograph.

    "heat" lays colour over it, "contour" draws a line round the strongest part, "masked" shows that part of the photograph
    alone; `percentile` says how strong. Right of `wipe`, a share of the width, the photograph stays bare.
    """

    opacity: float = 0.75
    absolute: bool = False
    style: str = "heat"
    percentile: float = 90.0
    wipe: float = 1.0


def _rgb(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))


def _scale(signed: bool) -> list[list[object]]:
    positive, negative = _rgb(POSITIVE), _rgb(NEGATIVE)
    if not signed:
        return [[0, f"rgba({positive},0)"], [0.5, f"rgba({positive},0.6)"], [1, f"rgba({positive},1)"]]
    # the hue stays and fades: a white middle would lie over the photograph like fog
    return [
        [0, f"rgba({negative},1)"], [0.25, f"rgba({negative},0.6)"], [0.4999, f"rgba({negative},0)"],
        [0.5001, f"rgba({positive},0)"], [0.75, f"rgba({positive},0.6)"], [1, f"rgba({positive},1)"],
    ]  # fmt: skip


def _shown(attribution: Attribution, absolute: bool, top: float | None = None) -> tuple[np.ndarray, bool]:
    """Values scaled so that `top`, or the 99.5th percentile of magnitude, is 1, and whether they have a sign."""
    values = np.abs(attribution.values) if absolute else attribution.values
    top = top or float(np.percentile(np.abs(values), 99.5)) or float(np.abs(values).max()) or 1.0
    return np.clip(values / top, -1, 1), attribution.signed and not absolute


def photograph(image: Image.Image, height: int = 420) -> go.Figure:
    """The picture alone, on the same canvas as its maps."""
    figure = base_figure(height)
    side = image.width
    figure.add_layout_image(source=image, x=0, y=0, sizex=side, sizey=side, xref="x", yref="y", layer="below", sizing="stretch")
    figure.update_xaxes(visible=False, range=[0, side], constrain="domain")
    figure.update_yaxes(visible=False, range=[side, 0], scaleanchor="x", constrain="domain")
    figure.update_layout(margin={"l": 4, "r": 4, "t": 28, "b": 4})
    return figure


def attribution_figure(image: Image.Image, attribution: Attribution, look: Look, top: float | None = None) -> go.Figure:
    """The map over the photograph: blue speaks for the class, vermilion against it, nothing where it is zero.

    `top` is the value of the full colour where maps share a scale.
    """
    figure = photograph(_masked(image, attribution, look) if look.style == "masked" else image)
    figure.add_trace(_trace(image, attribution, look, top))
    if look.wipe < 1:
        figure.add_vline(look.wipe * image.width, line={"color": WARNING, "width": 2})
    figure.update_layout(margin={"b": 44 if look.style == "heat" else 4})
    return figure


def maps_together(image: Image.Image, maps: Mapping[str, Attribution], look: Look, across: int = 3) -> go.Figure:
    """The photograph and every map in one figure with one zoom and one pan."""
    from plotly.subplots import make_subplots

    titles = ["Photograph", *maps]
    across = min(across, len(titles))
    rows = -(-len(titles) // across)
    figure = make_subplots(rows, across, subplot_titles=titles, horizontal_spacing=0.01, vertical_spacing=0.1 / rows)
    height = rows * (900 // across + 30) + 40
    figure.update_layout(base_figure(height).layout)
    figure.update_layout(margin={"l": 4, "r": 4, "t": 60, "b": 4})
    side = image.width
    for n, title in enumerate(titles):
        row, column = n // across + 1, n % across + 1
        found = maps.get(title)
        shown = _masked(image, found, look) if found is not None and look.style == "masked" else image
        figure.add_layout_image(
            source=shown,
            x=0,
            y=0,
            sizex=side,
            sizey=side,
            layer="below",
            sizing="stretch",
            row=row,
            col=column,
            xref="x",
            yref="y",
        )
        trace = _trace(image, found, look) if found is not None else _nothing(side)
        trace["showscale"] = False
        figure.add_trace(trace, row=row, col=column)
    figure.update_xaxes(visible=False, range=[0, side], matches="x", constrain="domain")
    figure.update_yaxes(visible=False, range=[side, 0], matches="y", constrain="domain")
    figure.update_yaxes(scaleanchor="x", row=1, col=1)
    return figure


def _nothing(side: int) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "z": [[0.0]],
        "x": [side / 2],
        "y": [side / 2],
        "opacity": 0,
        "hoverinfo": "skip",
        "showscale": False,
    }


def _trace(image: Image.Image, attribution: Attribution, look: Look, top: float | None = None) -> dict[str, Any]:
    values, signed = _shown(attribution, look.absolute, top)
    z = values.astype(np.float32)
    z[:, round(look.wipe * z.shape[1]) :] = np.nan
    step = image.width / values.shape[1]
    trace: dict[str, Any] = {
        "z": z, "x0": step / 2, "dx": step, "y0": step / 2, "dy": step, "customdata": attribution.values,
        "hovertemplate": "row %{y:.0f}, column %{x:.0f}: %{customdata:.3g}<extra></extra>",
    }  # fmt: skip
    if look.style == "contour":
        at = float(np.percentile(values, look.percentile))
        contours = {"start": at, "end": at, "size": 1, "coloring": "none"}
        return trace | {"type": "contour", "contours": contours, "line": {"color": POSITIVE, "width": 3}, "showscale": False}
    trace |= {"type": "heatmap", "zmin": -1 if signed else 0, "zmax": 1, "colorscale": _scale(signed)}
    if look.style == "masked":
        return trace | {"opacity": 0, "showscale": False}
    return trace | {
        "opacity": look.opacity,
        "zsmooth": "best" if values.shape[0] < 100 and look.wipe == 1 else False,
        "colorbar": {
            "orientation": "h", "thickness": 8, "y": -0.01, "yanchor": "top", "len": 0.6, "outlinewidth": 0,
            "tickvals": [-1, 0, 1] if signed else [0, 1],
            "ticktext": ["against", "0", "for"] if signed else ["0", "strong"],
        },
    }  # fmt: skip


def _at_size(values: np.ndarray, image: Image.Image) -> np.ndarray:
    resized = Image.fromarray(values.astype(np.float32)).resize(image.size, Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float64)


def _masked(image: Image.Image, attribution: Attribution, look: Look) -> Image.Image:
    """The photograph where the evidence is strongest, grey elsewhere."""
    values = _at_size(_shown(attribution, look.absolute)[0], image)
    strong = (values >= np.percentile(values, look.percentile))[..., None]
    strong[:, round(look.wipe * image.width) :] = True
    return Image.fromarray(np.where(strong, np.asarray(image.convert("RGB")), 128).astype(np.uint8))


def overlay_image(image: Image.Image, attribution: Attribution, look: Look) -> Image.Image:
    """The same picture as plain pixels, for files."""
    if look.style == "masked":
        return _masked(image, attribution, look)
    values, signed = _shown(attribution, look.absolute)
    resized = _at_size(values, image)
    pixels, colours = (
        np.asarray(image.convert("RGB")),
        np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (POSITIVE, NEGATIVE)]),
    )
    if look.style == "contour":
        inside = resized >= np.percentile(resized, look.percentile)
        edge = np.zeros_like(inside)
        for axis in (0, 1):
            for by in (-1, 1, -2, 2):
                edge |= inside & ~np.roll(inside, by, axis)
        return Image.fromarray(np.where(edge[..., None], colours[0], pixels).astype(np.uint8))
    colour = np.where((resized >= 0)[..., None], colours[0], colours[1])
    strength = np.abs(resized) if signed else np.clip(resized, 0, 1)
    alpha = np.interp(strength, (0, 0.5, 1), (0, 0.6, 1))[..., None] * look.opacity  # as on the page
    return Image.fromarray(np.rint(pixels * (1 - alpha) + colour * alpha).astype(np.uint8))


def faithfulness_curves(measured: Mapping[str, Faithfulness], insertion: bool) -> go.Figure:
    """The class's probability while the strongest pixels are taken away, or put back."""
    figure = base_figure(300)
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


def _line(n: int) -> dict[str, Any]:
    return {"color": _COLOURS[n % len(_COLOURS)], "dash": _DASHES[n % len(_DASHES)], "width": 2}


def prediction_bars(prediction: Prediction, k: int = 5) -> go.Figure:
    """The k most probable classes."""
    top = prediction.top(k)[::-1]
    figure = base_figure(60 + 30 * len(top))
    figure.add_bar(
        x=[100 * p for _, p in top],
        y=[name for name, _ in top],
        orientation="h",
        marker={"color": RESIDUAL},
        text=[f"{100 * p:.1f} %" for _, p in top],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
    )
    figure.update_xaxes(visible=False, range=[0, 118])
    figure.update_yaxes(automargin=True, ticksuffix="  ")
    figure.update_layout(margin={"l": 8, "r": 8, "t": 28, "b": 4})
    return figure
