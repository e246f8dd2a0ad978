"""The memory that all visitors' files may take together while they are read: one budget for the process."""

from __future__ import annotations

from functools import cache

from resviz.guard import Budget
from resviz.machine import memory

__all__ = ["budget"]


@cache
def budget() -> Budget:
    """A quarter of what this process may use, and never less than a GiB, so that one large picture always has room."""
    return Budget(max(2**30, memory() // 4))
