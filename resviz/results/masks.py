"""What networks mark in pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Masks"]


@dataclass(frozen=True, eq=False)
class Masks:
    """Pictures (N, side, side) of grey, where they show `what` they are asked for, and each network's chance of it for every pixel, by its label."""

    step: int
    what: str
    pictures: NDArray[np.uint8]
    true: NDArray[np.bool_]
    chance: Mapping[str, NDArray[np.float32]]
