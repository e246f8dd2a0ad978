"""Where computations are done that depend on values alone: chosen here, once, by RESVIZ_RAY and RESVIZ_WORKERS."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from typing import Protocol, TypeVar

from resviz.machine import variable
from resviz.progress import Tick

__all__ = ["Engine", "Lost", "engine"]

T = TypeVar("T")
_LOG = logging.getLogger(__name__)


class Lost(RuntimeError):
    """A computation that was lost with what computed it; the message says how, and what to do."""


class Engine(Protocol):
    """Does work elsewhere; `count` is how much of it at a time."""

    count: int

    @property
    def crowded(self) -> bool:
        """Whether work waits for a place, and turns should be short."""
        ...

    def run(self, work: Callable[[Tick], T], tick: Tick) -> T:
        """What the work returns, its progress by `tick`, which may cancel it. Raises what the work raises, and `Lost`."""
        ...


@cache
def engine() -> Engine | None:
    """Ray at the address that RESVIZ_RAY names, or RESVIZ_WORKERS processes; None where neither is set, or cannot be had."""
    try:
        if address := os.environ.get("RESVIZ_RAY"):
            from resviz.apart.on_ray import OnRay

            return OnRay(address)
        if count := int(variable("RESVIZ_WORKERS") or 0):
            from resviz.apart.processes import Processes

            return Processes(count, int(variable("RESVIZ_WORKER_MB") or 0))
    except ValueError as error:
        _LOG.warning("Computations stay in the web process: %s", error)
    return None
