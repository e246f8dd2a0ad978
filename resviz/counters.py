"""What this process has computed, by kind; never for whom, nor about what."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Protocol

__all__ = ["KINDS", "Computation", "Counted", "Counters", "Kind", "kind_of"]

_LOG = logging.getLogger(__name__)
OTHER: Final = "other"
# the first of a computation's key, in words; a key that begins otherwise may begin with a visitor's own data
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "anatomy": "a trained network without its parts",
        "attention": "what attention reads",
        "attribution": "which pixels decided",
        "batch": "explaining a folder",
        "changed": "which pixels decide after a change",
        "checkpoint": "reading a checkpoint",
        "cifar10": "fetching CIFAR-10",
        "depth": "evidence behind every block",
        "download": "fetching weights",
        "estimate": "how long the Lab would take",
        "excited": "what excites a channel",
        "faithfulness": "how far a map can be trusted",
        "field": "how far back a layer sees",
        "intact": "checking fetched weights",
        "lab": "training in the Lab",
        "landscape": "the loss around a network",
        "landscape.nets": "training for Landscape",
        "mistakes": "which pixels misled",
        "neuron": "a number on its way to the pixels",
        "paths": "evidence between skip and branch",
        "probe": "gradients of every layer",
        "ranking": "methods ranked over pictures",
        "reading": "reading a file",
        "shatter": "gradients along a line of inputs",
        "sharpness": "how sharply the loss curves",
        "similarity": "how alike layers are",
        "sweep": "gradients by depth",
        "tokens": "how alike tokens become",
        "trajectory": "the path of a training",
        "transfer": "teaching a network",
        OTHER: "anything else",
    }
)


class Computation(Protocol):
    """What is looked at of a computation; its `state` is "queued", "running", "done", "failed" or "cancelled"."""

    @property
    def key(self) -> Hashable: ...

    @property
    def state(self) -> str: ...

    @property
    def error(self) -> BaseException | None: ...


@dataclass(frozen=True)
class Kind:
    """Computations of one kind so far, and the seconds that they computed and waited, the turns of those under way included."""

    begun: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    seconds: float = 0.0
    waited: float = 0.0


@dataclass(frozen=True)
class Counted:
    """How many wait and compute now, and what there was of each kind since the start."""

    queued: int
    running: int
    kinds: Mapping[str, Kind]

    @property
    def total(self) -> Kind:
        """All kinds together."""
        return Kind(*(sum(getattr(kind, name) for kind in self.kinds.values()) for name in Kind.__dataclass_fields__))


@dataclass
class _Open:
    """A computation under way."""

    kind: str
    since: float = field(default_factory=time.monotonic)  # when it began to wait, or its turn
    turns: int = 0
    running: bool = False
    seconds: float = 0.0
    waited: float = 0.0

    def pass_on(self) -> None:
        """What it did until now is counted."""
        now = time.monotonic()
        if self.running:
            self.seconds += now - self.since
        else:
            self.waited += now - self.since
        self.since = now


class Counters:
    """Follows computations from their queue to their end, counts them and says so in the log; any thread may call it."""

    def __init__(self) -> None:
        self._open: dict[Computation, _Open] = {}
        self._kinds: dict[str, Kind] = {}
        self._lock = threading.Lock()

    def waits(self, run: Computation) -> None:
        """It is asked for and queued."""
        with self._lock:
            self._open[run] = _Open(kind_of(run.key))

    def begins(self, run: Computation) -> None:
        """A turn of it begins; it may have had others."""
        with self._lock:
            its = self._open[run]
            its.pass_on()
            its.running, its.turns = True, its.turns + 1
            first = its.turns == 1
            if first:
                before = self._kinds.get(its.kind, Kind())
                self._kinds[its.kind] = replace(before, begun=before.begun + 1)
        if first:
            about = {"kind": its.kind, "state": "running", "seconds": 0.0, "waited": its.waited}
            _LOG.info("a computation begins: %s", its.kind, extra=about)

    def stops(self, run: Computation) -> None:
        """It queues once more, or has ended as its state says, be it without any turn."""
        with self._lock:
            its = self._open[run]
            its.pass_on()
            its.running = False
            if run.state == "queued":
                return
            del self._open[run]
            self._kinds[its.kind] = _with(self._kinds.get(its.kind, Kind()), its, run.state)
        about = {"kind": its.kind, "state": run.state, "seconds": its.seconds, "waited": its.waited}
        _LOG.info("a computation %s: %s", _ENDS[run.state], its.kind, exc_info=run.error, extra=about)

    def read(self) -> Counted:
        """The numbers of this moment."""
        with self._lock:
            kinds = dict(self._kinds)
            for its in self._open.values():
                its.pass_on()
                kinds[its.kind] = _with(kinds.get(its.kind, Kind()), its)
            running = sum(its.running for its in self._open.values())
            return Counted(len(self._open) - running, running, kinds)


_ENDS: Final = {"done": "is done", "failed": "failed", "cancelled": "was cancelled"}


def _with(kind: Kind, its: _Open, ended: str = "") -> Kind:
    """The kind with one more computation's times, and its end where it has ended."""
    counted = replace(kind, seconds=kind.seconds + its.seconds, waited=kind.waited + its.waited)
    return replace(counted, **{ended: getattr(kind, ended) + 1}) if ended else counted


def kind_of(key: Hashable) -> str:
    """What a key says a computation is, one of `KINDS`."""
    name = key[0] if isinstance(key, tuple) and key else key
    return name if isinstance(name, str) and name in KINDS else OTHER
