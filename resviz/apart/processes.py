"""Processes that stay warm between computations, and are replaced when one dies or has grown too large."""

from __future__ import annotations

import atexit
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar, cast

import cloudpickle
import psutil

from resviz.apart.engine import Lost
from resviz.progress import Cancelled, Tick

__all__ = ["Processes"]

T = TypeVar("T")
_POLL: Final = 0.05  # seconds between two looks
_PATIENCE: Final = 2.0  # seconds that work has to hear that it is cancelled
_AGAIN: Final = 1.0  # seconds until what was not heard is said again
_TRIES: Final = 2
_GROWN: Final = 0.8  # of the limit: what has grown so large is not used again


class _Died(Exception):
    """The process has ended; the message says how."""


class Processes:
    """At most `count` processes of this machine, each of at most `most` megabytes (0: no limit). Raises `ValueError` for less than one."""

    def __init__(self, count: int, most: int = 0) -> None:
        if count < 1 or most < 0:
            raise ValueError(f"RESVIZ_WORKERS={count} and RESVIZ_WORKER_MB={most}; both are counted from 1")
        self.count, self.most = count, most
        self._idle: list[_Process] = []
        self._every: set[_Process] = set()
        self._lock = threading.Lock()
        self._line: deque[object] = deque()  # who waits for a process, the longest first
        self._free, self._changed = count, threading.Condition()
        atexit.register(self.close)

    def run(self, work: Callable[[Tick], T], tick: Tick) -> T:
        """What the work returns. A process that dies has its work done once more; raises `Lost` where that one dies too, or is too large."""
        asked = cloudpickle.dumps(work)
        self._enter(tick)
        try:
            for tried in range(1, _TRIES + 1):
                try:
                    return cast(T, self._once(asked, tick))
                except _Died as died:
                    if tried == _TRIES:
                        raise Lost(
                            f"its process ended {_TRIES} times ({died}); the server goes on, and a smaller network or batch may do"
                        ) from died
                    tick(0.0, f"its process ended ({died}), once more")
            raise AssertionError
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    @property
    def crowded(self) -> bool:
        """Whether work waits for a process."""
        return bool(self._line)

    def _enter(self, tick: Tick) -> None:
        """Wait for one's turn; who has just had one stands behind those who wait."""
        place = object()
        with self._changed:
            self._line.append(place)
        try:
            while not self._entered(place):
                tick(0.0, "waiting for a process")
        except BaseException:
            with self._changed:
                self._line.remove(place)
                self._changed.notify_all()
            raise

    def _entered(self, place: object) -> bool:
        def first() -> bool:
            return self._free > 0 and self._line[0] is place

        with self._changed:
            if not self._changed.wait_for(first, _POLL):
                return False
            self._line.popleft()
            self._free -= 1
            return True

    def _once(self, asked: bytes, tick: Tick) -> object:
        with self._lock:
            process = self._idle.pop() if self._idle else None
        if process is None:
            try:
                process = _Process()
            except OSError as error:
                raise Lost(
                    f"no process can be started for it ({error.strerror}); the server goes on, try again in a minute"
                ) from error
            with self._lock:
                self._every.add(process)
        try:
            return process.ask(asked, tick, self.most)
        finally:
            self._put_back(process)

    def _put_back(self, process: _Process) -> None:
        good = process.free and not (self.most and process.megabytes() > _GROWN * self.most)
        with self._lock:
            if good:
                self._idle.append(process)
            else:
                self._every.discard(process)
        if not good:
            process.end()

    def close(self) -> None:
        """End every process."""
        with self._lock:
            every, self._every, self._idle = self._every, set(), []
        for process in every:
            process.end()


class _Process:
    """One process and what it says; `free` while it waits for work."""

    def __init__(self) -> None:
        ours = {name: value for name, value in os.environ.items() if name not in ("RESVIZ_WORKERS", "RESVIZ_RAY")}
        self.free = True
        self._process = subprocess.Popen(
            [sys.executable, "-m", "resviz.apart.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=ours | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._said: queue.SimpleQueue[tuple[str, object]] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True, name="apart").start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        try:
            while True:
                self._said.put(pickle.load(self._process.stdout))
        except Exception:  # its end, in the middle of a word or between two
            self._process.wait()
            self._said.put(("died", _end_of(self._process.returncode)))

    def _tell(self, what: bytes | str) -> None:
        assert self._process.stdin is not None
        try:
            pickle.dump(what, self._process.stdin)
            self._process.stdin.flush()
        except OSError:  # it has ended, which `_listen` says
            pass

    def ask(self, work: bytes, tick: Tick, most: int) -> object:
        """Its answer; `most` is in megabytes, 0 without a limit."""
        self.free = False
        self._tell(work)
        progress: tuple[float, str, object] = (0.0, "", None)
        said = 0.0
        while True:
            try:
                kind, about = self._said.get(timeout=_POLL)
            except queue.Empty:
                kind, about = "", None
            match kind:
                case "done":
                    self.free = True
                    return about
                case "failed" if isinstance(about, BaseException):
                    self.free = True
                    raise about
                case "cancelled":
                    self.free = True
                    raise Cancelled
                case "died":
                    raise _Died(about)
                case "tick" if isinstance(about, tuple):
                    progress = about
            if most and (large := self.megabytes()) > most:
                raise Lost(f"it took {large:.0f} MB, more than the {most} MB of one process; take a smaller network or batch")
            try:
                if tick(*progress) and time.monotonic() - said > _AGAIN:
                    said = time.monotonic()
                    self._tell("over")
            except Cancelled:
                self._cancel()
                raise

    def _cancel(self) -> None:
        """Have it stop; one that does not hear is not used again."""
        self._tell("cancel")
        until = time.monotonic() + _PATIENCE
        while not self.free and (left := until - time.monotonic()) > 0:
            try:
                kind, _ = self._said.get(timeout=left)
            except queue.Empty:
                return
            self.free = kind in ("cancelled", "done", "failed")
            if kind == "died":
                return

    def megabytes(self) -> float:
        """What it holds now; 0 once it has ended."""
        try:
            return float(psutil.Process(self._process.pid).memory_info().rss) / 2**20
        except psutil.Error:
            return 0.0

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()


def _end_of(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
