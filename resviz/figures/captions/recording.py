"""What a recorded training of any network shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from resviz.figures.captions.gradients import verdict
from resviz.figures.captions.numbers import percent, span
from resviz.figures.theme import number
from resviz.judgement import FACTOR
from resviz.results import Broken, Finding, Recording

__all__ = ["nothing_wrong", "recording_findings", "recording_note"]

_UPDATE = (
    1e-5,
    0.1,
)  # of a weight's own size: less is rounded away after a few decimals of fp32, more leaves little of the weight


def recording_note(recording: Recording, at: int) -> str:
    """How the loss went up to a step, and in which layers weights move most and least."""
    parts = [f"{recording.unit.capitalize()} {at:,} of {recording.last:,}."]
    before = recording.losses[recording.loss_at <= at]
    if before.size:
        first, now = float(before[0]), float(np.mean(before[-10:]))
        room = 0.1 * abs(first)
        change = "falls" if now < first - room else "rises" if now > first + room else "stands still"
        parts.append(
            f"The loss {change}: {number(first)} → {number(now)}." if math.isfinite(now) else "The loss is no number any more."
        )
    if (updates := recording.tables.get("update")) is not None:
        values = updates.values[updates.row(at)]
        if np.isfinite(values).any():
            names = updates.names
            most, least = int(np.nanargmax(np.where(np.isfinite(values), values, np.nan))), int(np.nanargmin(values))
            up = f" to {number(values[most])} in `{names[most]}`" if values[most] > values[least] else ""
            parts.append(f"In one step weights move by {number(values[least])} of their size in `{names[least]}`{up}.")
    return " ".join(parts)


def recording_findings(recording: Recording, found: Sequence[Finding]) -> tuple[str, ...]:
    """What is wrong, in sentences: what was no number first, what is `found` around a step, and which layers never had a gradient."""
    said = [_broken(recording, broken) for broken in recording.broken]
    said += [_finding(finding) for finding in found if not (finding.kind == "diverged" and said)]
    return (*said, *_unused(recording))


def _broken(recording: Recording, broken: Broken) -> str:
    if broken.what == "loss":
        return f"**The loss is no finite number** for the first time in {recording.unit} {broken.step:,}."
    seen = recording.tables["gradient"].steps
    before = seen[seen < broken.step]
    fine = f"; in {recording.unit} {int(before[-1]):,}, which was looked at before, all were finite" if before.size else ""
    what = f"The gradient of `{broken.layer}`" if broken.what == "gradient" else f"What `{broken.layer}` returns"
    return f"**{what} is infinite or NaN**, first seen in {recording.unit} {broken.step:,}{fine}."


def _finding(finding: Finding) -> str:
    where = span(finding.names)
    if finding.kind == "diverged":
        return f"**Infinite or NaN**{f' in {where}' if finding.names else ''}: the loss is {number(finding.value)}."
    if finding.kind == "dead":
        return f"**Dead units**: up to {percent(finding.value)} of what {where} {'reads' if len(finding.names) == 1 else 'read'} is 0 for every example of the batch."
    assert finding.judged is not None  # every other kind is a judgement's
    said = f"The gradient {verdict(finding.judged)}"
    return f"{said}." if finding.kind in ("gone", "zero") else f"{said}. It concerns {where}."


def _unused(recording: Recording) -> Iterator[str]:
    table = recording.tables["gradient"]
    names = [name for name in table.names if name in table.empty]
    if names:
        yield f"{span(names)} never {'has' if len(names) == 1 else 'have'} a gradient: frozen, or no part of what the loss is computed from."


def nothing_wrong(judged: int) -> str:
    """What it means that nothing was found, where so many layers are compared with each other."""
    if judged < 2:
        return "There are no two layers whose gradients can be compared; everything is a finite number."
    return f"Every judged gradient is within a factor of {FACTOR:g} of the last one's, and everything is a finite number."
