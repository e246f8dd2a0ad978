"""Training recipes: the optimizer, its schedule and the augmentation, as data.

A schedule says which part of the recipe's learning rate a step has, from nothing but the step's number, and an augmentation one epoch's
batches, from nothing but a seed; so a run that is taken up again follows the same path.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from torch import Tensor

from resviz.data.images import ImageSet

__all__ = ["RECIPES", "Augmentation", "CropFlip", "OneCycle", "Recipe", "ResizedCropFlip", "Schedule", "Shift", "StepDecay"]


class Schedule(Protocol):
    """The factor of the learning rate at a step, counted from 0, of `steps`, for a network of `depth` layers."""

    def __call__(self, step: int, steps: int, depth: int) -> float: ...


@dataclass(frozen=True)
class StepDecay:
    """÷10 at half and at three quarters of the steps; nets of 110 layers and more begin with a tenth (He et al. 2015, §4.2)."""

    def __call__(self, step: int, steps: int, depth: int) -> float:
        if depth >= 110 and step < steps // 160:  # the paper warms its 110-layer net up for 400 of 64k steps
            return 0.1
        return (0.1 if step >= steps // 2 else 1.0) * (0.1 if step >= steps * 3 // 4 else 1.0)


@dataclass(frozen=True)
class OneCycle:
    """Up from a tenth for a quarter of the steps, then down along a cosine (Smith 2018, arXiv 1803.09820)."""

    rising: float = 0.25

    def __call__(self, step: int, steps: int, depth: int) -> float:
        rise = self.rising * steps
        if step < rise:
            return 0.1 + 0.9 * step / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))


class Augmentation(Protocol):
    """What training images become; `spare` is how much larger than shown they are kept, for crops to choose from."""

    @property
    def spare(self) -> float: ...

    def side(self, epoch: int, epochs: int, own: int) -> int:
        """The image side of an epoch, counted from 0, where the images' own is `own`."""
        ...

    def ending_at(self, side: int) -> Augmentation:
        """The same for images of another side."""
        ...

    def batches(self, images: ImageSet, size: int, seed: int, side: int) -> Iterator[tuple[Tensor, Tensor]]:
        """One shuffled epoch: images (size, C, side, side), normalised, and labels (size,)."""
        ...


@dataclass(frozen=True)
class CropFlip:
    """Padded, cropped at random to their own size, and flipped (He et al. 2015, §4.2)."""

    pad: int = 4
    spare: float = field(default=1.0, init=False, repr=False)

    def side(self, epoch: int, epochs: int, own: int) -> int:
        """The image side of an epoch, counted from 0, in pixels."""
        return own

    def ending_at(self, side: int) -> CropFlip:
        """The same augmentation for images of another side."""
        return self

    def batches(self, images: ImageSet, size: int, seed: int, side: int) -> Iterator[tuple[Tensor, Tensor]]:
        """One shuffled epoch of augmented images (size, C, side, side) and labels (size,)."""
        return images.crop_flip(size, seed, self.pad)


@dataclass(frozen=True)
class Shift(CropFlip):
    """Padded and cropped at random, never flipped: what has a sense, as a digit has, keeps it."""

    pad: int = 1

    def batches(self, images: ImageSet, size: int, seed: int, side: int) -> Iterator[tuple[Tensor, Tensor]]:
        """One shuffled epoch of shifted images (size, C, side, side) and labels (size,)."""
        return images.crop_flip(size, seed, self.pad, flip=False)


@dataclass(frozen=True)
class ResizedCropFlip:
    """Crops of random area and ratio, resized, and flipped (Szegedy et al. 2015, arXiv 1512.00567).

    The sides grow: one after the other for equal numbers of epochs.
    """

    sides: tuple[int, ...]
    spare: float = field(default=1.25, init=False, repr=False)

    def side(self, epoch: int, epochs: int, own: int) -> int:
        """The image side of an epoch, counted from 0, in pixels."""
        return self.sides[epoch * len(self.sides) // epochs]

    def ending_at(self, side: int) -> ResizedCropFlip:
        """The same augmentation for images of another side."""
        return ResizedCropFlip((*(max(8, 8 * round(s * side / self.sides[-1] / 8)) for s in self.sides[:-1]), side))

    def batches(self, images: ImageSet, size: int, seed: int, side: int) -> Iterator[tuple[Tensor, Tensor]]:
        """One shuffled epoch of augmented images (size, C, side, side) and labels (size,)."""
        return images.resized_crop_flip(size, seed, side)


@dataclass(frozen=True)
class Recipe:
    """SGD with momentum, a schedule of its learning rate, and an augmentation."""

    title: str
    epochs: int
    lr: float
    schedule: Schedule
    augmentation: Augmentation = CropFlip()
    batch: int = 128
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 1e-4
    label_smoothing: float = 0.0

    def lr_at(self, step: int, steps: int, depth: int) -> float:
        """The learning rate of a step, counted from 0."""
        return self.lr * self.schedule(step, steps, depth)

    def side_at(self, epoch: int, own: int) -> int:
        """The image side of an epoch, counted from 0."""
        return self.augmentation.side(epoch, self.epochs, own)

    def up_to(self, side: int) -> Recipe:
        """The same for images of another side."""
        return replace(self, augmentation=self.augmentation.ending_at(side))


RECIPES: Final[Mapping[str, Recipe]] = {
    # He et al. 2015, §4.2: 64k steps of 128 = 164 epochs
    "he2015-cifar": Recipe("He et al. 2015, CIFAR-10 (steps scaled to the epochs)", 164, 0.1, StepDecay()),
    # label smoothing: Szegedy et al. 2015, arXiv 1512.00567
    "photographs": Recipe(
        "Photographs: one cycle, label smoothing, random resized crops at growing sizes",
        epochs=40,
        lr=0.1,
        schedule=OneCycle(),
        augmentation=ResizedCropFlip((96, 112, 128)),
        batch=64,
        nesterov=True,
        weight_decay=5e-4,
        label_smoothing=0.1,
    ),
    "digits": Recipe("Handwritten digits: one cycle, shifts of a pixel", 30, 0.1, OneCycle(), Shift(), batch=64),
}
