"""What every door to the outside shares: one guard for what its reader raises, and one memory budget for all who enter."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from resviz.progress import Tick, quiet

__all__ = ["Budget", "brief", "door", "nearest", "quoted"]


_INNARDS = re.compile(r"\s*<[^<>]*(?: at 0x|ZipInfo)[^<>]*>")


@contextmanager
def door(own: type[ValueError], sentence: str) -> Iterator[None]:
    """Whatever a reader raises inside becomes the door's `own` error, which says `sentence` with the cause for its `{}`.

    The door's own errors pass as they are; so does the end of a cancelled job, which is no `Exception`.
    """
    try:
        yield
    except own:
        raise
    except Exception as error:  # each reader has its own exceptions for a broken or hostile file
        raise own(sentence.format(brief(error))) from error


def brief(error: BaseException, length: int = 80) -> str:
    """An exception's first line, shortened; its type where it says nothing, no number of the system's and no object's innards."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    text = _INNARDS.sub("", text)
    return quoted((text.strip().splitlines() or [""])[0] or type(error).__name__, length)


def quoted(text: object, length: int = 60) -> str:
    """Text from outside as it may stand in a sentence: one line, control characters escaped, shortened."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text)[: 4 * length])
    return line if len(line) <= length else f"{line[: length - 1]}…"


def nearest(word: str, known: Iterable[str]) -> str:
    """The question whether a word of these was meant, as the end of a refusal; nothing where none is like it."""
    found = get_close_matches(word[:200], list(known), 1, 0.5)
    return f"; did you mean {quoted(found[0])}?" if found else ""


class Budget:
    """Bytes that all visitors' readers together may hold at a time; one that needs more than is left waits for the others."""

    def __init__(self, limit: int) -> None:
        self.limit, self._taken = limit, 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, need: int, own: type[ValueError], tick: Tick = quiet) -> Iterator[None]:
        """Hold `need` bytes; raises the door's `own` error where that is more than there will ever be."""
        if need > self.limit:
            raise own(
                f"Reading it would take {need / 2**20:,.0f} MB of memory and the limit is {self.limit >> 20:,} MB; make it smaller."
            )
        with self._changed:
            while self._taken + need > self.limit:
                self._changed.wait(0.2)
                tick(0.0, "waiting for memory")
            self._taken += need
        try:
            yield
        finally:
            with self._changed:
                self._taken -= need
                self._changed.notify_all()
