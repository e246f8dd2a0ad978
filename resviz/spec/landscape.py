"""What the page about the loss around a network shows, as one frozen value that a URL can hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal, get_args

from resviz.spec.net import DESIGNS, Design, NetSpec, SpecError
from resviz.spec.presets import cifar_blocks

__all__ = [
    "DEPTHS",
    "GRIDS",
    "LANDSCAPE_PARAMETERS",
    "PICTURES",
    "LandscapePlan",
    "Plane",
    "Statistics",
    "Weights",
    "lost",
    "plan_from_query",
    "plan_to_query",
]

Statistics = Literal["trained", "batch"]  # what batch norm divides by: its running statistics, or those of the pictures
Weights = Literal["trained", "start"]
GRIDS: Final = (5, 9, 17, 33)  # each holds every point of the one before
DEPTHS: Final = (20, 56)
PICTURES: Final = 256  # over which the loss is taken
_WIDTH: Final = 8  # with which the digits' 8×8 pixels take seconds, not minutes
_MOST: Final = 10_000


@dataclass(frozen=True)
class Plane:
    """Two random directions, drawn from `seed`, from −`extent` to `extent` along each."""

    seed: int = 0
    extent: float = 1.0
    statistics: Statistics = "trained"

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= _MOST:
            raise SpecError(f"a plane's seed must be from 0 to {_MOST}, got {self.seed}")
        if not (math.isfinite(self.extent) and 0.01 <= self.extent <= 10):
            raise SpecError(f"a plane's extent must be from 0.01 to 10, got {self.extent:g}")
        if self.statistics not in get_args(Statistics):
            raise SpecError(f"statistics must be trained or batch, got {self.statistics!r}")


@dataclass(frozen=True)
class LandscapePlan:
    """A residual network and the plain one of the same depth, on digits, and the plane through each one's weights.

    `run` is the seed that the networks' weights were drawn from.
    """

    depth: int = 56
    weights: Weights = "trained"
    run: int = 0
    plane: int = 0
    extent: float = 1.0
    grid: int = 17

    def __post_init__(self) -> None:
        for name, choices in (("depth", DEPTHS), ("weights", get_args(Weights)), ("grid", GRIDS)):
            if getattr(self, name) not in choices:
                raise SpecError(f"{name} must be one of {', '.join(map(str, choices))}, got {getattr(self, name)!r}")
        if not 0 <= self.run <= _MOST:
            raise SpecError(f"run must be from 0 to {_MOST}, got {self.run}")
        Plane(self.plane, self.extent)

    @property
    def around(self) -> Plane:
        """The plane; a network that was never trained has no statistics of its own."""
        return Plane(self.plane, self.extent, "trained" if self.weights == "trained" else "batch")

    @property
    def specs(self) -> dict[Design, NetSpec]:
        """Both networks."""
        spec = NetSpec(blocks=cifar_blocks(self.depth), width=_WIDTH, in_channels=1, seed=self.run)
        return dict(zip(DESIGNS, (spec, spec.plain()), strict=True))


LANDSCAPE_PARAMETERS: Final = frozenset(field.name for field in fields(LandscapePlan))


def plan_to_query(plan: LandscapePlan) -> dict[str, str]:
    """As query parameters; what is at its default is left out."""
    usual = LandscapePlan()
    told = {name: getattr(plan, name) for name in sorted(LANDSCAPE_PARAMETERS)}
    return {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in told.items()
        if value != getattr(usual, name)
    }


def plan_from_query(query: Mapping[str, str]) -> LandscapePlan:
    """Never raises: what cannot be read, or cannot be shown, is left at its default."""
    plan = LandscapePlan()
    for name in sorted(LANDSCAPE_PARAMETERS & query.keys()):
        try:
            plan = LandscapePlan(**{**vars(plan), name: _read(name, query[name])})
        except ValueError:
            continue
    return plan


def lost(query: Mapping[str, str], plan: LandscapePlan) -> dict[str, str]:
    """What of a query's parameters the plan does not hold, because it cannot be read or cannot be shown."""

    def held(name: str) -> bool:
        try:
            return bool(_read(name, query[name]) == getattr(plan, name))
        except ValueError:
            return False

    return {name: query[name] for name in sorted(LANDSCAPE_PARAMETERS & query.keys()) if not held(name)}


def _read(name: str, text: str) -> int | float | str:
    if name == "weights":
        return text
    if not re.fullmatch(r"\d{1,5}(\.\d{1,4})?" if name == "extent" else r"\d{1,5}", text, re.ASCII):
        raise ValueError(f"{name} is no number")
    return float(text) if name == "extent" else int(text)
