"""What the lab records: lines over time, layers and blocks at one step, waterfalls of step × layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from resviz.figures.axes import edge_marks, log_axis, log_range, log_ticks, logs, odd_symbols, stage_axis
from resviz.figures.chart import Axis, Chart, Heat, Markers, Note, Rule, Series
from resviz.figures.theme import CONTROL, CUT, INK, SIGNAL, LineStyle, contender_styles, number
from resviz.results import LabRecord, LabTrack
from resviz.spec.datasets import DATASETS
from resviz.spec.lab import Edit
from resviz.spec.unet import LONG

__all__ = [
    "block_lines",
    "gradient_decades",
    "heat",
    "layer_lines",
    "line_over_time",
    "points",
    "propagation",
    "row_at",
    "smoothed",
    "trail",
    "waterfall",
]

_TRAIL: Final = ((1, 0.4), (3, 0.25), (7, 0.15), (15, 0.08))  # rows back, opacity
_FLOOR = -12  # decades below which a waterfall has one colour
_BLOCKS = "block, input → output"


def row_at(steps: np.ndarray, at: int) -> int:
    """The last row recorded at or before a step."""
    return max(0, int(np.searchsorted(steps, at, side="right")) - 1)


def gradient_decades(record: LabRecord) -> tuple[int, int]:
    """Decades that hold every gradient norm so far: the profile and the waterfalls share them."""
    return log_range(np.concatenate([track.gradients.ravel() for track in record.tracks]), -6, 3)


def points(names: Sequence[str], values: np.ndarray) -> tuple[tuple[str, str], ...]:
    """Each name with its value as a reader sees it."""
    return tuple(zip(names, map(number, values.tolist()), strict=True))


def _horizon(step: int, whole: int) -> int:
    """Where a time axis ends: it grows in leaps, so that lines don't creep."""
    end = 100
    while end < step:
        end = end * 2 if str(end)[0] in "15" else end * 5 // 2
    return min(end, whole) if whole > step else end


def _time_axis(record: LabRecord) -> Axis:
    return Axis("step", (0, _horizon(record.step, record.plan.steps)), meaning="steps")


def _changes(record: LabRecord, at: int | None, contender: int | None = None) -> tuple[tuple[Rule, ...], tuple[Note, ...]]:
    """What was changed when, by all or one contender, and the step that is looked at."""
    edits = [
        edit
        for edit in record.plan.edits
        if edit.step <= record.step + 1 and (contender is None or not edit.block or edit.contender == contender)
    ]
    rules = tuple(Rule(CUT, x=edit.step, dotted=True) for edit in edits)
    notes = tuple(Note(_short(edit), x=edit.step, hint=f"step {edit.step}: {_in_words(edit, record)}") for edit in edits)
    return rules if at is None else (*rules, Rule(CONTROL, x=at, width=2)), notes


def _short(edit: Edit) -> str:
    return {"cut": "✂", "restore": "↺", "lr": f"lr {edit.value:g}", "clip": f"clip {edit.value:g}"}[edit.what]


def _in_words(edit: Edit, record: LabRecord) -> str:
    if edit.what in ("cut", "restore"):
        done = "cut" if edit.what == "cut" else "restored"
        return f"skip of {edit.block} {done} in {record.tracks[edit.contender].label}"
    return (
        f"learning rate {edit.value:g}" if edit.what == "lr" else f"clipping at {edit.value:g}" if edit.value else "no clipping"
    )


def line_over_time(record: LabRecord, quantity: str, at: int | None = None) -> Chart:
    """ "loss" or "accuracy", which of pixels is IoU, of every contender: each batch smoothed (lines), held-out images (dotted)."""
    loss = quantity == "loss"
    top = 1.6 * float(np.log(record.classes)) if loss else 100.0
    title = "loss, mean of about 10 steps" if loss else f"{DATASETS[record.plan.data].measure}, %, mean of about 10 steps"
    tracks = zip(record.tracks, contender_styles(record.tracks), strict=True)
    lines = tuple(line for track, style in tracks for line in _batch_and_held_out(record, track, style, loss, top))
    rules, notes = _changes(record, at)
    return Chart(300, _time_axis(record), Axis(title, (0, top)), lines, rules=rules, notes=notes)


def _batch_and_held_out(record: LabRecord, track: LabTrack, style: LineStyle, loss: bool, top: float) -> tuple[Series, Series]:
    batch = smoothed(np.asarray(track.loss if loss else track.accuracy, np.float64))
    held_out = np.asarray(track.held_out[:, 0 if loss else 1], np.float64)
    return (
        Series(
            track.label,
            record.line_steps,
            np.clip(batch, 0, top),
            style,
            points([f"step {step}" for step in record.line_steps.tolist()], batch),
        ),
        Series(
            f"{track.label}, held out",
            record.held_out_steps,
            np.clip(held_out, 0, top),
            style._replace(dash="dot"),
            points([f"step {step}" for step in record.held_out_steps.tolist()], held_out),
            Markers(style.symbol, 7),
            width=1.2,
            opacity=0.75,
        ),
    )


def smoothed(values: np.ndarray, window: int = 10) -> np.ndarray:
    """Mean of the last rows; a row that is not finite stays a gap."""
    finite = np.isfinite(values)
    sums, counts = np.cumsum(np.where(finite, values, 0.0)), np.cumsum(finite)
    sums[window:], counts[window:] = sums[window:] - sums[:-window], counts[window:] - counts[:-window]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(finite, sums / counts, np.nan)


def layer_lines(
    record: LabRecord, quantity: str, at: int, decades: tuple[int, int] | None = None, selected: str | None = None
) -> Chart:
    """ "gradients" or "updates" of every layer at one step, the steps before it as a fading trail."""
    row = row_at(record.steps, at)
    values = [np.asarray(getattr(track, quantity), np.float64) for track in record.tracks]
    decades = decades or log_range(np.concatenate([v.ravel() for v in values]), -6, 0)
    names = max(record.tracks, key=lambda track: len(track.layers)).layers
    index = {name: i for i, name in enumerate(names)}
    tracks = zip(record.tracks, values, contender_styles(record.tracks), strict=True)
    lines = [line for track, rows, style in tracks for line in _with_trail(track, rows[: row + 1], style, index, decades)]
    rules, notes = edge_marks(np.concatenate([rows[row] for rows in values]), decades)
    if selected in index:
        rules += (Rule(CONTROL, x=index[selected]),)
    title = "weight gradient, L2 norm" if quantity == "gradients" else "update / weight, ‖Δw‖/‖w‖"
    return Chart(300, stage_axis(names, meaning="layers"), log_axis(decades, title), tuple(lines), rules=rules, notes=notes)


def _with_trail(
    track: LabTrack, rows: np.ndarray, style: LineStyle, index: dict[str, int], decades: tuple[int, int]
) -> list[Series]:
    """The last of the rows (rows, layers) and some before it, the faintest first."""
    x = [index.get(name, len(index) - 1) for name in track.layers]
    now = rows[-1]
    markers = Markers(odd_symbols(now, style.symbol))
    line = Series(track.label, x, logs(now, decades), style, points(track.layers, now), markers)
    return [*trail(track.label, x, rows, style.colour, decades), line]


def trail(label: str, x: Sequence[int], rows: np.ndarray, colour: str, decades: tuple[int, int]) -> list[Series]:
    """Some of the rows before the last, the faintest first."""
    return [
        Series(
            f"{label}, {back} rows before",
            x,
            logs(rows[-1 - back], decades),
            LineStyle(colour),
            width=1.5,
            opacity=opacity,
            legend=False,
        )
        for back, opacity in reversed(_TRAIL)
        if back < len(rows)
    ]


def waterfall(record: LabRecord, contender: int, decades: tuple[int, int], at: int | None = None) -> Chart:
    """Gradient norm of every layer at every recorded step; an exact zero lies below the scale, an overflow is missing."""
    track = record.tracks[contender]
    y = replace(stage_axis(track.layers, title=""), range=(-0.5, len(track.layers) - 0.5))
    rules, notes = _changes(record, at, contender)
    cells = heat(track.label, track.layers, record.steps, np.asarray(track.gradients, np.float64), decades)
    return Chart(260, _time_axis(record), y, heat=cells, rules=rules, notes=notes)


def heat(label: str, names: tuple[str, ...], steps: np.ndarray, norms: np.ndarray, decades: tuple[int, int]) -> Heat:
    """Norms (steps, names) by their powers of ten: an exact zero lies below the scale, an overflow is missing."""
    low, high = max(_FLOOR, decades[0]), decades[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.clip(np.log10(norms), low, high)
    z = np.where(norms == 0, low - 1.0, np.where(np.isfinite(norms), z, np.nan)).T  # (names, steps)
    return Heat(label, names, steps, z, low=low, high=high, ticks=log_ticks((low, high), 5, _FLOOR))


_BLOCK_TITLES: Final = {
    "std": "activation, standard deviation",
    "variance": "channel variance",
    "dead": "dead ReLU units, %",
}


def block_lines(record: LabRecord, quantity: str, at: int) -> Chart:
    """ "std", "variance" (log axes) or "dead" (percent) after every block, all contenders."""
    row, share = row_at(record.signal_steps, at), quantity == "dead"
    decades = log_range(np.concatenate([track.signals[quantity].ravel() for track in record.tracks]), -2, 1)
    lines = []
    for track, style in zip(record.tracks, contender_styles(record.tracks), strict=True):
        now = np.asarray(track.signals[quantity][row], np.float64) * (100 if share else 1)
        lines.append(_over_blocks(track, track.label, now, now if share else logs(now, decades), style))
    title = _BLOCK_TITLES[quantity]
    y = Axis(title, (-2, 102)) if share else log_axis(decades, title)
    return Chart(280, Axis(_BLOCKS, meaning="blocks"), y, tuple(lines))


def _over_blocks(track: LabTrack, name: str, values: np.ndarray, y: np.ndarray, style: LineStyle) -> Series:
    """A point for each block that has the quantity somewhere: a long skip has no units that could die."""
    some = [i for i, each in enumerate(track.blocks) if not (each.endswith(f".{LONG}") and np.isnan(values[i]))]
    named = points([track.blocks[i] for i in some], values[some])
    return Series(name, [i + 1 for i in some], y[some], style, named, Markers(style.symbol, 5))


_PROPAGATION: Final = {  # Brock et al. 2021, arXiv 2101.08692, figure 1
    "mean_square": ("mean of squared channel means", LineStyle(INK, "dot", "square")),
    "variance": ("mean channel variance", LineStyle(INK)),
    "branch_variance": ("residual branch's channel variance", LineStyle(SIGNAL, "dash", "triangle-up-open")),
}


def propagation(record: LabRecord, contender: int, at: int) -> Chart:
    """The signal propagation plot of one contender."""
    track, row = record.tracks[contender], row_at(record.signal_steps, at)
    decades = log_range(np.concatenate([track.signals[name][row] for name in _PROPAGATION]), -3, 1)
    lines = []
    for name, (title, style) in _PROPAGATION.items():
        now = np.asarray(track.signals[name][row], np.float64)
        lines.append(_over_blocks(track, title, now, np.where(np.isnan(now), np.nan, logs(now, decades)), style))
    return Chart(280, Axis(_BLOCKS, meaning="propagation"), log_axis(decades, "at the block's end"), tuple(lines))
