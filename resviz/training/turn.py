"""A stretch of a lab's steps between two moments at which others may have their say: taken here, or in another process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, NamedTuple

from resviz.machine import fitting_threads
from resviz.nets.families.plane import PlaneNet
from resviz.probes.masks import MaskWatch
from resviz.probes.plane import Watch
from resviz.progress import Tick
from resviz.results import LabRecord, Masks, PlaneMap
from resviz.spec.datasets import DATASETS
from resviz.spec.lab import ENDLESS, labels_of
from resviz.training.lab import Lab

__all__ = ["Seen", "Turn", "away"]

_SELDOM: Final = 0.25  # seconds between two words of a lab that is elsewhere


class Seen(NamedTuple):
    """What a lab that is elsewhere says of itself on the way."""

    record: LabRecord
    seconds: float
    maps: tuple[PlaneMap, ...]
    masks: Masks | None


@dataclass
class Turn:
    """`until` is the last step, `pace` in steps a second, `told` the contenders whose divergence has ended a turn before."""

    lab: Lab
    until: int
    pace: float
    told: set[int]
    watch: Watch | None = None  # of the plane, where the contenders learn points
    marks: MaskWatch | None = None  # of pictures, where every pixel has a class
    more: bool = True

    def take(self, tick: Tick) -> bool:
        """Steps until the last one, a contender's first divergence, or a tick that says that the turn is over; whether there is more to do."""
        with fitting_threads(DATASETS[self.lab.plan.data].side):
            try:
                self.more = self._steps(tick)
            finally:
                if not self.lab.broken:
                    self.look(at_once=True)
        return self.more

    def _steps(self, tick: Tick) -> bool:
        lab = self.lab
        while lab.step_number < self.until:
            began = time.monotonic()
            lab.advance()
            self.look()
            done, note = lab.step_number / self.until if self.until < ENDLESS else 0.0, f"step {lab.step_number:,}"
            over = tick(done, note)
            if lab.divergence is not None and lab.divergence.contender not in self.told:
                self.told.add(lab.divergence.contender)
                return False
            while not over and (left := began + 1 / self.pace - time.monotonic()) > 0:
                time.sleep(min(0.05, left))
                over = tick(done, note)
            if over:
                return True
        return False

    def look(self, at_once: bool = False) -> None:
        """What the contenders make of the plane, or of held-out pictures, now; for whoever may use them."""
        if (self.watch is None and self.marks is None) or not self.lab.step_number:
            return
        contenders = self.lab.plan.contenders
        pairs = [self.lab.network(i) for i in range(len(contenders))]
        nets = [(label, net) for label, (net, _) in zip(labels_of(contenders), pairs, strict=True)]
        held_out, step = pairs[0][1], self.lab.step_number
        if self.marks is not None:
            self.marks.look(nets, held_out, step, at_once)
        if self.watch is not None:
            self.watch.look([(label, net) for label, net in nets if isinstance(net, PlaneNet)], held_out, step, at_once)

    @property
    def maps(self) -> tuple[PlaneMap, ...]:
        """The newest maps of the plane."""
        return self.watch.maps if self.watch else ()

    @property
    def masks(self) -> Masks | None:
        """The newest marks."""
        return self.marks.masks if self.marks else None

    def seen(self) -> Seen | None:
        """What there is to show; None before the first step."""
        record = self.lab.record()
        return None if record is None else Seen(record, self.lab.seconds, self.maps, self.masks)

    def show(self, other: Seen | Turn) -> None:
        """Take over the newest maps and marks of a copy that is elsewhere."""
        if self.watch is not None:
            self.watch.maps = other.maps
        if self.marks is not None:
            self.marks.masks = other.masks


def away(turn: Turn, tick: Tick) -> Turn:
    """The turn as it ends in another process, which says some times a second what is recorded there."""
    said = 0.0

    def saying(fraction: float, note: str = "", partial: object = None) -> bool:
        nonlocal said
        if time.monotonic() - said < _SELDOM:
            return False
        said = time.monotonic()
        return tick(fraction, note, turn.seen())

    turn.take(saying)
    return turn
