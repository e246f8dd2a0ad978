"""One long-lived child: makes each input by its number, asks its door, and says how it ended, how long it took and what it held.

Lines come in as numbers, lines of JSON go out: one when an input is made, one when it has ended.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import shutil
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import psutil

from resviz.allocator import give_back
from tests.fuzz.claims import sentence

__all__ = ["main", "resident"]


def resident(pid: int) -> int:
    """Bytes that a process holds now; 0 of one that has ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _peak() -> int:
    """The most bytes that were resident since `_forget`, or ever where the system cannot forget."""
    if sys.platform.startswith("linux"):
        return _status("VmHWM")
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10


def _status(field: str) -> int:
    """Bytes, as Linux counts them."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{field}:"))


def _forget() -> bool:
    """The peak begins anew, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        return True
    except OSError:
        return False


def _bound() -> None:
    """No input may take the machine's memory: what needs four gigabytes more than now is told that there is none."""
    if sys.platform.startswith("linux"):
        import resource

        data = _status("VmData")
        resource.setrlimit(resource.RLIMIT_DATA, (data + 2**32, data + 2**32))


def _idle() -> int:
    gc.collect()
    give_back()
    return resident(os.getpid()) if _forget() else _peak()


def _answer(door: Any, given: Any) -> tuple[str, str]:
    """How it ended, and with which words: "read", "refused", or "foreign" where a claim is broken."""
    try:
        return ("read" if (said := door.ask(given)) == "read" else "refused"), said
    except door.Own as error:
        try:
            return "refused", sentence(error)
        except AssertionError as broken:
            return "foreign", str(broken)
    except BaseException as error:
        import traceback

        place = traceback.extract_tb(error.__traceback__)[-1]
        return "foreign", f"{type(error).__name__}: {str(error)[:300]} ({Path(place.filename).name}:{place.lineno})"


def _hurt() -> str:
    """What an input did to the folder that the worker stands in, or to its environment; undone, so that the next is judged alone."""
    found = []
    if os.path.lexists("canary"):
        shutil.rmtree("canary", ignore_errors=True)
        if os.path.lexists("canary"):
            os.unlink("canary")
        found.append("a file was made")
    if os.environ.pop("RESVIZ_CANARY", None) is not None:
        found.append("a variable was set")
    return ", ".join(found)


def main(name: str, seed: str) -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever an input makes the project print is no answer

    def say(**words: object) -> None:
        print(json.dumps(words), file=out, flush=True)

    door = importlib.import_module(f"tests.fuzz.{name}")
    for index in range(door.KINDS):  # everything is imported and kept that one of each kind needs
        _answer(door, door.make(Random(f"{seed} {name} {index}"), index)[1])
    _hurt()
    gc.collect()
    gc.freeze()  # what stays need not be looked at before every input
    _bound()
    say(ready=True)
    for line in sys.stdin:
        about, given = door.make(Random(f"{seed} {name} {int(line)}"), int(line))
        idle = _idle()
        say(made=about, idle=idle)
        began = time.perf_counter()
        how, words = _answer(door, given)
        seconds, held = time.perf_counter() - began, _peak() - idle
        del given
        say(ended=how, words=words, seconds=seconds, held=held, hurt=_hurt())


if __name__ == "__main__":
    main(*sys.argv[1:])
