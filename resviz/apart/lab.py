"""A lab whose steps an engine takes: it travels there and back once a turn, and tells on the way what is recorded."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from resviz.apart.engine import Engine
from resviz.progress import Cancelled, Tick
from resviz.training.turn import Seen, Turn, away

__all__ = ["take_apart"]

_CROWDED, _ALONE = 2.0, 10.0  # seconds of a turn where others wait, and where nobody does: so much a lost process may cost
_PACE: Final = 10e6  # bytes of a lab that a second of a turn pays for: a fifth of it is the way there and back


def take_apart(turn: Turn, engine: Engine, tick: Tick, changed: Callable[[], bool]) -> bool:
    """The turn, taken by the engine, and over where something is `changed` or asked of the lab; whether there is more to do.

    Raises `Lost`, `Cancelled` and what the work raises. The lab is then as it was lent, and can go on.
    """
    lab = turn.lab
    lent = replace(turn, lab=lab.lend(), watch=copy.copy(turn.watch), marks=copy.copy(turn.marks), told=set(turn.told))
    word = _Word(turn, engine, tick, changed)
    try:
        back = engine.run(partial(away, lent), word)
    except BaseException:
        lab.take_back(lent.lab)
        raise
    lab.take_back(back.lab)
    turn.told.update(back.told)
    turn.show(back)
    if word.cancelled:
        raise Cancelled
    return back.more


class _Word:
    """Hears how far the lent lab is, shows it, and says when the turn is over."""

    def __init__(self, turn: Turn, engine: Engine, tick: Tick, changed: Callable[[], bool]) -> None:
        self._turn, self._engine, self._tick, self._changed = turn, engine, tick, changed
        self._began: float | None = None  # when the first step was heard of: what comes before is nobody's turn
        self._pays = turn.lab.size / _PACE
        self.cancelled = False

    def __call__(self, fraction: float, note: str = "", partial: object = None) -> bool:
        if isinstance(partial, Seen):
            self._began = self._began or time.monotonic()
            self._turn.lab.follow(partial.record, partial.seconds)
            self._turn.show(partial)
        try:
            crowded = self._tick(fraction, note) or self._engine.crowded
        except Cancelled:
            if self._began is None:
                raise
            self.cancelled = True  # the turn ends instead, so that nothing of it is lost
        if self.cancelled or self._turn.lab.awaited or self._changed():
            return True
        return self._began is not None and time.monotonic() - self._began > max(_CROWDED if crowded else _ALONE, self._pays)
