"""One quarter of the story that the pages tell together: the same layers with a norm or none, at the start or after training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from resviz.results.probes import GradientProfile
from resviz.spec.families import Network
from resviz.spec.net import Design

__all__ = ["Chapter"]


@dataclass(frozen=True)
class Chapter:
    """What was measured of a residual and a plain network in one setting; percentages lie from 0 to 100.

    Training took `length` of the `unit`, "step" or "epoch"; 0 before it. `outcome` is percent of the `counted` ("unseen digits
    right"), with so many `decimals`; it is empty before training, where the loss says what there is to say.
    """

    key: str
    specs: Mapping[Design, Network]
    profiles: Mapping[Design, GradientProfile]
    data: str
    length: int = 0
    unit: str = "step"
    outcome: Mapping[Design, float] = field(default_factory=dict)
    counted: str = ""
    decimals: int = 0

    @property
    def trained(self) -> bool:
        """Whether it is what training led to."""
        return self.length > 0
