"""What this machine offers: cores and memory as its container grants them, the device that computes fastest, and what its variables say."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import torch
    from threadpoolctl import ThreadpoolController

__all__ = [
    "answers_alike",
    "check_variables",
    "cores",
    "device",
    "fastest",
    "fitting_threads",
    "memory",
    "plain",
    "use_device",
    "variable",
]

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


@dataclass(frozen=True)
class _Number:
    """What a variable holds, and what holds where it is not set."""

    meant: str
    low: float
    high: float
    unset: str
    whole: bool = True


_VARIABLES: Final[Mapping[str, _Number]] = {
    "RESVIZ_MEMORY_GB": _Number("GiB", 0.0001, 1_000_000, "half of this machine's memory", whole=False),
    "RESVIZ_WORKERS": _Number("a whole number of processes", 0, 10_000, "none"),
    "RESVIZ_WORKER_MB": _Number("whole megabytes", 0, 1_000_000_000, "no limit"),
    "RESVIZ_CACHE_MB": _Number("whole megabytes", 1, 1_000_000_000, "512"),
}


def variable(name: str) -> float | None:
    """The number that an environment variable of ours is set to, None where it is not; raises `ValueError` where that is no such number."""
    given, number = os.environ.get(name, "").strip(), _VARIABLES[name]
    if not given:
        return None
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not number.low <= value <= number.high or (number.whole and value != int(value)):
        raise ValueError(
            f"{name} is {given[:60]!r}; set it to {number.meant} from {number.low:,} to {number.high:,}, or leave it out for {number.unset}"
        )
    return value


def check_variables() -> None:
    """Raises `ValueError` for the first variable that holds no such number as it should."""
    for name in _VARIABLES:
        variable(name)


def plain() -> bool:
    """Whether RESVIZ_PLAIN asks to use nothing that only some machines and libraries have: one thread, float32, public operators."""
    return os.environ.get("RESVIZ_PLAIN", "") not in ("", "0")


@cache
def device() -> torch.device:
    """Where networks are trained, probed and explained: RESVIZ_DEVICE, or the first of CUDA and Apple's MPS whose answers are the
    processor's, or the processor. Raises `ValueError` where RESVIZ_DEVICE names what is not here.
    """
    import torch

    asked = os.environ.get("RESVIZ_DEVICE", "")
    return torch.device(fastest({} if plain() and not asked else _there(), answers_alike, asked))


def use_device(name: str) -> None:
    """From now on compute there, in this process and those that it starts; raises `ValueError` where it is not here."""
    fastest(_there(), answers_alike, name)
    os.environ["RESVIZ_DEVICE"] = name
    device.cache_clear()


def _there() -> dict[str, bool]:
    """Every accelerator, the fastest first, and whether PyTorch finds it."""
    import torch

    return {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}


def fastest(there: Mapping[str, bool], alike: Callable[[str], bool], asked: str = "") -> str:
    """The name of the device to compute on: the one that is `asked` for, or of those that are `there`, fastest first, one that `alike` vouches for.

    Raises `ValueError` where what is asked for is none, or not there.
    """
    if not asked:
        return next((name for name, here in there.items() if here and alike(name)), "cpu")
    if asked not in ("cpu", "meta", *there):
        raise ValueError(f"{asked[:60]!r} is no device; choose cpu, cuda or mps (CUDA_VISIBLE_DEVICES says which of several)")
    if not there.get(asked, True):
        raise ValueError(f"PyTorch finds no {asked} here; leave the device out, or take cpu")
    return asked


def answers_alike(name: str) -> bool:
    """Whether a small convolution and its gradient come out there as on the processor, to a hundredth of the largest number.

    What is there but cannot compute, as an accelerator of a kind that this PyTorch was not built for, is not alike.
    """
    import torch
    from torch.nn import functional as F

    draw = torch.Generator().manual_seed(0)
    x, w = torch.randn(4, 8, 16, 16, generator=draw), torch.randn(8, 8, 3, 3, generator=draw) / 8

    def answer(where: str) -> torch.Tensor:
        weight = w.to(where).requires_grad_()
        logits = F.conv2d(x.to(where), weight, padding=1).relu().mean((2, 3))
        loss = F.cross_entropy(logits, torch.arange(4, device=where))
        (gradient,) = torch.autograd.grad(loss, weight)
        return torch.cat([logits.flatten(), gradient.flatten()]).detach().cpu()

    try:
        theirs = answer(name)
    except (RuntimeError, NotImplementedError, AssertionError):
        return False
    ours = answer("cpu")
    return bool((theirs - ours).abs().max() <= 1e-2 * ours.abs().max())  # TF32 keeps ten bits


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
