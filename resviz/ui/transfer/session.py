"""What the page Transfer holds between runs: pictures, the network that is taught, and the runs that teach it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from resviz.data.album import Album, example
from resviz.progress import Tick
from resviz.results import LearningCurve, Transferred
from resviz.spec.transfer import TransferMode, TransferPlan
from resviz.training.transfer.lesson import Lesson, estimate
from resviz.training.transfer.loop import Transfer
from resviz.ui import cache
from resviz.ui.reading import read
from resviz.ui.shelf import shelf, shelved
from resviz.zoo.bundled import bundled_names
from resviz.zoo.classifier import Classifier

__all__ = ["Room", "Taught", "example_album", "room", "starts"]

_LONGEST = 20 * 60  # seconds that a run may take on the page


@dataclass(frozen=True, eq=False)
class Taught:
    """A run that is over: what it measured, and its network."""

    found: Transferred
    net: Classifier


@dataclass
class Room:
    """One visitor's lesson and its runs; pictures stay here and are gone with the session."""

    own: Album = field(default_factory=lambda: Album({}))
    token: str = field(default_factory=lambda: os.urandom(8).hex())
    seen: set[str] = field(default_factory=set)  # uploads that were taken already
    trouble: list[str] = field(default_factory=list)  # with the last of them, until others are given or some taken out
    _lesson: tuple[object, Lesson] | None = None
    _runs: dict[object, Transfer] = field(default_factory=dict)

    def lesson(self, album: Album, start: str, share: float, seed: int) -> Lesson:
        """The lesson that these make, the same one while they are the same. Raises ValueError."""
        mark = _mark(start)
        key = (album.key, mark, share, seed)
        if self._lesson is None or self._lesson[0] != key:
            self._lesson = key, Lesson(_network(start), album, share, seed, mark)
            self._runs.clear()
        return self._lesson[1]

    def taught(self, lesson: Lesson, plan: TransferPlan) -> Taught | ValueError | None:
        """The run with this plan; None while it is under way, after drawing its progress."""
        key = (lesson.key, plan)

        def work(tick: Tick) -> Taught:
            if (need := estimate(lesson, plan)).seconds > _LONGEST:
                raise ValueError(
                    f"this would take about {need.seconds / 60:.0f} minutes here and {_LONGEST // 60} are allowed; take fewer pictures, "
                    "or run python -m resviz transfer"
                )
            run = self._runs.setdefault(key, Transfer(lesson, plan))
            run.tick = tick
            for record in run:
                tick(
                    record.epoch / record.epochs,
                    f"epoch {record.epoch} of at most {record.epochs}, {record.held_out:.0f} % held out",
                )
            return Taught(run.result(), run.network())

        return read(f"transfer.{plan.mode}", key, _LABELS[plan.mode], work, kind="transfer")

    def curve(self, lesson: Lesson) -> LearningCurve | ValueError | None:
        """Accuracy by pictures a class; None while it is measured."""
        return read("transfer.curve", lesson.key, "Learning from fewer pictures", lesson.curve, kind="transfer")


_LABELS: Mapping[TransferMode, str] = {"head": "Head only", "finetune": "Fine-tuning", "scratch": "From scratch"}


def room() -> Room:
    """This session's."""
    found: Room = st.session_state.setdefault("transfer", Room())
    return found


@st.cache_resource(show_spinner=False)
def example_album() -> Album:
    """The example, made once."""
    return example()


def starts() -> dict[str, str]:
    """Networks that can be taught, by what they are called: bundled ones, and those of the shelf."""
    from resviz.ui.networks import bundled_titles

    return bundled_titles() | {shelved(name): f"{name} · on your shelf" for name in shelf().names()}


def _mark(start: str) -> str:
    """A bundled network's name; of the shelf, where two visitors' may go by one name, what tells the files apart."""
    return start if start in bundled_names() else next(shelf().key(name) for name in shelf().names() if shelved(name) == start)


def _network(start: str) -> Classifier:
    if start in bundled_names():
        return cache.bundled(start)
    return next(shelf().load(name) for name in shelf().names() if shelved(name) == start)
