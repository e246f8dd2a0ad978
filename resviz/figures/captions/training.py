"""What the recorded trainings showed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from resviz.figures.theme import number
from resviz.results import EpochRecord, Run

__all__ = ["beside_the_paper", "branch_note", "degradation", "overfitting"]


def degradation(runs: Mapping[tuple[bool, int], Run]) -> str:
    """What depth does to the *training* error without and with skips; `runs` is keyed (residual, depth)."""
    sentences = []
    for residual, words in ((False, "Without skips"), (True, "With skips")):
        depths = sorted(depth for r, depth in runs if r is residual)
        if len(depths) < 2:
            continue
        shallow, deep = (runs[residual, depth].epochs[-1].train_error for depth in (depths[0], depths[-1]))
        change = "rises" if deep > shallow + 0.5 else "falls" if deep < shallow - 0.5 else "hardly changes"
        sentences.append(
            f"**{words}**, going from {depths[0]} to {depths[-1]} layers the training error {change} from {shallow:.1f} % to {deep:.1f} %."
        )
    return " ".join(sentences)


def overfitting(run: Run) -> str:
    """How much of a network's error overfitting could explain: what is wrong on the training images it cannot."""
    last = run.epochs[-1]
    gap = last.test_error - last.train_error
    return (
        f"{last.train_error:.1f} % of the training images are wrong, and {last.test_error:.1f} % of the test images: overfitting could "
        f"explain the {gap:.1f} points between them, not the {last.train_error:.1f} on images that it was trained on."
    )


def branch_note(record: EpochRecord) -> str:
    """How much the blocks of a residual network add to what passes through them."""
    ratios = np.array(record.branch_ratio)
    less = int((ratios < 0.5).sum())
    return (
        f"The median block adds {number(float(np.median(ratios)))} of what passes it by; "
        f"{less} of {len(ratios)} {'adds' if less == 1 else 'add'} less than half of it."
    )


def beside_the_paper(runs: Mapping[tuple[bool, int], Run], paper: Mapping[int, float]) -> str:
    """How far the recorded residual networks are from the paper's test errors, and what was different."""
    gaps = [
        (depth, run.epochs[-1].test_error - paper[depth])
        for (residual, depth), run in sorted(runs.items())
        if residual and depth in paper
    ]
    if not gaps:
        return ""
    run = next(iter(runs.values()))
    said = " and ".join(
        f"ResNet-{depth} is {abs(gap):.1f} points {'above' if gap >= 0 else 'below'} the paper" for depth, gap in gaps
    )
    return (
        f"{said}. One seed ({run.card['seed']}) each, {len(run.epochs)} epochs where the paper took 164, on {run.card['data']}."
    )
