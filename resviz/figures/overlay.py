"""A photograph and the evidence laid over it: as pixels for files, as Plotly's figure for a file that can be pointed at.

The browser draws the same on a canvas, from the same numbers: `painting` hands them over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from resviz.figures.chart import base_figure
from resviz.figures.theme import AGAINST, CUT, FOR, dark, rgb, signal
from resviz.results import Attribution

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "Look",
    "OverlayStyle",
    "at_size",
    "attribution_figure",
    "full_colour",
    "heat_colours",
    "overlay_image",
    "painting",
    "poles",
    "scaled",
]

_HEAT_FLOOR: Final = 0.3  # of the opacity, where a heat map is zero: the photograph stays to be seen
_FADING: Final = ((0.0, 0.0), (0.5, 0.6), (1.0, 1.0))  # a signed map's strength and its share of the opacity, linear between
_SMOOTHING: Final = 1 / 64  # of the picture's side: the sigma of a map whose strongest part is looked for
_REACH: Final = 3  # sigmas, as far as the smoothing looks
_HIDDEN: Final = "#808080"  # what a mask puts in place of the rest


class OverlayStyle(StrEnum):
    """How evidence is drawn over a photograph."""

    SIGNED = "signed"  # one colour for the class and another against it
    HEAT = "heat"  # its strength whatever the sign
    CONTOUR = "contour"  # a line round the strongest part
    MASKED = "masked"  # that part of the photograph alone


@dataclass(frozen=True)
class Look:
    """How a map lies on its photograph: `percentile` says how strong the strongest part is.

    Right of `wipe`, a share of the width, the photograph stays bare.
    """

    opacity: float = 0.75
    style: OverlayStyle = OverlayStyle.SIGNED
    percentile: float = 90.0
    wipe: float = 1.0


def poles(signed: bool) -> tuple[str, str]:
    """The full colours of what speaks for and against the class; of a magnitude, of more of it and of what a cut took away."""
    return (FOR, AGAINST) if signed else (heat_colours()[-1], dark(CUT))


def heat_colours() -> tuple[str, ...]:
    """The ramp of strength in 65 steps as it lies over photographs, dark to bright in both themes."""
    return tuple(map(dark, signal(65)))


def _rising(signed: bool) -> tuple[str, ...]:
    """What is above zero, weak to strong: one colour that only fades for the class, the ramp of a magnitude."""
    return (FOR,) if signed else heat_colours()


def painting(signed: bool) -> dict[str, object]:
    """Everything that decides how a map is drawn, for the browser: colours as (red, green, blue), JSON-able."""
    positive, negative = poles(signed)
    return {
        "positive": [rgb(colour) for colour in _rising(signed)],
        "negative": rgb(negative),
        "line": positive,
        "grey": [style for style in OverlayStyle if style is not OverlayStyle.MASKED],  # under which the photograph is grey
        "hidden": rgb(_HIDDEN),
        "heat": [rgb(colour) for colour in heat_colours()],
        "floor": _HEAT_FLOOR,
        "fading": _FADING,
        "smoothing": _SMOOTHING,
        "reach": _REACH,
    }


def full_colour(attribution: Attribution) -> float:
    """The magnitude that gets the full colour: the 99.5th percentile, so that one pixel cannot make all others pale."""
    strength = np.abs(attribution.values)
    return float(np.percentile(strength, 99.5)) or float(strength.max()) or 1.0


def scaled(attribution: Attribution, top: float | None = None) -> np.ndarray:
    """From -1 to 1, where the full colours are; `top` is the magnitude that has them, where maps share a scale."""
    return np.clip(np.asarray(attribution.values, np.float64) / (top or full_colour(attribution)), -1, 1)


def overlay_image(image: Image.Image, attribution: Attribution, look: Look, top: float | None = None) -> Image.Image:
    """The map as plain pixels over the photograph in grey, so that no colour but the map's is seen; a mask shows its own."""
    pixels = np.array(image.convert("RGB"), np.float64)
    colour, alpha = _PAINTERS[look.style](image, scaled(attribution, top), attribution.signed, look)
    edge = round(look.wipe * image.width)
    if look.style is not OverlayStyle.MASKED:
        pixels[:, :edge] = np.asarray(image.convert("L"), np.float64)[:, :edge, None]
    alpha[:, edge:] = 0
    shown = pixels * (1 - alpha[..., None]) + colour * alpha[..., None]
    return Image.fromarray(np.rint(shown).astype(np.uint8))


# each is given the map from -1 to 1 and whether it has signs, and returns the colours, (height, width, 3) or fewer, and how much of them
# is seen, (height, width)
def _signed(image: Image.Image, values: np.ndarray, signed: bool, look: Look) -> tuple[np.ndarray, np.ndarray]:
    values = at_size(values, image)
    rising, negative = _rgb_rows(_rising(signed)), _rgb_rows(poles(signed)[1:])[0]
    strengths, shares = zip(*_FADING, strict=True)
    fading = np.interp(np.abs(values), strengths, shares)
    above = rising[np.rint(np.clip(values, 0, 1) * (len(rising) - 1)).astype(int)]
    return np.where((values >= 0)[..., None], above, negative), look.opacity * fading


def _heat(image: Image.Image, values: np.ndarray, signed: bool, look: Look) -> tuple[np.ndarray, np.ndarray]:
    strength, scale = np.abs(at_size(values, image)), _rgb_rows(heat_colours())
    colours = scale[np.rint(strength * (len(scale) - 1)).astype(int)]
    return colours, look.opacity * (_HEAT_FLOOR + (1 - _HEAT_FLOOR) * strength)


def _contour(image: Image.Image, values: np.ndarray, signed: bool, look: Look) -> tuple[np.ndarray, np.ndarray]:
    inside = _strongest(image, values, look)
    edge = np.zeros_like(inside)
    for axis in (0, 1):
        for by in (-1, 1, -2, 2):
            edge |= inside & ~np.roll(inside, by, axis)
    return _rgb_rows(poles(signed))[0], edge.astype(np.float64)


def _masked(image: Image.Image, values: np.ndarray, signed: bool, look: Look) -> tuple[np.ndarray, np.ndarray]:
    return _rgb_rows([_HIDDEN])[0], (~_strongest(image, values, look)).astype(np.float64)


_PAINTERS: Final = {
    OverlayStyle.SIGNED: _signed,
    OverlayStyle.HEAT: _heat,
    OverlayStyle.CONTOUR: _contour,
    OverlayStyle.MASKED: _masked,
}


def _strongest(image: Image.Image, values: np.ndarray, look: Look) -> np.ndarray:
    """Where the smoothed map is strongest: a map of single pixels has no parts."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(values, values.shape[0] * _SMOOTHING, mode="nearest", truncate=_REACH)
    values = at_size(smooth, image)
    return values >= np.percentile(values, look.percentile)


def at_size(values: np.ndarray, image: Image.Image) -> np.ndarray:
    """The map on as many pixels as the photograph has, between its own in straight lines."""
    resized = Image.fromarray(values.astype(np.float32)).resize(image.size, Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float64)


def _rgb_rows(colours: Sequence[str]) -> np.ndarray:
    return np.array([rgb(colour) for colour in colours], np.float64)


def attribution_figure(image: Image.Image, attribution: Attribution) -> go.Figure:
    """The signed map over the photograph as a figure of Plotly's, in which each pixel tells its value."""
    figure = _photograph(image.convert("L").convert("RGB"))
    values = scaled(attribution)
    below = attribution.signed or bool((values < 0).any())
    step = image.width / values.shape[1]
    words = ["against", "0", "for"] if attribution.signed else ["less", "0", "more"]
    ticks = {"tickvals": [-1, 0, 1], "ticktext": words} if below else {"tickvals": [0, 1], "ticktext": ["0", "strong"]}
    figure.add_heatmap(
        z=values.astype(np.float32),
        x0=step / 2,
        dx=step,
        y0=step / 2,
        dy=step,
        customdata=attribution.values,
        hovertemplate="row %{y:.0f}, column %{x:.0f}: %{customdata:.3g}<extra></extra>",
        zmin=-1 if below else 0,
        zmax=1,
        colorscale=_scale(attribution.signed, below),
        opacity=Look().opacity,
        colorbar=ticks | {"orientation": "h", "thickness": 8, "y": -0.01, "yanchor": "top", "len": 0.6, "outlinewidth": 0},
    )
    return figure


def _photograph(image: Image.Image, height: int = 420) -> go.Figure:
    figure = base_figure(height)
    side = image.width
    figure.add_layout_image(source=image, x=0, y=0, sizex=side, sizey=side, xref="x", yref="y", layer="below", sizing="stretch")
    figure.update_xaxes(visible=False, range=[0, side], constrain="domain")
    figure.update_yaxes(visible=False, range=[side, 0], scaleanchor="x", constrain="domain")
    figure.update_layout(margin={"l": 4, "r": 4, "t": 28, "b": 44})
    return figure


def _scale(signed: bool, below: bool) -> list[tuple[float, str]]:
    """The hue fades with the strength: a white middle would lie over the photograph like fog."""
    rising = [(at, _faded(colour, at)) for at, colour in _stops(_rising(signed))]
    if not below:
        return rising
    # just beside the middle each hue is already gone
    falling = [((1 - at) / 2, _faded(poles(signed)[1], at)) for at, _ in reversed(_FADING)]
    upper = [((1 + at) / 2, colour) for at, colour in rising]
    return [*falling[:-1], (0.4999, falling[-1][1]), (0.5001, upper[0][1]), *upper[1:]]


def _stops(colours: Sequence[str]) -> list[tuple[float, str]]:
    """Where each colour is reached; one that only fades, where its fading bends."""
    if len(colours) == 1:
        return [(at, colours[0]) for at, _ in _FADING]
    return [(i / (len(colours) - 1), colour) for i, colour in enumerate(colours)]


def _faded(colour: str, strength: float) -> str:
    strengths, shares = zip(*_FADING, strict=True)
    share = float(np.interp(strength, strengths, shares))
    return f"rgba({','.join(map(str, rgb(colour)))},{share:.4g})"
