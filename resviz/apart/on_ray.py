"""Computations as tasks of a Ray cluster: progress and cancelling by an actor beside each, lost nodes' tasks anew by Ray itself."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final, TypeVar

import cloudpickle

from resviz.apart.engine import Lost
from resviz.progress import Cancelled, Tick

__all__ = ["OnRay"]

T = TypeVar("T")
_POLL: Final = 0.1  # seconds between two looks
_RETRIES: Final = 3
_PATIENCE: Final = 5.0  # seconds for the cluster to answer at all
_SELDOM: Final = 0.2  # seconds between two words on how far it is


class _Between:
    """What the task says and the asker wants; it lives where the asker does."""

    def __init__(self) -> None:
        self.progress: tuple[float, str, object] = (0.0, "", None)
        self.cancelled = self.over = False

    def say(self, progress: tuple[float, str, object]) -> tuple[bool, bool]:
        """Take note of how far it is; whether it is cancelled, and whether its turn is over."""
        self.progress = progress
        return self.cancelled, self.over

    def look(self) -> tuple[float, str, object]:
        """How far it is."""
        return self.progress

    def cancel(self) -> None:
        """It shall not go on."""
        self.cancelled = True

    def end_turn(self) -> None:
        """It should let others have their turn."""
        self.over = True


def _do(work: bytes, between: object) -> bytes | None:
    """The task: the work, whose ticks speak to the actor."""
    import time

    import ray

    last, over = 0.0, False

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        nonlocal last, over
        if time.monotonic() - last >= _SELDOM:
            last = time.monotonic()
            cancelled, over = ray.get(between.say.remote((fraction, note, partial)))  # type: ignore[attr-defined] # Ray's handle of it
            if cancelled:
                raise Cancelled
        return over

    try:
        return cloudpickle.dumps(cloudpickle.loads(work)(tick))  # Ray itself would hand on arrays that can only be read
    except Cancelled:  # nobody waits for it any more
        return None


def _reach(address: str) -> None:
    """Ray itself asks for minutes where nobody answers. Raises `ValueError` then."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if not port.isdecimal():  # "auto", or another name that Ray knows
        return
    try:
        socket.create_connection((host, int(port)), _PATIENCE).close()
    except OSError as error:
        raise ValueError(
            f"no Ray cluster answers at RESVIZ_RAY={address} ({error}); name its address, or leave it unset"
        ) from error


class OnRay:
    """The cluster at an address, "auto" being the one of this machine. Raises `ValueError` without Ray or the cluster."""

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise ValueError("Ray is not installed; pip install 'resviz[scale]', or leave RESVIZ_RAY unset") from error
        _reach(address)
        try:
            ray.init(address=address, ignore_reinit_error=True, log_to_driver=False)
        except (ConnectionError, ValueError) as error:
            raise ValueError(f"no Ray cluster answers at RESVIZ_RAY={address}: {error}") from error
        self.count = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self.crowded = False  # Ray does not say; what waits in the queue of jobs is known there

    def run(self, work: Callable[[Tick], T], tick: Tick) -> T:
        """What the work returns. Raises what it raises, and `Lost` where Ray gave it up."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        between = ray.remote(num_cpus=0, scheduling_strategy=here)(_Between).remote()
        reference = ray.remote(num_cpus=1, max_retries=_RETRIES)(_do).remote(cloudpickle.dumps(work), between)
        try:
            while not ray.wait([reference], timeout=_POLL)[0]:
                if tick(*ray.get(between.look.remote())):
                    between.end_turn.remote()
            result: T = cloudpickle.loads(ray.get(reference))
            return result
        except Cancelled:
            ray.get(between.cancel.remote())
            raise
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError as error:
            raise Lost(f"Ray lost it: {str(error).splitlines()[0]}") from error
