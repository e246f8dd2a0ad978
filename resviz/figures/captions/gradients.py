"""What one backward pass showed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from resviz.figures.captions.numbers import counted
from resviz.figures.theme import number, power_of_ten
from resviz.judgement import FACTOR, FLOOR, judge
from resviz.results import DepthSweep, GradientProfile, Judgement, LayerRow, Probe, Reach
from resviz.spec.dense import DenseSpec
from resviz.spec.families import Network
from resviz.spec.net import Design
from resviz.spec.words import counted_names

__all__ = ["comparison", "gradient_note", "layer_note", "reach_claim", "reach_note", "skips_of", "sweep_note", "verdict"]

_FLOOR = power_of_ten(round(math.log10(FLOOR)))
_RUN_AWAY = 3.0  # times what guessing costs
_NARROWER = 0.95  # of the other width: less is no difference
_DIED = 1e-3  # of the standard deviation after the first block


def skips_of(spec: Network) -> str:
    """How many skips a network has: Without skips, With all 27 skips, With 13 of 27 skips."""
    names = list(spec.block_names())
    kept = sum(map(spec.has_skip, names))
    if not spec.residual:
        words = "Without skips"
    elif kept in (0, len(names)):
        words = (f"With all {len(names)} skips" if len(names) > 1 else "With its one skip") + ("" if kept else " cut")
    else:
        words = f"With {kept} of {len(names)} skips"
    if isinstance(spec, DenseSpec):
        lost = (
            counted_names(spec.severed, "connection", "connections", "cut"),
            counted_names(spec.dropped, "layer", "layers", "dropped"),
        )
        return ", ".join([words, *filter(None, lost)])
    gone = len(spec.dropped)
    return words + (f" and {gone} {'branch' if gone == 1 else 'branches'} dropped" if gone else "")


def gradient_note(spec: Network, probe: Probe, label: str | None = None) -> str:
    """One network's profile in a few sentences: what it does, what is zero and why, and what the loss and the signal say."""
    judged = judge(probe.profile, spec, probe.signal)
    return " ".join([f"**{label or skips_of(spec)}** the gradient {verdict(judged)}.", *_more(judged)])


def comparison(probes: Mapping[Design, Probe], specs: Mapping[Design, Network]) -> str:
    """Both networks, or one where they are the same function."""
    residual = specs.get("residual")
    if residual is not None and "plain" in specs and not any(map(residual.has_skip, residual.block_names())):
        note = gradient_note(residual, probes["residual"], "In both")
        kind = "dense" if isinstance(residual, DenseSpec) else "residual"
        return f"Without its skips the {kind} network is the plain one: the two lines are the same. {note}"
    return " ".join(gradient_note(specs[key], probe) for key, probe in probes.items())


def verdict(judged: Judgement) -> str:
    """One clause on a whole profile: its kind, the numbers it follows from, and what they are compared with."""
    (first, at_first), (last, at_last) = judged.first, judged.reference
    ends = (
        f"{number(at_first)} at `{first}`, {number(judged.ratio)}× that of the last {judged.called}, `{last}` ({number(at_last)})"
    )
    if judged.kind == "overflow":
        return f"overflows: {counted(len(judged.odd), 'layer')} {'has' if len(judged.odd) == 1 else 'have'} an infinite or undefined one"
    if judged.kind == "zero":
        return f"is exactly 0 in every {judged.called}: none of them can learn"
    if judged.kind == "bypassed":
        return f"reaches `{first}` alone among the {_many(judged)} ({number(at_first)})"
    if judged.kind in ("gone", "settled"):
        return (
            f"is {'gone' if judged.kind == 'gone' else 'small'} everywhere: {_range(judged)}, where {_FLOOR} is next to nothing"
        )
    if judged.kind == "level":
        return f"stays level within a factor of {FACTOR:g}: {ends}"
    if judged.kind == "uneven":
        return f"is level from end to end, {ends}, but not in between: {_range(judged)}"
    return f"{judged.kind}: {ends}{_extremes(judged)}"


def _many(judged: Judgement) -> str:
    return {"matrix": "matrices"}.get(judged.called, f"{judged.called}s")


def _range(judged: Judgement) -> str:
    (low, least), (high, most) = judged.smallest, judged.largest
    return f"from {number(least)} in `{low}` to {number(most)} in `{high}`"


def _extremes(judged: Judgement) -> str:
    """How many layers are under the floor, and the extreme where it is not the first layer's."""
    name, norm = judged.smallest if judged.kind == "vanishes" else judged.largest
    extreme = (
        "" if norm == judged.first[1] else f"; {'least' if judged.kind == 'vanishes' else 'most'} in `{name}`, {number(norm)}"
    )
    if not judged.under:
        return extreme
    are = "is" if judged.under == 1 else "are"
    return f"{extreme}; {judged.under} of {judged.layers} {are} at most {_FLOOR}, next to nothing"


_WHY = {
    "dropped": "their branch is dropped",
    "unread": "every layer that could read what they make is cut off from it",
    "cut": "the skip that they project is cut",
    "alpha": "α starts at 0 in every branch, and nothing comes back through a branch before it has moved",
    "head": "the classifier starts at 0, and nothing comes back before it has moved",
    "gamma": "γ starts at 0 in every branch, and nothing comes back through a branch before it has moved",
    "shut": "γ starts at 0 in front of a ReLU, which hands nothing back at 0, so that these branches never learn",
    "barred": "α starts at 0 and a skip is missing, so nothing passes",
    "blocked": "γ starts at 0 and a skip is missing, so nothing passes",
}
_LOST = {"underflow": "they are smaller than fp32 can hold", "dead": "no unit passes anything on"}


def _more(judged: Judgement) -> list[str]:
    """Sentences on zeros, the signal and the loss, where they change what the profile means."""
    found = []
    for reason, names in judged.zeros.items():
        said = (
            f"{len(names)} {judged.called if len(names) == 1 else _many(judged)} {'gets' if len(names) == 1 else 'get'} exactly 0"
        )
        if reason in _WHY:
            found.append(f"{said} by construction: {_WHY[reason]}.")
        else:
            found.append(f"{said}: {_LOST[reason]}.")
    if judged.kind == "settled":
        return [
            *found,
            f"The loss is {number(judged.loss)}, where guessing costs {number(judged.guess)}: little is left to learn.",
        ]
    dead = judged.kind in ("gone", "zero")
    if judged.forward is not None and dead and judged.forward[1] <= _DIED * judged.forward[0]:
        before, after = map(number, judged.forward)
        found.append(
            f"The signal dies on the way forward: the activations' standard deviation is {before} after the first block and {after} "
            "after the last one."
        )
    if dead:
        found.append(f"The loss is {number(judged.loss)}, and guessing costs {number(judged.guess)}.")
    elif judged.loss > _RUN_AWAY * judged.guess and math.isfinite(judged.loss):
        found.append(
            f"The forward signal has run away: the loss is {number(judged.loss)} where guessing costs {number(judged.guess)}."
        )
    return found


def layer_note(row: LayerRow, profiles: Mapping[Design, GradientProfile], dense: bool = False) -> str:
    """One layer's row in words, with its gradient in each network; a `dense` one with skips is called so."""
    size = " → ".join("×".join(map(str, shape)) for shape in (row.in_shape, row.out_shape))
    called = {"residual": "dense" if dense else "residual", "plain": "plain"}
    norms = [
        f"{called[key]} {number(float(p.norms[p.names.index(row.name)]))}" for key, p in profiles.items() if row.name in p.names
    ]
    return (
        f"`{row.name}` · {row.kind} · {size} · {counted(row.params, 'parameter')} · receptive field {row.receptive_field} px"
        + (f" · ‖∂L/∂W‖ {', '.join(norms)}" if norms else "")
    )


def sweep_note(sweeps: Mapping[Design, DepthSweep]) -> str:
    """What the shallowest and the deepest network of each design do."""
    parts = []
    for key, sweep in sweeps.items():
        ends = (
            f"at {depth} layers it {verdict(judged)}"
            for depth, judged in list(zip(sweep.depths, sweep.judged, strict=True))[:: max(1, len(sweep.depths) - 1)]
        )
        parts.append(f"**{key}**: {'; '.join(ends)}")
    return f"The gradient's course with depth. {'. '.join(parts)}."


_WITH: Mapping[Design, str] = {"residual": "with skips", "plain": "without skips"}


def reach_note(found: Mapping[Design, Reach]) -> str:
    """How many pixels each network's middle sees, and how wide a square of them is."""
    parts = []
    for key, each in found.items():
        if not each.seen:
            parts.append(f"{_WITH[key]} nothing comes back from it: every derivative is 0, or smaller than fp32 can hold")
            continue
        parts.append(
            f"{_WITH[key]} **{each.width:.1f}** of {each.theoretical} pixels wide ({each.share:.2f}), as a square of the "
            f"{counted(each.seen, 'pixel')} above 4.55 % of the strongest"
        )
    one = next(iter(found.values()))
    return (
        f"What the middle of the last feature map sees, from a random gradient there to the input, mean of {counted(one.draws, 'random input')} "
        f"over {counted(one.networks, 'initialisation')}: {'; '.join(parts)}. The dashed square is that wide, the frame is all that can reach it."
    )


def reach_claim(found: Mapping[Design, Reach]) -> str:
    """The paper's claim beside what was measured, and whether they agree."""
    residual, plain = found["residual"], found["plain"]
    says = (
        "**The paper says** (Luo et al. 2016, arXiv 1701.04128): the effective field fills only a part of the theoretical one, the smaller the more "
        "layers there are, and skips make it smaller still."
    )
    if not (residual.seen and plain.seen):
        return f"{says} Where nothing comes back there is no field to compare."
    smaller = residual.width < _NARROWER * plain.width
    return (
        f"{says} **We measure** {residual.share:.2f} of the theoretical width with skips and {plain.share:.2f} without: "
        f"**{'agrees' if smaller else 'differs'}**."
    )
