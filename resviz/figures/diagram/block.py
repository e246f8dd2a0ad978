"""One block opened: each inner layer with its sizes, the skip around it and where the two join."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from resviz.figures.diagram.shapes import About, Canvas, Diagram, channel_tint, describe_row
from resviz.results import LayerRow, LayerTable, Source, UnitRows
from resviz.spec.words import word

__all__ = ["block_diagram", "one_box"]

_MIDDLE = 130.0
_ROW, _PIECE = 24, 22.0  # pieces that stand in a row, and px that one takes
_CARRIES: Final = {"projection": "projection 1×1", "averaged projection": "mean, then 1×1", "parallel": "norm and 1×1"}


def block_diagram(table: LayerTable, name: str, *, vertical: bool = False) -> Diagram:
    """One block opened. `name` is the block's; raises `KeyError` where the table has none of that name."""
    unit = next((unit for unit in table.units if unit.name == name), None)
    if unit is None:
        raise KeyError(name)
    return _Block(unit, vertical).drawn()


def one_box(title: str, words: str) -> Diagram:
    """A network of which nothing more is known."""
    canvas, wide = Canvas(False), 48 + 9.0 * max(len(title), len(words))
    canvas.line(4, _MIDDLE, wide + 60, _MIDDLE, "trunk")
    canvas.rect(32, _MIDDLE - 40, wide, 80, "minor", radius=6, label=f"{title}, {words}")
    canvas.text(32 + wide / 2, _MIDDLE - 4, title, "title")
    canvas.text(32 + wide / 2, _MIDDLE + 18, words, "small")
    return Diagram(wide + 64, 2 * _MIDDLE, tuple(canvas.shapes))


class _Block:
    """Draws from left to right; `x` is where the next thing goes."""

    def __init__(self, unit: UnitRows, vertical: bool) -> None:
        self.unit, self.canvas = unit, Canvas(vertical)
        self.w, self.h, self.gap = (58.0, 150.0, 22.0) if vertical else (98.0, 62.0, 18.0)
        self.top_channels = max(row.channels for row in unit.rows)
        self.x = 36.0
        self.under = 0.0  # px that what it reads takes below the layers

    def drawn(self) -> Diagram:
        start, join = self.x - 14, self.unit.join
        sources = self.unit.branch[0].sources
        self.reads(start, sources)
        for row in (*self.unit.branch, *(self.unit.after if join is None else ())):
            self.box(row)
            self.x += self.w + self.gap
        end = self.x
        if join is not None:
            self.skip(start, self.x + 2, join)
            self.join(self.x + 2, join)
            self.x += 32
            for row in self.unit.after:
                self.box(row)
                end = self.x + self.w
        return self.whole(max(self.x, end))

    def reads(self, left: float, sources: Sequence[Source]) -> None:
        """What the layer reads side by side, a square for each piece in the order of its channels; a click cuts one connection."""
        if not sources:
            return
        top, unit = _MIDDLE + self.h / 2 + 14, self.unit.name
        read, every = (sum(source.channels for source in each) for each in ([s for s in sources if not s.cut], sources))
        words = f"reads {read} of {every} channels"
        then = "restore all connections" if all(source.cut for source in sources[:-1]) else "cut all connections but the nearest"
        about = About(action=f"sever:{unit}<all", label=f"{words}; click to {then}") if len(sources) > 1 else About()
        vertical = self.canvas.vertical
        at, said = ((left - 6, top + 24), f"reads {read}/{every}") if vertical else ((left, top + 14), words)
        self.canvas.text(*at, said, "small", "start", **about)
        for number, source in enumerate(sources):
            row, place = divmod(number, _ROW)
            about = About(name=f"{unit}<{number}", label=self.piece(source, len(sources) == 1))
            if len(sources) > 1:  # the only one stays
                about |= About(action=f"sever:{unit}<{number}", pressed=not source.cut)
            x, y, side = left + 4 * vertical + place * _PIECE, top + 24 + row * _PIECE, _PIECE - 4
            fill = "" if source.cut else channel_tint(source.channels, self.top_channels)
            self.canvas.rect(x, y, side, side, "hollow" if source.cut else "layer", fill=fill, **about)
        self.under = max(28 + _PIECE * math.ceil(len(sources) / _ROW), 150 * vertical)  # or as wide as the words

    @staticmethod
    def piece(source: Source, only: bool) -> str:
        said = f"{source.channels} channels of {source.name}, {'read as zeros' if source.cut else 'read'}"
        return said if only else f"{said}; click to {'restore' if source.cut else 'cut'} this connection"

    def whole(self, end: float) -> Diagram:
        trunk = Canvas(self.canvas.vertical)
        trunk.line(4, _MIDDLE, end + 14, _MIDDLE, "trunk")
        wide, high = end + 20, _MIDDLE + self.h / 2 + 18 + self.under
        width, tall = (high, wide) if self.canvas.vertical else (wide, high)
        return Diagram(width, tall, (*trunk.shapes, *self.canvas.shapes))

    def box(self, row: LayerRow) -> None:
        conv, hollow = row.kind.startswith(("conv", "linear")), self.unit.dropped and row.path == "branch"
        fill = channel_tint(row.channels, self.top_channels) if conv and not hollow else ""
        css, action = "hollow" if hollow else "layer" if conv else "minor", f"select:{row.name}" if conv else ""
        self.canvas.rect(
            self.x,
            _MIDDLE - self.h / 2,
            self.w,
            self.h,
            css,
            radius=6,
            name=row.name,
            label=describe_row(row),
            action=action,
            fill=fill,
        )
        on = "on" if conv and not hollow else ""
        lines = [(word(row.kind.split(",")[0]), on or "title"), (self.sizes(row, conv), f"{on} small".strip())]
        if conv and (row.side > 1 or len(row.out_shape) == 2):  # a point has one place
            lines.append((row.places, f"{on} small".strip()))
        for i, (text, css) in enumerate(lines):
            offset = (i - (len(lines) - 1) / 2) * 18 + 5
            if self.canvas.vertical:
                self.canvas.text(self.x + self.w / 2 + offset, _MIDDLE, text, css)
            else:
                self.canvas.text(self.x + self.w / 2, _MIDDLE + offset, text, css)

    @staticmethod
    def sizes(row: LayerRow, conv: bool) -> str:
        return f"{row.reads} → {row.channels}" if conv else row.wide

    def skip(self, start: float, plus_x: float, join: LayerRow) -> None:
        unit, top = self.unit, _MIDDLE - self.h / 2
        words = _CARRIES.get(unit.carries, unit.carries)
        self.canvas.arc(
            start,
            plus_x,
            _MIDDLE,
            top - 38,
            "arc cut" if join.cut else "arc zeropad" if unit.pads else "arc",
            name=unit.name,
            label=f"{words} skip of {unit.name}; click to {'restore' if join.cut else 'cut'} it",
            action=f"cut:{unit.name}",
            pressed=not join.cut,
        )
        projected = bool(unit.skip) and not join.cut
        if projected:
            row, middle = unit.skip_layer, (start + plus_x) / 2
            self.canvas.rect(middle - 11, top - 46, 22, 16, "projection", name=row.name, label=describe_row(row))
        text = f"{words}{', cut' if join.cut else ''}"
        if self.canvas.vertical:
            self.canvas.text(start - 5, top - 34, text, "small", "start")
        else:
            self.canvas.text((start + plus_x) / 2, top - (54 if projected else 46), text, "small")

    def join(self, plus_x: float, join: LayerRow) -> None:
        css = "addcut" if join.cut else "add"
        self.canvas.circle(plus_x, _MIDDLE, 11, css, name=join.name, label=describe_row(join))
        if not join.cut:
            (self.canvas.beside if self.unit.beside else self.canvas.plus)(plus_x, _MIDDLE, 6)
