"""What a race of shortcuts came to, and how far that is what the papers say."""

from __future__ import annotations

import math

import numpy as np

from resviz.figures.captions.numbers import counted
from resviz.results import RaceRecord
from resviz.spec.shortcuts import KINDS

__all__ = ["race_note"]

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
