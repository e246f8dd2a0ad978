"""A claim of a paper, and what testing it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

import numpy as np

from resviz.figures.theme import number

if TYPE_CHECKING:
    from resviz.claims.evidence import Evidence

__all__ = ["Answer", "Claim", "Finding", "Page", "middle", "spread", "untested"]

Page = Literal["anatomy", "degradation", "gradients", "landscape", "shortcuts", "home", "lab"]


class Answer(StrEnum):
    """Whether what was measured bears the claim out."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNTESTED = "not tested here"


@dataclass(frozen=True)
class Finding:
    """What was measured in words, of which networks, seeds and pictures, and whether the claim's own test holds; None where nothing was measured.

    `why` says what it would take, where nothing was measured.
    """

    measured: str = ""
    of: str = ""
    holds: bool | None = None
    why: str = ""

    @property
    def answer(self) -> Answer:
        """In a word."""
        return Answer.UNTESTED if self.holds is None else Answer.AGREES if self.holds else Answer.DIFFERS


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper, the number that it prints, when we say that ours agrees, the page that shows it, and how it is measured.

    `published` is said to be "about" so much where the number was read off a figure or from another paper.
    """

    key: str
    says: str
    source: str
    published: str
    agrees_where: str
    page: Page
    measure: Callable[[Evidence], Finding]


def untested(why: str) -> Callable[[Evidence], Finding]:
    """A measure that says what it would take."""
    return lambda evidence: Finding(why=why)


def middle(values: Iterable[float]) -> float:
    """The median."""
    return float(np.median(list(values)))


def spread(values: Iterable[float], unit: str = "") -> str:
    """The median, and where there are several values the least and the greatest: 2.7 (2.4 to 3.0) %."""
    each = list(values)
    ends = f" ({number(min(each))} to {number(max(each))})" if len(each) > 1 else ""
    return f"{number(middle(each))}{ends}{unit}".replace("-", "−")
