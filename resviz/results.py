"""What the computations return: frozen values made of numbers and names, numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resviz.plan import LabPlan

__all__ = [
    "SIGNALS",
    "Attribution",
    "BlockSignal",
    "DepthSweep",
    "EpochRecord",
    "Faithfulness",
    "Finding",
    "GradientProfile",
    "LabRecord",
    "LabTrack",
    "LayerRow",
    "LayerTable",
    "Paths",
    "Prediction",
    "Probe",
    "Run",
    "TrainStep",
]

Floats = NDArray[np.float64] | NDArray[np.float32]
Ints = NDArray[np.int64]


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
class Faithfulness:
    """How far a map can be trusted for one picture.

    `deletion` and `insertion` are the class's probability after the strongest `fractions` of the pixels were taken away, or put
    back onto a blurred picture (Petsiuk et al. 2018); `similarity` is the rank correlation with the map of a network whose
    weights were shuffled in these `stages` and all above (Adebayo et al. 2018). Infidelity (Yeh et al. 2019) is in squared
    logits, sensitivity relative to the map's own norm.
    """

    fractions: Floats
    deletion: Floats
    insertion: Floats
    infidelity: float
    sensitivity: float
    stages: tuple[str, ...]
    similarity: Floats

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
        return bool(abs(self.similarity[-1]) > 0.5)


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


# what is measured of the signal at every block: Brock et al. 2021's three, the standard deviation, and dead ReLU units
SIGNALS = ("mean_square", "variance", "std", "branch_variance", "dead")


@dataclass(frozen=True)
class LabTrack:
    """What was recorded of one contender; the rows are `LabRecord`'s steps.

    `gradients` are L2 norms before clipping, `updates` ‖Δw‖/‖w‖ of each weight. `loss` and `accuracy` (percent) are of the
    step's batch, `held_out` (loss, accuracy) of images that are never trained on. `signals` is keyed by `SIGNALS`.
    """

    label: str
    residual: bool
    layers: tuple[str, ...]
    blocks: tuple[str, ...]
    loss: Floats
    accuracy: Floats
    gradients: Floats  # (rows, layers)
    updates: Floats  # (rows, layers)
    signals: Mapping[str, Floats]  # each (signal rows, blocks)
    held_out: Floats  # (held-out rows, 2)


@dataclass(frozen=True)
class Finding:
    """Something wrong with a contender: "diverged", "exploding", "vanishing" or "dead", in these layers or blocks.

    `value` is the loss, the most extreme gradient over the last layer's, or the largest share of dead units.
    """

    kind: str
    label: str
    names: tuple[str, ...]
    value: float


@dataclass(frozen=True)
class LabRecord:
    """A lab's history up to `step`. Steps are thinned where the run was long; each kind of row has its own."""

    step: int
    classes: int
    line_steps: Ints
    steps: Ints
    signal_steps: Ints
    held_out_steps: Ints
    tracks: tuple[LabTrack, ...]
    plan: LabPlan


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
