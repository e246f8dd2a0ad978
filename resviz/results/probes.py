"""What probes measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["BlockSignal", "DepthSweep", "GradientProfile", "Judgement", "Probe", "Reach", "Verdict"]

Floats = NDArray[np.float64] | NDArray[np.float32]


@dataclass(frozen=True)
class GradientProfile:
    """L2 norm of the loss gradient with respect to each layer's weight, in forward order.

    A norm of exactly 0 means that every entry underflowed or never got a gradient; `inf` and `nan` are kept as measured.
    """

    names: tuple[str, ...]
    norms: Floats
    loss: float


@dataclass(frozen=True)
class BlockSignal:
    """What enters and leaves each block: the gradient of the loss with respect to its output, and the output's std."""

    names: tuple[str, ...]
    gradient_norms: Floats
    activation_std: Floats


Verdict = Literal["overflow", "zero", "bypassed", "gone", "settled", "vanishes", "explodes", "uneven", "level"]


@dataclass(frozen=True)
class Judgement:
    """What a whole gradient profile says; `resviz.judgement.judge` makes it.

    `kind` is "overflow", "zero" (in every convolution), "bypassed" (all but one are zero by construction), "gone" (all next to
    nothing), "settled" (the same, because the loss is), "vanishes" or "explodes" (from `reference` back to `first`), "uneven"
    (level from end to end, not between) or "level". `first`, `reference`, `smallest` and `largest` are (name, norm) of the
    `layers` convolutions that are judged; `reference` is the last of them that gets a gradient. `zeros` holds the convolutions
    of exactly 0 by reason. `forward` is (after the first block, after the last one): the activations' standard deviations.
    """

    kind: Verdict
    layers: int
    first: tuple[str, float]
    reference: tuple[str, float]
    smallest: tuple[str, float]
    largest: tuple[str, float]
    under: int  # judged convolutions of at most `FLOOR`
    odd: tuple[str, ...]  # those that vanish, explode or overflow
    zeros: Mapping[str, tuple[str, ...]]
    loss: float
    guess: float  # what guessing costs
    forward: tuple[float, float] | None = None
    called: str = "convolution"  # what is judged

    @property
    def ratio(self) -> float:
        """The first layer's gradient over the reference's."""
        return self.first[1] / self.reference[1] if self.reference[1] else float("nan")


@dataclass(frozen=True)
class Probe:
    """One forward and backward pass, measured."""

    profile: GradientProfile
    signal: BlockSignal


@dataclass(frozen=True)
class DepthSweep:
    """Gradient profiles of one design at several depths, resampled to equal relative positions 0 (first) to 1 (last)."""

    depths: tuple[int, ...]
    positions: Floats
    norms: Floats  # (depths, positions)
    judged: tuple[Judgement, ...]


@dataclass(frozen=True)
class Reach:
    """How strongly each pixel that can reach the middle of a feature map moves it, (width, width), each of the `draws` weighing the same.

    The draws are shared among `networks` initialisations.
    """

    strength: Floats
    draws: int
    networks: int

    @property
    def theoretical(self) -> int:
        """Pixels along a side of all that can reach it."""
        return len(self.strength)

    @property
    def seen(self) -> int:
        """Pixels above 1 − 95.45 % of the strongest: where a Gaussian's two standard deviations end (Luo et al. 2016, arXiv 1701.04128)."""
        return int((self.strength > (1 - 0.9545) * self.strength.max()).sum())

    @property
    def width(self) -> float:
        """The side of a square of so many pixels."""
        return float(np.sqrt(self.seen))

    @property
    def share(self) -> float:
        """Of the theoretical width."""
        return self.width / self.theoretical
