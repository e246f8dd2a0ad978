"""Where a visitor is on the tour and what was predicted so far, as a link holds it: `tour=3&said=bc`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["CHOICES", "STOPS", "TOUR_PARAMETERS", "Tour", "lost", "tour_from_query", "tour_to_query"]

STOPS: Final = 5
CHOICES: Final = "abc"
TOUR_PARAMETERS: Final = frozenset({"tour", "said"})
_NONE: Final = "-"


@dataclass(frozen=True)
class Tour:
    """The stop, from 1, and for each of them the letter that was chosen, or nothing."""

    stop: int = 1
    said: tuple[str, ...] = ("",) * STOPS

    @property
    def choice(self) -> int | None:
        """What was predicted at this stop, from 0; None before."""
        letter = self.said[self.stop - 1]
        return CHOICES.index(letter) if letter else None

    def choose(self, choice: int) -> Tour:
        """With a prediction at this stop."""
        before, after = self.said[: self.stop - 1], self.said[self.stop :]
        return Tour(self.stop, (*before, CHOICES[choice], *after))


def tour_to_query(tour: Tour | None) -> dict[str, str]:
    """Nothing where there is no tour."""
    if tour is None:
        return {}
    said = "".join(letter or _NONE for letter in tour.said).rstrip(_NONE)
    return {"tour": str(tour.stop)} | ({"said": said} if said else {})


def tour_from_query(query: Mapping[str, str]) -> Tour | None:
    """None where the query names no stop there is; what is no choice counts as not chosen."""
    stop = query.get("tour", "")
    if stop not in map(str, range(1, STOPS + 1)):
        return None
    given = query.get("said", "")[:STOPS].ljust(STOPS, _NONE)
    return Tour(int(stop), tuple(letter if letter in CHOICES else "" for letter in given))


def lost(query: Mapping[str, str], tour: Tour | None) -> dict[str, str]:
    """What of a query's parameters the tour does not hold: a stop that there is not, and letters that are no choice."""
    held = {"said": ""} | tour_to_query(tour)
    return {name: query[name] for name in ("tour", "said") if name in query and query[name].rstrip(_NONE) != held.get(name)}
