"""Sequences of symbols to copy from: one of them is marked, and the answer is the one behind it."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from resviz.data.images import ImageSet
from resviz.spec.datasets import DATASETS, symbol

__all__ = ["sequences", "sequences_batch"]

_COUNT, _HELD_OUT = 4000, 400


@lru_cache(maxsize=8)
def sequences(
    seed: int = 0, side: int = DATASETS["copy"].side, symbols: int = DATASETS["copy"].symbols
) -> tuple[ImageSet, ImageSet]:
    """What is learned from and what is held out: each a picture (1, side, side) of symbols' numbers, read row by row.

    Symbol 0 is the marker; it stands once, anywhere but last, and the class is the symbol behind it, counted from 1. The others are drawn
    evenly. Looking up what stood behind something is what attention heads in pairs do (Olsson et al. 2022, arXiv 2209.11895).
    Whoever asks again is handed the same tensors.
    """
    draw = torch.Generator().manual_seed(seed)
    total, length = _COUNT + _HELD_OUT, side * side
    drawn = torch.randint(1, symbols, (total, length), generator=draw)
    each, place = torch.arange(total), torch.randint(length - 1, (total,), generator=draw)
    drawn[each, place] = 0
    every = ImageSet(
        drawn.view(total, 1, side, side).float(),
        drawn[each, place + 1] - 1,
        tuple(symbol(number) for number in range(1, symbols)),
        (0.0,),
        (1 / 255,),  # so that nothing is scaled
    )
    return every.part(slice(None, _COUNT)), every.part(slice(_COUNT, None))


def sequences_batch(size: int, side: int, symbols: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Sequences to probe with: (size, 1, side, side) and the symbol behind each one's marker; a label beyond `classes` wraps around."""
    chosen = sequences(0, side, symbols)[0].subset(size, seed)
    return chosen.normalised(chosen.images), chosen.labels % classes
