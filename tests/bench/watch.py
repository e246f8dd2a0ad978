"""What watching a loop of anybody's adds to its steps: the same network beside itself unwatched, step by step in turn."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torchvision.models import resnet50

import resviz

__all__ = ["watch_rows"]

_PERIOD = 10  # steps, of which one is looked at: what a watch does unless it is told otherwise


def _steps(net: nn.Module, x: Tensor, watched: bool) -> Iterator[float]:
    """The seconds of each step of a plain loop."""
    optimizer = torch.optim.SGD(net.parameters(), 1e-4, momentum=0.9)
    watch = resviz.watch(net, every=_PERIOD) if watched else None
    while True:
        began = time.perf_counter()
        optimizer.zero_grad()
        loss = net(x).square().mean()
        loss.backward()
        optimizer.step()
        if watch is not None:
            watch.step(loss)
        yield time.perf_counter() - began


def added(net: nn.Module, x: Tensor, rounds: int) -> tuple[float, float]:
    """What it adds to a step in the mean over ten, and to the one that is looked at: medians over rounds of ten paired steps."""
    loops = [_steps(copy.deepcopy(net), x, watched=False), _steps(net, x, watched=True)]
    for _ in range(_PERIOD):  # until the tenth, which is looked at, has ended
        for loop in loops:
            next(loop)
    means, looked = [], []
    for _ in range(rounds):
        times: list[list[float]] = [[], []]
        for n in range(_PERIOD):
            for i in (0, 1) if n % 2 else (1, 0):
                times[i].append(next(loops[i]))
        plain = statistics.median(times[0])
        means.append(sum(times[1]) / sum(times[0]) - 1)
        # the weights are copied when the step before has ended
        looked.append((times[1][-1] + times[1][-2] - statistics.median(times[1][:-2]) - plain) / plain)
    return statistics.median(means), statistics.median(looked)


def watch_rows() -> Iterator[tuple[str, float, float]]:
    """(name, share of a step, at most) of a transformer and of a convolutional network."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(384, 6, 1536, batch_first=True)
    blocks = nn.TransformerEncoder(layer, 12, enable_nested_tensor=False)
    for name, net, x, rounds in (
        ("12 blocks of d=384, 64 tokens, batch 8", blocks, torch.rand(8, 64, 384), 5),
        ("ResNet-50, 224 px, batch 8", resnet50(), torch.rand(8, 3, 224, 224), 2),
    ):
        mean, looked = added(net.train(), x, rounds)
        yield f"what watch adds to a step, {name}", mean, 0.05
        yield f"the same, to a step that is looked at, {name}", looked, 0.25


if __name__ == "__main__":
    for row in watch_rows():
        print(*row, flush=True)
