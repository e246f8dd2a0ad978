"""What is known of a checkpoint beyond its tensors: asked for, read from a card, or guessed and said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from resviz.data.images import CIFAR_MEAN, CIFAR_STD, IMAGENET_MEAN, IMAGENET_STD
from resviz.spec.net import Activation, NetSpec, Stem
from resviz.zoo.classifier import Classifier, Guess, Preprocessing
from resviz.zoo.read import CheckpointError

__all__ = ["CIFAR10_CATEGORIES", "Answers", "answered", "usual_preprocessing"]

CIFAR10_CATEGORIES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_LARGEST = 1024  # pixels a side


@dataclass(frozen=True)
class Answers:
    """What is known of a checkpoint beyond its file; None leaves what the file or its card says, or the default.

    `network` is one of several in the file, `groups` those of every group norm, `resize` the shorter side before the middle of
    `size` is cut out. Raises `CheckpointError`.
    """

    network: str | None = None
    plain: bool | None = None
    preact: bool | None = None
    pool: bool | None = None
    groups: int | None = None
    activation: Activation | None = None
    classes: tuple[str, ...] | None = None
    size: int | None = None
    resize: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    temperature: float | None = None

    def __post_init__(self) -> None:
        if self.temperature is not None and not 0.01 <= self.temperature <= 100:
            raise CheckpointError(
                f"a temperature must be from 0.01 to 100, got {self.temperature:g}; 1 leaves certainty as it is"
            )
        if self.size is not None and not 8 <= self.size <= _LARGEST:
            raise CheckpointError(f"size must be from 8 to {_LARGEST} pixels, got {self.size}; use what it was trained with")
        if self.groups is not None and not 1 <= self.groups <= 1024:
            raise CheckpointError(f"groups must be from 1 to 1024, got {self.groups}; 32 is usual")
        for name, low in (("mean", -math.inf), ("std", 0.0)):
            values = getattr(self, name)
            if values is not None and not (len(values) in (1, 3) and all(low < v < math.inf for v in values)):
                raise CheckpointError(
                    f"{name} must be one number for each channel{', above 0' if low == 0 else ''}, got {values}; for example {CIFAR_STD}"
                )

    def over(self, other: Answers) -> Answers:
        """These, and the other's where these leave something open."""
        mine = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(other, **{name: value for name, value in mine.items() if value is not None})


def answered(classifier: Classifier, answers: Answers) -> Classifier:
    """The classifier with these class names, size and statistics, and the usual ones, as guesses, where they say nothing."""
    spec = classifier.spec
    guesses = [guess for guess in classifier.guesses if guess.field not in ("classes", "size", "mean")]
    usual, why = (
        usual_preprocessing(spec),
        f"usual for {'photographs' if spec.stem.photographs else 'CIFAR'}, whose stem this is",
    )
    size, resize = answers.size or usual.crop, answers.resize or usual.resize
    if answers.size is None:
        guesses.append(Guess("size", f"{size} px", why))
    elif answers.resize is None:
        resize = round(size * usual.resize / usual.crop)
    mean, std = answers.mean or usual.mean, answers.std or usual.std
    if len(mean) != spec.in_channels or len(std) != spec.in_channels:
        raise CheckpointError(f"mean and std must be {spec.in_channels} numbers each, one for a channel, got {mean} and {std}")
    if answers.mean is None or answers.std is None:
        what = "CIFAR-10's" if spec.stem is Stem.CIFAR else "ImageNet's"
        guesses.append(Guess("mean", f"{what} mean and standard deviation", why))
    names, guessed = (answers.classes, "") if answers.classes else _usual_names(spec)
    if len(names) != spec.classes:
        raise CheckpointError(f"it has {spec.classes} classes and {len(names)} names were given; give one for each, in order")
    if guessed:
        guesses.append(Guess("classes", guessed, f"the file names none of its {spec.classes} classes"))
    return replace(
        classifier,
        preprocessing=Preprocessing(max(resize, size), size, mean, std),
        categories=_distinct(names),
        temperature=answers.temperature or 1.0,
        guesses=tuple(guesses),
    )


def usual_preprocessing(spec: NetSpec) -> Preprocessing:
    """What networks with such a stem are usually shown."""
    photographs = spec.stem.photographs
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mean, std = (IMAGENET_MEAN, IMAGENET_STD) if photographs else (CIFAR_MEAN, CIFAR_STD)
    if spec.in_channels == 1:
        mean, std = (sum(mean) / 3,), (sum(std) / 3,)
    return Preprocessing(256, 224, mean, std) if photographs else Preprocessing(32, 32, mean, std)


def _usual_names(spec: NetSpec) -> tuple[tuple[str, ...], str]:
    """Names for as many classes, and what they are called."""
    if spec.classes == 10 and spec.stem is Stem.CIFAR and spec.in_channels == 3:
        return CIFAR10_CATEGORIES, "CIFAR-10's class names"
    if spec.classes == 1000:
        from torchvision.models import ResNet50_Weights

        return tuple(ResNet50_Weights.IMAGENET1K_V1.meta["categories"]), "ImageNet's class names"
    return tuple(f"class {i}" for i in range(spec.classes)), "numbers for the classes"


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Every name once: a second one of the kind gets its number."""
    first = {name: place for place, name in reversed(list(enumerate(names)))}
    return tuple(name if first[name] == place else f"{name} ({place})" for place, name in enumerate(names))
