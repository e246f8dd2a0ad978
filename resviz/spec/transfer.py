"""How a trained network is taught other classes: the mode, and the recipe it follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["FEWEST", "MODES", "MOST", "REPEATS", "TransferMode", "TransferPlan", "usual_plan"]

TransferMode = Literal["head", "finetune", "scratch"]
MODES: Final[Mapping[TransferMode, str]] = {"head": "Head only", "finetune": "Fine-tune", "scratch": "From scratch"}
FEWEST: Final = 5  # pictures a class
MOST: Final = 1_000  # pictures in all: some 200 MB as they are kept
REPEATS: Final = 10  # draws of so many pictures a class, in a learning curve


@dataclass(frozen=True)
class TransferPlan:
    """SGD with momentum 0.9 over the last `stages` and the head, at one rate after a short rise, with random crops and flips.

    A fifth of the pictures to learn from is watched: the epoch with the least loss on them is kept, and `patience` epochs without a
    better one end the run. With `frozen_norms` batch norms keep what they learned. Of the head alone only `seed` counts, since it is
    the optimum of a convex loss. Raises ValueError.
    """

    mode: TransferMode = "head"
    seed: int = 0
    epochs: int = 1
    rate: float = 0.0
    stages: int = 0
    frozen_norms: bool = True
    batch: int = 16
    patience: int = 8

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"{self.mode!r} is no mode; choose one of {', '.join(MODES)}")
        for name, low, high in (
            ("epochs", 1, 1000),
            ("stages", 0, 8),
            ("batch", 2, 1024),
            ("patience", 1, 1000),
            ("seed", 0, 2**31 - 1),
        ):
            if not low <= (value := getattr(self, name)) <= high:
                raise ValueError(f"{name} must be from {low} to {high}, got {value}")
        if not 0 <= self.rate <= 10:
            raise ValueError(f"the rate must be from 0 to 10, got {self.rate:g}; 0.005 is usual for fine-tuning")


def usual_plan(mode: TransferMode, seed: int = 0) -> TransferPlan:
    """What is done unless told: the last stage at a low rate, or every layer at a high one for longer."""
    if mode == "finetune":
        return TransferPlan(mode, seed, epochs=20, rate=0.005, stages=1)
    if mode == "scratch":
        return TransferPlan(mode, seed, epochs=60, rate=0.02, frozen_norms=False, patience=15)
    return TransferPlan(mode, seed)
