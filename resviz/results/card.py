"""What goes with a training's weights and its recorded run: the JSON card that says where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

__all__ = ["AnswersCard", "CalibrationCard", "Card", "Measured", "ReadoutsCard", "ScopeCard"]


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
    certain: NotRequired[
        tuple[float, float]
    ]  # the share of the others answered with 80 % and more: as the logits say, and calibrated


class CalibrationCard(TypedDict):
    """By what the logits are divided before the softmax, and the expected calibration error without and with it, from 0 to 1."""

    temperature: float
    error_before: float
    error_after: float
    bins: int
    measured: str


class AnswersCard(TypedDict):
    """On the held-out pictures, in percent; a confusion is the true class, the one it is taken for, and how many of its pictures."""

    top5_error: float
    class_errors: Mapping[str, float]
    confusions: Sequence[tuple[str, str, float]]


class ReadoutsCard(TypedDict):
    """The error in percent of a linear read-out behind each of these units, on held-out pictures, and on how many it was fitted."""

    errors: Mapping[str, float]
    fitted: int


class Card(TypedDict):
    """`resize`, `arithmetic`, `scope`, `calibration`, `answers` and `readouts` are missing where they were not noted or measured."""

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
    calibration: NotRequired[CalibrationCard]
    answers: NotRequired[AnswersCard]
    readouts: NotRequired[ReadoutsCard]
