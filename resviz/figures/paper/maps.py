"""Maps of evidence over their photograph, on paper: the words are letters, the pictures pixels, and the numbers NumPy's."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from resviz.figures.overlay import Look, OverlayStyle, at_size, heat_colours, overlay_image, poles, scaled
from resviz.figures.paper.sheet import Paper, saved
from resviz.figures.theme import PAPER
from resviz.results import Attribution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Maps", "maps_file", "maps_npz"]

_LEAST: Final = 1.05  # inches of a picture's side, below which there are fewer in a row
_LETTER: Final = 0.6  # of the type's size that a letter is wide
_BAR: Final = 0.08  # inches that a scale is high


@dataclass(frozen=True)
class Maps:
    """A photograph as the network sees it, the maps that lie on it by their titles, and how they are drawn.

    `tops` has the magnitude that gets the full colour, of maps that do not have their own.
    """

    photograph: Image.Image
    maps: Mapping[str, Attribution]
    look: Look
    tops: Mapping[str, float]


def maps_file(shown: Maps, title: str, form: str, paper: Paper) -> bytes:
    """The photograph and its maps in rows, the scale under them, as a file of one of the formats."""
    from matplotlib.figure import Figure

    many = 1 + len(shown.maps)
    columns = max(1, min(many, int(paper.width / _LEAST)))
    rows = math.ceil(many / columns)
    scale = _has_scale(shown)
    side, line = paper.width / columns, 1.4 * paper.points / 72
    letters = max(1, int(side * 72 / (_LETTER * paper.points)))
    words = {name: textwrap.fill(name, letters) for name in ("Photograph", *shown.maps)}
    above = line * (1 + max(text.count("\n") for text in words.values()))
    high = rows * (side + above) + scale * (2.4 * line + _BAR)
    figure = Figure(figsize=(paper.width, high))
    pictures = {"Photograph": shown.photograph} | {name: _picture(shown, name, paper) for name in shown.maps}
    for i, (name, picture) in enumerate(pictures.items()):
        row, column = divmod(i, columns)
        gap = 0.02 * paper.width
        below = high - (row + 1) * (side + above) + gap / 2
        place = ((column * side + gap / 2) / paper.width, below / high, (side - gap) / paper.width, (side - gap) / high)
        axes = figure.add_axes(place)
        axes.imshow(np.asarray(picture.convert("L").convert("RGB") if paper.grey else picture), interpolation="nearest")
        axes.set_title(words[name], fontsize=paper.points, pad=0.25 * paper.points)
        axes.axis("off")
    if scale:
        place = (0.3, 1.7 * line / high, 0.4, _BAR / high)
        _scale(figure.add_axes(place), shown, paper)
    return saved(figure, form, title)


def _picture(shown: Maps, name: str, paper: Paper) -> Image.Image:
    """The map over its photograph. Without colours it stands alone, as grey as it is strong: over a grey photograph it would not be seen."""
    attribution, top = shown.maps[name], shown.tops.get(name)
    if paper.grey and _has_scale(shown):
        values = at_size(scaled(attribution, top), shown.photograph)
        light = (values + 1) / 2 if _below(shown) else 1 - np.abs(values)
        return Image.fromarray(np.rint(255 * light).astype(np.uint8))
    whole = replace(shown.look, wipe=1.0)  # what is wiped aside on the page is only hidden for a moment
    return overlay_image(shown.photograph, attribution, whole, top)


def _has_scale(shown: Maps) -> bool:
    """Whether colours say how strong the evidence is, rather than where it is strongest."""
    return shown.look.style in (OverlayStyle.SIGNED, OverlayStyle.HEAT)


def _signed(shown: Maps) -> bool:
    """Whether colours say the sign: of magnitudes alone there is none."""
    return shown.look.style is OverlayStyle.SIGNED and any(each.signed for each in shown.maps.values())


def _below(shown: Maps) -> bool:
    """Whether there are colours for what is below 0: what speaks against the class, or what a change left less of."""
    found = any(bool((np.asarray(each.values, np.float64) < 0).any()) for each in shown.maps.values())
    return _signed(shown) or (shown.look.style is OverlayStyle.SIGNED and found)


def _scale(axes: Axes, shown: Maps, paper: Paper) -> None:
    """From against to for, from less to more, or from nothing to strong, as the maps are coloured; beside signs all have theirs."""
    from matplotlib.colors import LinearSegmentedColormap

    signed, below = _signed(shown), _below(shown)
    positive, negative = poles(signed)
    colours = (negative, PAPER, positive) if signed else (*[negative] * below, *heat_colours())
    places = np.linspace(0, 1, len(colours)) if signed or not below else [0, *np.linspace(0.5, 1, len(colours) - 1)]
    if paper.grey:
        colours, places = ("#000000", "#FFFFFF") if below else ("#FFFFFF", "#000000"), [0, 1]
    ramp = LinearSegmentedColormap.from_list("scale", list(zip(places, colours, strict=True)))
    axes.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=ramp, extent=(0, 1, 0, 1))
    low, high = ("against", "for") if signed else ("less", "more")
    ends = {0.0: low, 0.5: "0", 1.0: high} if below else {0.0: "0", 1.0: "strong"}
    axes.set_xticks(list(ends), list(ends.values()), fontsize=0.9 * paper.points)
    axes.tick_params("x", length=1.5, width=0.4, pad=1)
    axes.set_yticks([])
    axes.spines[:].set_linewidth(0.4)


def maps_npz(shown: Maps) -> bytes:
    """The photograph and every map's raw values, for NumPy, by their titles."""
    buffer = io.BytesIO()
    arrays = {name: np.asarray(each.values) for name, each in shown.maps.items()}
    np.savez_compressed(buffer, allow_pickle=False, photograph=np.asarray(shown.photograph.convert("RGB")), **arrays)
    return buffer.getvalue()
