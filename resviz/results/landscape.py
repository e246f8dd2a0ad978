"""What surrounds a network: the loss about its weights, its gradient along a line of inputs, and other networks' layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Landscape", "Reuse", "Sharpness", "Shattering", "Similarity", "Trajectory"]

Floats = NDArray[np.float64]
_SLIGHT = 0.1


@dataclass(frozen=True)
class Landscape:
    """The mean loss at w + x·d₁ + y·d₂: `losses[i, j]` at y = `places[i]`, x = `places[j]`; NaN where it was not measured yet.

    A loss that overflows is infinite. `guess` is what guessing costs, log(classes).
    """

    places: Floats
    losses: Floats
    guess: float

    @property
    def grid(self) -> int:
        """Points along a side."""
        return len(self.places)

    @property
    def measured(self) -> int:
        """How many points are."""
        return int((~np.isnan(self.losses)).sum())

    @property
    def centre(self) -> float:
        """The loss of the network as it is."""
        return float(self.losses[self.grid // 2, self.grid // 2])

    @property
    def cut(self) -> Floats:
        """(grid,): the loss along x, through the middle."""
        return self.losses[self.grid // 2]

    @property
    def share(self) -> float:
        """The part of the plane where the loss is below what guessing costs."""
        return float((self.losses < self.guess).mean())

    @property
    def bent(self) -> float:
        """The part of the inner points where the loss curves downwards along some direction of the plane; 0 where it is convex.

        By finite differences; less than a tenth of the curvature upwards there does not count.
        """
        at, inner = self.losses, self.losses[1:-1, 1:-1]
        with np.errstate(invalid="ignore"):  # beside an overflow there is no curvature
            across, along = at[1:-1, 2:] + at[1:-1, :-2] - 2 * inner, at[2:, 1:-1] + at[:-2, 1:-1] - 2 * inner
            mixed = (at[2:, 2:] - at[2:, :-2] - at[:-2, 2:] + at[:-2, :-2]) / 4
            mean, apart = (across + along) / 2, np.hypot((across - along) / 2, mixed)
            return float((mean - apart < -_SLIGHT * np.abs(mean + apart)).mean())

    def refined(self, grid: int) -> Landscape:
        """The same on a finer grid that holds every point of this one; the new points are not measured.

        Raises ValueError for a grid that does not.
        """
        step, rest = divmod(grid - 1, self.grid - 1)
        if rest or step < 1:
            raise ValueError(f"a grid of {grid} does not hold the points of one of {self.grid}; take {2 * self.grid - 1}")
        losses = np.full((grid, grid), np.nan)
        losses[::step, ::step] = self.losses
        places = np.linspace(self.places[0], self.places[-1], grid)
        return replace(self, places=places, losses=losses)

    def thinned(self, grid: int) -> Landscape:
        """Every n-th point of it, so that `grid` are left along a side; raises ValueError where that cannot be."""
        step, rest = divmod(self.grid - 1, grid - 1)
        if rest or step < 1:
            raise ValueError(f"a grid of {self.grid} holds none of {grid}; take {(self.grid + 1) // 2}")
        return replace(self, places=self.places[::step], losses=self.losses[::step, ::step])

    def complete(self) -> Landscape | None:
        """The finest grid all of whose points are measured; None where not even the coarsest is."""
        grid = self.grid
        while grid >= 3:
            found = self.thinned(grid)
            if found.measured == grid**2:
                return found
            if grid % 4 != 1:
                break
            grid = grid // 2 + 1
        return None


@dataclass(frozen=True)
class Sharpness:
    """The loss's largest second derivative, λ_max, and what the power iteration had found after each of its steps."""

    largest: float
    steps: Floats
    settled: bool  # whether the last two agree


@dataclass(frozen=True)
class Similarity:
    """How alike what layers make of the same `pictures` is, 0 to 1: `values[i, j]` of the layers `rows[i]` and `columns[j]`."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Floats
    pictures: int


@dataclass(frozen=True)
class Reuse:
    """How strongly each reader of a dense block reads each source: the mean |w| over that source's channels.

    `values[i, j]` is of the block's `sources[i]`, "input" and its layers by number, and `readers[j]`, its layers and what stands behind
    it; NaN where a reader does not read that source.
    """

    block: str
    sources: tuple[str, ...]
    readers: tuple[str, ...]
    values: Floats


@dataclass(frozen=True)
class Shattering:
    """∂f/∂t along a line of inputs, for several designs at several depths, and its autocorrelation.

    `gradients` are (depths, points) of one initialisation each, `correlations` (depths, lags + 1), means over `draws` of them;
    `places` are the points, from 0 to 1.
    """

    depths: tuple[int, ...]
    places: Floats
    gradients: Mapping[str, Floats]
    correlations: Mapping[str, Floats]
    draws: int


@dataclass(frozen=True)
class Trajectory:
    """A training's way in the plane of its weights' first two principal components, the end at (0, 0); and the loss on that plane.

    `at` is (moments, 2), at the `steps` at which the weights were kept; `variance` the components' shares of all that the weights'
    changes vary. `losses[i, j]` is at y = `ys[i]`, x = `xs[j]`; `guess` is what guessing costs.
    """

    steps: tuple[int, ...]
    at: Floats
    variance: tuple[float, float]
    xs: Floats
    ys: Floats
    losses: Floats
    guess: float
