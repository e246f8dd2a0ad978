"""What training yields, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from resviz.results.card import Card
from resviz.results.probes import Judgement, Probe, Verdict
from resviz.spec.lab import LabPlan

__all__ = ["EpochRecord", "Finding", "LabRecord", "LabTrack", "Run", "Stage", "TrainStep"]

Floats = NDArray[np.float64] | NDArray[np.float32]
Ints = NDArray[np.int64]
# what is measured of the signal at every block: Brock et al. 2021's three, the standard deviation, and dead ReLU units
SIGNALS = ("mean_square", "variance", "std", "branch_variance", "dead")


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
class LabTrack:
    """What was recorded of one contender; the rows are `LabRecord`'s steps.

    `gradients` are L2 norms before clipping, `updates` ‖Δw‖/‖w‖ of each weight. `loss` and `accuracy` (percent, of pixels IoU) are of the
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
    """Something wrong with a contender: "diverged", "dead", or a `Judgement`'s kind, in these layers or blocks.

    `value` is the loss, the largest share of dead units, or the most extreme gradient; `judged` is what it was judged by.
    """

    kind: Verdict | Literal["diverged", "dead"]
    label: str
    names: tuple[str, ...]
    value: float
    judged: Judgement | None = None


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
    card: Card
    losses: Floats
    epochs: tuple[EpochRecord, ...]

    def column(self, field: str) -> Floats:
        """One measured number of every epoch, such as "train_error"."""
        return np.array([getattr(record, field) for record in self.epochs], dtype=np.float64)


@dataclass(frozen=True)
class Stage:
    """A residual and a plain network step by step, and where the residual one ends with other skips cut.

    The first axis of `gradients` (2, steps, layers), `loss` and `accuracy` (2, steps) is residual, plain. Gradients are powers of
    ten, −∞ where one is exactly 0; accuracies are percent of `images` held-out images. `cuts` names the pattern of each row of
    `cut_gradients` (patterns, layers) and `cut_accuracy` (patterns,), both of the last step: "one:i" is skip number i from
    1, "first:k" and "last:k" are k skips from the image's or the answer's end, "odd" and "even" every second one.
    """

    plan: LabPlan
    layers: tuple[str, ...]
    blocks: tuple[str, ...]
    images: int
    gradients: NDArray[np.float16]
    loss: Floats
    accuracy: Floats
    cuts: tuple[str, ...]
    cut_gradients: NDArray[np.float16]
    cut_accuracy: Floats
