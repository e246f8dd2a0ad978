"""What the computations return: frozen values made of numbers and names, numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Attribution",
    "BlockSignal",
    "DepthSweep",
    "EpochRecord",
    "GradientProfile",
    "LayerRow",
    "LayerTable",
    "Prediction",
    "Probe",
    "RaceStep",
    "Run",
    "TrainStep",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LayerRow:
    """One layer of a network for one image: shapes are (channels, height, width), memory is bytes of its fp32 output."""

    name: str
    kind: str
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    params: int
    macs: int
    memory: int
    receptive_field: int
    skip_from: str | None = None
    cut: bool = False


@dataclass(frozen=True)
class LayerTable:
    """Every layer in forward order, and the totals of its columns."""

    rows: tuple[LayerRow, ...]
    params: int
    macs: int
    memory: int

    def row(self, name: str) -> LayerRow | None:
        return next((row for row in self.rows if row.name == name), None)


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


@dataclass(frozen=True)
class Prediction:
    """The probability of every class for one image."""

    categories: tuple[str, ...]
    probabilities: Floats

    def top(self, k: int = 5) -> tuple[tuple[str, float], ...]:
        order = np.argsort(-self.probabilities, kind="stable")[:k]
        return tuple((self.categories[i], float(self.probabilities[i])) for i in order)

    @property
    def entropy(self) -> float:
        """In bits: 0 when certain, log2(classes) when every class is equally likely."""
        p = self.probabilities[self.probabilities > 0]
        return float(-(p * np.log2(p)).sum())


@dataclass(frozen=True)
class Attribution:
    """One map of evidence for one class: (height, width), positive speaks for the class.

    `signed` is False where the method yields magnitudes only. `delta` is Integrated Gradients' convergence delta,
    `target_change` the change of the logit that the attributions should sum to.
    """

    method: str
    target: int
    values: Floats
    signed: bool
    layer: str | None = None
    delta: float | None = None
    target_change: float | None = None


@dataclass(frozen=True)
class TrainStep:
    """One optimizer step."""

    step: int
    steps: int
    epoch: int
    loss: float
    lr: float


@dataclass(frozen=True)
class EpochRecord:
    """Measured after an epoch, in eval mode on un-augmented images; errors in percent."""

    epoch: int
    epochs: int
    train_error: float
    train_loss: float
    test_error: float
    test_loss: float
    seconds: float
    probe: Probe | None = field(default=None, compare=False)
    branch_ratio: tuple[float, ...] = ()


@dataclass(frozen=True)
class RaceStep:
    """One step of several networks on the same batch, keyed by contender.

    `profiles` are the weight gradients of this step; `errors` are (train, held-out) in percent, measured now and then.
    """

    step: int
    steps: int
    losses: Mapping[str, float]
    profiles: Mapping[str, GradientProfile]
    errors: Mapping[str, tuple[float, float]] | None = None


@dataclass(frozen=True)
class Run:
    """A recorded training run: its card, the loss of every step, and what was measured after every epoch."""

    name: str
    card: Mapping[str, Any]
    losses: Floats
    epochs: tuple[EpochRecord, ...]

    def column(self, field: str) -> Floats:
        """One measured number of every epoch, such as "train_error"."""
        return np.array([getattr(record, field) for record in self.epochs], dtype=np.float64)
