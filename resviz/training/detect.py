"""What is going wrong in a lab, layer by layer: gradients that vanish or explode, ReLUs that died, numbers that are none."""

from __future__ import annotations

import numpy as np

from resviz.results import Finding, LabRecord

__all__ = ["EXPLODING", "VANISHING", "findings"]

VANISHING, EXPLODING = 1e-3, 1e3  # of the last layer's gradient
_DEAD = 0.5  # of a block's ReLU units
_ROWS = 5  # the median of so many steps is judged, so that one odd batch says nothing


def findings(record: LabRecord, at: int) -> tuple[Finding, ...]:
    """What is wrong around a step, the worst first; empty where nothing is."""
    row = max(0, int(np.searchsorted(record.steps, at, side="right")) - 1)
    look = max(0, int(np.searchsorted(record.signal_steps, at, side="right")) - 1)
    found = []
    for track in record.tracks:
        recent = np.asarray(track.gradients[max(0, row - _ROWS + 1) : row + 1], np.float64)
        loss = track.loss[max(0, int(np.searchsorted(record.line_steps, at, side="right")) - 1)]
        bad = ~np.isfinite(recent[-1])
        if bad.any() or not np.isfinite(loss):
            found.append(Finding("diverged", track.label, _named(track.layers, bad), float(loss)))
            continue
        norms = np.median(recent, 0)
        last = norms[-1]
        low, high = norms < VANISHING * last, norms > EXPLODING * last
        if last > 0 and low.any():
            found.append(Finding("vanishing", track.label, _named(track.layers, low), float(norms.min() / last)))
        if last > 0 and high.any():
            found.append(Finding("exploding", track.label, _named(track.layers, high), float(norms.max() / last)))
        dead = np.nan_to_num(track.signals["dead"][look])
        if (dead >= _DEAD).any():
            found.append(Finding("dead", track.label, _named(track.blocks, dead >= _DEAD), float(dead.max())))
    order = ("diverged", "exploding", "vanishing", "dead")
    return tuple(sorted(found, key=lambda finding: order.index(finding.kind)))


def _named(names: tuple[str, ...], which: np.ndarray) -> tuple[str, ...]:
    return tuple(name for name, there in zip(names, which, strict=True) if there)
