"""What a network answers, and where the evidence lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Attribution", "Faithfulness", "Paths", "Prediction", "Scope"]

Floats = NDArray[np.float64] | NDArray[np.float32]
# what can tell a picture of a known class from another; higher is more familiar
SCORES = ("probability", "entropy", "energy", "logit", "distance")
_ALIKE = 0.5  # rank correlation from which two maps are much the same


@dataclass(frozen=True)
class Prediction:
    """The probability of every class for one image, the logits behind them, and how far from the nearest class its features lie."""

    categories: tuple[str, ...]
    probabilities: Floats
    logits: Floats | None = None
    distance: float | None = None

    def top(self, k: int = 5) -> tuple[tuple[str, float], ...]:
        """The `k` most probable classes with their probabilities, the most probable first."""
        order = np.argsort(-self.probabilities, kind="stable")[:k]
        return tuple((self.categories[i], float(self.probabilities[i])) for i in order)

    @property
    def entropy(self) -> float:
        """In bits: 0 when certain, log2(classes) when every class is equally likely."""
        p = self.probabilities[self.probabilities > 0]
        return float(-(p * np.log2(p)).sum())

    def familiarity(self, score: str) -> float:
        """One of `SCORES`: the largest probability, minus the entropy, log Σ exp of the logits (Liu et al. 2020), the largest logit,
        minus the distance. Raises ValueError where the prediction does not hold what the score is made of.
        """
        if score == "probability":
            return float(self.probabilities.max())
        if score == "entropy":
            return -self.entropy
        if score == "distance" and self.distance is not None:
            return -self.distance
        if score not in SCORES or score == "distance" or self.logits is None:
            raise ValueError(
                f"{score!r} cannot be told of this prediction; choose one of {', '.join(SCORES)}, and keep its logits or its distance"
            )
        top = float(self.logits.max())
        return top if score == "logit" else top + float(np.log(np.exp(self.logits - top).sum()))


@dataclass(frozen=True)
class Scope:
    """How well a network's own score tells pictures of its classes from others, as measured.

    A picture whose `score` (one of `SCORES`) is under `threshold` is flagged: `caught` of the pictures of other classes are, and
    `false_alarms` of those of its own. `auroc` is each score's chance to rank one of its own above one of the others. `certain` is
    the share of the others that were answered with 80 % and more: by the logits alone, and with the network's temperature; None
    where it was not noted.
    """

    score: str
    threshold: float
    caught: float
    false_alarms: float
    auroc: Mapping[str, float]
    inside: str
    outside: str
    certain: tuple[float, float] | None = None


@dataclass(frozen=True)
class Attribution:
    """One map of evidence for one class: (height, width), positive speaks for the class.

    `signed` is False where the method yields magnitudes only, which speak neither for nor against it. `delta` is Integrated Gradients' convergence delta,
    `target_change` the change of the logit that the attributions should sum to.
    """

    method: str
    target: int
    values: Floats
    signed: bool
    layer: str | None = None
    delta: float | None = None
    target_change: float | None = None

    @property
    def constant(self) -> bool:
        """The same everywhere, up to rounding: it tells no place from another."""
        return bool(np.ptp(self.values) <= 1e-4 * np.abs(self.values).max())


@dataclass(frozen=True)
class Faithfulness:
    """How far a map can be trusted for one picture.

    `deletion` and `insertion` are the class's probability after the strongest `fractions` of the pixels were replaced by the
    `baseline`, or put back onto a blurred picture (Petsiuk et al. 2018); `similarity` is the rank correlation, values with their
    signs, with the map of a network whose weights were shuffled in these `stages` and all above (Adebayo et al. 2018). Infidelity (Yeh et al. 2019) is in squared
    logits, sensitivity relative to the map's own norm.
    """

    fractions: Floats
    deletion: Floats
    insertion: Floats
    infidelity: float
    sensitivity: float
    stages: tuple[str, ...]
    similarity: Floats
    baseline: str = "mean"
    constant: bool = False  # the map, so that it ranks nothing

    @property
    def deletion_judges(self) -> bool:
        """The class needs the photograph: without any of its pixels, less than half of the class's probability is left."""
        return bool(self.deletion[-1] < self.deletion[0] / 2)

    @property
    def insertion_judges(self) -> bool:
        """The same of the blurred picture."""
        return bool(self.insertion[0] < self.insertion[-1] / 2)

    @property
    def deletion_auc(self) -> float:
        """From 0 to 1; low is faithful."""
        return float(np.trapezoid(self.deletion, self.fractions))

    @property
    def insertion_auc(self) -> float:
        """From 0 to 1; high is faithful."""
        return float(np.trapezoid(self.insertion, self.fractions))

    @property
    def ignores_weights(self) -> bool:
        """The map stays much the same although every weight was shuffled."""
        return bool(self.similarity[-1] > _ALIKE)

    @property
    def turned_round(self) -> bool:
        """The shuffled network's map puts the pixels in about the opposite order, so it does follow the weights."""
        return bool(self.similarity[-1] < -_ALIKE)


@dataclass(frozen=True)
class Paths:
    """One block's evidence, split into what its skip carried and what its branch added; maps are (height, width).

    `error` is how far the two miss the whole, as a share of it.
    """

    block: str
    identity: Floats
    branch: Floats
    whole: Floats
    error: float
