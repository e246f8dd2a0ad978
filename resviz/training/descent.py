"""A short training on digits whose weights are kept on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from torch import Tensor

from resviz.data.datasets import named_sets
from resviz.nets.build import build
from resviz.nets.unit import Net
from resviz.progress import Tick, quiet
from resviz.spec.lab import Edit, LabPlan
from resviz.spec.net import NetSpec
from resviz.training.lab import Lab

__all__ = ["STEPS", "descent", "learned_from"]

STEPS: Final = 276  # twelve epochs of the 1,500 training digits
_EPOCH: Final = 23  # steps
_RATE: Final = 0.1
_BATCH: Final = 64


def descent(
    spec: NetSpec, steps: int = STEPS, every: int = _EPOCH, tick: Tick = quiet
) -> tuple[Net, dict[int, dict[str, Tensor]]]:
    """The trained network, in eval mode, and its weights by step: before the first, after every `every`-th and after the last.

    SGD with momentum 0.9 at 0.1, in the last third a tenth of it; the spec as it is on grey digits of ten classes, the batches drawn from
    its seed. Raises ValueError where a loss is no number any more.
    """
    spec = replace(spec, in_channels=1, classes=10)
    slower = Edit(steps * 2 // 3 + 1, "lr", value=_RATE / 10)
    lab = Lab(
        LabPlan((spec,), lr=_RATE, batch=_BATCH, seed=spec.seed, edits=(slower,)),
        lambda: named_sets("digits"),
        recording=False,
        looks=steps,
    )
    kept = {0: _copied(build(spec))}
    for step in range(1, steps + 1):
        tick((step - 1) / steps, f"step {step} of {steps}")
        lab.advance()
        if lab.divergence is not None:
            raise ValueError(
                f"the loss became {lab.divergence.loss:g} in step {step} at a rate of {_RATE:g}; choose a norm or fewer blocks"
            )
        if step % every == 0 or step == steps:
            kept[step] = _copied(lab.network(0)[0])
    return lab.network(0)[0].eval(), kept


def learned_from(count: int) -> tuple[Tensor, Tensor]:
    """So many of the pictures that such a training learns from: (N, 1, 8, 8), normalised, and (N,)."""
    chosen = named_sets("digits")[0].subset(count)
    return chosen.normalised(chosen.images), chosen.labels


def _copied(net: Net) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in net.weights().items()}
