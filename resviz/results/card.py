"""What goes with a training's weights and its recorded run: the JSON card that says where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

__all__ = ["Card", "Measured", "ScopeCard"]


class Measured(TypedDict):
    """Of the weights as they are written, in eval mode; errors in percent."""

    test_error: float
    test_loss: float
    train_error: float
    train_loss: float
    test_images: int


class ScopeCard(TypedDict):
    """A `Scope` as a card holds it."""

    score: str
    threshold: float
    caught: float
    false_alarms: float
    auroc: Mapping[str, float]
    inside: str
    outside: str


class Card(TypedDict):
    """`resize`, `arithmetic` and `scope` are missing where they were not noted or measured."""

    title: str
    spec: str  # as a link holds it
    data: str
    caveat: str
    categories: Sequence[str]
    image_size: int
    resize: NotRequired[int]
    mean: Sequence[float]
    std: Sequence[float]
    recipe: Mapping[str, object]
    seed: int
    epochs: int
    seconds: int
    measured: Measured
    train_error_measured: str
    precision: str
    arithmetic: NotRequired[Mapping[str, str]]
    machine: str
    versions: Mapping[str, str]
    command: str
    scope: NotRequired[ScopeCard]
