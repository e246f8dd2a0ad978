"""Points of the plane in two classes, as TensorFlow Playground draws them (its dataset.ts; Smilkov et al. 2017, arXiv 1708.03788)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from resviz.data.images import ImageSet
from resviz.spec.datasets import POINTS

__all__ = ["DRAWERS", "EDGE", "points", "points_batch"]

EDGE: Final = 6.0  # the plane is shown from −6 to 6
_RADIUS: Final = 5.0

_Drawn = tuple[NDArray[np.float64], NDArray[np.bool_]]  # (N, 2) and (N,)


def _circle(draw: np.random.Generator, noise: float) -> _Drawn:
    """Half of the points within 2.5 of the origin, the others from 3.5 to 5 away; the class is that of the place that noise moves it to."""
    radius = np.concatenate([draw.uniform(0, 0.5 * _RADIUS, POINTS // 2), draw.uniform(0.7 * _RADIUS, _RADIUS, POINTS // 2)])
    angle = draw.uniform(0, 2 * math.pi, POINTS)
    at = np.stack([radius * np.sin(angle), radius * np.cos(angle)], 1)
    moved = at + noise * draw.uniform(-_RADIUS, _RADIUS, at.shape)
    return at, np.hypot(*moved.T) < 0.5 * _RADIUS


def _xor(draw: np.random.Generator, noise: float) -> _Drawn:
    """Four squares 0.6 apart; the class is whether both coordinates have one sign, at the place that noise moves the point to."""
    at = draw.uniform(-_RADIUS, _RADIUS, (POINTS, 2))
    at += np.where(at > 0, 0.3, -0.3)
    moved = at + noise * draw.uniform(-_RADIUS, _RADIUS, at.shape)
    return at, moved.prod(1) >= 0


def _gaussians(draw: np.random.Generator, noise: float) -> _Drawn:
    """One around (2, 2), one around (−2, −2), of a variance from 0.5 to 4 with the noise."""
    label = np.arange(POINTS) < POINTS // 2
    centre = np.where(label, 2.0, -2.0)[:, None]
    return centre + math.sqrt(0.5 + 7 * noise) * draw.standard_normal((POINTS, 2)), label


def _spirals(draw: np.random.Generator, noise: float) -> _Drawn:
    """Two arms of 1.75 turns that wind into each other; noise moves a point by at most that."""
    label, along = np.arange(POINTS) < POINTS // 2, np.tile(np.arange(POINTS // 2) / (POINTS // 2), 2)
    angle = 1.75 * 2 * math.pi * along + np.where(label, 0, math.pi)
    at = _RADIUS * along[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)
    return at + noise * draw.uniform(-1, 1, at.shape), label


DRAWERS: Final[Mapping[str, Callable[[np.random.Generator, float], _Drawn]]] = {
    "plane-circle": _circle,
    "plane-xor": _xor,
    "plane-gaussians": _gaussians,
    "plane-spirals": _spirals,
}


@lru_cache(maxsize=32)
def points(name: str, noise: int = 0, share: int = 50, seed: int = 0) -> tuple[ImageSet, ImageSet]:
    """What is learned from and what is held out, of `POINTS` points: each a picture (2, 1, 1) of one pixel, in the plane's own units.

    noise: percent, as Playground's slider from 0 to 50; share: percent that is learned from. Whoever asks again is handed the same tensors.
    """
    draw = np.random.default_rng(seed)
    at, label = DRAWERS[name](draw, noise / 100)
    order = draw.permutation(POINTS)
    every = ImageSet(
        torch.from_numpy(at[order].astype(np.float32))[:, :, None, None],
        torch.from_numpy(label[order].astype(np.int64)),
        ("violet", "amber"),
        (0.0, 0.0),
        (1 / 255, 1 / 255),  # so that nothing is scaled
    )
    learned = POINTS * share // 100
    return every.part(slice(None, learned)), every.part(slice(learned, None))


def points_batch(size: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Points of the spirals to probe with: (size, 2, 1, 1) and their classes; a label beyond `classes` wraps around."""
    chosen = points("plane-spirals")[0].subset(size, seed)
    return chosen.normalised(chosen.images), chosen.labels % classes
