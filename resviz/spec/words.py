"""Every choice as the field writes it: the one table behind descriptions, widgets and diagrams."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

__all__ = ["counted_names", "word"]

_WORDS: Final[Mapping[str, str]] = {
    "batch": "BN",
    "group": "GN",
    "batch norm": "BN",
    "group norm": "GN",
    "kaiming": "Kaiming",
    "xavier": "Xavier",
    "pytorch": "PyTorch default",
    "zero-gamma": "Kaiming, zero-γ",
    "fixup": "Fixup",
    "identity": "x",
    "half": "½x + ½F",
    "half-skip": "½x + F",
    "exclusive": "(1−g)x + gF",
    "gated": "(1−g)x + F",
    "dropout": "x with dropout ½",
    "one": "1",
    "depth": "1/√blocks",
    "learned": "α from 0",
    "x2": "x²",
    "y2": "y²",
    "sinx": "sin x",
    "siny": "sin y",
    "relu": "ReLU",
    "gelu": "GELU",
    "cifar": "3×3",
    "imagenet": "7×7 + pool",
    "deep": "three 3×3 + pool",
    "preact-basic": "pre-activation basic",
    "preact-bottleneck": "pre-activation bottleneck",
    "norm-after-basic": "basic, BN after the addition",
    "norm-after-bottleneck": "bottleneck, BN after the addition",
    "relu-before-basic": "basic, ReLU before the addition",
    "relu-before-bottleneck": "bottleneck, ReLU before the addition",
    "relu-only-basic": "basic, ReLU-only pre-activation",
    "relu-only-bottleneck": "bottleneck, ReLU-only pre-activation",
    "rep": "RepVGG",
    "resnet": "ResNet",
    "densenet": "DenseNet",
    "transformer": "Transformer",
    "plane": "MLP on points",
    "unet": "U-Net",
    "original": "ReLU after the addition",
    "norm-after": "BN and ReLU after it",
    "relu-before": "ReLU before it",
    "relu-only": "ReLU-only pre-activation",
    "preact": "full pre-activation",
    "pre": "before",
    "post": "after the addition",
    "both": "both",
    "mlp": "MLP",
    "layer norm": "LN",
}
# where nothing beside them says what they are of
_ALONE: Final[Mapping[str, str]] = {
    "none": "no norm",
    "pytorch": "PyTorch init",
    "depth": "F/√blocks",
    "learned": "αF, α from 0",
    "pre": "pre-norm",
    "post": "post-norm",
}


def word(value: str, alone: bool = False) -> str:
    """A spec's value, or a layer's kind; `alone` where no label stands beside it."""
    return _ALONE.get(value, _WORDS.get(value, value)) if alone else _WORDS.get(value, value)


def counted_names(names: Collection[object], one: str, many: str, what: str) -> str:
    """`1 skip cut`, `3 skips cut`; nothing where there is none."""
    return f"{len(names)} {one if len(names) == 1 else many} {what}" if names else ""
