"""Pictures in which every pixel has a class of its own, drawn here: discs among squares, and digits in noise."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from resviz.data.images import ImageSet, digits

__all__ = ["discs", "noisy_digits", "pixels_batch"]

_SHAPES: Final = 3  # of a kind in a picture at the most
_NOISE: Final = 0.1  # standard deviation, of a brightness from 0 to 1
_INK_NOISE: Final = 0.45


def _disc_picture(draw: np.random.Generator, side: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(side, side) of brightness, and whether each pixel shows a disc; what is drawn later covers what was there."""
    rows, columns = np.mgrid[:side, :side] / side
    slope = draw.uniform(-0.2, 0.2, 2)
    picture, shown = 0.35 + slope[0] * (rows - 0.5) + slope[1] * (columns - 0.5), np.zeros((side, side), np.bool_)
    kinds = np.repeat([True, False], draw.integers(1, _SHAPES + 1, 2))
    for disc in draw.permutation(kinds):
        top, left, radius, bright = draw.uniform([0.1, 0.1, 0.09, 0.15], [0.9, 0.9, 0.2, 0.4])
        down, across = np.abs(rows - top), np.abs(columns - left)
        # a square of the same area: half its side is √π/2 of the disc's radius
        inside = np.hypot(down, across) < radius if disc else np.maximum(down, across) < 0.886 * radius
        picture[inside], shown[inside] = picture[inside].mean() + bright if inside.any() else 0, disc
    return picture + _NOISE * draw.standard_normal((side, side)), shown


@lru_cache(maxsize=4)
def discs(count: int = 800, held_out: int = 200, side: int = 32, seed: int = 0) -> tuple[ImageSet, ImageSet]:
    """One to three discs among as many squares of the same brightness and area: which pixels show a disc?

    Edges tell where a shape ends, and only all of it tells what it is. Whoever asks again is handed the same tensors.
    """
    draw = np.random.default_rng(seed)
    pictures, shown = zip(*(_disc_picture(draw, side) for _ in range(count + held_out)), strict=True)
    return _sets(np.stack(pictures), np.stack(shown), ("none", "disc"), held_out)


@lru_cache(maxsize=1)
def noisy_digits(held_out: int = 297, seed: int = 0) -> tuple[ImageSet, ImageSet]:
    """scikit-learn's digits at 32 px, under noise: which pixels are ink? The last ones are held out."""
    every = digits().images.float() / 255
    clean = F.interpolate(every, size=(32, 32), mode="bilinear", antialias=False)[:, 0].double().numpy()
    noise = np.random.default_rng(seed).standard_normal(clean.shape)
    return _sets(0.25 + 0.5 * clean + _INK_NOISE * 0.5 * noise, clean > 0.5, ("paper", "ink"), held_out)


def _sets(
    pictures: NDArray[np.float64], shown: NDArray[np.bool_], names: tuple[str, str], held_out: int
) -> tuple[ImageSet, ImageSet]:
    """(N, side, side) each, as what is learned from and what is held out."""
    pixels = torch.from_numpy((255 * pictures.clip(0, 1)).astype(np.uint8))[:, None]
    every = ImageSet(pixels, torch.from_numpy(shown.astype(np.int64)), names, (0.45,), (0.25,))
    return every.part(slice(None, -held_out)), every.part(slice(-held_out, None))


@lru_cache(maxsize=8)
def pixels_batch(size: int, channels: int, side: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Discs among squares to probe with: (size, channels, side, side), and each pixel's class (size, side, side), 0 or 1."""
    chosen = discs(size, 1, side, seed)[0]
    return chosen.normalised(chosen.images).expand(-1, channels, -1, -1).contiguous(), chosen.labels % classes
