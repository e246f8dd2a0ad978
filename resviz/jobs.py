"""Long work off the script thread: a bounded, fair queue of cancellable jobs.

A job's work is a plain function that is handed `tick(fraction, note)`; it calls it between its steps, and `tick` raises
`Cancelled` once the job was cancelled or its visitor is gone. `tick` returns True where others wait and the job had its turn:
work that can be taken up again then returns `AGAIN` and queues once more. Workers never touch streamlit.
"""

from __future__ import annotations

import atexit
import math
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from resviz.allocator import give_back
from resviz.counters import Counters
from resviz.machine import cores
from resviz.progress import Cancelled, Tick

__all__ = ["AGAIN", "GRACE", "Job", "Jobs", "JobsFull"]

AGAIN: Final = object()  # what work returns to be called once more, after those who wait
TURN = 0.5  # seconds of computing before a job should let others have the core
_MEMORY = 30.0  # seconds in which half of what a visitor has used is forgotten
_REST = 20.0  # idle seconds after which memory is given back: a next computation soon after would take it anew, page by page
GRACE = 8.0  # seconds that a job outlives its browser session, in case the connection only dropped


class JobsFull(RuntimeError):
    """No more jobs are taken; the message says why and what to do."""


@dataclass(eq=False)
class _Computation:
    """One piece of work and all who watch it. `state` is "queued", "running", "done", "failed" or "cancelled"."""

    key: Hashable
    work: Callable[[Tick], object]
    crowded: Callable[[], bool]
    watchers: list[Job] = field(default_factory=list)
    state: str = "queued"
    fraction: float = 0.0
    note: str = ""
    partial: object = None  # what the work has so far, where it says so
    result: object = None
    error: BaseException | None = None
    began: float = 0.0  # of this turn
    spent: float = 0.0  # seconds of the turns before
    finished: threading.Event = field(default_factory=threading.Event)

    def tick(self, fraction: float, note: str = "", partial: object = None) -> bool:
        """Record progress from 0 to 1; raises `Cancelled` where nobody watches any more. True: others wait, and its turn is over."""
        self.fraction, self.note = fraction, note or self.note
        self.partial = self.partial if partial is None else partial
        if not self.wanted:
            raise Cancelled
        return time.monotonic() - self.began > TURN and self.crowded()

    @property
    def wanted(self) -> bool:
        """Whether somebody still watches."""
        return any(job.wanted for job in self.watchers)

    @property
    def owners(self) -> list[str]:
        """Who still watches, each once."""
        return list(dict.fromkeys(job.owner for job in self.watchers if job.wanted))

    def end(self, state: str) -> None:
        self.state = state
        self.finished.set()

    def run(self) -> None:
        self.state, self.began = "running", time.monotonic()
        ended = "failed"
        try:
            self.tick(self.fraction)
            self.result = self.work(self.tick)
            ended = "queued" if self.result is AGAIN else "done"
        except Cancelled:
            ended = "cancelled"
        except Exception as error:  # whatever went wrong belongs to the visitors who asked, not to the worker
            self.error = error
        finally:
            self.spent += time.monotonic() - self.began
            if ended == "queued":
                self.state = ended
            else:
                self.fraction = 1.0
                self.end(ended)


@dataclass(eq=False)
class Job:
    """One visitor's watch over a computation, which may be others' too: leaving it ends nothing for them."""

    owner: str
    _computation: _Computation
    deadline: float = math.inf
    _left: bool = False

    @property
    def key(self) -> Hashable:
        """What is asked: equal keys are one computation."""
        return self._computation.key

    @property
    def state(self) -> str:
        """ "queued", "running", "done", "failed" or "cancelled"; whoever has left sees it cancelled."""
        return "cancelled" if self._left and self._computation.state != "done" else self._computation.state

    @property
    def fraction(self) -> float:
        """How much is done, from 0 to 1."""
        return self._computation.fraction

    @property
    def note(self) -> str:
        """What the work says of where it is."""
        return self._computation.note

    @property
    def partial(self) -> Any:
        """What the work has so far; None where it says nothing."""
        return self._computation.partial

    @property
    def result(self) -> Any:
        """What the work returned; None before its end."""
        return self._computation.result

    @property
    def error(self) -> BaseException | None:
        """What the work raised, where it failed."""
        return self._computation.error

    def cancel(self) -> None:
        """Leave; the computation ends where nobody else watches it."""
        self._left = True

    def wait(self, seconds: float) -> bool:
        """Whether it finished, however it ended, within that time; for one who left, that others go on counts as its end."""
        return (self._left and self._computation.wanted) or self._computation.finished.wait(seconds)

    @property
    def live(self) -> bool:
        """Whether it still waits or runs for whoever holds this."""
        return not (self._left and self._computation.wanted) and not self._computation.finished.is_set()

    @property
    def wanted(self) -> bool:
        """Whether somebody still watches."""
        return not self._left and time.monotonic() <= self.deadline

    @property
    def remaining(self) -> float | None:
        """Seconds still needed at the pace so far; None while nothing is known."""
        run = self._computation
        if run.state != "running" or run.fraction < 0.02:
            return None
        return (run.spent + time.monotonic() - run.began) * (1 - run.fraction) / run.fraction


class Jobs:
    """At most `workers` computations at a time; equal ones that are asked for while one waits or runs are that one.

    The next one is of whoever has fewest running, then of whoever has computed least of late, then the longest waiting.
    """

    def __init__(self, workers: int | None = None, queue: int = 64, per_owner: int = 12, keep: int = 128) -> None:
        self.workers = workers or cores()
        self.counters = Counters()
        self._queue, self._per_owner, self._keep = queue, per_owner, keep
        self._waiting: list[_Computation] = []
        self._running: list[_Computation] = []
        self._used: dict[str, tuple[float, float]] = {}  # seconds of computing, and when they were counted
        self._results: OrderedDict[Hashable, object] = OrderedDict()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def remembered(self, key: Hashable) -> Any:
        """The result an earlier computation of this key had, or None."""
        with self._changed:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)

    def submit(self, owner: str, key: Hashable, work: Callable[[Tick], object]) -> Job:
        """Watch the computation of this key: the one that waits, runs or has just ended, or a new one; raises `JobsFull`."""
        with self._changed:
            self._drop_unwanted()
            run = self._known(key) or self._queued(owner, key, work)
            job = Job(owner, run)
            run.watchers.append(job)
            self._changed.notify()
        return job

    def _known(self, key: Hashable) -> _Computation | None:
        """A computation of this key that can still be joined, or one that stands for the result it had."""
        for run in self._waiting + self._running:
            if run.key == key and run.state != "failed" and run.wanted:
                return run
        if (result := self._results.get(key)) is None:
            return None
        done = _Computation(key, lambda tick: result, lambda: False, result=result, fraction=1.0)
        done.end("done")
        return done

    def _queued(self, owner: str, key: Hashable, work: Callable[[Tick], object]) -> _Computation:
        if len(self._waiting) >= self._queue:
            raise JobsFull(f"{self._queue} computations are already waiting; try again in a minute.")
        if sum(owner in other.owners for other in self._waiting) >= self._per_owner:
            raise JobsFull(f"You have {self._per_owner} computations waiting; let one finish or cancel it.")
        run = _Computation(key, work, crowded=lambda: bool(self._waiting))
        self._waiting.append(run)
        self.counters.waits(run)
        if not self._threads:
            atexit.register(self.close)  # a thread that still computes while the process ends takes it down
        if len(self._threads) < self.workers:
            thread = threading.Thread(target=self._serve, daemon=True, name=f"job-worker-{len(self._threads)}")
            self._threads.append(thread)
            thread.start()
        return run

    def close(self, seconds: float = 5.0) -> None:
        """Cancel everything, and wait at most so long for what runs to hear of it."""
        with self._changed:
            running = list(self._running)
            for run in self._waiting + running:
                for job in run.watchers:
                    job.cancel()
            self._drop_unwanted()
        until = time.monotonic() + seconds
        for run in running:
            run.finished.wait(max(0.0, until - time.monotonic()))

    def place(self, job: Job) -> int:
        """Place in the queue, 1 being next; 0 when it no longer waits."""
        with self._changed:
            self._drop_unwanted()
            run = job._computation
            return self._waiting.index(run) + 1 if run in self._waiting and job.wanted else 0

    def leave(self, owner: str, grace: float = GRACE) -> None:
        """The owner watches nothing any more in `grace` seconds unless `adopt` takes the jobs back."""
        self._lease(owner, time.monotonic() + grace)

    def adopt(self, owner: str) -> None:
        """The owner is back: its jobs have no deadline any more."""
        self._lease(owner, math.inf)

    def _lease(self, owner: str, deadline: float) -> None:
        with self._changed:
            for run in self._waiting + self._running:
                for job in run.watchers:
                    if job.owner == owner:
                        job.deadline = deadline

    def _drop_unwanted(self) -> None:
        for run in [run for run in self._waiting if not run.wanted]:
            self._waiting.remove(run)
            run.end("cancelled")
            self.counters.stops(run)

    def _share(self, owner: str, now: float) -> float:
        """Seconds the owner has computed, those of long ago forgotten; whole seconds, so that small differences don't count."""
        seconds, counted = self._used.get(owner, (0.0, now))
        return round(seconds * 0.5 ** ((now - counted) / _MEMORY))

    def _charge(self, owners: Sequence[str], seconds: float) -> None:
        """What all watch, all pay for together."""
        now = time.monotonic()
        self._used = {name: used for name, used in self._used.items() if now - used[1] < 10 * _MEMORY}
        for owner in owners:
            before, counted = self._used.get(owner, (0.0, now))
            self._used[owner] = before * 0.5 ** ((now - counted) / _MEMORY) + seconds / len(owners), now

    def _turn(self, run: _Computation, busy: Counter[str], now: float) -> tuple[int, float]:
        """How late a computation's turn is: that of the watcher whose turn comes first."""
        return min((busy[owner], self._share(owner, now)) for owner in run.owners or [""])

    def _serve(self) -> None:
        worked = False
        while True:
            with self._changed:
                self._drop_unwanted()
                while not self._waiting:
                    if not self._changed.wait(_REST if worked else None) and not self._running:
                        give_back()
                        worked = False
                    self._drop_unwanted()
                busy, now = Counter(owner for run in self._running for owner in run.owners), time.monotonic()
                # the first of equals waits longest
                run = min(self._waiting, key=lambda waiting: self._turn(waiting, busy, now))
                self._waiting.remove(run)
                self._running.append(run)
                payers = run.owners
            self.counters.begins(run)
            run.run()
            self.counters.stops(run)
            with self._changed:
                self._running.remove(run)
                self._charge(payers, time.monotonic() - run.began)
                if run.state == "queued":
                    self._waiting.append(run)
                if run.state == "done" and run.result is not None:
                    self._results[run.key] = run.result
                    while len(self._results) > self._keep:
                        self._results.popitem(last=False)
            del run  # an idle worker must not keep what its last computation held
            worked = True
