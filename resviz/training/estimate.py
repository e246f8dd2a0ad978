"""What a lab will cost, before it begins."""

from __future__ import annotations

import time
from dataclasses import dataclass

from torch import Tensor

from resviz.data.images import ImageSet
from resviz.nets.cost import memory_need
from resviz.spec.families import Network
from resviz.spec.lab import LabPlan
from resviz.spec.net import NetSpec
from resviz.training.contender import Contender

__all__ = ["Estimate", "estimate"]


@dataclass(frozen=True)
class Estimate:
    """What a plan costs: seconds a step and bytes at the peak."""

    seconds: float
    memory: int


def estimate(plan: LabPlan, train: ImageSet) -> Estimate:
    """Seconds a step, from a few steps of the same designs at one and at two blocks a stage; and the memory by arithmetic."""
    images, labels = next(train.shuffled(plan.batch, 0))
    side, weights, pass_ = images.shape[-1], 0, 0
    seconds = sum(_seconds(spec, images, labels) for spec in plan.contenders)
    for spec in plan.contenders:
        whole, none = memory_need(spec, side, plan.batch), memory_need(spec, side, 0)
        weights += 2 * none  # weights, gradients, momentum, and as much again while the optimizer works
        pass_ = max(pass_, whole - none)
    return Estimate(seconds, weights + pass_)


def _seconds(spec: Network, images: Tensor, labels: Tensor) -> float:
    if not isinstance(spec, NetSpec):  # a DenseNet's layers are each dearer than the one before, a Transformer has no stages
        return _time_of_step(spec, images, labels)
    stages = len(spec.blocks)
    one, two = (_time_of_step(spec.resized(blocks=(n,) * stages), images, labels) for n in (1, 3))
    return one + max(0.0, two - one) / (2 * stages) * (sum(spec.blocks) - stages)


def _time_of_step(spec: Network, images: Tensor, labels: Tensor) -> float:
    contender, times = Contender(spec, 1e-6), []
    for _ in range(4):
        began = time.perf_counter()
        contender.step(images, labels, 0.0, signals=False)
        times.append(time.perf_counter() - began)
    return min(times)
