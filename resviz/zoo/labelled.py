"""Labelled pictures as a network wants them: what its card says it was tested on, and any others of its classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from resviz.data.datasets import cifar10_there, named_sets
from resviz.data.images import ImageSet, cifar10, data_root, held_out
from resviz.zoo.bundled import card, every_name
from resviz.zoo.classifier import Classifier

__all__ = ["DIGITS", "ORIGINAL", "data_of", "held_out_for", "labelled_for"]

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
    shown = classifier.preprocessing
    if data == "digits":
        test = named_sets("digits")[1]
    elif data == "cifar10":
        test = (named_sets("cifar10") if cifar10_there() else cifar10(data_root()))[1]
    else:
        test = held_out(Path(data), shown.crop, shown.resize if shown.resize != shown.crop else None)
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
    data = data or data_of(classifier.name)
    if not data:
        raise ValueError(f"{classifier.name} does not say which pictures it was tested on; name a folder of them with --data")
    test = held_out_for(classifier, data)
    if test is None:
        raise ValueError(f"{data} holds other classes than {classifier.name} knows ({', '.join(classifier.categories[:10])})")
    return test if count is None else test.subset(count)
