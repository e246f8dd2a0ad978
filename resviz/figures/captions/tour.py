"""What a stop of the tour saw: which of its three predictions a measurement bears out, and the measurement in words."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from resviz.figures.captions.gradients import verdict
from resviz.figures.captions.numbers import percent
from resviz.judgement import FACTOR
from resviz.results import Attribution, Judgement, LabRecord, Run
from resviz.spec.query import from_query

__all__ = ["AFTER_A_CUT", "Seen", "seen_in_depth", "seen_of_a_cut", "seen_of_a_map", "seen_of_the_norm", "seen_of_the_skips"]

AFTER_A_CUT: Final = 40  # steps in which a network may recover
_POINTS: Final = 0.5  # of error from which one network does worse, as `degradation` has it
_LOST: Final = 1e-10  # of the last convolution's gradient
_WINDOW: Final = 10  # steps whose mean is looked at
_STUMBLE: Final = 10.0  # points of accuracy
_FEW, _MANY = 0.1, 0.25  # shares of a picture


class Seen(NamedTuple):
    """The prediction that held, from 0, and what was measured."""

    right: int
    words: str


def seen_in_depth(shallow: Run, deep: Run) -> Seen:
    """Which of two trained networks makes more mistakes on its training pictures: the shallow one, neither, the deep one."""
    errors = [run.epochs[-1].train_error for run in (shallow, deep)]
    names = [from_query(run.card["spec"])[0].title for run in (shallow, deep)]
    gap = errors[1] - errors[0]
    right = 2 if gap > _POINTS else 0 if gap < -_POINTS else 1
    said = " and ".join(
        f"{name} gets {error:.1f} % of its training pictures wrong" for name, error in zip(names, errors, strict=True)
    )
    return Seen(right, f"After {len(deep.epochs)} epochs {said}.")


def seen_of_the_skips(plain: Judgement, residual: Judgement) -> Seen:
    """How much gradient reaches the first layer with skips: next to nothing, little, about as much as the last convolution has."""
    right = 2 if residual.ratio >= 1 / FACTOR else 0 if residual.ratio <= _LOST else 1
    return Seen(right, f"Without skips the gradient {verdict(plain)}. With all of them it {verdict(residual)}.")


def seen_of_the_norm(plain: Judgement) -> Seen:
    """What the plain network's gradient does with another norm: it shrinks, stays level, or grows on its way to the picture."""
    right = 0 if plain.ratio < 1 / FACTOR else 2 if plain.ratio > FACTOR else 1
    return Seen(right, f"The plain network's gradient now {verdict(plain)}.")


def seen_of_a_cut(record: LabRecord) -> Seen | None:
    """What the first cut did: hardly anything, a stumble, or lasting harm; None until enough steps followed it."""
    cut = next((edit for edit in record.plan.edits if edit.what == "cut"), None)
    if cut is None or cut.step <= _WINDOW or record.step < cut.step + AFTER_A_CUT:
        return None

    def right_from(step: int) -> float:
        looked = (record.line_steps >= step) & (record.line_steps < step + _WINDOW)
        return float(record.tracks[cut.contender].accuracy[looked].mean())

    before, after = right_from(cut.step - _WINDOW), right_from(cut.step)
    later = right_from(cut.step + AFTER_A_CUT - _WINDOW + 1)
    stumbles, recovers = after < before - _STUMBLE, later >= before - _STUMBLE
    words = (
        f"The skip of `{cut.block}` was cut in step {cut.step:,}. Of the pictures it learned from {before:.0f} % were right in the "
        f"{_WINDOW} steps before, {after:.0f} % in the {_WINDOW} steps after, {later:.0f} % when {AFTER_A_CUT} had passed."
    )
    return Seen((1 if stumbles else 0) if recovers else 2, words)


def seen_of_a_map(found: Attribution, title: str, sample: str) -> Seen:
    """How much of the picture holds half of a map's strength: a tenth at most, up to a quarter, more."""
    strength = np.sort(np.abs(found.values).ravel())[::-1]
    share = float((np.searchsorted(np.cumsum(strength), strength.sum() / 2) + 1) / strength.size)
    right = 0 if share <= _FEW else 1 if share <= _MANY else 2
    return Seen(right, f"{title} of *{sample}*: the strongest {percent(share)} of the picture hold half of all evidence.")
