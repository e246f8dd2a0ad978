"""What trained networks are without some of their parts, how their gradient divides by path length, and how blocks refine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from resviz.spec.lesion import Lesion

__all__ = ["Draws", "Lesions", "PathLengths", "Refinement", "SkipRemoval"]

Floats = NDArray[np.float64] | NDArray[np.float32]


@dataclass(frozen=True)
class Lesions:
    """Errors in percent over `pictures`, of the network as it is and with each lesion; of one that is not measured yet there is none.

    Batch norms go by the statistics of training, or, where they were `estimated_on` so many pictures, by each lesion's own.
    """

    base: float
    errors: Mapping[Lesion, float]
    pictures: int
    estimated_on: int = 0

    def of(self, kind: str) -> dict[str, float]:
        """Errors of lesions of one part alone, by its name: kind is "dropped", "cut" or "bypassed"."""
        single = {lesion: error for lesion, error in self.errors.items() if len(lesion.names) == 1}
        return {lesion.names[0]: error for lesion, error in single.items() if getattr(lesion, kind)}


@dataclass(frozen=True)
class Draws:
    """Errors in percent of random lesions: of so many parts at once, (counts, draws) each; `estimated_on` as in `Lesions`."""

    counts: tuple[int, ...]
    errors: Floats
    base: float
    pictures: int
    estimated_on: int = 0

    @property
    def median(self) -> Floats:
        """(counts,): of the draws."""
        found: Floats = np.median(np.asarray(self.errors, np.float64), 1)
        return found


@dataclass(frozen=True)
class PathLengths:
    """The gradient of the loss at what enters the first unit, by how many branches its paths go through, 0 to L.

    `norms` (L + 1,) are L2 norms of the sum of all paths of a length, `along` (L + 1,) its component along the whole gradient over the
    whole gradient's norm, which add up to 1. `off` is how far the sum of all lengths is from the gradient that PyTorch computes, relative.
    `units` is L, those that have a branch and a skip; whatever passes one way only adds to no length.
    """

    norms: Floats
    along: Floats
    total: float
    off: float
    units: int
    pictures: int

    @property
    def paths(self) -> Floats:
        """(L + 1,): the share of all 2^L paths that has each length."""
        return np.array([comb(self.units, k) / 2**self.units for k in range(self.units + 1)])

    @property
    def share(self) -> Floats:
        """(L + 1,): of the sum of all lengths' norms."""
        return self.norms / max(float(self.norms.sum()), np.finfo(np.float64).tiny)

    def carrying(self, most: float = 0.95) -> tuple[int, int]:
        """The fewest neighbouring lengths, first and last, that have so much of the lengths' norms together."""
        sums = np.concatenate([[0.0], np.cumsum(self.share)])
        spans = ((last - first, first, last) for first in range(len(sums) - 1) for last in range(first, len(sums) - 1))
        return next((first, last) for _, first, last in sorted(spans) if sums[last + 1] - sums[first] >= most - 1e-12)


@dataclass(frozen=True)
class Refinement:
    """Of every unit with a skip: the cosine between F(x) and -∂L/∂x, NaN where F changes the shape, and ‖F(x)‖/‖x‖.

    `read` are errors in percent that the network's own head makes of the signal behind each unit of the last stage, by its name.
    """

    units: tuple[str, ...]
    cosines: Floats
    ratios: Floats
    read: Mapping[str, float]
    pictures: int


@dataclass(frozen=True)
class SkipRemoval:
    """A network beside the same one without its `skips`: the largest difference and the largest of all logits, how many answers differ,
    and parameters and seconds a pass over all pictures before and after. `single` of the skips pass one convolution.
    """

    off: float
    largest: float
    changed: int
    skips: int
    parameters: tuple[int, int]
    seconds: tuple[float, float]
    pictures: int
    single: int = 0
