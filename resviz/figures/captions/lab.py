"""What happens while networks learn."""

from __future__ import annotations

import math

import numpy as np

from resviz.figures.captions.gradients import verdict
from resviz.figures.captions.numbers import percent, span
from resviz.figures.theme import number
from resviz.results import Finding, LabRecord, LabTrack
from resviz.spec.datasets import DATASETS, Dataset

__all__ = ["finding_note", "growth_note", "lab_note"]

_FITS = 0.8  # R² from which a line describes something
_APART = 0.05  # in R², from which one line describes it better than the other


def finding_note(finding: Finding) -> str:
    """One finding in a sentence that names the layers, and what to try."""
    where = span(finding.names)
    who = f"**{finding.label}**"
    if finding.kind == "diverged":
        first = f", first seen in {where}" if finding.names else ""
        return (
            f"{who} diverged: its loss is {number(finding.value)}{first}. Its update was withheld. "
            "Lower the learning rate, clip the gradient or take a norm, then reset."
        )
    if finding.kind == "dead":
        share = f"up to {percent(finding.value)} of the ReLU units"
        return f"{who} has dead units in {where}: {share} are zero for every image of the batch."
    assert finding.judged is not None  # every other kind is a judgement's
    said = f"{who}: the gradient {verdict(finding.judged)}"
    return f"{said}." if finding.kind in ("gone", "zero") else f"{said}. It concerns {where}."


def lab_note(record: LabRecord, at: int) -> str:
    """Who has learned what by a step, whatever happened; held-out images are looked at less often, so that says its own step."""
    row = _row(record.line_steps, at)
    looked = _row(record.held_out_steps, at)
    seen = int(record.held_out_steps[looked])
    when = "" if seen == at else f" in step {seen:,}"
    data = DATASETS[record.plan.data]
    parts = [
        f"**{track.label}**: {_moved(track, row)}, {_right(float(track.held_out[looked][1]), data)}{when}"
        for track in record.tracks
    ]
    return f"Step {at:,}. {'; '.join(parts)}."


def _right(share: float, data: Dataset) -> str:
    return f"IoU {share:.0f} % on held-out {data.things}" if data.pixels else f"{share:.0f} % of held-out {data.things} right"


def _moved(track: LabTrack, row: int) -> str:
    first, now = float(track.loss[0]), float(np.mean(track.loss[max(0, row - 9) : row + 1]))
    if not math.isfinite(now):
        return "loss is no number any more"
    change = "falls" if now < 0.9 * first else "rises" if now > 1.1 * first else "stands still"
    return f"loss {change}: {number(first)} → {number(now)}"


def _row(steps: np.ndarray, at: int) -> int:
    return max(0, int(np.searchsorted(steps, at, side="right")) - 1)


def growth_note(record: LabRecord, at: int) -> str:
    """Whether the variance grows linearly or exponentially with the block, where a line fits at all (De & Smith 2020)."""
    row = _row(record.signal_steps, at)
    parts = [f"**{track.label}** {_growth(np.asarray(track.signals['variance'][row], np.float64))}" for track in record.tracks]
    return f"Variance from the first to the last block: {'; '.join(parts)}."


def _growth(variance: np.ndarray) -> str:
    if len(variance) < 4 or not np.isfinite(variance).all() or (variance <= 0).any():
        return "has no variance that a line could be fitted to"
    change, span = variance[-1] / variance[0], variance.max() / variance.min()
    ends = f"{number(float(variance[0]))} → {number(float(variance[-1]))}"
    if 0.2 < change < 5 and span < 20:
        return f"stays within a factor of twenty, {ends}"
    linear, exponential = _fit(variance), _fit(np.log(variance))
    fits = f"R² {linear:.2f} by block, {exponential:.2f} for its logarithm"
    word = "grows" if change > 1 else "decays"
    if max(linear, exponential) < _FITS:
        return f"follows neither a line nor an exponential ({fits}), {ends}"
    if abs(linear - exponential) < _APART:
        return f"{word}, as well described by a line as by an exponential ({fits}), {ends}"
    return f"{word} {'exponentially' if exponential > linear else 'linearly'} ({fits}), {ends}"


def _fit(values: np.ndarray) -> float:
    """R² of the straight line through the values by block."""
    x = np.arange(len(values))
    rest = values - np.polyval(np.polyfit(x, values, 1), x)
    spread = float(((values - values.mean()) ** 2).sum())
    return 1 - float((rest**2).sum()) / spread if spread else 0.0
