"""A training of any network as it was recorded: what every layer's gradient, update and activations were, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from resviz.spec.families import Network

__all__ = ["QUANTITIES", "Broken", "Quantity", "Recording", "Table"]

Quantity = Literal["gradient", "update", "std", "dead"]
# L2 norm of the gradient, ‖Δw‖/‖w‖ of a step, standard deviation of what a layer or block returns, share of units that are all 0
QUANTITIES: tuple[Quantity, ...] = ("gradient", "update", "std", "dead")


@dataclass(frozen=True, eq=False)
class Table:
    """One quantity: a row for each of the `steps` that it was looked at, a column for each of `names`, in forward order.

    Of the `values`, NaN is where there was nothing to measure and ∞ where the measured number was infinite or none.
    """

    names: tuple[str, ...]
    steps: NDArray[np.int64]
    values: NDArray[np.float64]  # (steps, names)

    def row(self, at: int) -> int:
        """The last row at or before a step; the first where there is none."""
        return max(0, int(np.searchsorted(self.steps, at, side="right")) - 1)

    @property
    def empty(self) -> frozenset[str]:
        """The names of which nothing was ever measured."""
        return frozenset(name for i, name in enumerate(self.names) if np.isnan(self.values[:, i]).all())

    def only(self, names: frozenset[str]) -> Table:
        """The columns of these names alone."""
        kept = [i for i, name in enumerate(self.names) if name in names]
        return Table(tuple(self.names[i] for i in kept), self.steps, self.values[:, kept])


@dataclass(frozen=True)
class Broken:
    """When something first was no finite number: the loss, the gradient of a layer, or what a layer returned."""

    what: Literal["loss", "gradient", "activation"]
    step: int
    layer: str = ""


@dataclass(frozen=True, eq=False)
class Recording:
    """What is known of one training up to its `last` step or epoch, whichever `unit` it is counted in.

    The loss is a line of its own: `losses` at the places `loss_at`, counted in units as well. `judged` are the layers whose
    gradients are compared with each other, `spec` the network where it is one of ours, and `guess` the loss of one that has learned
    nothing.
    """

    title: str
    unit: Literal["step", "epoch"]
    last: int
    loss_at: NDArray[np.float64]
    losses: NDArray[np.float64]
    tables: Mapping[Quantity, Table]
    judged: frozenset[str]
    guess: float
    card: Mapping[str, object]
    spec: Network | None = None
    broken: tuple[Broken, ...] = ()

    @property
    def places(self) -> tuple[int, ...]:
        """The steps or epochs that can be looked at, in order."""
        return tuple(self.tables["gradient"].steps.tolist())

    def loss(self, at: int) -> float:
        """The last loss at or before a step; NaN where none was given."""
        row = int(np.searchsorted(self.loss_at, at, side="right")) - 1
        return float(self.losses[row]) if row >= 0 else float("nan")
