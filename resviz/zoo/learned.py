"""The pictures that a network learned from, and those that were kept from it, where they are on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from torch import Tensor

from resviz.data.datasets import named_sets
from resviz.zoo.classifier import Classifier

__all__ = ["pictures_of"]

_CIFAR10: Final = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SETS: Final[Mapping[tuple[str, ...], str]] = {tuple("0123456789"): "digits", _CIFAR10: "cifar10"}


def pictures_of(classifier: Classifier, count: int, held_out: bool = False, seed: int = 0) -> tuple[Tensor, Tensor]:
    """At most `count` of the pictures that it learned from, or of those kept from it: (N, C, H, W) and (N,), chosen by the seed.

    Raises ValueError where it knows other classes than those of digits or CIFAR-10, `DownloadError` where CIFAR-10 is not here.
    """
    name = _SETS.get(tuple(each.lower() for each in classifier.categories))
    if name is None:
        raise ValueError(
            f"{classifier.name} knows {', '.join(classifier.categories[:3])} …, of which no labelled pictures are at hand; "
            "choose a network that was trained on digits or on CIFAR-10"
        )
    about = classifier.preprocessing
    chosen = replace(named_sets(name)[held_out], mean=about.mean, std=about.std).subset(count, seed)
    return chosen.normalised(chosen.images), chosen.labels
