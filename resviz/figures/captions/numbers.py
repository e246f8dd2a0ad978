"""Counts, shares and paces as words."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["counted", "pace", "percent", "span"]


def counted(n: int, noun: str) -> str:
    """1 picture, 52 pictures."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def percent(share: float) -> str:
    """A share as it can be read: 37 %, 0.23 %; 0 % and 100 % are said of nothing and of all alone."""
    value = 100 * share
    if value == 0:
        return "0 %"
    for digits in (0, 1, 2):
        text = f"{value:.{digits}f}"
        if abs(value) >= 10 ** (1 - digits) and not (abs(value) < 100 and float(text) in (100, -100)):
            return f"{text} %".replace("-", "−")
    if abs(value) < 0.005:
        return "under 0.01 %"
    return "over 99.99 %" if 99.99 < value < 100 else f"{value:.2f} %".replace("-", "−")


def pace(seconds: float) -> str:
    """What a step of so many seconds makes: 19 steps a second, 1 step a second, 2.3 s a step."""
    steps = round(1 / seconds)
    return f"{counted(steps, 'step')} a second" if seconds < 1 else f"{seconds:.1f} s a step"


def span(names: Sequence[str]) -> str:
    """`conv1` to `layer1.3` (12), so that a list of fifty layers stays readable."""
    if len(names) <= 2:
        return " and ".join(f"`{name}`" for name in names)
    return f"`{names[0]}` to `{names[-1]}` ({len(names)} of them)"
