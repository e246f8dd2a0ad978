"""What a race of shortcuts came to, and how far that is what the papers say."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from resviz.figures.captions.numbers import counted
from resviz.results import RaceRecord
from resviz.spec.shortcuts import KINDS

__all__ = ["race_claim", "race_note"]

_FEW = 3  # contenders of one table, from which an order can be told
_MOST = 0.8  # of the pairs
_GUESSING = 80.0  # percent of wrong answers from which a network of ten classes has learned next to nothing


def race_note(record: RaceRecord) -> str:
    """Who made the fewest mistakes, who learned nothing, and whether the first contender's lead is more than the seeds' spread."""
    errors, titles = record.error, [KINDS[kind].title for kind in record.kinds]
    best = int(np.argmin(errors))
    seeds = f" (median of {counted(record.seeds, 'seed')})" if record.seeds > 1 else ""
    said = [
        f"After {counted(record.steps, 'step')} at depth {record.layers}, **{titles[best]}** is wrong on the fewest of "
        f"{counted(record.images, 'held-out digit')}: {errors[best]:.1f} %{seeds}."
    ]
    ends = np.asarray(record.loss[:, :, -1], np.float64).tolist()
    gone = [title for title, losses in zip(titles, ends, strict=True) if not all(map(math.isfinite, losses))]
    if gone:
        said.append(f"The loss of {' and of '.join(gone)} grew beyond all numbers.")
    stuck = [title for title, error in zip(titles, errors.tolist(), strict=True) if error >= _GUESSING]
    if stuck:
        said.append(f"{' and '.join(stuck)} {'has' if len(stuck) == 1 else 'have'} learned next to nothing.")
    if len(titles) > 1:
        said.append(_first(record, titles, best))
    return " ".join(said)


def _first(record: RaceRecord, titles: list[str], best: int) -> str:
    """The first contender, which the papers recommend, against the best of the others."""
    if best:
        more = f"{titles[0]} makes {record.error[0] - record.error[best]:.1f} points more"
        return f"{more}: a race this short tells who starts fastest, not who ends best."
    others = range(1, len(titles))
    second = min(others, key=lambda i: float(record.error[i]))
    if record.seeds == 1:
        return f"{titles[second]} follows with {record.error[second]:.1f} %; one seed cannot tell a lead from luck."
    (_, high), (low, _) = record.spread(0), record.spread(second)
    apart = (
        "all its seeds are better than all of that one's" if high < low else "their seeds overlap, so that this is no clear lead"
    )
    return f"{titles[second]} follows with {record.error[second]:.1f} %: {apart}."


def race_claim(record: RaceRecord) -> str:
    """How many pairs of contenders come in the order in which one paper's table has them; nothing where it names fewer than three."""
    for source in dict.fromkeys(KINDS[kind].source for kind in record.kinds):
        known = [
            (error, float(record.error[place]))
            for place, kind in enumerate(record.kinds)
            if KINDS[kind].source == source and (error := KINDS[kind].error) is not None
        ]
        if len(known) < _FEW:
            continue
        pairs = [(one, other) for one, other in combinations(sorted(known), 2) if one[0] < other[0]]
        alike = sum(one[1] < other[1] for one, other in pairs)
        judged = "agrees" if alike >= _MOST * len(pairs) else "agrees in part" if alike > len(pairs) / 2 else "differs"
        return (
            f"**The paper says** ({source}): which of two is better, for {counted(len(pairs), 'pair')} of these. "
            f"**We measure** {alike} of them in the same order: **{judged}**."
        )
    return ""
