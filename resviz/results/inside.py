"""What a unit does to one picture: its tensors, one of their numbers taken apart, what it sees, and what the head makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["ORDERS", "Arithmetic", "Box", "Excitement", "Field", "Forward", "Inside", "Lens", "Readout"]

Floats = NDArray[np.float64] | NDArray[np.float32]
Mapped = Literal["identity", "weighed", "zero-pad", "projection", "parallel", "none"]
Order = Literal["energy", "share", "effect"]
ORDERS: Final[tuple[Order, ...]] = ("energy", "share", "effect")


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels, from `top` and `left` to before `bottom` and `right`."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Lens:
    """A layer that looks at a window: `kernel` with its gaps, at every `stride`-th place, over `size` (height, width) with a margin."""

    unit: str  # "" on the trunk before the first one
    path: Literal["trunk", "branch", "skip"]
    kernel: int
    stride: int
    padding: int
    size: tuple[int, int]


@dataclass(frozen=True)
class Forward:
    """One picture's way through a network: what enters each unit, (channels, height, width), and the logits, (classes,)."""

    entered: Mapping[str, Floats]
    logits: Floats
    lenses: tuple[Lens, ...]

    def box(self, unit: str, row: int, column: int) -> Box:
        """The pixels that can reach a position of what the unit returns, by its branch or by its skip.

        Back through every window, from the last one; what would lie in a margin is none of the picture's.
        """
        names = list(self.entered)
        rows, columns = (row, row), (column, column)
        for name in (*reversed(names[: names.index(unit) + 1]), ""):
            ways = {
                lens.path: [each for each in self.lenses if (each.unit, each.path) == (name, lens.path)] for lens in self.lenses
            }
            live = [way for way in ways.values() if way]
            rows, columns = (_through(live, run, axis) for axis, run in enumerate((rows, columns)))
        return Box(rows[0], columns[0], rows[1] + 1, columns[1] + 1)


def _through(ways: list[list[Lens]], run: tuple[int, int], axis: int) -> tuple[int, int]:
    """The inputs, first and last, that a run of outputs looks at by any of the ways; each is a list of windows in forward order."""
    found = []
    for way in ways:
        low, high = run
        for lens in reversed(way):
            low = max(0, low * lens.stride - lens.padding)
            high = min(lens.size[axis] - 1, high * lens.stride - lens.padding + lens.kernel - 1)
        found.append((low, high))
    return (min(low for low, _ in found), max(high for _, high in found)) if found else run


@dataclass(frozen=True)
class Inside:
    """One unit's four tensors for one picture, each (channels, height, width): joined = residual + identity, output = f(joined).

    `identity` is what the skip brings, after its own mapping; zeros where there is none. `activation` is what stands behind the
    addition, "" where nothing does.
    """

    unit: str
    identity: Floats
    residual: Floats
    joined: Floats
    output: Floats
    mapped: Mapped
    activation: str
    effect: Floats | None = None  # (channels,): gradient × activation of a class's logit, summed over places

    @property
    def ratio(self) -> float:
        """‖F‖ over the norm of what the skip brings; infinite where that is nothing."""
        skip = _norm(self.identity)
        return _norm(self.residual) / skip if skip else float("inf")

    @property
    def energy(self) -> Floats:
        """(channels,): the sum of squares after the addition."""
        return np.square(self.joined, dtype=np.float64).sum((1, 2))

    @property
    def share(self) -> Floats:
        """(channels,): of branch and skip together, what the branch brings: ‖F‖ / (‖F‖ + ‖x‖)."""
        branch, skip = (np.sqrt(np.square(each, dtype=np.float64).sum((1, 2))) for each in (self.residual, self.identity))
        return branch / np.maximum(branch + skip, np.finfo(np.float64).tiny)

    def measure(self, order: Order) -> Floats:
        """(channels,): what the channels are ordered by; raises ValueError for the effect where it was not measured."""
        if order == "effect":
            if self.effect is None:
                raise ValueError(f"the effect of {self.unit}'s channels was not measured; order them by energy or share")
            return self.effect
        return self.energy if order == "energy" else self.share

    def ordered(self, order: Order) -> NDArray[np.intp]:
        """Every channel, the strongest first."""
        return np.argsort(-np.abs(self.measure(order)), kind="stable")

    def strongest(self, channel: int) -> tuple[int, int]:
        """Row and column where the branch changes a channel most."""
        row, column = np.unravel_index(np.abs(self.residual[channel]).argmax(), self.residual[channel].shape)
        return int(row), int(column)


def _norm(values: Floats) -> float:
    return float(np.linalg.norm(values.astype(np.float64)))


@dataclass(frozen=True)
class Arithmetic:
    """How one number comes about: F's last convolution at one place, its norm as a scale and a shift, the addition, the activation.

    `window` and `weights` are (input channels, height, width), of the input channels from `first` on; a window that reaches beyond
    the edge holds zeros there. `branch` and `skip` are what F and x are multiplied by, 1 in the network itself. `shown_*` is what
    the network computed in its own precision.
    """

    unit: str
    channel: int
    row: int
    column: int
    conv: str
    norm: str
    first: int
    window: Floats
    weights: Floats
    bias: float
    scale: float
    shift: float
    identity: float
    mapped: Mapped
    activation: str
    shown_residual: float
    shown_joined: float
    shown_output: float
    branch: float = 1.0
    skip: float = 1.0

    @property
    def products(self) -> Floats:
        """Input times weight, (input channels, height, width)."""
        return self.window.astype(np.float64) * self.weights

    @property
    def convolved(self) -> float:
        """What the convolution returns: every product's sum, and its bias."""
        return float(self.products.sum()) + self.bias

    @property
    def residual(self) -> float:
        """F at this place."""
        return self.branch * (self.scale * self.convolved + self.shift)

    @property
    def joined(self) -> float:
        """After the addition."""
        return self.residual + self.skip * self.identity

    @property
    def by_channel(self) -> Floats:
        """(input channels,): what each adds to the convolution's sum."""
        return self.products.sum((1, 2))

    @property
    def by_place(self) -> Floats:
        """(height, width): what each place of the window adds."""
        return self.products.sum(0)


@dataclass(frozen=True)
class Field:
    """What a number sees of the picture: the pixels that can reach it, and how strongly each one moves it, (height, width)."""

    box: Box
    strength: Floats  # mean |gradient| over the picture's channels

    @property
    def core(self) -> float:
        """The share of the box's pixels that carry half of the strength: small where the middle decides."""
        inside = np.sort(self.strength[self.box.top : self.box.bottom, self.box.left : self.box.right], axis=None)[::-1]
        total = inside.sum(dtype=np.float64)
        if not total:
            return 0.0
        return float(np.searchsorted(np.cumsum(inside, dtype=np.float64), total / 2) + 1) / inside.size


@dataclass(frozen=True)
class Readout:
    """What the network's own head says of the signal behind each of `units`: logits (units, classes).

    `pooled` is what every unit returned, averaged over places, (channels,), for read-outs of their own.
    """

    units: tuple[str, ...]
    logits: Floats
    pooled: Mapping[str, Floats]


@dataclass(frozen=True)
class Excitement:
    """What one channel of a unit returned for a picture: (height, width)."""

    title: str
    values: Floats

    @property
    def most(self) -> float:
        """At its strongest place."""
        return float(self.values.max())
