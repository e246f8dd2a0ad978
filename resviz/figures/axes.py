"""Axes that several charts share: powers of ten with room for zero and overflow, and layers by stage."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from resviz.figures.chart import Axis, Note, Rule
from resviz.figures.theme import WARNING, power_of_ten

__all__ = ["edge_marks", "log_axis", "log_range", "log_ticks", "logs", "odd_symbols", "stage_axis"]

_ENCODER = "encoder.layers.encoder_layer_"
_BEYOND = 0.45  # decades from the axis' last power of ten to where zero or overflow is drawn


def log_range(values: Sequence[float] | np.ndarray, low: int = -6, high: int = 3) -> tuple[int, int]:
    """Decades that hold every finite value above zero, widened in threes so that toggles keep the axis still."""
    every = np.asarray(values, np.float64)
    finite = every[np.isfinite(every) & (every > 0)]
    if finite.size:
        low = min(low, 3 * math.floor(math.log10(finite.min()) / 3))
        high = max(high, 3 * math.ceil(math.log10(finite.max()) / 3))
    return low, high


def log_axis(decades: tuple[int, int], title: str = "") -> Axis:
    """An axis that shows log10 of what it means, with room for zero below and overflow above."""
    low, high = decades
    step = max(1, round((high - low) / 7))
    return Axis(title, (low - 0.6, high + 0.6), tuple((tick, power_of_ten(tick)) for tick in range(low, high + 1, step)))


def log_ticks(decades: tuple[int, int], count: int, floor: int) -> tuple[tuple[int, str], ...]:
    """About `count` steps of a colour bar; on the `floor` lies everything below it too."""
    low, high = decades
    ticks = range(low, high + 1, max(1, round((high - low) / count)))
    return tuple((tick, ("≤ " if tick == low == floor else "") + power_of_ten(tick)) for tick in ticks)


def logs(values: np.ndarray, decades: tuple[int, int]) -> np.ndarray:
    """log10, with zeros drawn on the floor and overflow on the ceiling of the axis."""
    low, high = decades
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log10(values)
    found = np.where(values == 0, low - _BEYOND, found)
    return np.where(np.isfinite(values), found, high + _BEYOND)


def odd_symbols(values: np.ndarray, usual: str) -> tuple[str, ...]:
    """A point's symbol: a cross where it is exactly 0, a triangle where it overflows."""
    marked = np.where(values == 0, "x-thin-open", np.where(np.isfinite(values), usual, "triangle-up-open"))
    return tuple(marked.tolist())


def edge_marks(norms: np.ndarray, decades: tuple[int, int]) -> tuple[tuple[Rule, ...], tuple[Note, ...]]:
    """What says what the floor and the ceiling mean, wherever one of the norms is drawn on them."""
    edges = [
        (y, text)
        for present, y, text in (
            ((norms == 0).any(), decades[0] - _BEYOND, "exactly 0"),
            ((~np.isfinite(norms)).any(), decades[1] + _BEYOND, "overflow (∞ or NaN)"),
        )
        if present
    ]
    rules = tuple(Rule(WARNING, y=y, width=1, dotted=True) for y, _ in edges)
    return rules, tuple(Note(text, y=y) for y, text in edges)


def stage_axis(names: Sequence[str], title: str = "layer, input → output", meaning: str = "", level: bool = False) -> Axis:
    """One place for each layer, a word where a stage begins, so that words never overlap."""
    starts: dict[str, int] = {}
    for i, name in enumerate(names):
        starts.setdefault(name.removeprefix("features.").removeprefix(_ENCODER).split(".")[0], i)
    if "layer1" in starts or "denseblock1" in starts:
        beside = [word for word in starts if word in ("conv1", "conv0") or word.startswith("transition")]
        for word in beside:  # they stand side by side
            starts.pop(word)
    if "0" in starts:  # a Transformer's layers, by their numbers
        layers = [word for word in starts if word.isdecimal()]
        every = -(-len(layers) // 12)
        for word in ["conv_proj", "embedding", "heads", *(word for word in layers if int(word) % every)]:
            starts.pop(word, None)
    return Axis(title, (-1, len(names)), tuple((place, stage) for stage, place in starts.items()), meaning, level)
