"""What a U-Net's long skips do to what lies below them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from resviz.figures.theme import number
from resviz.results import LabRecord, LabTrack
from resviz.spec.choices import Span
from resviz.spec.unet import UNetSpec

__all__ = ["long_skips_note", "middle_update"]

_AS_MUCH = 1.25  # times: less is no difference


def middle_update(track: LabTrack) -> float:
    """‖Δw‖/‖w‖ of the weights at a U-Net's bottom, the median over its layers and the recorded steps."""
    middle = [i for i, name in enumerate(track.layers) if name.startswith("middle.")]
    return float(np.median(np.asarray(track.updates, np.float64)[:, middle]))


def long_skips_note(record: LabRecord) -> str:
    """How far the middle's weights move with the long skips and without, for each two contenders that differ in them alone, and their IoU."""
    parts = []
    for one, other, short in _pairs(record):
        kept, gone = middle_update(one), middle_update(other)
        marked = " and ".join(f"{track.held_out[-1][1]:.0f} %" for track in (one, other))
        parts.append(
            f"{'With' if short else 'Without'} short skips the middle's weights move {number(kept)} of their size a step where there are long skips, and "
            f"{number(gone)} where there are none: {_fall(kept, gone)}. IoU is {marked}."
        )
    return " ".join(parts)


def _fall(kept: float, gone: float) -> str:
    if not (np.isfinite(kept) and np.isfinite(gone)):
        return "one of them is no number"
    if kept == 0:
        return "they stand still in either" if gone == 0 else "they do not fall, they begin to move"
    if gone == 0:
        return "they stand still once the long skips go"
    if max(kept, gone) < _AS_MUCH * min(kept, gone):
        return "no difference to speak of"
    return (
        f"they **fall {number(kept / gone)} times**"
        if gone < kept
        else f"they do not fall, they **grow {number(gone / kept)} times**"
    )


def _pairs(record: LabRecord) -> Iterator[tuple[LabTrack, LabTrack, bool]]:
    """A contender with long skips, the same without, and whether both have the short ones; nothing that is cut by itself."""
    found: dict[UNetSpec, LabTrack] = {}
    for spec, track in zip(record.plan.contenders, record.tracks, strict=True):
        if isinstance(spec, UNetSpec) and spec not in found:
            found[spec] = track
    for spec, track in found.items():
        if not spec.residual or spec.span is Span.SHORT or spec.cut or spec.dropped:
            continue
        short = spec.span is Span.BOTH
        other = next((each for each in found if _but_for_long(spec) == _kinds(each)), None)
        if other is not None:
            yield track, found[other], short


def _kinds(spec: UNetSpec) -> tuple[object, ...]:
    """All that a U-Net is, with whether it has long skips and short ones."""
    kinds = [spec.residual and not spec.cut and spec.span in (Span.BOTH, kind) for kind in (Span.LONG, Span.SHORT)]
    return spec.blocks, spec.width, spec.norm, spec.activation, spec.init, spec.seed, *kinds


def _but_for_long(spec: UNetSpec) -> tuple[object, ...]:
    *rest, _, short = _kinds(spec)
    return *rest, False, short
