"""What the computations return: frozen values made of numbers and names, numpy only."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from resviz.spec.lab import LabPlan

__all__ = [
    "SCORES",
    "SIGNALS",
    "Attribution",
    "BlockSignal",
    "DepthSweep",
    "EpochRecord",
    "Faithfulness",
    "Finding",
    "GradientProfile",
    "Judgement",
    "LabRecord",
    "LabTrack",
    "LayerRow",
    "LayerTable",
    "Paths",
    "Prediction",
    "Probe",
    "Run",
    "Scope",
    "TrainStep",
    "UnitRows",
]

Floats = NDArray[np.float64] | NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class LayerRow:
    """One layer of a network for one image: shapes are (channels, height, width), memory is bytes of its fp32 output.

    Memory is 0 where the layer is not computed, in a dropped branch or on a cut skip. `unit` is the block it belongs to and `path`
    whether it stands on that block's branch, on its skip, or on the trunk as everything outside of blocks does. The row where branch
    and skip meet has the block's own name; `joins` says how they do.
    """

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
    unit: str | None = None
    stage: str | None = None
    joins: Literal["add", "concat"] | None = None
    path: Literal["trunk", "branch", "skip"] = "trunk"

    def costs(self) -> dict[str, Any]:
        """The row as the command line writes it: all but its place."""
        return {name: value for name, value in vars(self).items() if name not in ("unit", "stage", "joins", "path")}


@dataclass(frozen=True)
class UnitRows:
    """One block's rows by where they stand; `join` is None in a plain network."""

    name: str
    stage: str
    rows: tuple[LayerRow, ...]

    @property
    def branch(self) -> tuple[LayerRow, ...]:
        return tuple(row for row in self.rows if row.path == "branch")

    @property
    def convs(self) -> tuple[LayerRow, ...]:
        """The branch's convolutions."""
        return tuple(row for row in self.branch if row.kind.startswith("conv"))

    @property
    def skip(self) -> tuple[LayerRow, ...]:
        return tuple(row for row in self.rows if row.path == "skip")

    @property
    def join(self) -> LayerRow | None:
        return next((row for row in self.rows if row.joins), None)

    @property
    def after(self) -> tuple[LayerRow, ...]:
        """What stands on the trunk behind the join."""
        return tuple(row for row in self.rows if row.path == "trunk" and not row.joins)

    @property
    def cut(self) -> bool:
        return self.join is not None and self.join.cut

    @property
    def dropped(self) -> bool:
        return not any(row.memory for row in self.branch)

    @property
    def pads(self) -> bool:
        """The skip changes shape without a layer of its own: what enters the branch differs from what is added."""
        join = self.join
        return join is not None and join.joins == "add" and not self.skip and self.branch[0].in_shape != join.out_shape


@dataclass(frozen=True)
class LayerTable:
    """Every layer in forward order, and the totals of its columns."""

    rows: tuple[LayerRow, ...]
    params: int
    macs: int
    memory: int

    def row(self, name: str) -> LayerRow | None:
        return next((row for row in self.rows if row.name == name), None)

    @property
    def units(self) -> tuple[UnitRows, ...]:
        """Every block, in forward order."""
        found: dict[tuple[str, str], list[LayerRow]] = {}
        for row in self.rows:
            if row.unit is not None:
                found.setdefault((row.unit, row.stage or ""), []).append(row)
        return tuple(UnitRows(name, stage, tuple(rows)) for (name, stage), rows in found.items())

    @property
    def stem(self) -> tuple[LayerRow, ...]:
        """What stands before the first block."""
        return tuple(itertools.takewhile(lambda row: row.unit is None, self.rows))


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
class Judgement:
    """What a whole gradient profile says; `resviz.judgement.judge` makes it.

    `kind` is "overflow", "zero" (in every convolution), "bypassed" (all but one are zero by construction), "gone" (all next to
    nothing), "settled" (the same, because the loss is), "vanishes" or "explodes" (from `reference` back to `first`), "uneven"
    (level from end to end, not between) or "level". `first`, `reference`, `smallest` and `largest` are (name, norm) of the
    `layers` convolutions that are judged; `reference` is the last of them that gets a gradient. `zeros` holds the convolutions
    of exactly 0 by reason. `forward` is (after the first block, after the last one): the activations' standard deviations.
    """

    kind: str
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


# what can tell a picture of a known class from another; higher is more familiar
SCORES = ("probability", "entropy", "energy", "logit")


@dataclass(frozen=True)
class Prediction:
    """The probability of every class for one image, and the logits behind them."""

    categories: tuple[str, ...]
    probabilities: Floats
    logits: Floats | None = None

    def top(self, k: int = 5) -> tuple[tuple[str, float], ...]:
        order = np.argsort(-self.probabilities, kind="stable")[:k]
        return tuple((self.categories[i], float(self.probabilities[i])) for i in order)

    @property
    def entropy(self) -> float:
        """In bits: 0 when certain, log2(classes) when every class is equally likely."""
        p = self.probabilities[self.probabilities > 0]
        return float(-(p * np.log2(p)).sum())

    def familiarity(self, score: str) -> float:
        """One of `SCORES`: the largest probability, minus the entropy, log Σ exp of the logits (Liu et al. 2020), the largest logit."""
        if score == "probability":
            return float(self.probabilities.max())
        if score == "entropy":
            return -self.entropy
        if score not in SCORES or self.logits is None:
            raise ValueError(
                f"{score!r} cannot be told of this prediction; choose one of {', '.join(SCORES)}, and keep its logits"
            )
        top = float(self.logits.max())
        return top if score == "logit" else top + float(np.log(np.exp(self.logits - top).sum()))


@dataclass(frozen=True)
class Scope:
    """How well a network's own score tells pictures of its classes from others, as measured.

    A picture whose `score` (one of `SCORES`) is under `threshold` is flagged: `caught` of the pictures of other classes are, and
    `false_alarms` of those of its own. `auroc` is each score's chance to rank one of its own above one of the others.
    """

    score: str
    threshold: float
    caught: float
    false_alarms: float
    auroc: Mapping[str, float]
    inside: str
    outside: str


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


_ALIKE = 0.5  # rank correlation from which two maps are much the same


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
    """Something wrong with a contender: "diverged", "dead", or a `Judgement`'s kind, in these layers or blocks.

    `value` is the loss, the largest share of dead units, or the most extreme gradient; `judged` is what it was judged by.
    """

    kind: str
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
    card: Mapping[str, Any]
    losses: Floats
    epochs: tuple[EpochRecord, ...]

    def column(self, field: str) -> Floats:
        """One measured number of every epoch, such as "train_error"."""
        return np.array([getattr(record, field) for record in self.epochs], dtype=np.float64)
