"""`python -m resviz.apart.worker`: does what stands on its standard input, one work after another, and says on its standard output how far it is."""

from __future__ import annotations

import os
import pickle
import queue
import sys
import threading
import time
from typing import BinaryIO, Final

import cloudpickle

from resviz.process import settle
from resviz.progress import Cancelled

__all__ = ["main"]

_NICE: Final = 10  # a page's own thread comes first where cores are few
_SELDOM: Final = 0.05  # seconds between two words on how far it is


class _Work:
    """What is asked, read beside what is computed; its turn is over, or it is cancelled, where that is told. The end of the asker is the end of this process."""

    def __init__(self, source: BinaryIO) -> None:
        self.asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.cancelled, self.over = threading.Event(), threading.Event()
        threading.Thread(target=self._listen, args=(source,), daemon=True).start()

    def _listen(self, source: BinaryIO) -> None:
        try:
            while True:
                match pickle.load(source):
                    case bytes(work):
                        self.cancelled.clear()
                        self.over.clear()
                        self.asked.put(work)
                    case "over":
                        self.over.set()
                    case "cancel":
                        self.cancelled.set()
        except Exception:  # whoever asked is gone
            os._exit(0)


class _Voice:
    """What is said, a pickle after another."""

    def __init__(self, out: BinaryIO, work: _Work) -> None:
        self.out, self.work = out, work
        self.last = 0.0

    def say(self, kind: str, about: object) -> None:
        data = pickle.dumps((kind, about))  # whole, before a byte of it is written
        self.out.write(data)
        self.out.flush()

    def tick(self, fraction: float, note: str = "", partial: object = None) -> bool:
        """How far the work is."""
        if self.work.cancelled.is_set():
            raise Cancelled
        if time.monotonic() - self.last >= _SELDOM:
            self.last = time.monotonic()
            self.say("tick", (fraction, note, partial))
        return self.work.over.is_set()


def _sayable(error: Exception) -> Exception:
    """The error, or its words where another process could not read it."""
    try:
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:  # an error of its own making may refuse in any way
        return RuntimeError(f"{type(error).__name__}: {error}")


def main() -> None:
    """Work until whoever asks is gone."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no word of ours
    settle()
    if hasattr(os, "nice"):
        os.nice(_NICE)
    work = _Work(sys.stdin.buffer)
    voice = _Voice(out, work)
    while True:
        voice.last = 0.0  # a work's first word is always said
        try:
            voice.say("done", cloudpickle.loads(work.asked.get())(voice.tick))
        except Cancelled:
            voice.say("cancelled", None)
        except Exception as error:  # whatever it is belongs to whoever asked
            voice.say("failed", _sayable(error))


if __name__ == "__main__":
    main()
