"""What a network makes of the plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PlaneMap"]


@dataclass(frozen=True, eq=False)
class PlaneMap:
    """One network's answer to every point from −6 to 6, row 0 at the top, and what the units of one layer hand on there.

    `chance` is (S, S), the probability of the second class; `units` is (units, s, s) of its first units, empty where the network has no such
    layer.
    `loss` and `right`, in percent, are of `held_out` points, (N, 2), whose classes are `labels`, (N,).
    """

    step: int
    label: str
    chance: NDArray[np.float32]
    layer: str
    units: NDArray[np.float32]
    loss: float
    right: float
    held_out: NDArray[np.float32]
    labels: NDArray[np.int64]
