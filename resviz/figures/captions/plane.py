"""What networks make of the plane."""

from __future__ import annotations

import math
from collections.abc import Sequence

from resviz.figures.captions.numbers import percent
from resviz.figures.theme import number
from resviz.results import PlaneMap

__all__ = ["plane_note"]

_FLAT = 0.05  # of a probability: less from the lowest to the highest tells nothing apart
_GUESS = 0.03  # nats around log 2 that are no better than guessing


def plane_note(maps: Sequence[PlaneMap]) -> str:
    """What each network calls amber and how often it is right, at the step of the maps."""
    return f"Step {maps[0].step:,}. {' '.join(map(_said, maps))}"


def _said(each: PlaneMap) -> str:
    low, high = float(each.chance.min()), float(each.chance.max())
    if not (math.isfinite(low) and math.isfinite(high) and math.isfinite(each.loss)):
        return f"**{each.label}** answers with no number any more."
    if high - low < _FLAT:
        span = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
        guess = ", about what guessing costs" if abs(each.loss - math.log(2)) < _GUESS else ""
        return (
            f"**{each.label}** tells no point from another: amber has a probability of {span} everywhere, and its loss on held-out "
            f"points is {number(each.loss)}{guess}."
        )
    return (
        f"**{each.label}** calls {percent(float((each.chance > 0.5).mean()))} of the plane amber, and {each.right:.0f} % of "
        f"{len(each.labels)} held-out points by their colour; its loss on them is {number(each.loss)}."
    )
