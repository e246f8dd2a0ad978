"""How long work reports what it has done, and how it is ended."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Cancelled", "Tick", "quiet"]


class Cancelled(BaseException):
    """Raised by a `Tick` to end the work. No `Exception`, so that a guard around a reader never takes it for a damaged file."""


class Tick(Protocol):
    """Hears the fraction done, 0 to 1, between the steps of long work, and what there is so far.

    True: others wait, and work that can be taken up again should let them. Raises `Cancelled` where the work should end.
    """

    def __call__(self, fraction: float, note: str = "", partial: object = None) -> bool: ...


def quiet(fraction: float, note: str = "", partial: object = None) -> bool:
    """A `Tick` for work that nobody watches."""
    return False
