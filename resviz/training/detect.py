"""What is going wrong in a lab, layer by layer: gradients that vanish, explode or are gone, ReLUs that died, numbers that are none."""

from __future__ import annotations

import numpy as np

from resviz.judgement import judge
from resviz.results import Finding, GradientProfile, Judgement, LabRecord, LabTrack
from resviz.spec.dense import DenseSpec
from resviz.spec.families import Network

__all__ = ["JUDGED", "findings"]

_DEAD = 0.5  # of a block's ReLU units
JUDGED = 5  # the median of so many steps is judged, so that one odd batch says nothing
_ORDER = ("diverged", "zero", "gone", "explodes", "vanishes", "uneven", "dead")


def findings(record: LabRecord, at: int) -> tuple[Finding, ...]:
    """What is wrong around a step, the worst first; empty where nothing is."""
    look = _row(record.signal_steps, at)
    found = []
    for track, spec in zip(record.tracks, record.plan.specs_at(at), strict=True):
        judged = _judged(record, track, spec, at)
        if judged.kind == "overflow":
            found.append(Finding("diverged", track.label, judged.odd, judged.loss))
            continue
        if judged.kind in _ORDER:
            extreme = judged.largest if judged.kind == "explodes" else judged.smallest
            found.append(Finding(judged.kind, track.label, judged.odd, extreme[1], judged))
        dead = np.nan_to_num(track.signals["dead"][look])
        if isinstance(spec, DenseSpec):  # whose zeros are not for want of a signal
            dead = np.where([spec.reads_zeros(name) for name in track.blocks], 0, dead)
        if names := tuple(name for name, share in zip(track.blocks, dead, strict=True) if share >= _DEAD):
            found.append(Finding("dead", track.label, names, float(dead.max())))
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.kind)))


def _judged(record: LabRecord, track: LabTrack, spec: Network, at: int) -> Judgement:
    """The median of the last steps, or the step itself where that one is no number."""
    row = _row(record.steps, at)
    recent = np.asarray(track.gradients[max(0, row - JUDGED + 1) : row + 1], np.float64)
    norms = np.median(recent, 0) if np.isfinite(recent[-1]).all() else recent[-1]
    return judge(GradientProfile(track.layers, norms, float(track.loss[_row(record.line_steps, at)])), spec)


def _row(steps: np.ndarray, at: int) -> int:
    return max(0, int(np.searchsorted(steps, at, side="right")) - 1)
