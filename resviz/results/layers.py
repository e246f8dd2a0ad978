"""A network layer by layer."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["LayerRow", "LayerTable", "Source", "UnitRows"]


@dataclass(frozen=True)
class Source:
    """One of the pieces that a layer reads side by side: where it was made, its channels, and whether they are read as zeros."""

    name: str
    channels: int
    cut: bool


@dataclass(frozen=True)
class LayerRow:
    """One layer of a network for one image: shapes are (channels, height, width) or (tokens, numbers), memory is bytes of its fp32 output.

    `receptive_field` is pixels across; behind a map that was doubled, whose positions see a few more or less, it is their mean.
    Memory is 0 where the layer is not computed, in a dropped branch or on a cut skip. `unit` is the block it belongs to and `path`
    whether it stands on that block's branch, on its skip, or on the trunk as everything outside of blocks does. The row where branch
    and skip meet has the block's own name; `joins` says how they do, `across` that the skip begins further back and passes over other
    blocks. A branch's first layer has the `sources` that it reads side by side.
    """

    name: str
    kind: str
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    params: int
    macs: int
    memory: int
    receptive_field: int
    skip_from: str | None = None
    cut: bool = False
    unit: str | None = None
    stage: str | None = None
    joins: Literal["add", "concat"] | None = None
    across: bool = False
    path: Literal["trunk", "branch", "skip"] = "trunk"
    sources: tuple[Source, ...] = ()

    @property
    def channels(self) -> int:
        """Numbers at each of its places: channels of a map, or those of a token."""
        return _channels(self.out_shape)

    @property
    def wide(self) -> str:
        """Its channels in a word: 64 ch, or d=64 of tokens."""
        return f"d={self.channels}" if len(self.out_shape) == 2 else f"{self.channels} ch"

    @property
    def reads(self) -> int:
        """Numbers at each place that it reads."""
        return _channels(self.in_shape)

    @property
    def side(self) -> int:
        """Of its map; tokens are counted as if they stood in a square."""
        return {1: 1, 2: round(math.sqrt(self.out_shape[0]))}.get(len(self.out_shape), self.out_shape[-1])

    @property
    def places(self) -> str:
        """Where its numbers stand: 32×32, or 17 tokens."""
        return f"{self.out_shape[0]} tokens" if len(self.out_shape) == 2 else "×".join(map(str, self.out_shape[1:]))

    def costs(self) -> dict[str, object]:
        """The row as the command line writes it: all but its place."""
        return {
            name: value
            for name, value in vars(self).items()
            if name not in ("unit", "stage", "joins", "across", "path", "sources")
        }


def _channels(shape: tuple[int, ...]) -> int:
    return shape[1 if len(shape) == 2 else 0]


@dataclass(frozen=True)
class UnitRows:
    """One block's rows by where they stand; `join` is None in a plain network."""

    name: str
    stage: str
    rows: tuple[LayerRow, ...]

    @property
    def branch(self) -> tuple[LayerRow, ...]:
        """The rows of F."""
        return tuple(row for row in self.rows if row.path == "branch")

    @property
    def convs(self) -> tuple[LayerRow, ...]:
        """The branch's convolutions, or the matrices that stand in their place."""
        return tuple(row for row in self.branch if row.kind.startswith(("conv", "linear")))

    @property
    def skip(self) -> tuple[LayerRow, ...]:
        """The rows of the way past F; empty where x passes as it is."""
        return tuple(row for row in self.rows if row.path == "skip")

    @property
    def skip_layer(self) -> LayerRow:
        """The layer that stands for the way past F: its convolution where it has one. Raises IndexError where x passes as it is."""
        return next((row for row in self.skip if row.kind.startswith("conv")), self.skip[0])

    @property
    def join(self) -> LayerRow | None:
        """The row where branch and skip meet; None in a plain network."""
        return next((row for row in self.rows if row.joins), None)

    @property
    def after(self) -> tuple[LayerRow, ...]:
        """What stands on the trunk behind the join."""
        return tuple(row for row in self.rows if row.path == "trunk" and not row.joins)

    @property
    def cut(self) -> bool:
        """Whether the way past F is cut."""
        return self.join is not None and self.join.cut

    @property
    def dropped(self) -> bool:
        """Whether F is taken out."""
        return not any(row.memory for row in self.branch)

    @property
    def beside(self) -> bool:
        """Whether F(x) is put beside x, not added to it."""
        return self.join is not None and self.join.joins == "concat"

    @property
    def across(self) -> bool:
        """Whether its skip begins behind another block than the one before it, and passes over those between."""
        return self.join is not None and self.join.across

    @property
    def handed_on(self) -> LayerRow:
        """The row whose output has the shape of what the block returns."""
        return self.join if self.join is not None and self.beside else self.convs[-1]

    @property
    def carries(self) -> str:
        """What its skip is, in a word."""
        if self.across:
            return "long concatenating"
        if self.beside:
            return "concatenating"
        if self.skip and not self.skip[0].kind.startswith("conv"):
            if not any(row.kind.startswith("conv") for row in self.skip):
                return "weighed"
            return "averaged projection" if self.skip[0].kind.startswith("average pool") else "parallel"
        return "projection" if self.skip else "zero-padded" if self.pads else "identity"

    @property
    def pads(self) -> bool:
        """The skip changes shape without a layer of its own: what enters the branch differs from what is added."""
        join = self.join
        return join is not None and join.joins == "add" and not self.skip and self.branch[0].in_shape != join.out_shape


@dataclass(frozen=True)
class LayerTable:
    """Every layer in forward order, and the totals of its columns."""

    rows: tuple[LayerRow, ...]
    params: int
    macs: int
    memory: int

    def __str__(self) -> str:
        return "\n".join(
            f"{r.name:24} {r.kind:20} {'×'.join(map(str, r.out_shape)):>14} {r.params:>12,} {r.macs:>14,}" for r in self.rows
        )

    def row(self, name: str) -> LayerRow | None:
        """The row of that name, or None."""
        return next((row for row in self.rows if row.name == name), None)

    @property
    def units(self) -> tuple[UnitRows, ...]:
        """Every block, in forward order."""
        found: dict[tuple[str, str], list[LayerRow]] = {}
        for row in self.rows:
            if row.unit is not None:
                found.setdefault((row.unit, row.stage or ""), []).append(row)
        return tuple(UnitRows(name, stage, tuple(rows)) for (name, stage), rows in found.items())

    def passage(self, stage: str) -> tuple[LayerRow, ...]:
        """What stands between a stage and the next one; empty behind the last."""
        last = max(i for i, row in enumerate(self.rows) if row.stage == stage)
        between = tuple(itertools.takewhile(lambda row: row.unit is None, self.rows[last + 1 :]))
        return between if last + 1 + len(between) < len(self.rows) else ()

    @property
    def head(self) -> tuple[LayerRow, ...]:
        """What stands behind the last block."""
        last = max((i for i, row in enumerate(self.rows) if row.unit is not None), default=len(self.rows))
        return self.rows[last + 1 :]

    @property
    def stem(self) -> tuple[LayerRow, ...]:
        """What stands before the first block."""
        return tuple(itertools.takewhile(lambda row: row.unit is None, self.rows))
