"""How a network is computed while it trains: device, precision, memory format and threads, as this machine does it fastest."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Final

import torch
from torch import Tensor, nn

from resviz.data.images import ImageSet
from resviz.machine import cores, device, plain
from resviz.nets.build import build
from resviz.nets.families.resnet import ResNet
from resviz.spec.net import NetSpec

__all__ = ["PRECISIONS", "Arithmetic", "choose"]

PRECISIONS: Final = ("float32", "bfloat16")
_CLEARLY = 0.87  # of the time so far: what is not clearly faster is not taken, so that the same machine chooses the same again
_HOPELESS = 2.0  # times the best one's first step: not tried any further
_LONG = 4.0  # seconds of steps after which a way is known well enough


@dataclass(frozen=True)
class Arithmetic:
    """One way to compute a training step. `why` says in words how it was come by; it is no part of what the way is."""

    device: str
    precision: str = "float32"
    channels_last: bool = True
    threads: int = 1
    why: str = ""

    def describe(self) -> str:
        """`float32, channels-last, 2 threads on the cpu`."""
        form = "channels-last" if self.channels_last else "channels-first"
        return f"{self.precision}, {form}, {self.threads} thread{'' if self.threads == 1 else 's'} on the {self.device}"

    def place(self, net: ResNet) -> ResNet:
        """The network on the device, in the memory format."""
        net.to(self.device, memory_format=self.format)  # type: ignore[call-overload]
        return net

    @property
    def format(self) -> torch.memory_format:
        """The memory format of images and weights."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def inputs(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) on the device, in the memory format."""
        return images.to(self.device).contiguous(memory_format=self.format)

    def keep(self, images: ImageSet) -> ImageSet:
        """The images in the device's own memory where a quarter of what is free there holds them, so that no batch travels."""
        if self.device != "cuda" or 4 * images.images.nbytes > torch.cuda.mem_get_info()[0]:
            return images
        return images.to(self.device)

    def forward(self) -> AbstractContextManager[object]:
        """Within it a forward pass runs in the precision."""
        return nullcontext() if self.precision == "float32" else torch.autocast(self.device, torch.bfloat16)

    @contextmanager
    def on_threads(self) -> Iterator[None]:
        """Within it this thread computes on so many threads; afterwards on as many as before."""
        before = torch.get_num_threads()
        if before != self.threads:
            torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            if before != self.threads:
                torch.set_num_threads(before)

    def as_dict(self) -> dict[str, object]:
        """The fields as plain values, for a checkpoint."""
        return asdict(self)


def choose(spec: NetSpec, side: int, batch: int, precision: str | None = None, threads: int | None = None) -> Arithmetic:
    """The way that takes a step of this network in the least time: each is timed once a process, on as many random pictures as a
    step has, since what is fastest for few need not be for many.

    side: pixels; batch: images a step. `precision` and `threads` are taken as they are where they are given. Raises ValueError for a
    precision there is none of.
    """
    if precision is not None and precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    if threads is not None and not 1 <= threads <= 1024:
        raise ValueError(f"threads must be from 1 to 1024, got {threads}; this machine has {cores()}")
    if plain():
        return Arithmetic("cpu", precision or "float32", True, threads or 1, "RESVIZ_PLAIN asks for what every machine has")
    return _choose(replace(spec, seed=0, cut=frozenset(), dropped=frozenset()), side, batch, precision, threads, device().type)


@lru_cache(maxsize=64)
def _choose(spec: NetSpec, side: int, batch: int, precision: str | None, threads: int | None, where: str) -> Arithmetic:
    most = threads or (cores() if where == "cpu" else torch.get_num_threads())
    first = Arithmetic(where, precision or "float32", True, most)
    others = [replace(first, channels_last=False)] if where == "cpu" else []
    if precision is None and _may_like_bfloat16(where):
        others.append(replace(first, precision="bfloat16"))
    if threads is None and where == "cpu" and most > 1:
        others.append(replace(first, threads=1))
    images = torch.randn(max(2, batch), spec.in_channels, side, side, generator=torch.Generator().manual_seed(0))
    best, took = first, _time(first, spec, images)
    said = [f"{first.describe()} {_milliseconds(took)}"]
    for other in others:
        other = replace(other, precision=best.precision) if other.precision == first.precision else other
        other = replace(other, channels_last=best.channels_last and other.channels_last)
        seconds = _time(other, spec, images, _HOPELESS * took)
        said.append(f"{other.describe()} {_milliseconds(seconds)}")
        if seconds < _CLEARLY * took:
            best, took = other, seconds
    asked = [word for word, value in (("precision", precision), ("threads", threads)) if value is not None]
    if precision is None and not _may_like_bfloat16(where):
        said.append(f"bfloat16 was not tried, the {where} has no instructions for it")
    why = f"a step of {len(images)} images took: {'; '.join(said)}" + (f" ({' and '.join(asked)} as asked for)" if asked else "")
    return replace(best, why=why)


def _may_like_bfloat16(where: str) -> bool:
    """False where it would be emulated, ten times slower than float32."""
    if where == "cpu":
        return torch.backends.cpu.get_cpu_capability() not in ("DEFAULT", "AVX2")
    return where == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def _time(way: Arithmetic, spec: NetSpec, images: Tensor, hopeless: float = float("inf"), repeats: int = 3) -> float:
    """Seconds of the fastest step after a first one; of the first one where that is hopeless already."""
    net = way.place(build(spec).train())
    x, labels = way.inputs(images), torch.zeros(len(images), dtype=torch.long, device=way.device)
    with way.on_threads():
        times = [_step(way, net, x, labels)]
        while times[0] < hopeless and len(times) <= repeats and sum(times) < _LONG:
            times.append(_step(way, net, x, labels))
    return min(times[1:] or times)


def _step(way: Arithmetic, net: ResNet, x: Tensor, labels: Tensor) -> float:
    began = time.perf_counter()
    with way.forward():
        logits = net(x)
    nn.functional.cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]
    _wait(list(net.parameters()))
    return time.perf_counter() - began


def _wait(parameters: Sequence[nn.Parameter]) -> None:
    """An accelerator works on behind Python's back; reading a number waits for it."""
    if parameters[0].grad is not None and parameters[0].device.type != "cpu":
        parameters[0].grad.sum().item()
