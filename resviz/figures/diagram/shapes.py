"""What a diagram is made of: plain shapes, and a canvas that collects them left to right or top to bottom."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypedDict, Unpack

from resviz.figures.theme import count, on_screen, tint
from resviz.results import LayerRow

__all__ = ["WORDS", "About", "Canvas", "Diagram", "Shape", "channel_tint", "describe_row"]

WORDS: Final = 15  # the height of a diagram's words, in its own units


@dataclass(frozen=True)
class Shape:
    """One SVG element. `name` is the layer or block it stands for, `action` what a click does, `label` what a reader hears."""

    tag: str
    attrs: Mapping[str, float | str]
    css: str = ""
    text: str = ""
    name: str = ""
    label: str = ""
    action: str = ""
    pressed: bool | None = None


@dataclass(frozen=True)
class Diagram:
    width: float
    height: float
    shapes: tuple[Shape, ...] = field(default=())

    def data(self) -> dict[str, object]:
        """For the component: JSON-able."""
        return {"width": self.width, "height": self.height, "shapes": [_lean(shape) for shape in self.shapes]}


def _lean(shape: Shape) -> dict[str, object]:
    kept = {key: value for key, value in vars(shape).items() if value not in ("", None)}
    fill = shape.attrs.get("fill")
    return kept | {"attrs": {**shape.attrs, "fill": on_screen(fill)}} if isinstance(fill, str) else kept


class About(TypedDict, total=False):
    """What a shape may say beside how it looks; see `Shape`."""

    name: str
    label: str
    action: str
    pressed: bool


class Canvas:
    """Collects shapes drawn left to right; `vertical` turns the page so that forward is down."""

    def __init__(self, vertical: bool) -> None:
        self.vertical = vertical
        self.shapes: list[Shape] = []

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point in the drawing's own direction, rounded to a tenth of a pixel: x and y change places where it runs downwards."""
        return (round(y, 1), round(x, 1)) if self.vertical else (round(x, 1), round(y, 1))

    def rect(
        self, x: float, y: float, w: float, h: float, css: str, radius: float = 3, fill: str = "", **about: Unpack[About]
    ) -> None:
        """A rectangle with its left top corner at (x, y)."""
        (left, top), (wide, high) = self.at(x, y), self.at(w, h)
        attrs: dict[str, float | str] = {"x": left, "y": top, "width": wide, "height": high, "rx": radius}
        if fill:
            attrs["fill"] = fill
        self.shapes.append(Shape("rect", attrs, css, **about))

    def circle(self, x: float, y: float, r: float, css: str, **about: Unpack[About]) -> None:
        """A circle around (x, y)."""
        cx, cy = self.at(x, y)
        self.shapes.append(Shape("circle", {"cx": cx, "cy": cy, "r": r}, css, **about))

    def line(self, x0: float, y0: float, x1: float, y1: float, css: str) -> None:
        """A straight line."""
        a, b = self.at(x0, y0), self.at(x1, y1)
        self.shapes.append(Shape("path", {"d": f"M{a[0]} {a[1]}L{b[0]} {b[1]}"}, css))

    def plus(self, x: float, y: float, arm: float) -> None:
        """The two strokes of a plus around (x, y)."""
        self.line(x - arm, y, x + arm, y, "plus")
        self.line(x, y - arm, x, y + arm, "plus")

    def beside(self, x: float, y: float, arm: float) -> None:
        """Two strokes side by side around (x, y)."""
        for shift in (-arm / 2, arm / 2):
            self.line(x + shift, y - arm, x + shift, y + arm, "plus")

    def arc(self, x0: float, x1: float, base: float, top: float, css: str, **about: Unpack[About]) -> None:
        """A flat-topped arch from x0 to x1, standing on `base` and reaching `top`."""
        r = min((x1 - x0) / 2, abs(base - top), 14)
        left = (("M", (x0, base)), ("L", (x0, top + r)), ("Q", (x0, top), (x0 + r, top)))
        right = (("L", (x1 - r, top)), ("Q", (x1, top), (x1, top + r)), ("L", (x1, base)))
        path = "".join(letter + " ".join("{} {}".format(*self.at(*p)) for p in points) for letter, *points in left + right)
        self.shapes.append(Shape("path", {"d": path}, css, **about))

    def text(self, x: float, y: float, text: str, css: str = "", anchor: str = "middle", **about: Unpack[About]) -> None:
        """Words at (x, y), anchored as SVG's `text-anchor` says."""
        cx, cy = self.at(x, y)
        self.shapes.append(Shape("text", {"x": cx, "y": cy, "text-anchor": anchor}, css, text, **about))


def channel_tint(channels: int, top: int) -> str:
    """Deeper as channels grow; dark text stays legible on all of them."""
    return tint(1.3 * (0.15 + 0.85 * math.log2(max(2, channels)) / math.log2(max(4, top))) - 0.3)


def describe_row(row: LayerRow) -> str:
    """The row as a reader hears it: `layer1.0.conv1 · conv 3×3 · 16×32×32 → 16×32×32 · 2,304 parameters · 2.36 M MACs`."""
    parts = [row.name, row.kind, f"{_size(row.in_shape)} → {_size(row.out_shape)}"]
    if row.params:
        parts.append(f"{row.params:,} parameters")
    if row.macs:
        parts.append(count(row.macs, "MACs"))
    if row.skip_from:
        parts.append("skip cut" if row.cut else f"skip from {row.skip_from}")
    return " · ".join(parts)


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
