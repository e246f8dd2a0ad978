"""Writes a network's layer rows while it keeps the signal's shape, its receptive field and the distance between neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypedDict

from resviz.results import LayerRow, LayerTable, Source

__all__ = ["Shape", "Walk"]

Shape = tuple[int, ...]


class _Join(TypedDict, total=False):
    """What only the row where branch and skip meet says."""

    skip_from: str
    cut: bool
    joins: Literal["add", "concat"]
    across: bool


class Walk:
    """Follows one image, (channels, side, side), from layer to layer; every method adds one row, or the rows it names."""

    def __init__(self, channels: int, side: int) -> None:
        self.rows: list[LayerRow] = []
        self.shape: Shape = (channels, side, side)
        self.field, self.jump = 1, 1  # pixels of the input that one output sees, and between two neighbours' centres
        self._live = True  # False where nothing is computed
        self._unit: str | None = None
        self._stage: str | None = None
        self._path: Literal["trunk", "branch", "skip"] = "trunk"
        self._sources: tuple[Source, ...] = ()  # of the next row

    def add(self, name: str, kind: str, out: Shape, params: int = 0, macs: int = 0) -> None:
        """Any layer: params and MACs of one image."""
        self._row(name, kind, out, params, macs)

    def _row(
        self, name: str, kind: str, out: Shape, params: int = 0, macs: int = 0, calls: int = 1, *, join: _Join | None = None
    ) -> None:
        row = LayerRow(
            name=name,
            kind=kind,
            in_shape=self.shape,
            out_shape=out,
            params=params,
            macs=calls * macs if self._live else 0,
            memory=calls * 4 * math.prod(out) if self._live else 0,
            receptive_field=self.field,
            unit=self._unit,
            stage=self._stage,
            path=self._path,
            sources=self._sources,
            **(join or {}),
        )
        self._sources = ()
        self.rows.append(row)
        self.shape = out

    def conv(
        self, name: str, channels: int, kernel: int, stride: int = 1, groups: int = 1, *, bias: bool = False, calls: int = 1
    ) -> None:
        """A same-size convolution, or one of every `stride`-th place; a pass may call it more than once."""
        inside, height, width = self.shape
        high, wide = (height - 1) // stride + 1, (width - 1) // stride + 1
        weights = channels * (inside // groups) * kernel * kernel
        self._look(kernel, stride)
        kind = f"conv {kernel}×{kernel}" + (f", {groups} groups" if groups > 1 else "")
        self._row(name, kind, (channels, high, wide), weights + (channels if bias else 0), weights * high * wide, calls)

    def max_pool(self, name: str) -> None:
        """3×3 of stride 2."""
        channels, height, width = self.shape
        self._look(3, 2)
        self._row(name, "max pool 3×3", (channels, (height - 1) // 2 + 1, (width - 1) // 2 + 1))

    def mean_pool(self, name: str, keeps: bool = False) -> None:
        """2×2 of stride 2; a last row or column without a neighbour is left out, unless it `keeps` it."""
        channels, height, width = self.shape
        self._look(2, 2)
        self._row(name, "average pool 2×2", (channels, (height + keeps) // 2, (width + keeps) // 2))

    def halve(self, name: str) -> None:
        """The largest of each 2×2."""
        channels, height, width = self.shape
        self._look(2, 2)
        self._row(name, "max pool 2×2", (channels, height // 2, width // 2))

    def double(self, name: str, channels: int) -> None:
        """Each place becomes 2×2 by a transposed convolution of stride 2, which has a bias."""
        inside, height, width = self.shape
        weights = inside * channels * 4
        self.jump //= 2
        self._row(
            name,
            "conv 2×2 transposed",
            (channels, 2 * height, 2 * width),
            weights + channels,
            weights * height * width,
        )

    def _look(self, kernel: int, stride: int) -> None:
        self.field += (kernel - 1) * self.jump
        self.jump *= stride

    def norm(self, name: str, kind: str) -> None:
        """A normalisation: two parameters a channel."""
        self._row(name, kind, self.shape, 2 * self.shape[0])

    def same(self, name: str, kind: str) -> None:
        """A layer without weights that keeps the shape."""
        self._row(name, kind, self.shape)

    def head(self, classes: int, classifier: str = "fc") -> None:
        """Global average pool and classifier."""
        channels, height, width = self.shape
        self.field += (max(height, width) - 1) * self.jump
        self._row("avgpool", "average pool", (channels, 1, 1))
        self._row(classifier, "linear", (classes,), (channels + 1) * classes, channels * classes)

    @contextmanager
    def unit(self, name: str, stage: str) -> Iterator[None]:
        """Within it rows belong to the unit."""
        self._unit, self._stage = name, stage
        yield
        self._unit, self._stage = None, None

    @contextmanager
    def branch(self, live: bool, stride: int, sources: tuple[Source, ...] = ()) -> Iterator[None]:
        """Within it rows stand on the unit's branch; one that is dropped costs nothing and sees nothing. The first reads `sources`."""
        field, jump = self.field, self.jump
        self._path, self._live, self._sources = "branch", live, sources
        yield
        self._path, self._live = "trunk", True
        if not live:
            self.field, self.jump = field, jump * stride

    @contextmanager
    def skip(self, entered: tuple[Shape, int, int], live: bool) -> Iterator[None]:
        """Within it rows stand on the unit's skip, which starts from what `here` was; the branch's end is found again.

        What is added there sees as far as the two together: as the branch does, where it is not dropped.
        """
        shape, field, jump = self.here
        self.shape, self.field, self.jump = entered
        self._path, self._live = "skip", live
        yield
        self._path, self._live = "trunk", True
        self.shape, self.field, self.jump = shape, max(field, self.field if live else 0), jump

    @property
    def here(self) -> tuple[Shape, int, int]:
        """Shape, receptive field and jump."""
        return self.shape, self.field, self.jump

    def join(self, name: str, source: str, cut: bool, beside: int = 0, across: bool = False) -> None:
        """Branch and skip meet: added, or with `beside` channels of the skip put beside the branch's own; `across` over other blocks."""
        kind: Literal["add", "concat"] = "concat" if beside else "add"
        out = (self.shape[0] + beside, *self.shape[1:])
        self._row(name, kind, out, join={"skip_from": source, "cut": cut, "joins": kind, "across": across})

    def table(self) -> LayerTable:
        """Every row so far, and the columns' totals."""
        rows = tuple(self.rows)
        return LayerTable(rows, sum(r.params for r in rows), sum(r.macs for r in rows), sum(r.memory for r in rows))
