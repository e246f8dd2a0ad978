"""Rows of a run that may never end, in bounded memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["History"]


class History:
    """The last `recent` rows whole, the ones before ever thinner: at most `kept` of them, evenly spaced.

    When the store is full, every second row goes and only every second new one comes in. The first row always stays.
    It takes `nbytes` from the beginning to the end: (kept + recent) rows of `width` float32 and a step number.
    """

    def __init__(self, width: int, kept: int = 512, recent: int = 64) -> None:
        self._old = np.full((kept, width), np.nan, np.float32)
        self._new = np.full((recent, width), np.nan, np.float32)
        self._old_steps, self._new_steps = np.zeros(kept, np.int64), np.zeros(recent, np.int64)
        self._length, self._count, self._stride = 0, 0, 1

    def append(self, step: int, row: NDArray[np.floating] | list[float]) -> None:
        """Keep one step's row; an old one makes room."""
        at = self._count % len(self._new)
        self._new[at], self._new_steps[at] = row, step
        if self._count % self._stride == 0:
            if self._length == len(self._old):
                half = self._old[::2].copy()
                self._length = len(half)
                self._old[: self._length] = half
                self._old_steps[: self._length] = self._old_steps[::2].copy()
                self._stride *= 2
            if self._count % self._stride == 0:
                self._old[self._length], self._old_steps[self._length] = row, step
                self._length += 1
        self._count += 1

    def rows(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(rows,) step numbers in order and (rows, width) values; both are copies."""
        present = min(self._count, len(self._new))
        order = np.arange(self._count - present, self._count) % len(self._new)
        steps, values = self._new_steps[order], self._new[order]
        older = self._old_steps[: self._length] < (steps[0] if present else 0)
        return (
            np.concatenate([self._old_steps[: self._length][older], steps]),
            np.concatenate([self._old[: self._length][older], values]),
        )

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes that the arrays take, the same from the first step on."""
        return sum(array.nbytes for array in (self._old, self._new, self._old_steps, self._new_steps))
