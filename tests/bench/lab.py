"""What the lab costs beside plain PyTorch: steps taken in turn in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import nn

from resviz.data.images import ImageSet, digits
from resviz.nets.build import build
from resviz.spec.lab import LabPlan
from resviz.spec.net import Init, NetSpec, Norm
from resviz.spec.presets import PRESETS
from resviz.training.lab import Lab

__all__ = ["lab_ratio"]

_ROUNDS = 50  # steps between two looks at the held-out images, so that every round holds one


def small(side: int, channels: int) -> ImageSet:
    """Digits, or noise of another size: what a step costs does not depend on what it shows."""
    if side == 8:
        return digits()
    pixels = torch.randint(256, (512, channels, side, side), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return ImageSet(pixels, torch.arange(512) % 10, tuple("0123456789"), (0.5,) * channels, (0.25,) * channels)


def plain_loop(specs: Sequence[NetSpec], data: ImageSet, lr: float) -> Callable[[], None]:
    """The step that a tutorial would write, on the same batches."""
    nets = [build(spec).train() for spec in specs]
    optimizers = [torch.optim.SGD(net.parameters(), lr, momentum=0.9) for net in nets]

    def batches():
        for epoch in range(10**6):
            yield from data.shuffled(64, epoch)

    source = batches()

    def step() -> None:
        images, labels = next(source)
        for net, optimizer in zip(nets, optimizers, strict=True):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(images), labels)
            loss.backward()
            optimizer.step()
            loss.item()

    return step


def lab_ratio(side: int, plain: bool, rounds: int = 5, steps: int = _ROUNDS) -> tuple[float, float]:
    """(lab step / plain step, the share of a lab step that recording takes): medians over rounds of `steps` steps."""
    channels = 1 if side == 8 else 3
    spec = NetSpec(blocks=PRESETS["resnet56"].blocks, in_channels=channels)
    if plain:
        spec = NetSpec(blocks=spec.blocks, in_channels=channels, norm=Norm.NONE, init=Init.PYTORCH)
    specs = (spec, spec.plain()) if plain else (spec,)
    data = small(side, channels)
    lab = Lab(LabPlan(specs, lr=0.01), lambda: (data, data.part(slice(0, 256))))
    bare = Lab(LabPlan(specs, lr=0.01), lambda: (data, data.part(slice(0, 256))), recording=False)
    calls = [lab.advance, plain_loop(specs, data, 0.01), bare.advance]
    for call in calls:
        call()
    times: list[list[float]] = [[], [], []]
    for _ in range(rounds):
        sums = [0.0, 0.0, 0.0]
        for n in range(steps):  # a step of each in turn, so that the machine's moods hit them alike
            for i in [(n + k) % 3 for k in range(3)]:
                began = time.perf_counter()
                calls[i]()
                sums[i] += time.perf_counter() - began
        for i in range(3):
            times[i].append(sums[i])
    ours, theirs, unrecorded = times
    return (
        statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        statistics.median(a / b - 1 for a, b in zip(ours, unrecorded, strict=True)),
    )
