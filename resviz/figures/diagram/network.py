"""A whole network: its stages side by side, a bar for every convolution, an arc for every skip."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from resviz.figures.diagram.shapes import About, Canvas, Diagram, Shape, channel_tint, describe_row
from resviz.results import LayerRow, LayerTable, UnitRows

__all__ = ["network_diagram"]

_HALF: Final = 52  # px that the tallest layer reaches below the trunk; what counts equal blocks stands under it
_BAND: Final = 128  # and a stage's band, with its name and size in it
_MIDDLE: Final = 128.0  # px from the top to the trunk, where no skip passes over others
_OVER: Final = 22  # px from one long skip to the next
_NARROWEST: Final = 64  # of a stage, for its words
_WIDE: Final = 126  # of one whose size is told in one line
_LONGER: Final = 44  # px that the name of a dense block takes more than a stage's, beside it
_FEW: Final = 4  # units of a stage that are never folded

Scale = tuple[str, Sequence[str], str]


def network_diagram(
    table: LayerTable,
    *,
    unfolded: frozenset[str] = frozenset(),
    paint: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
    vertical: bool = False,
    room: int = 30,
    scale: Scale | None = None,
    apart: frozenset[str] = frozenset(),
) -> Diagram:
    """The whole network, forward from left to right (`vertical`: top to bottom).

    More than `room` blocks fold stage by stage. `paint` colours layers by name, `notes` adds a line to their label,
    `scale` is the legend of that paint: what its lowest colour means, the colours, what the highest means.
    Blocks of the names `apart` are never folded with their neighbours.
    """
    network = _Network(table, unfolded, paint or {}, notes or {}, vertical, room)
    network.apart = apart
    return network.drawn(scale)


@dataclass(frozen=True)
class _Item:
    """A block to draw, or a run of equal blocks folded into one."""

    unit: UnitRows
    count: int

    @property
    def folded(self) -> bool:
        return self.count > 1


class _Network:
    """Draws from left to right; `x` is where the next thing goes."""

    def __init__(
        self,
        table: LayerTable,
        unfolded: frozenset[str],
        paint: Mapping[str, str],
        notes: Mapping[str, str],
        vertical: bool,
        room: int,
    ) -> None:
        self.table, self.unfolded, self.paint, self.notes = table, unfolded, paint, notes
        self.canvas, self.bands = Canvas(vertical), Canvas(vertical)
        self.units = table.units
        self.fold = len(self.units) > room
        convs = max((len(unit.convs) for unit in self.units), default=2)
        self.bar, self.gap = (9.0, 3.0) if convs <= 2 else (7.0, 2.5)
        self.step = convs * (self.bar + self.gap) + 20
        first = [row for row in table.stem if row.kind == "linear"]
        every = [
            *(row for row in table.rows if row.kind.startswith("conv")),
            *first,
            *(row for unit in self.units for row in unit.convs),
        ] or table.rows  # a recurrent layer is of neither kind
        self.top_channels, self.tallest = max(row.channels for row in every), every[0].side
        self.longer = _LONGER if any(unit.beside and not unit.across for unit in self.units) else 0
        across = [unit.join.name for unit in self.units if unit.join is not None and unit.across]
        self.middle = _MIDDLE + max(0, _OVER * len(across) - 40)
        self.tops = {
            name: self.middle - 82 - _OVER * n for n, name in enumerate(across)
        }  # of skips that pass over others, inmost first
        self.ends: dict[str, float] = {}  # where a unit's rows are left behind
        self.apart: frozenset[str] = frozenset()
        self.named: tuple[int, ...] = ()  # the tokens of the stage before
        self.x = 14.0

    def drawn(self, scale: Scale | None) -> Diagram:
        self.stem([row for row in self.table.stem if row.kind.startswith(("conv", "linear", "embedding", "max pool"))])
        for stage, units in groupby(self.units, lambda unit: unit.stage):
            self.stage(stage, list(units))
            self.passage(self.table.passage(stage))
        self.head([row for row in self.table.head if row.kind.startswith(("average pool", "linear", "conv"))])
        trunk = Canvas(self.canvas.vertical)
        trunk.line(18, self.middle, self.x + 14, self.middle, "trunk")
        legend = scale is not None and not self.canvas.vertical
        if scale is not None and legend:
            self.scale(self.middle + _BAND + 24, *scale)
        return self.whole((*self.bands.shapes, *trunk.shapes, *self.canvas.shapes), legend)

    def whole(self, shapes: tuple[Shape, ...], legend: bool) -> Diagram:
        wide, high = self.x + 120, self.middle + _BAND + (32.0 if legend else 14.0)
        return Diagram(high + 64 + self.longer, wide, shapes) if self.canvas.vertical else Diagram(wide, high, shapes)

    def height(self, side: int) -> float:
        return 20 + (2 * _HALF - 20) * math.log2(side + 1) / math.log2(self.tallest + 1)

    def label(self, row: LayerRow) -> str:
        note = self.notes.get(row.name)
        return describe_row(row) + (f" · {note}" if note else "")

    def layer(self, x: float, row: LayerRow, hollow: bool = False) -> None:
        h = self.height(row.side)
        fill = "" if hollow else self.paint.get(row.name) or channel_tint(row.channels, self.top_channels)
        about: About = {"name": row.name, "label": self.label(row), "action": f"select:{row.name}"}
        self.canvas.rect(x, self.middle - h / 2, self.bar, h, "hollow" if hollow else "layer", fill=fill, **about)

    def stem(self, rows: Sequence[LayerRow]) -> None:
        at = self.x + 12
        at_start = self.x + 10 if self.canvas.vertical else 2.0  # whole, also where words are drawn larger
        reads = "symbols" if any(row.kind == "embedding" for row in rows) else "image" if self.tallest > 1 else "point"
        words = (at_start, self.middle + _HALF + 18, reads, "small", "start")
        for row in rows:
            if row.kind.startswith(("conv", "linear", "embedding")):
                self.layer(at, row)
            else:
                h = self.height(row.side)
                self.canvas.rect(at, self.middle - h / 2, self.bar - 2, h, "minor", name=row.name, label=self.label(row))
            if at == self.x + 12:
                self.canvas.text(*words)
            at += self.bar + 5
        if not rows:
            self.canvas.text(*words)
            at += 18
        self.x = at + 9

    def passage(self, rows: Sequence[LayerRow]) -> None:
        """What stands between two stages, on the trunk."""
        drawn = [row for row in rows if row.kind.startswith(("conv", "average pool", "max pool"))]
        for row in drawn:
            if row.kind.startswith("conv"):
                self.layer(self.x, row)
            else:
                h = self.height(row.side)
                self.canvas.rect(self.x, self.middle - h / 2, self.bar - 2, h, "minor", name=row.name, label=self.label(row))
            self.x += self.bar + 5
        self.x += 9 if drawn else 0

    def head(self, rows: Sequence[LayerRow]) -> None:
        for i, row in enumerate(rows):
            x = self.x + 14 * i
            if row.kind == "average pool":
                self.canvas.rect(x, self.middle - 8, 8, 16, "minor", name=row.name, label=self.label(row))
                continue
            if row.side > 1:
                self.layer(x, row)
                continue
            fill = self.paint.get(row.name) or channel_tint(row.channels, self.top_channels)
            action = f"select:{row.name}"
            self.canvas.rect(x, self.middle - 16, 10, 32, "layer", fill=fill, name=row.name, label=self.label(row), action=action)
        last, anchor = self.table.rows[-1], "middle" if self.canvas.vertical else "start"
        maps = last.side > 1
        for n, words in enumerate((f"{last.out_shape[0]} classes", "a pixel")[: 1 + maps]):
            along, below = (22 * maps + 18 * n, 0) if self.canvas.vertical else (0, 18 * n)
            self.canvas.text(self.x + 9 + along, self.middle + _HALF + 18 + below, words, "small", anchor)

    def stage(self, stage: str, units: list[UnitRows]) -> None:
        left, foldable = self.x - 5, self.fold and len(units) > _FEW
        items = self.items(units, foldable and stage not in self.unfolded)
        for item in items:
            self.unit(item)
            self.x += self.step
        self.x = max(self.x, left + (_WIDE if units[0].beside and not units[0].across else _NARROWEST))
        right = self.x + 1
        high = self.middle + _BAND - 6 + (58 + self.longer if self.canvas.vertical else 0)
        self.bands.rect(left, 6, right - left, high, "band", radius=8)
        self.name(stage, units[-1].handed_on, (left, right), self.sign(stage, items) if foldable else ("", "", ""))
        self.x += 12

    @staticmethod
    def sign(stage: str, items: list[_Item]) -> tuple[str, str, str]:
        """What stands behind a stage's name where it can be folded, what a click on it does, and how that is told."""
        folded = any(item.folded for item in items)
        return " ▸" if folded else " ▾", f"fold:{stage}", f"{'Unfold' if folded else 'Fold'} {stage}"

    def name(self, stage: str, last: LayerRow, across: tuple[float, float], sign: tuple[str, str, str]) -> None:
        (left, right), (mark, action, hint) = across, sign
        channels, side = (last.wide, last.places) if last.out_shape != self.named else ("", "")  # said once
        if self.tallest == 1:
            channels, side = f"{last.channels} units", "one point"
        self.named = last.out_shape if len(last.out_shape) == 2 else ()
        title, about = f"{stage}{mark}", About(action=action, label=hint)
        if self.canvas.vertical:
            beside = self.middle + _HALF + 46  # of what counts equal blocks
            self.canvas.text(left + 18, beside, title, "title", "start", **about)
            if not side:
                return
            self.canvas.text(left + 36, beside, side, "small", "start")
            self.canvas.text(left + 54, beside, channels, "small", "start")
            return
        centre, y = (left + right) / 2, self.middle + _HALF + 33
        self.canvas.text(centre, y, title, "title", **about)
        if not side:
            return
        if right - left < _WIDE:
            self.canvas.text(centre, y + 18, side, "small")
            self.canvas.text(centre, y + 36, channels, "small")
        else:
            self.canvas.text(centre, y + 19, f"{side} · {channels}", "small")

    def items(self, units: list[UnitRows], fold: bool) -> list[_Item]:
        """Each unit, or with `fold` each run of units that have the same skips and branches; the first stands apart, as do those that must."""
        if not fold:
            return [_Item(unit, 1) for unit in units]
        alike = [(n == 0, unit.cut, unit.dropped, unit.name in self.apart) for n, unit in enumerate(units)]
        runs = groupby(enumerate(units), lambda each: alike[each[0]])
        every = [[unit for _, unit in run] for _, run in runs]
        return [_Item(run[0], len(run)) for run in every]

    def unit(self, item: _Item) -> None:
        """A unit from `x` on: its layers, what counts equal ones, its skip and where the two join."""
        unit, first_x = item.unit, self.x + 4
        if item.folded:
            h, wide = self.height(unit.convs[-1].side), len(unit.convs) * (self.bar + self.gap) - self.gap
            for shift in (4, 2):
                self.canvas.rect(first_x + shift, self.middle - h / 2 - shift * 1.5, wide, h, "stack")
        for i, row in enumerate(unit.convs):
            self.layer(first_x + i * (self.bar + self.gap), row, hollow=unit.dropped)
        tall = max(self.height(row.side) for row in unit.convs)
        if item.folded:
            self.count(item, self.middle + tall / 2)
        self.ends.update(dict.fromkeys((row.name for row in unit.rows), self.x + self.step - 3))
        if unit.join is not None:
            self.skip(item, self.tops.get(unit.name, self.middle - 62 - (0 if tall < 96 else 12)))
            self.join(unit, unit.join)

    def count(self, item: _Item, bottom: float) -> None:
        under, anchor = (bottom + 8, "start") if self.canvas.vertical else (bottom + 17, "middle")
        alike = "layers" if item.unit.beside else "equal blocks"
        hint, action = f"Unfold {item.count} {alike}", f"fold:{item.unit.stage}"
        self.canvas.text(self.x + self.step / 2 - 3, under, f"×{item.count}", "title", anchor, action=action, label=hint)

    def skip(self, item: _Item, top: float) -> None:
        unit, plus_x = item.unit, self.x + self.step - 10
        alike = "layers" if unit.beside else "equal blocks"
        what = f"{item.count} {alike} from {unit.name}" if item.folded else unit.name
        then = "unfold them" if item.folded else ("restore" if unit.cut else "cut") + " this skip"
        shape = unit.carries
        # from the trunk into the join, which is drawn over its end
        self.canvas.arc(
            self.ends.get((unit.join and unit.join.skip_from) or "", self.x - 1) if unit.across else self.x - 1,
            plus_x,
            self.middle,
            top,
            "arc cut" if unit.cut else "arc zeropad" if unit.pads else "arc",
            name=unit.name,
            label=f"{shape} skip of {what}, {'cut' if unit.cut else 'on'}; click to {then}",
            action=f"fold:{unit.stage}" if item.folded else f"cut:{unit.name}",
            pressed=not unit.cut,
        )
        if unit.skip and not unit.cut:
            row = unit.skip_layer
            across = (self.x + plus_x) / 2 - 6
            self.canvas.rect(across, top - 5, 11, 10, "projection", radius=2, name=row.name, label=describe_row(row))

    def join(self, unit: UnitRows, row: LayerRow) -> None:
        plus_x = self.x + self.step - 10
        css = "addcut" if unit.cut else "add"
        self.canvas.circle(plus_x, self.middle, 5, css, name=unit.name, label=self.label(row), action=f"open:{unit.name}")
        if not unit.cut:
            (self.canvas.beside if unit.beside else self.canvas.plus)(plus_x, self.middle, 3)

    def scale(self, y: float, low: str, colours: Sequence[str], high: str) -> None:
        self.canvas.text(14, y, low, "small", "start")
        for i, colour in enumerate(colours):
            self.canvas.rect(172 + 6 * i, y - 10, 6.5, 10, "", radius=0, fill=colour)
        self.canvas.text(178 + 6 * len(colours), y, high, "small", "start")
