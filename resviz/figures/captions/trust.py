"""Which methods are trusted over many pictures, how sure that is, and what another baseline leaves of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from resviz.figures.captions.numbers import counted, percent
from resviz.figures.theme import number
from resviz.results import Interval, Ranking

__all__ = ["trust_baseline_note", "trust_ranking_note"]

_FEW = 10  # pictures under which a bootstrapped interval is known to be too narrow
_SURE = 0.95  # of the draws


def trust_ranking_note(found: Ranking) -> str:
    """Which method is best on average, and whether other pictures like these would say so too."""
    count, methods = len(found.pictures), len(found.methods)
    said = f"Over {counted(count, 'picture')}, each explained for what {found.network} says it is"
    if methods == 1:
        return f"{said}. **{found.methods[0]}** has no other method beside it, so nothing is ranked.{_few(count)}"
    order = found.order
    best, second, last = order[0], order[1], order[-1]
    parts = [f"{said}, **{found.methods[best]}** has the best mean rank: {_rank(found.ranks[best])} of {methods}"]
    if found.ranks[second].value == found.ranks[best].value:
        parts.append(f"{found.methods[second]} has the same")
    elif found.first[best] >= _SURE:
        parts.append(f"It is first in {percent(found.first[best])} of the draws")
    else:
        parts.append(
            f"Alone or with others it is first in {percent(found.first[best])} of the draws, {found.methods[second]}, at "
            f"{_rank(found.ranks[second])}, in {percent(found.first[second])}: these pictures do not tell the two apart"
        )
    if last != second:
        parts.append(f"{found.methods[last]} is last at {_rank(found.ranks[last])}")
    return ". ".join(parts) + "." + _few(count)


def _few(count: int) -> str:
    if count == 1:
        return " One picture says nothing of others: the intervals are empty."
    return " With so few pictures such intervals are too narrow (Hesterberg 2015, arXiv 1411.5279)." if count < _FEW else ""


def _rank(rank: Interval) -> str:
    return f"{number(rank.value)} ({number(rank.low)} to {number(rank.high)})"


def trust_baseline_note(found: Ranking) -> str:
    """Whether the order is still there where pixels turn into something else."""
    judged, count = found.measured("flipping"), len(found.pictures)
    limit = ""
    if judged < count:
        limit = (
            f" Pixel flipping cannot judge {count - judged} of {counted(count, 'picture')}: with every pixel flipped to {found.baseline}, "
            "half of the class's probability or more is left."
        )
    if len(found.methods) == 1:
        return limit.strip()
    flips = {kind: each.flipping.value for kind, each in found.survives.items()}
    ranks = {kind: each.ranking.value for kind, each in found.survives.items()}
    return (
        f"With another baseline than {found.baseline} the order by pixel flipping alone is {_survives(flips)}; "
        f"that by mean rank is {_survives(ranks)}.{limit}"
    )


def _survives(taus: Mapping[str, float]) -> str:
    """How alike each other baseline's order is."""
    groups: dict[str, list[str]] = {}
    for kind, tau in taus.items():
        groups.setdefault(_likeness(tau), []).append(kind if math.isnan(tau) else f"{kind} (τ {number(tau)})")
    return ", ".join(f"{words} with {_listed(kinds)}" for words, kinds in groups.items())


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _likeness(tau: float) -> str:
    if math.isnan(tau):
        return "not to be compared"
    if tau > 1 - 1e-9:
        return "the same"
    return "mostly the same" if tau >= 0.5 else "another"
