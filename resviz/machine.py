"""What this machine offers: cores and memory as its container grants them, and the device that computes fastest."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from threadpoolctl import ThreadpoolController

__all__ = ["cores", "device", "fitting_threads", "memory", "plain"]

_CGROUP = Path("/sys/fs/cgroup")
_SMALL_SIDE = 16  # pixels up to which two cores are no faster than one: 8.1 steps/s either way at 16, 2.3 against 3.3 at 32


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


@contextmanager
def fitting_threads(side: int) -> Iterator[None]:
    """Within it, this thread computes on one core where images are small.

    Only the first thread of a process gets OpenMP workers that spin; in any other one waking them costs more than a small
    convolution. Chosen by the images alone, so that a plan always repeats itself.
    """
    import torch

    torch.get_num_threads()  # torch sets the number itself at a thread's first call
    with _openmp().limit(limits=1) if side <= _SMALL_SIDE or plain() else nullcontext():
        yield


@cache
def _openmp() -> ThreadpoolController:
    """The process's OpenMP libraries; looking for them takes a tenth of a small network's pass."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="openmp")
