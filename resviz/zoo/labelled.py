"""Labelled pictures as a network wants them: what its card says it was tested on, and any others of its classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from resviz.data.datasets import cifar10_there, named_sets
from resviz.data.images import ImageSet, cifar10, data_root, held_out
from resviz.zoo.bundled import card, every_name
from resviz.zoo.classifier import Classifier

__all__ = ["DIGITS", "ORIGINAL", "data_of", "held_out_for", "labelled_for", "training_for"]

ORIGINAL: Final = "CIFAR-10 (torchvision)"  # what a card calls the data of `--data cifar10`
DIGITS: Final = "Handwritten digits (scikit-learn)"  # and of `--data digits`


def data_of(name: str) -> str:
    """The data that shows a bundled network's classes: digits, which are always there, or cifar10; nothing for any other."""
    about = card(name)["data"] if name in every_name() else ""
    return "digits" if about == DIGITS else "cifar10" if about.startswith("CIFAR-10") else ""


def held_out_for(classifier: Classifier, data: str) -> ImageSet | None:
    """The held-out pictures of digits, cifar10 or a folder as this network wants them; None where they are of other classes.

    Raises ValueError where they have another size or other channels.
    """
    return _as_wanted(classifier, _sets(classifier, data)[1], data)


def _sets(classifier: Classifier, data: str) -> tuple[ImageSet, ImageSet]:
    """Training and held-out pictures; a folder's held-out ones are both."""
    shown = classifier.preprocessing
    if data == "digits":
        return named_sets("digits")
    if data == "cifar10":
        return named_sets("cifar10") if cifar10_there() else cifar10(data_root())
    test = held_out(Path(data), shown.crop, shown.resize if shown.resize != shown.crop else None)
    return test, test


def _as_wanted(classifier: Classifier, test: ImageSet, data: str) -> ImageSet | None:
    """Scaled as the network wants them; None where they are of other classes."""
    shown = classifier.preprocessing
    names = tuple(name.replace("_", " ") for name in test.categories)
    unnamed = any(guess.field == "classes" for guess in classifier.guesses)
    if len(names) != len(classifier.categories) or (not unnamed and names != classifier.categories):
        return None
    wanted, given = (classifier.spec.in_channels, shown.crop), tuple(test.images.shape[1:3])
    if wanted != given:
        raise ValueError(
            f"{classifier.name} takes pictures of {wanted[0]}×{wanted[1]}×{wanted[1]}, {data} has {given[0]}×{given[1]}×{given[1]}"
        )
    return replace(test, mean=shown.mean, std=shown.std)


def labelled_for(classifier: Classifier, data: str = "", count: int | None = None) -> ImageSet:
    """A fixed choice of `count` held-out pictures, all where None, of what a bundled network's card names unless `data` says of what.

    Raises ValueError where nothing fits the network's classes.
    """
    test = _found(classifier, data, 1)
    return test if count is None else test.subset(count)


def training_for(classifier: Classifier, data: str = "", count: int = 512) -> ImageSet:
    """A fixed choice of training pictures of the same data, as they are; of a folder, of what lies there to be asked about.

    Raises ValueError where nothing fits the network's classes.
    """
    return _found(classifier, data, 0).subset(count)


def _found(classifier: Classifier, data: str, part: int) -> ImageSet:
    data = data or data_of(classifier.name)
    if not data:
        raise ValueError(f"{classifier.name} does not say which pictures it was tested on; name a folder of them with --data")
    test = _as_wanted(classifier, _sets(classifier, data)[part], data)
    if test is None:
        raise ValueError(f"{data} holds other classes than {classifier.name} knows ({', '.join(classifier.categories[:10])})")
    return test
