"""A diagram on paper, and as the card that a link shows of itself."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

from resviz.figures.diagram import STYLE, WORDS, Diagram, Shape
from resviz.figures.paper.sheet import Paper, saved
from resviz.figures.theme import IDENTITY, INK, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

__all__ = ["card_file", "diagram_file"]

_RULE: Final = re.compile(r"^([a-z]*(?:\.[a-z]+)?) \{(.*)\}$", re.MULTILINE)
_STEP: Final = re.compile(r"([MLQ])([^MLQ]+)")
_ANCHORS: Final = {"start": "left", "middle": "center", "end": "right"}
_CARD: Final = (12.0, 6.3)  # inches at 100 dots, as link previews are shown
_DOTS: Final = 100
_MARGIN: Final = 14  # units that words may stand over at the edge


def diagram_file(diagram: Diagram, title: str, form: str, paper: Paper) -> bytes:
    """The diagram as a file of one of the formats, its words as large as the width lets them be."""
    from matplotlib.figure import Figure

    scale = paper.width * 72 / (diagram.width + 2 * _MARGIN)  # points a unit
    figure = Figure(figsize=(paper.width, diagram.height * scale / 72))
    _shown(figure.add_axes((0, 0, 1, 1)), diagram, scale, paper)
    return saved(figure, form, title)


def card_file(diagram: Diagram, title: str, below: str) -> bytes:
    """A PNG of 1200×630: the network's name, its diagram, and a line of words, as services show a link."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_CARD, dpi=_DOTS, facecolor=PAPER)
    figure.text(0.05, 0.88, title, fontsize=34, fontweight="bold", color=INK, va="center", wrap=True)
    figure.text(0.05, 0.09, below, fontsize=20, color=INK, va="center", wrap=True)
    figure.text(0.95, 0.09, "ResViz", fontsize=26, fontweight="bold", color=IDENTITY, ha="right", va="center")
    wide, high = 0.9 * _CARD[0], 0.58 * _CARD[1]
    scale = min(wide * 72 / (diagram.width + 2 * _MARGIN), high * 72 / diagram.height)
    width, height = (diagram.width + 2 * _MARGIN) * scale / 72 / _CARD[0], diagram.height * scale / 72 / _CARD[1]
    _shown(figure.add_axes((0.5 - width / 2, 0.48 - height / 2, width, height)), diagram, scale, Paper())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS, facecolor=PAPER)
    return buffer.getvalue()


def _shown(axes: Axes, diagram: Diagram, scale: float, paper: Paper) -> None:
    axes.set(xlim=(-_MARGIN, diagram.width + _MARGIN), ylim=(diagram.height, 0))
    axes.axis("off")
    for shape in diagram.shapes:
        look = _look(shape)
        if look.get("visibility") == "hidden":
            continue
        if shape.tag == "text":
            _words(axes, shape, look, scale, paper)
        else:
            axes.add_artist(_painted(shape, look, scale, paper))


@cache
def _rules() -> Mapping[str, Mapping[str, str]]:
    """The diagrams' own style sheet in light colours, by selector."""
    light = re.sub(r"light-dark\((#\w+), #\w+\)", r"\1", STYLE)
    return {
        selector: {name.strip(): value.strip() for name, value in (each.split(":", 1) for each in body.split(";") if ":" in each)}
        for selector, body in _RULE.findall(light)
    }


def _look(shape: Shape) -> dict[str, str]:
    """What the style sheet and the shape itself say, as a browser weighs them."""
    look = {name: str(value) for name, value in shape.attrs.items()}
    for selector in (shape.tag, *(each for css in shape.css.split() for each in (f".{css}", f"{shape.tag}.{css}"))):
        look |= _rules().get(selector, {})
    return look


def _stroke(look: Mapping[str, str], scale: float, paper: Paper) -> dict[str, object]:
    stroke = look.get("stroke", "none")
    opacity = float(look.get("stroke-opacity", 1)) * float(look.get("opacity", 1))
    width = float(look.get("stroke-width", 1)) * scale if stroke != "none" else 0
    dashes = [float(each) for each in look.get("stroke-dasharray", "").split()]
    style = (0, tuple(each * scale / max(width, 1e-6) for each in dashes)) if dashes and width else "-"
    return {"edgecolor": _clear(stroke, opacity, paper), "linewidth": width, "linestyle": style}


def _clear(colour: str, opacity: float, paper: Paper) -> tuple[str, float] | str:
    return "none" if colour == "none" else (paper.colour(colour), opacity)


def _painted(shape: Shape, look: Mapping[str, str], scale: float, paper: Paper) -> Patch:
    """A rectangle, a circle or a path."""
    default = "none" if shape.tag == "path" else "#000000"
    fill = _clear(look.get("fill", default), float(look.get("opacity", 1)), paper)
    drawn = {"facecolor": fill, **_stroke(look, scale, paper)}
    patch = _outline(shape.tag, look)
    patch.set(**drawn)
    return patch


def _outline(tag: str, look: Mapping[str, str]) -> Patch:
    from matplotlib.patches import Circle, FancyBboxPatch, PathPatch
    from matplotlib.path import Path

    if tag == "circle":
        return Circle((float(look["cx"]), float(look["cy"])), float(look["r"]))
    if tag == "rect":
        x, y, wide, high = (float(look[name]) for name in ("x", "y", "width", "height"))
        corner = max(1e-6, min(float(look.get("rx", 0)), wide / 2, high / 2))
        return FancyBboxPatch((x, y), wide, high, boxstyle=f"round,pad=0,rounding_size={corner}")
    steps = list(_steps(look["d"]))
    return PathPatch(Path([point for point, _ in steps], [code for _, code in steps]))


def _steps(d: str) -> Iterator[tuple[tuple[float, float], int]]:
    """A path of moves, lines and quadratic curves as matplotlib has it."""
    codes = {"M": 1, "L": 2, "Q": 3}
    for letter, numbers in _STEP.findall(d):
        values = [float(each) for each in numbers.replace(",", " ").split()]
        for x, y in zip(values[::2], values[1::2], strict=True):
            yield (x, y), codes[letter]


def _words(axes: Axes, shape: Shape, look: Mapping[str, str], scale: float, paper: Paper) -> None:
    bold = look.get("font-weight") == "600"
    axes.text(
        float(look["x"]),
        float(look["y"]),
        shape.text,
        fontsize=WORDS * scale,
        fontweight="bold" if bold else "normal",
        color=paper.colour(look.get("fill", INK)),
        alpha=float(look.get("opacity", 1)),
        ha=_ANCHORS[look.get("text-anchor", "start")],
        va="baseline",
    )
