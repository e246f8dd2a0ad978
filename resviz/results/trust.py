"""How far methods can be trusted over many pictures: what is measured, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["METRICS", "Agreement", "Interval", "Metric", "Ranking"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """What is measured of a map, in words. `better` is 1 where more is better, −1 where less is, and 0 where neither is a merit."""

    title: str
    asks: str
    better: int
    paper: str

    @property
    def arrow(self) -> str:
        """Which way is better."""
        return {1: " ↑", -1: " ↓", 0: ""}[self.better]


METRICS: Final[Mapping[str, Metric]] = {
    "flipping": Metric(
        "Pixel flipping",
        "The class's probability, on average, while the strongest pixels first are taken away.",
        -1,
        "Bach et al. 2015, doi 10.1371/journal.pone.0130140",
    ),
    "road": Metric(
        "ROAD",
        "How often the class is still the answer while the strongest pixels are blended into what surrounds them.",
        -1,
        "Rong et al. 2022, arXiv 2202.00449",
    ),
    "sensitivity": Metric(
        "Max-sensitivity",
        "How much of itself the map changes at most where the picture changes hardly at all.",
        -1,
        "Yeh et al. 2019, arXiv 1901.09392",
    ),
    "localisation": Metric(
        "Localisation",
        "Four pictures in one: the share of the evidence for the class that lies on the picture of it. Guessing gives 25 %.",
        1,
        "Arias-Duart et al. 2022, arXiv 2109.15035; Böhle et al. 2021, arXiv 2104.00032",
    ),
    "randomisation": Metric(
        "Randomised weights",
        "How much the averaged map of a shuffled network is like that of the trained one; 0 where it is unlike or turned round.",
        -1,
        "Hedström et al. 2024, arXiv 2401.06465",
    ),
    "random-logit": Metric(
        "Random logit",
        "How much the map for another class is like the map for this one.",
        -1,
        "Sixt et al. 2020, arXiv 1912.09818",
    ),
    "completeness": Metric(
        "Completeness",
        "How far the map's sum is from the score's change that it should be, as a share of it; of methods that promise it.",
        0,
        "Sundararajan et al. 2017, arXiv 1703.01365",
    ),
    "sparseness": Metric(
        "Sparseness",
        "How few pixels hold the evidence: the Gini index, 0 where all hold the same, near 1 where one holds it all.",
        0,
        "Chalasani et al. 2020, arXiv 1810.06583",
    ),
    "complexity": Metric(
        "Complexity",
        "Over how many pixels the evidence is spread: the entropy of their shares, in nats.",
        0,
        "Bhatt et al. 2020, arXiv 2005.00631",
    ),
}


@dataclass(frozen=True)
class Interval:
    """A value with the middle 95 % of what it is when the pictures are drawn anew; NaN where nothing could be measured."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """What another baseline leaves of an order: Kendall's τ, 1 where it is the same, −1 where it is turned round.

    `flipping` is about the order by pixel flipping alone, `ranking` about the mean ranks over every metric.
    """

    flipping: Interval
    ranking: Interval


@dataclass(frozen=True)
class Ranking:
    """Methods over pictures. `scores` are (methods, pictures) for each of `METRICS`, NaN where one could not be measured.

    `medians` are theirs over the pictures, `ranks` the mean of a method's ranks over the metrics that have a better end, 1 the best,
    and `first` the share of the draws of pictures in which no other's is better. `answers` is what the network says of each
    picture, which is the class that is explained. `survives` is, for each other baseline, what is left of the order with `baseline`.
    """

    network: str
    pictures: tuple[str, ...]
    answers: tuple[str, ...]
    methods: tuple[str, ...]
    scores: Mapping[str, Floats]
    medians: Mapping[str, tuple[Interval, ...]]
    ranks: tuple[Interval, ...]
    first: tuple[float, ...]
    baseline: str
    survives: Mapping[str, Agreement]
    left_out: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[int, ...]:
        """The methods' places in `methods`, the best rank first."""
        return tuple(int(i) for i in np.argsort([rank.value for rank in self.ranks], kind="stable"))

    def measured(self, metric: str) -> int:
        """Pictures that one method at least could be measured on."""
        return int(np.isfinite(self.scores[metric]).any(0).sum())
