"""How many pictures go through the network together: as many as memory allows, and of those what this machine does fastest."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace

from resviz.nets.cost import layer_table, memory_limit
from resviz.spec.net import NetSpec

__all__ = ["Timings", "timings_of"]

_SIZES = (1, 2, 4, 8, 16, 32, 64)
_FIRST = 512 * 2**20  # bytes of activations to begin with, before anything was timed
_LATELY, _OLD = 6, 40  # measurements of a size that count, and batches after which a neighbour is tried again
_SHARE = 10  # the part of the memory limit that one explanation may take: others compute too


class Timings:
    """Seconds a picture took at each batch size lately; `size` is the best one, or a neighbour of it that has not been tried of late.

    What was measured while others computed too is soon forgotten, so that one busy moment decides nothing.
    """

    def __init__(self, largest: int, first: int) -> None:
        self.sizes = tuple(n for n in _SIZES if n <= max(1, largest))
        self.first = max(n for n in self.sizes if n <= max(1, first))
        self.times: dict[int, deque[float]] = {}
        self.tried: dict[int, int] = {}
        self.batches = 0
        self.most = 0  # pictures that went through together so far

    @property
    def seconds(self) -> float | None:
        """A picture's at the best size; None before anything was measured."""
        return min((min(times) for times in self.times.values()), default=None)

    @property
    def size(self) -> int:
        """The batch size to take next."""
        if not self.times:
            return self.first
        best = self.sizes.index(min(self.times, key=lambda n: min(self.times[n])))
        around = [self.sizes[i] for i in (best + 1, best - 1) if 0 <= i < len(self.sizes)]
        return next((n for n in around if self.batches - self.tried.get(n, -_OLD) >= _OLD), self.sizes[best])

    def share(self, pictures: int) -> int:
        """`size`, or a little less where that makes equal batches: 25 are 7 + 7 + 7 + 4, not 8 + 8 + 8 + 1."""
        return max(1, math.ceil(pictures / math.ceil(pictures / self.size)))

    def record(self, pictures: int, seconds: float) -> None:
        """So many pictures went through together, and took that long; the first of more than ever fetch memory too, and do not count."""
        size = next((n for n in self.sizes if pictures <= n), self.sizes[-1])
        self.batches += 1
        if pictures > self.most:
            self.most = pictures
        elif pictures > size / 2:  # or 1
            self.times.setdefault(size, deque(maxlen=_LATELY)).append(seconds / pictures)
            self.tried[size] = self.batches


_timings: dict[tuple[NetSpec, int, bool], Timings] = {}


def timings_of(spec: NetSpec, side: int, gradients: bool) -> Timings:
    """The process's one record for networks of this shape at this image size, with or without a backward pass."""
    shape = replace(spec, cut=frozenset(), dropped=frozenset(), seed=0)
    key = shape, side, gradients
    if key not in _timings:
        table, room = layer_table(shape, side), memory_limit() // _SHARE
        # weights are frozen and norms folded; on the way back every other activation is there once
        rows = [row.memory for row in table.rows if not row.kind.endswith("norm")]
        each = max(1, sum(rows) if gradients else 3 * max(rows))
        _timings[key] = Timings((room - 4 * table.params) // each, _FIRST // each)
    return _timings[key]
