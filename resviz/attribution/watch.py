"""A run under way: its progress, how long its batches take, and whose turn it is to draw random numbers."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from resviz.allocator import keep_freed
from resviz.attribution.batch_size import timings_of
from resviz.nets.families.resnet import ResNet
from resviz.progress import Tick
from resviz.spec.net import NetSpec

__all__ = ["Watch", "seeded", "watched"]


def watched(net: ResNet, expected: int, tick: Tick) -> Watch:
    """Report progress before every forward pass of a view, which ends with whoever made it."""
    keep_freed()
    watch = Watch(net.spec, expected)

    def count(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        tick(watch.fraction)
        watch(inputs[0])

    net.register_forward_pre_hook(count)
    return watch


class Watch:
    """Counts the pictures that go through a network, and records how long each batch of them took."""

    def __init__(self, spec: NetSpec, expected: int) -> None:
        self.spec, self.expected, self.seen = spec, expected, 0
        self.last: tuple[int, int, float, bool] | None = None  # pictures, side, when, with gradients or without

    @property
    def fraction(self) -> float:
        """Of the expected pictures, 0 to 1."""
        return min(1.0, self.seen / self.expected)

    def __call__(self, x: Tensor) -> None:
        gradients = torch.is_grad_enabled()
        if self.last is not None and self.last[3] is gradients:
            self.over()
        self.last, self.seen = (len(x), x.shape[-1], time.perf_counter(), gradients), self.seen + len(x)

    def over(self) -> None:
        """The last batch is through, way back included."""
        if self.last is not None:
            pictures, side, began, gradients = self.last
            timings_of(self.spec, side, gradients).record(pictures, time.perf_counter() - began)
            self.last = None


_RANDOM = threading.Lock()


@contextlib.contextmanager
def seeded(tick: Tick, where: torch.device) -> Iterator[None]:
    """One draws at a time and from the same seed, on the processor and `where` the network is; `tick` is called while others draw.

    Captum takes the process's random numbers: these go on afterwards as if nothing had been drawn, error or not.
    """
    while not _RANDOM.acquire(timeout=0.1):
        tick(0.0)
    elsewhere = [where] if where.type != "cpu" else []
    with contextlib.ExitStack() as back:
        back.callback(_RANDOM.release)
        back.callback(np.random.set_state, np.random.get_state())
        back.enter_context(torch.random.fork_rng(elsewhere, device_type=where.type))
        torch.default_generator.manual_seed(0)  # torch.manual_seed would begin every accelerator's anew
        for each in elsewhere:
            torch.get_device_module(each).manual_seed(0)
        np.random.seed(0)
        yield
