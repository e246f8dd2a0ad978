"""What surrounds a network, in words, beside what the papers say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from resviz.figures.captions.numbers import counted, percent
from resviz.figures.theme import number
from resviz.results import Landscape, Sharpness, Shattering, Similarity, Trajectory
from resviz.spec.net import Design

__all__ = [
    "landscape_claim",
    "landscape_note",
    "sharpness_note",
    "shatter_claim",
    "shatter_note",
    "similarity_claim",
    "similarity_note",
    "trajectory_claim",
    "trajectory_note",
]

_WITH: Mapping[Design, str] = {"residual": "with skips", "plain": "without skips"}
_SHALLOW = 20
_FLAT = (0.4, 0.9)  # of a path's variance lie in two dimensions, as the paper has it
_WIDER, _SMOOTHER, _APART, _NEARLY_ALL = 1.5, 0.02, 0.1, 0.9


def landscape_note(found: Mapping[Design, Landscape]) -> str:
    """What each plane is like; the colour is said where there are two."""
    said = []
    for key, each in found.items():
        finite = each.losses[np.isfinite(each.losses)]
        beyond = int(np.isinf(each.losses).sum())
        most = f"at most {number(float(finite.max()))}" + (f", and overflows at {counted(beyond, 'point')}" if beyond else "")
        said.append(
            f"**{_WITH[key].capitalize()}** the loss is {number(each.centre)} in the middle and {most}; {percent(each.share)} of the plane "
            f"is better than guessing ({number(each.guess)}), {percent(each.bent)} of it curves downwards."
        )
    return " ".join(said) + (" One colour scale for both, the paler the lower." if len(said) > 1 else "")


def landscape_claim(found: Mapping[Design, Landscape], trained: bool, depth: int) -> str:
    """The paper's claim for this depth beside what was measured, and whether they agree."""
    shallow = depth <= _SHALLOW
    says = "**The paper says** (Li et al. 2018, arXiv 1712.09913): " + (
        f"at {_SHALLOW} layers a network without skips is still benign; with depth its loss turns chaotic, and skips prevent that."
        if shallow
        else "without skips the loss of deep networks turns from nearly convex to chaotic, and skips prevent that."
    )
    if not trained:
        return f"{says} It looks at trained networks: before training this plane neither bears it out nor speaks against it."
    residual, plain = found["residual"], found["plain"]
    measured = (
        f"**We measure** {percent(residual.share)} of the plane better than guessing with skips and {percent(plain.share)} without, "
        f"{percent(residual.bent)} and {percent(plain.bent)} of it curving downwards"
    )
    wider, smoother = residual.share > _WIDER * plain.share, residual.bent < plain.bent - _SMOOTHER
    return f"{says} {measured}: {_judged(shallow, wider, smoother)}."


def _judged(shallow: bool, wider: bool, smoother: bool) -> str:
    """Of two things that the paper says, how many hold: at a small depth they are those that do not yet differ."""
    words = (("as wide", "wider"), ("as smooth", "smoother")) if shallow else (("no wider", "wider"), ("no smoother", "smoother"))
    said = f"with skips it is {words[0][wider]} and {words[1][smoother]}"
    holds = [wider != shallow, smoother != shallow]
    return f"**{'agrees' if all(holds) else 'agrees in part' if any(holds) else 'differs'}**, {said}"


def sharpness_note(found: Mapping[Design, Sharpness], rate: float) -> str:
    """λ_max beside what a learning rate bears."""
    bound = 2 / rate
    parts = []
    for key, each in found.items():
        rising = "" if each.settled else f" after {counted(len(each.steps), 'step')}, and still rising"
        parts.append(f"**{number(each.largest)}** {_WITH[key]}{rising}, {'below' if each.largest < bound else 'above'} it")
    return (
        f"Gradient descent with η = {number(rate)} is stable along a direction whose curvature is below 2/η = {number(bound)} (Cohen et al. "
        f"2021, arXiv 2103.00065). λ_max of the loss where the weights are: {'; '.join(parts)}."
    )


def shatter_note(found: Shattering) -> str:
    """How alike neighbours on the line are, at the least and at the greatest depth."""
    ends = sorted({0, len(found.depths) - 1})
    parts = [
        f"at {found.depths[n]} layers "
        + ", ".join(f"{_two(each[n, 1])} {_named(name)}" for name, each in found.correlations.items())
        for n in ends
    ]
    return (
        f"The correlation of ∂f/∂t at neighbouring points, of {len(found.places)} on the line, mean of "
        f"{counted(found.draws, 'initialisation')}: {'; '.join(parts)}. Near 1 the gradient turns smoothly, near 0 it is noise."
    )


def _named(name: str) -> str:
    return {"residual": "with skips", "plain": "without", "plain, no norm": "with neither skips nor norm"}[name]


def _two(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")  # nothing is no less than zero


def shatter_claim(found: Shattering) -> str:
    """The paper's claim beside what was measured, and whether they agree."""
    residual, plain = (found.correlations[name][:, 1] for name in ("residual", "plain"))
    measured = (
        f"**We measure**, from {found.depths[0]} to {found.depths[-1]} layers, {_two(residual[0])} → {_two(residual[-1])} with skips and "
        f"{_two(plain[0])} → {_two(plain[-1])} without"
    )
    agrees = residual[-1] > plain[-1] + _APART
    return (
        "**The paper says** (Balduzzi et al. 2017, arXiv 1702.08591): without skips the correlation falls exponentially with depth, until the "
        f"gradient is like white noise; with them it falls far more slowly. {measured}: **{'agrees' if agrees else 'differs'}**."
    )


def similarity_note(found: Similarity, down: str, across: str | None = None) -> str:
    """Within one network how alike neighbours and the most different are, between two how alike each finds its like."""
    scale = f"linear CKA, where 1 is the same but for turning and scaling; {counted(found.pictures, 'picture')}"
    if across is None:
        beside = float(np.diagonal(found.values, 1).mean())
        row, column = np.unravel_index(found.values.argmin(), found.values.shape)
        return (
            f"In **{down}** what a block returns and what the next one does are alike to {_two(beside)} on average; least alike are "
            f"{found.rows[int(row)]} and {found.columns[int(column)]}, {_two(float(found.values.min()))} ({scale})."
        )
    best = found.values.argmax(1)
    return (
        f"What a block of **{down}** returns finds its like in **{across}** to {_two(float(found.values.max(1).mean()))} on average; the last "
        f"one's is {found.columns[int(best[-1])]} ({scale})."
    )


def similarity_claim(found: Similarity) -> str:
    """For two trainings of one design: how many blocks are most like the other's block of the same place."""
    own = int((found.values.argmax(1) == np.arange(len(found.rows))).sum())
    share = own / len(found.rows)
    judged = "**agrees**." if share > _NEARLY_ALL else "**differs**: the others are more like another place."
    return (
        "**The paper says** (Kornblith et al. 2019, arXiv 1905.00414): in two trainings of one network of ten layers the same layers are the "
        f"most alike, in about 99 % of cases. **We measure** {own} of {counted(len(found.rows), 'block')} ({percent(share)}): {judged}"
    )


def trajectory_note(found: Mapping[Design, Trajectory]) -> str:
    """How far each training went in its plane, and between which losses."""
    parts = []
    for key, each in found.items():
        (first, second), finite = each.variance, each.losses[np.isfinite(each.losses)]
        parts.append(
            f"{_WITH[key]} the plane holds **{percent(first + second)}** of the variance ({percent(first)} and {percent(second)}), and its losses go "
            f"from {number(float(finite.min()))} to {number(float(finite.max()))}"
            if finite.size
            else f"{_WITH[key]} every loss on the plane overflows"
        )
    one = next(iter(found.values()))
    return (
        f"The weights were kept at {counted(len(one.steps), 'moment')} of {counted(one.steps[-1], 'step')} of training on digits: {'; '.join(parts)}. Each "
        "network has a plane of its own; biases and norms are those of the end, and batch norm takes the statistics of the pictures."
    )


def trajectory_claim(found: Mapping[Design, Trajectory]) -> str:
    """The paper's claim beside what was measured, and whether they agree."""
    shares = {key: sum(each.variance) for key, each in found.items()}
    measured = " and ".join(f"{percent(share)} {_WITH[key]}" for key, share in shares.items())
    least, most = min(shares.values()), max(shares.values())
    judged = "agrees" if _FLAT[0] <= least and most <= _FLAT[1] else "differs"
    more = (
        ", more than there"
        if judged == "differs" and least >= _FLAT[0]
        else ", less than there"
        if judged == "differs" and most <= _FLAT[1]
        else ""
    )
    return (
        "**The paper says** (Li et al. 2018, arXiv 1712.09913, §7): 40 to 90 % of the variation in descent paths lies in only two dimensions. "
        f"**We measure** {measured}: **{judged}**{more}."
    )
