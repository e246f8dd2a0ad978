"""What this machine offers: cores and memory as its container grants them, and the device that computes fastest."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["cores", "device", "memory", "plain"]

_CGROUP = Path("/sys/fs/cgroup")


def cores(root: Path = _CGROUP) -> int:
    """Cores that this process may use: what the machine has, its affinity, and the container's quota, whichever is least."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = [*_numbers(root / "cpu.max"), math.inf, math.inf][:2]  # version 2: "200000 100000", or "max 100000"
    if math.isinf(quota) or math.isinf(period):
        quota, period = (next(_numbers(root / "cpu" / f"cpu.cfs_{name}_us"), math.inf) for name in ("quota", "period"))
    granted = quota / period if 0 < quota < math.inf and 0 < period < math.inf else math.inf
    return max(1, min(there, math.ceil(granted) if granted < math.inf else there))


def memory(root: Path = _CGROUP) -> int:
    """Bytes of memory that this process may use: the machine's, or the container's limit where that is less."""
    import psutil

    limits = [next(_numbers(root / name), math.inf) for name in ("memory.max", "memory/memory.limit_in_bytes")]
    return int(min(psutil.virtual_memory().total, *limits))


def _numbers(path: Path) -> Iterator[float]:
    """The numbers in a file of the kernel's; "max" is infinity, and a file that is not there has none."""
    try:
        words = path.read_text(encoding="ascii").split()
    except OSError:
        return
    for word in words:
        yield math.inf if word == "max" else float(word)


def plain() -> bool:
    """Whether RESVIZ_PLAIN asks to use nothing that only some machines and libraries have: one thread, float32, public operators."""
    return os.environ.get("RESVIZ_PLAIN", "") not in ("", "0")


@cache
def device() -> torch.device:
    """Where networks are trained, probed and explained: RESVIZ_DEVICE, or CUDA, or Apple's MPS, or the processor."""
    import torch

    if name := os.environ.get("RESVIZ_DEVICE"):
        return torch.device(name)
    if plain():
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
