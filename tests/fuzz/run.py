"""The parent: hands numbers to children, and ends a child that hangs, dies or takes too much, which is then its input's fault."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from resviz.machine import cores
from tests.fuzz.worker import peak

__all__ = ["COUNTS", "MOST_HELD", "MOST_SECONDS", "PATIENCE", "Answer", "fuzz"]

COUNTS = {"commands": 300, "checkpoints": 500, "zips": 300, "pictures": 3000, "links": 2000}  # the slowest first
MOST_SECONDS, MOST_HELD = 3.0, 600 * 2**20
PATIENCE, _START, _FEW = 10.0, 120.0, 1000  # seconds for an input, seconds to start, inputs that one child is enough for
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """How one input ended; `fault` says which claim it breaks, or nothing."""

    door: str
    index: int
    about: str
    how: str  # read, refused, foreign, died, hung
    words: str = ""
    seconds: float = 0.0
    held: int = 0
    hurt: str = ""

    @property
    def fault(self) -> str:
        faults = {
            "foreign": self.how in ("foreign", "died"),
            "slow": self.how == "hung" or self.seconds > MOST_SECONDS,
            "large": self.held > MOST_HELD,
            "canary": bool(self.hurt),
        }
        return ", ".join(name for name, broken in faults.items() if broken)


@dataclass
class _Child:
    """A worker and the folder it stands in."""

    door: str
    seed: int
    folder: Path
    process: subprocess.Popen[str] = field(init=False)
    heard: queue.SimpleQueue[dict[str, object] | None] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        environment = {  # small networks compute on one thread, and as many children as there are cores
            **os.environ,
            "PYTHONPATH": str(_ROOT),
            "PYTHONHASHSEED": "0",
            "RESVIZ_DATA": str(self.folder / "cache"),
            "OMP_NUM_THREADS": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", self.door, str(self.seed)], cwd=self.folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()
        if self._line(_START) is None:
            raise RuntimeError(
                f"the worker for {self.door} does not start; run python -m tests.fuzz.worker {self.door} {self.seed}"
            )

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.heard.put(json.loads(line))
        self.heard.put(None)

    def _line(self, seconds: float, idle: int | None = None) -> dict[str, object] | None:
        """What the worker says next; None where it dies, says nothing for so long, or holds three times what it may."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                return self.heard.get(timeout=0.1)
            if idle is not None and self.alive and peak(self.process.pid) - idle > 3 * MOST_HELD:
                return None
        return None

    def ask(self, index: int) -> Answer:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{index}\n")
        self.process.stdin.flush()
        made = self._line(_START)
        if made is None:
            raise RuntimeError(f"the worker cannot make input {index} of {self.door}")
        idle, began = int(str(made["idle"])), time.monotonic()
        ended = self._line(PATIENCE, idle)
        if ended is None:
            held = peak(self.process.pid) - idle if self.process.poll() is None else 0
            how = "hung" if time.monotonic() - began >= PATIENCE else "died"
            self.end()
            return Answer(
                self.door, index, str(made["made"]), how, f"exit code {self.process.poll()}", time.monotonic() - began, held
            )
        return Answer(
            self.door, index, str(made["made"]), str(ended["ended"]), str(ended["words"]), float(str(ended["seconds"])),
            int(str(ended["held"])), str(ended["hurt"]),
        )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def _asked(door: str, seed: int, indices: range, until: float) -> Iterator[Answer]:
    """The answers of one door to some inputs; what is slow or large is asked once more.

    Others may have had the core, and the first to need a library pays for it.
    """
    with tempfile.TemporaryDirectory() as folder:
        child: _Child | None = None
        try:
            for index in indices:
                if time.monotonic() > until:
                    return
                child = child if child and child.alive else _Child(door, seed, Path(folder))
                answer = child.ask(index)
                if "slow" in answer.fault or "large" in answer.fault:
                    child = child if child.alive else _Child(door, seed, Path(folder))
                    again = child.ask(index)
                    answer = answer if again.fault else again
                yield answer
        finally:
            if child:
                child.end()


def fuzz(seed: int, counts: Mapping[str, int] = COUNTS, seconds: float = 120.0, only: int | None = None) -> list[Answer]:
    """Every answer there was time for: to the inputs 0, 1, 2, … of each door, or to `only` one of them."""
    waiting: queue.SimpleQueue[tuple[str, range]] = queue.SimpleQueue()
    for door, count in counts.items():
        half = count if count < _FEW else -(-count // 2)
        parts = [range(start, min(count, start + half)) for start in range(0, count, half)]
        for indices in parts if only is None else [range(only, only + 1)]:
            waiting.put((door, indices))
    answers: list[Answer] = []
    errors: list[BaseException] = []
    until = time.monotonic() + seconds

    def work() -> None:
        try:
            while True:
                door, indices = waiting.get_nowait()
                answers.extend(_asked(door, seed, indices, until))
        except queue.Empty:
            return
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(cores())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return answers
