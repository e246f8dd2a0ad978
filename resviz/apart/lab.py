"""A lab whose steps an engine takes: it travels there and back once a turn, and tells on the way what is recorded."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from resviz.apart.engine import Engine, Lost
from resviz.progress import Cancelled, Tick
from resviz.training.turn import Seen, Turn, away

__all__ = ["take_apart"]

_CROWDED, _ALONE = 2.0, 10.0  # seconds of a turn where others wait, and where nobody does: so much a lost process may cost
_TRAVEL: Final = 20  # a turn is at least so many times as long as the way there


def take_apart(turn: Turn, engine: Engine, tick: Tick, changed: Callable[[], bool]) -> bool:
    """The turn, taken by the engine, and over where something is `changed` or asked of the lab; whether there is more to do.

    Raises `Lost` and `Cancelled`, after which the lab can go on, and what the work raises, after which it is broken.
    """
    lab = turn.lab
    lent = replace(turn, lab=lab.lend(), watch=copy.copy(turn.watch), marks=copy.copy(turn.marks), told=set(turn.told))
    word = _Word(turn, tick, changed)
    try:
        back = engine.run(partial(away, lent), word)
    except BaseException as error:
        lab.take_back(lent.lab)
        lab.broken = isinstance(error, Exception) and not isinstance(error, Lost)
        raise
    lab.take_back(back.lab)
    turn.told.update(back.told)
    turn.show(back)
    if word.cancelled:
        raise Cancelled
    return back.more


class _Word:
    """Hears how far the lent lab is, shows it, and says when the turn is over."""

    def __init__(self, turn: Turn, tick: Tick, changed: Callable[[], bool]) -> None:
        self._turn, self._tick, self._changed = turn, tick, changed
        self._began, self._way = time.monotonic(), 0.0
        self.cancelled = False

    def __call__(self, fraction: float, note: str = "", partial: object = None) -> bool:
        if isinstance(partial, Seen):
            self._way = self._way or time.monotonic() - self._began
            self._turn.lab.follow(partial.record, partial.seconds)
            self._turn.show(partial)
        try:
            crowded = self._tick(fraction, note)
        except Cancelled:
            if not self._way:
                raise
            self.cancelled = True  # the turn ends instead, so that nothing of it is lost
        if self.cancelled or self._turn.lab.awaited or self._changed():
            return True
        return time.monotonic() - self._began > max(_CROWDED if crowded else _ALONE, _TRAVEL * self._way)
