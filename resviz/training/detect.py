"""What is going wrong in a lab, layer by layer: gradients that vanish, explode or are gone, ReLUs that died, numbers that are none."""

from __future__ import annotations

import numpy as np

from resviz.judgement import judge, judge_layers
from resviz.results import Finding, GradientProfile, Judgement, LabRecord, LabTrack, Recording
from resviz.spec.dense import DenseSpec
from resviz.spec.families import Network

__all__ = ["JUDGED", "findings", "recorded_findings"]

_DEAD = 0.5  # of a block's ReLU units
JUDGED = 5  # the median of so many steps is judged, so that one odd batch says nothing
_ORDER = ("diverged", "zero", "gone", "explodes", "vanishes", "uneven", "dead")


def findings(record: LabRecord, at: int) -> tuple[Finding, ...]:
    """What is wrong around a step, the worst first; empty where nothing is."""
    look = _row(record.signal_steps, at)
    found = []
    for track, spec in zip(record.tracks, record.plan.specs_at(at), strict=True):
        judged = _judged(record, track, spec, at)
        dead = np.nan_to_num(track.signals["dead"][look])
        if isinstance(spec, DenseSpec):  # whose zeros are not for want of a signal
            dead = np.where([spec.reads_zeros(name) for name in track.blocks], 0, dead)
        found += _found(track.label, judged, track.blocks, dead)
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.kind)))


def recorded_findings(recording: Recording, at: int) -> tuple[Finding, ...]:
    """The same of a training that was recorded elsewhere, around a step or after an epoch."""
    table = recording.tables["gradient"].only(recording.judged)
    row = table.row(at)
    recent = table.values[max(0, row - JUDGED + 1 if recording.unit == "step" else row) : row + 1]
    there = ~np.isnan(recent[-1])  # a layer without a gradient has nothing to be judged by
    if not there.any():
        return ()
    recent = np.nan_to_num(recent[:, there], nan=0.0, posinf=np.inf)
    norms = np.median(recent, 0) if np.isfinite(recent[-1]).all() else recent[-1]
    loss = recording.loss(at) if recording.losses.size else 0.0  # nobody said what it was
    profile = GradientProfile(tuple(np.array(table.names)[there].tolist()), norms, loss)
    judged = judge(profile, recording.spec) if recording.spec else judge_layers(profile, recording.guess)
    blocks: tuple[str, ...] = ()
    dead = np.zeros(0)
    if (units := recording.tables.get("dead")) is not None:
        blocks, dead = units.names, np.nan_to_num(units.values[units.row(at)], posinf=0.0)
    return tuple(sorted(_found(recording.title, judged, blocks, dead), key=lambda finding: _ORDER.index(finding.kind)))


def _found(label: str, judged: Judgement, blocks: tuple[str, ...], dead: np.ndarray) -> list[Finding]:
    """What one network's gradient and the shares of dead units of its blocks come to."""
    if judged.kind == "overflow":
        return [Finding("diverged", label, judged.odd, judged.loss)]
    found = []
    if judged.kind in _ORDER:
        extreme = judged.largest if judged.kind == "explodes" else judged.smallest
        found.append(Finding(judged.kind, label, judged.odd, extreme[1], judged))
    if names := tuple(name for name, share in zip(blocks, dead, strict=True) if share >= _DEAD):
        found.append(Finding("dead", label, names, float(dead.max())))
    return found


def _judged(record: LabRecord, track: LabTrack, spec: Network, at: int) -> Judgement:
    """The median of the last steps, or the step itself where that one is no number."""
    row = _row(record.steps, at)
    recent = np.asarray(track.gradients[max(0, row - JUDGED + 1) : row + 1], np.float64)
    norms = np.median(recent, 0) if np.isfinite(recent[-1]).all() else recent[-1]
    return judge(GradientProfile(track.layers, norms, float(track.loss[_row(record.line_steps, at)])), spec)


def _row(steps: np.ndarray, at: int) -> int:
    return max(0, int(np.searchsorted(steps, at, side="right")) - 1)
