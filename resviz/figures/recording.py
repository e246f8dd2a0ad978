"""A recorded training of any network: its loss, every layer at one step, and waterfalls of step × layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from resviz.figures.axes import edge_marks, log_axis, log_range, logs, odd_symbols, stage_axis
from resviz.figures.chart import Axis, Chart, Markers, Rule, Series
from resviz.figures.lab import heat, points, smoothed, trail
from resviz.figures.theme import CONTROL, INK, WARNING, LineStyle
from resviz.results import Quantity, Recording, Table

__all__ = ["loss_line", "parts_axis", "recorded_layers", "recorded_waterfall"]

_STYLE: Final = LineStyle(INK)
_TITLES: Final[dict[Quantity, str]] = {
    "gradient": "gradient, L2 norm",
    "update": "update / weight, ‖Δw‖/‖w‖",
    "std": "activation, standard deviation",
    "dead": "dead units, %",
}
_DECADES: Final[dict[Quantity, tuple[int, int]]] = {"gradient": (-3, 1), "update": (-6, 0), "std": (-2, 1), "dead": (0, 2)}
_POINTS: Final = 1000  # at most so many of a line are drawn
_APART: Final = 0.08  # of the axis: what is nearer would be written over the next one
_WORDS: Final = 8  # at most so many stand on an axis of layers


def parts_axis(names: Sequence[str], known: bool, title: str = "layer, input → output") -> Axis:
    """One place a layer, and a word where a part begins: a stage of networks that are `known`, else what its name begins with."""
    if known:
        return stage_axis(names, title, meaning="layers")
    for depth in range(1, 5):
        starts: dict[str, int] = {}
        for i, name in enumerate(names):
            starts.setdefault(".".join(name.split(".")[:depth]), i)
        if len(starts) >= 3:
            break
    every = -(-len(starts) // _WORDS)
    words: list[tuple[float, str]] = []
    for word, place in reversed(list(starts.items())[::every]):
        if not words or words[0][0] - place >= _APART * len(names):
            words.insert(0, (place, word if len(word) <= 12 else f"…{word[-11:]}"))
    return Axis(title, (-1, len(names)), tuple(words), meaning="layers")


def _time_axis(recording: Recording) -> Axis:
    """As far as the last row of a waterfall lasts, which is as long as the one before."""
    last = recording.places[-2:]
    return Axis(recording.unit, (0, last[-1] + (last[-1] - last[0] or 1)), meaning=f"{recording.title} {recording.last}")


def loss_line(recording: Recording, at: int | None = None) -> Chart:
    """The loss, smoothed over some steps where there are many, with what is looked at and where it first was no number."""
    window = max(1, min(len(recording.losses) // 5, max(10, len(recording.losses) // 200)))
    every = -(-len(recording.losses) // _POINTS)
    losses, places = smoothed(recording.losses, window)[::every], recording.loss_at[::every]
    finite = losses[np.isfinite(losses)]
    low, high = np.quantile(finite, (0.01, 0.99)).tolist() if finite.size else (0.0, 1.0)
    low, high = min(0.0, 1.1 * low), max(1.1 * high, 0.9 * high, 1e-6)
    where = [f"{recording.unit} {at:g}" for at in np.round(places, 2).tolist()]
    line = Series("loss", places, np.clip(losses, low, high), _STYLE, points(where, losses))
    rules = tuple(Rule(WARNING, x=broken.step, dotted=True) for broken in recording.broken)
    title = f"loss, mean of about {window} steps" if window > 1 else "loss"
    looked = () if at is None else (Rule(CONTROL, x=at, width=2),)
    return Chart(300, _time_axis(recording), Axis(title, (low, high)), (line,), rules=(*rules, *looked))


def recorded_layers(recording: Recording, quantity: Quantity, at: int, table: Table, selected: str | None = None) -> Chart:
    """One quantity of every layer at one step, the ones before it as a fading trail; `table` holds the layers to draw."""
    row = table.row(at)
    now, place = table.values[row], list(range(len(table.names)))
    x = parts_axis(table.names, recording.spec is not None, "layer, input → output")
    rules: tuple[Rule, ...] = (Rule(CONTROL, x=table.names.index(selected)),) if selected in table.names else ()
    if quantity == "dead":
        share = np.where(np.isfinite(now), 100 * now, np.nan)
        line = Series("dead", place, share, _STYLE, points(table.names, share), Markers(size=5))
        return Chart(280, x, Axis(_TITLES[quantity], (-2, 102)), (line,), rules=rules)
    decades = log_range(table.values.ravel(), *_DECADES[quantity])
    rows = table.values[: row + 1]
    name = {"gradient": "gradient", "update": "update", "std": "activation"}[quantity]
    line = Series(name, place, _drawn(now, decades), _STYLE, points(table.names, now), Markers(odd_symbols(now, _STYLE.symbol)))
    pale = [
        replace(each, y=np.where(np.isnan(before), np.nan, np.asarray(each.y)))
        for each, before in _trail(name, place, rows, decades)
    ]
    marks, notes = edge_marks(now[~np.isnan(now)], decades)
    return Chart(300, x, log_axis(decades, _TITLES[quantity]), (*pale, line), rules=(*rules, *marks), notes=notes)


def _trail(name: str, place: Sequence[int], rows: np.ndarray, decades: tuple[int, int]) -> list[tuple[Series, np.ndarray]]:
    """Each pale line with the row that it shows."""
    lines = trail(name, place, rows, INK, decades)
    backs = [int(line.name.split(", ")[1].split()[0]) for line in lines]
    return [(line, rows[-1 - back]) for line, back in zip(lines, backs, strict=True)]


def _drawn(values: np.ndarray, decades: tuple[int, int]) -> np.ndarray:
    """By powers of ten; what was not there is a gap."""
    return np.where(np.isnan(values), np.nan, logs(values, decades))


def recorded_waterfall(recording: Recording, table: Table, at: int | None = None) -> Chart:
    """The gradient of every layer of the `table` at every step that was looked at; a layer that got none there counts as 0."""
    shown = table.only(frozenset(table.names) - table.empty)
    names, norms = shown.names, np.nan_to_num(shown.values, nan=0.0, posinf=np.inf)
    decades = log_range(norms.ravel(), *_DECADES["gradient"])
    y = replace(parts_axis(names, recording.spec is not None, ""), range=(-0.5, len(names) - 0.5))
    rules = () if at is None else (Rule(CONTROL, x=at, width=2),)
    return Chart(260, _time_axis(recording), y, heat=heat(recording.title, names, table.steps, norms, decades), rules=rules)
