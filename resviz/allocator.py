"""What glibc's allocator is told: tensors of some MB otherwise go back to the kernel and are taken anew, page by page.

Each does nothing where there is another libc, which has its own ways.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Callable
from functools import cache

from resviz.machine import plain

__all__ = ["few_arenas", "give_back", "keep_freed"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # malloc.h


@cache
def keep_freed() -> None:
    """From now on this process keeps what it frees, until `give_back`: a tenth of a ResNet-20 training step's time."""
    _glibc(lambda libc: libc.mallopt(_MMAP_THRESHOLD, 1 << 30))
    _glibc(lambda libc: libc.mallopt(_TRIM_THRESHOLD, (1 << 31) - 1))


def give_back() -> None:
    """Return what was freed to the kernel."""
    _glibc(lambda libc: libc.malloc_trim(0))


def few_arenas() -> None:
    """Two heaps for all threads: with one a thread, each session's thread would leave a heap full of holes behind."""
    _glibc(lambda libc: libc.mallopt(_ARENA_MAX, 2))


def _glibc(call: Callable[[ctypes.CDLL], object]) -> None:
    if sys.platform.startswith("linux") and not plain():
        with contextlib.suppress(OSError, AttributeError):
            call(ctypes.CDLL("libc.so.6"))
