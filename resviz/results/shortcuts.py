"""Contenders of a race, trained from several seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RaceRecord"]

Floats = NDArray[np.float64] | NDArray[np.float32]


@dataclass(frozen=True)
class RaceRecord:
    """`loss` is (contenders, seeds, steps), of the training batches; `held_out` the last step's error in percent, (contenders, seeds).

    A contender that diverged has infinite or undefined losses from there on. `layers` is the depth, `images` how many are held out.
    """

    race: str
    kinds: tuple[str, ...]
    layers: int
    images: int
    loss: Floats
    held_out: Floats

    @property
    def seeds(self) -> int:
        """From how many seeds each was trained."""
        return int(self.loss.shape[1])

    @property
    def steps(self) -> int:
        """How long."""
        return int(self.loss.shape[2])

    @property
    def error(self) -> Floats:
        """(contenders,): the median over the seeds of the held-out error."""
        return np.median(np.asarray(self.held_out, np.float64), axis=1).astype(np.float64)

    def spread(self, at: int) -> tuple[float, float]:
        """The least and the greatest held-out error of one contender."""
        return float(self.held_out[at].min()), float(self.held_out[at].max())
