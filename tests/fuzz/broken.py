"""A door that breaks every claim, one input after another: whether each is found."""

from __future__ import annotations

import os
import time
from random import Random

from resviz.data.uploads import ImageError

__all__ = ["KINDS", "Own", "ask", "make"]

Own, KINDS = ImageError, 0


def make(rng: Random, index: int) -> tuple[str, int]:
    return f"{index}, {rng.random()}", index


def ask(given: int) -> str:
    held = [b"x"]
    if given == 1:
        raise KeyError("foreign")
    if given == 2:
        raise ImageError("two\nlines")
    while given == 3:
        pass
    if given == 4:
        held.append(b"x" * (250 * 2**20))
    if given == 5:
        os._exit(3)
    if given == 6:
        os.mkdir("canary")
    while given == 7:
        held.append(b"x" * 2**24)
        time.sleep(0.01)
    if given == 8:
        raise ImageError("One clear sentence.")
    return "read"
