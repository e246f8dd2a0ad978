"""What is said of teaching a network other classes."""

from __future__ import annotations

from collections.abc import Sequence

from resviz.figures.captions.numbers import counted
from resviz.results import LearningCurve, Transferred
from resviz.spec.transfer import MODES

__all__ = ["curve_note", "transfer_note"]


def transfer_note(runs: Sequence[Transferred], pixels: float | None = None) -> str:
    """Which mode names most held-out pictures, what one picture is worth, and the accuracy of a probe of raw `pixels`, in percent."""
    held = len(runs[0].labels)
    right = [f"{MODES[run.plan.mode].lower()} {round(run.accuracy * held / 100)}" for run in runs]
    said = f"Of {counted(held, 'held-out picture')}, named right: **{', '.join(right)}**"
    if pixels is not None:
        said += f"; a linear head on raw pixels {round(pixels * held / 100)}"
    said += f". One picture is {100 / held:.1f} points"
    accuracies = sorted((run.accuracy for run in runs), reverse=True)
    if len(runs) > 1 and accuracies[0] - accuracies[1] < 199 / held:
        return f"{said}, so that a lead of less than two pictures tells little."
    return f"{said}."


def curve_note(curve: LearningCurve, features: str, pixels: str) -> str:
    """How many pictures a class the features need for what raw pixels reach with all."""
    reached, every = curve.middle(features), float(curve.middle(pixels)[-1])
    few = next((count for count, value in zip(curve.counts, reached, strict=True) if value >= every), None)
    last = curve.counts[-1]
    if few is None:
        return f"With all {counted(last, 'picture')} a class raw pixels reach {every:.0f} %, and **what the network reads no more than {reached.max():.0f} %**."
    return (
        f"Raw pixels reach {every:.0f} % with {counted(last, 'picture')} a class; **on what the network reads {counted(few, 'picture')} a class "
        f"{'does' if few == 1 else 'do'}** as well or better, {reached[curve.counts.index(few)]:.0f} %."
    )
