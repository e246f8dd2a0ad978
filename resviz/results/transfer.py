"""What teaching a network other classes gives: its course, its answers about held-out pictures, and what few pictures would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resviz.spec.transfer import TransferPlan

__all__ = ["LearningCurve", "TransferEpoch", "Transferred"]


@dataclass(frozen=True, eq=False)
class TransferEpoch:
    """After an epoch: mean loss of the pictures learned from, and of those watched (NaN for a head alone, which watches none).

    `held_out` is in percent right. `gradients` are each layer's mean L2 norm over the epoch's steps, `moved` ‖w − w₀‖/‖w₀‖ since the
    start, of `Transferred.layers`; both 0 where a layer is frozen.
    """

    epoch: int
    epochs: int
    loss: float
    watched: float
    held_out: float
    gradients: NDArray[np.float64]
    moved: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Transferred:
    """One mode's course and the answers of the network that is kept, of epoch `best`, about the held-out pictures.

    `probabilities` are (pictures, classes), `labels` (pictures,); `learned` and `watched` count the pictures it had.
    """

    plan: TransferPlan
    categories: tuple[str, ...]
    layers: tuple[str, ...]
    epochs: tuple[TransferEpoch, ...]
    best: int
    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    learned: int
    watched: int
    seconds: float

    @property
    def accuracy(self) -> float:
        """Held-out pictures that are named right, in percent."""
        return 100 * float((self.probabilities.argmax(1) == self.labels).mean())

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(true class, answer): counts of held-out pictures."""
        counts = np.zeros((len(self.categories),) * 2, np.int64)
        np.add.at(counts, (self.labels, self.probabilities.argmax(1)), 1)
        return counts

    def worst(self, count: int) -> tuple[int, ...]:
        """Places of the wrong answers, the surest first."""
        answers = self.probabilities.argmax(1)
        wrong = np.flatnonzero(answers != self.labels)
        surest = np.argsort(-self.probabilities[wrong, answers[wrong]], kind="stable")
        return tuple(wrong[surest[:count]].tolist())


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Held-out accuracy in percent of linear heads by pictures a class: (repeats,) for each of `counts`, by what the head reads."""

    counts: tuple[int, ...]
    accuracy: Mapping[str, NDArray[np.float64]]  # each (counts, repeats)

    def middle(self, name: str) -> NDArray[np.float64]:
        """The mean over the repeats: (counts,)."""
        return np.asarray(self.accuracy[name].mean(1))

    def interval(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """From the tenth to the ninetieth percentile of the repeats: (counts,) each."""
        low, high = np.percentile(self.accuracy[name], (10, 90), axis=1)
        return low, high
