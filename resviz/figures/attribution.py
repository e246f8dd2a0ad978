"""A photograph, the evidence laid over it, and the classes it speaks for."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from resviz.figures.theme import CUT, IDENTITY, NEGATIVE, PLAIN, POSITIVE, RESIDUAL, STRENGTH, WARNING, WEAKER, base_figure
from resviz.results import Attribution, Faithfulness, Prediction

__all__ = [
    "STYLES",
    "Look",
    "attribution_figure",
    "faithfulness_curves",
    "full_colour",
    "heat_colours",
    "overlay_image",
    "photograph",
    "poles",
    "prediction_bars",
    "sanity_lines",
]

STYLES = ("signed", "heat", "contour", "masked")
HEAT_FLOOR = 0.3  # of the opacity, where a heat map is zero: the photograph stays to be seen
SMOOTHING = 1 / 64  # of the picture's side: the sigma of a map whose strongest part is looked for
GREY = 128  # what a mask hides
_DASHES = ("solid", "dash", "dot", "dashdot")
_COLOURS = (RESIDUAL, PLAIN, IDENTITY, CUT, WARNING)


@dataclass(frozen=True)
class Look:
    """How a map lies on its photograph.

    "signed" lays one colour over it for the class and another against it, "heat" its strength whatever the sign, "contour"
    draws a line round the strongest part, "masked" shows that part of the photograph alone; `percentile` says how strong.
    Right of `wipe`, a share of the width, the photograph stays bare.
    """

    opacity: float = 0.75
    style: str = "signed"
    percentile: float = 90.0
    wipe: float = 1.0


def _rgb(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))


def poles(signed: bool) -> tuple[str, str]:
    """The colours of what speaks for and against the class; of a magnitude, of more and less of it."""
    return (POSITIVE, NEGATIVE) if signed else (STRENGTH, WEAKER)


def _scale(signed: bool, below: bool) -> list[list[object]]:
    positive, negative = map(_rgb, poles(signed))
    if not below:
        return [[0, f"rgba({positive},0)"], [0.5, f"rgba({positive},0.6)"], [1, f"rgba({positive},1)"]]
    # the hue stays and fades: a white middle would lie over the photograph like fog
    return [
        [0, f"rgba({negative},1)"], [0.25, f"rgba({negative},0.6)"], [0.4999, f"rgba({negative},0)"],
        [0.5001, f"rgba({positive},0)"], [0.75, f"rgba({positive},0.6)"], [1, f"rgba({positive},1)"],
    ]  # fmt: skip


def full_colour(attribution: Attribution) -> float:
    """The magnitude that gets the full colour: the 99.5th percentile, so that one pixel cannot make all others pale."""
    strength = np.abs(attribution.values)
    return float(np.percentile(strength, 99.5)) or float(strength.max()) or 1.0


def heat_colours() -> list[str]:
    """Viridis in 65 steps, as "#rrggbb"."""
    from plotly.colors import sample_colorscale

    return ["#" + "".join(f"{round(255 * part):02x}" for part in colour)
            for colour in sample_colorscale("Viridis", list(np.linspace(0, 1, 65)), colortype="tuple")]  # fmt: skip


def _scaled(attribution: Attribution) -> np.ndarray:
    """From -1 to 1, where the full colours are."""
    return np.clip(np.asarray(attribution.values, np.float64) / full_colour(attribution), -1, 1)


def photograph(image: Image.Image, height: int = 420) -> go.Figure:
    """The picture alone, on the same canvas as its maps."""
    figure = base_figure(height)
    side = image.width
    figure.add_layout_image(source=image, x=0, y=0, sizex=side, sizey=side, xref="x", yref="y", layer="below", sizing="stretch")
    figure.update_xaxes(visible=False, range=[0, side], constrain="domain")
    figure.update_yaxes(visible=False, range=[side, 0], scaleanchor="x", constrain="domain")
    figure.update_layout(margin={"l": 4, "r": 4, "t": 28, "b": 4})
    return figure


def attribution_figure(image: Image.Image, attribution: Attribution, look: Look) -> go.Figure:
    """The map over the photograph as a figure of Plotly's: blue speaks for the class, vermilion against it, nothing where it is zero."""
    figure = photograph(_masked(image, attribution, look) if look.style == "masked" else image)
    values = _scaled(attribution)
    if look.style == "heat":
        values = np.abs(values)
    below = look.style != "heat" and (attribution.signed or bool((values < 0).any()))
    step = image.width / values.shape[1]
    trace: dict[str, Any] = {
        "z": values.astype(np.float32), "x0": step / 2, "dx": step, "y0": step / 2, "dy": step, "customdata": attribution.values,
        "hovertemplate": "row %{y:.0f}, column %{x:.0f}: %{customdata:.3g}<extra></extra>",
    }  # fmt: skip
    if look.style == "contour":
        at = float(np.percentile(values, look.percentile))
        contours = {"start": at, "end": at, "size": 1, "coloring": "none"}
        trace |= {
            "type": "contour",
            "contours": contours,
            "line": {"color": poles(attribution.signed)[0], "width": 3},
            "showscale": False,
        }
    else:
        trace |= {"type": "heatmap", "zmin": -1 if below else 0, "zmax": 1, "colorscale": _scale(attribution.signed, below)}
    if look.style == "heat":
        trace |= {"colorscale": "Viridis"}
    if look.style == "masked":
        trace |= {"opacity": 0, "showscale": False}
    elif look.style != "contour":
        ticks = (
            {"tickvals": [-1, 0, 1], "ticktext": ["against", "0", "for"] if attribution.signed else ["less", "0", "more"]}
            if below
            else {"tickvals": [0, 1], "ticktext": ["0", "strong"]}
        )
        bar = {"orientation": "h", "thickness": 8, "y": -0.01, "yanchor": "top", "len": 0.6, "outlinewidth": 0}
        trace |= {"opacity": look.opacity, "colorbar": bar | ticks}
    figure.add_trace(trace)
    figure.update_layout(margin={"b": 44})
    return figure


def _strongest(image: Image.Image, attribution: Attribution, look: Look) -> np.ndarray:
    """Where the smoothed map is strongest: a map of single pixels has no parts."""
    from scipy.ndimage import gaussian_filter

    values = _scaled(attribution)
    values = _at_size(gaussian_filter(values, values.shape[0] * SMOOTHING, mode="nearest", truncate=3), image)
    return values >= np.percentile(values, look.percentile)


def _at_size(values: np.ndarray, image: Image.Image) -> np.ndarray:
    resized = Image.fromarray(values.astype(np.float32)).resize(image.size, Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float64)


def _masked(image: Image.Image, attribution: Attribution, look: Look) -> Image.Image:
    """The photograph where the evidence is strongest, grey elsewhere."""
    strong = _strongest(image, attribution, look)[..., None]
    strong[:, round(look.wipe * image.width) :] = True
    return Image.fromarray(np.where(strong, np.asarray(image.convert("RGB")), GREY).astype(np.uint8))


def _rgb_rows(colours: Sequence[str]) -> np.ndarray:
    return np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours], np.float64)


def overlay_image(image: Image.Image, attribution: Attribution, look: Look) -> Image.Image:
    """The same picture as plain pixels, for files."""
    if look.style == "masked":
        return _masked(image, attribution, look)
    values, pixels = _at_size(_scaled(attribution), image), np.asarray(image.convert("RGB"), np.float64)
    strength, mapped = np.abs(values), slice(0, round(look.wipe * image.width))
    colours = _rgb_rows(poles(attribution.signed))
    if look.style == "contour":
        inside = _strongest(image, attribution, look)
        edge = np.zeros_like(inside)
        for axis in (0, 1):
            for by in (-1, 1, -2, 2):
                edge |= inside & ~np.roll(inside, by, axis)
        colour, alpha = np.broadcast_to(colours[0], pixels.shape), edge[..., None].astype(np.float64)
    elif look.style == "heat":
        scale = _rgb_rows(heat_colours())
        colour = scale[np.rint(strength * (len(scale) - 1)).astype(int)]
        alpha = look.opacity * (HEAT_FLOOR + (1 - HEAT_FLOOR) * strength)[..., None]
    else:
        colour = np.where((values >= 0)[..., None], colours[0], colours[1])
        alpha = look.opacity * np.interp(strength, (0, 0.5, 1), (0, 0.6, 1))[..., None]
    shown = pixels.copy()
    shown[:, mapped] = (pixels * (1 - alpha) + colour * alpha)[:, mapped]
    return Image.fromarray(np.rint(shown).astype(np.uint8))


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


def _line(n: int) -> dict[str, Any]:
    return {"color": _COLOURS[n % len(_COLOURS)], "dash": _DASHES[n % len(_DASHES)], "width": 2}


def prediction_bars(prediction: Prediction, k: int = 5) -> go.Figure:
    """The k most probable classes."""
    top = prediction.top(k)[::-1]
    figure = base_figure(60 + 30 * len(top))
    figure.add_bar(
        x=[100 * p for _, p in top],
        y=[html.escape(name, quote=False) for name, _ in top],  # Plotly reads tags, links among them
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
