"""The memory that all visitors' files may take together while they are read: one budget for the process."""

from __future__ import annotations

from functools import cache

from resviz.guard import Budget
from resviz.machine import memory

__all__ = ["budget"]


@cache
def budget() -> Budget:
    """A quarter of what this process may use."""
    return Budget(memory() // 4)
