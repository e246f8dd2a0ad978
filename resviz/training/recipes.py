"""Training recipes: the optimizer, its schedule and the augmentation, as data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

__all__ = ["RECIPES", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """SGD with momentum. `schedule` is "step" (÷10 at half and three quarters) or "one-cycle" (up to lr, cosine down).

    `sides` are the image sides of progressive resizing, one after the other for equal numbers of epochs; where there are
    none, images are padded, cropped and flipped at their own size.
    """

    title: str
    epochs: int
    lr: float
    schedule: str
    batch: int = 128
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 1e-4
    label_smoothing: float = 0.0
    sides: tuple[int, ...] = ()

    def side_at(self, epoch: int) -> int:
        """The image side of an epoch, counted from 0."""
        return self.sides[epoch * len(self.sides) // self.epochs]

    def up_to(self, side: int) -> Recipe:
        """The same growth of image sides, in eights, ending at another one."""
        return replace(self, sides=(*(max(8, 8 * round(s * side / self.sides[-1] / 8)) for s in self.sides[:-1]), side))

    def lr_at(self, step: int, steps: int, depth: int) -> float:
        """The learning rate of a step, from nothing but its number, so that a resumed run follows the same path."""
        if self.schedule == "one-cycle":
            rise = 0.25 * steps
            if step < rise:
                return self.lr * (0.1 + 0.9 * step / rise)
            return self.lr * 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))
        if depth >= 110 and step < steps // 160:  # the paper warms its 110-layer net up for 400 of 64k steps
            return self.lr * 0.1
        return self.lr * (0.1 if step >= steps // 2 else 1.0) * (0.1 if step >= steps * 3 // 4 else 1.0)


RECIPES: Final[Mapping[str, Recipe]] = {
    # He et al. 2015, §4.2: 64k steps of 128 = 164 epochs, lr ÷10 at 32k and 48k
    "he2015-cifar": Recipe("He et al. 2015, CIFAR-10 (steps scaled to the epochs)", epochs=164, lr=0.1, schedule="step"),
    # one cycle: Smith 2018, arXiv 1803.09820; resized crops and label smoothing: Szegedy et al. 2015, arXiv 1512.00567
    "photographs": Recipe(
        "Photographs: one cycle, label smoothing, random resized crops at growing sizes",
        epochs=40,
        lr=0.1,
        schedule="one-cycle",
        batch=64,
        nesterov=True,
        weight_decay=5e-4,
        label_smoothing=0.1,
        sides=(96, 112, 128),
    ),
}
