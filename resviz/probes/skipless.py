"""What does it take to do without the skips of a trained network?"""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from resviz.nets.inference.folding import folded
from resviz.nets.inference.skipless import skipless
from resviz.nets.unit import Net
from resviz.results import SkipRemoval

__all__ = ["removal"]


@torch.inference_mode()
def removal(net: Net, other: Net, images: Tensor, repeats: int = 3) -> SkipRemoval:
    """A network beside the same one without its skips: how far the logits are apart, and what both cost, their norms folded.

    `net` and `other` are two views of one network in eval mode, and both are changed; images: (N, C, H, W), normalised.
    Raises ValueError where the skips cannot be taken away exactly.
    """
    units = [unit for _, unit in net.units() if unit.skip]
    single = sum(len(unit.chain) == 1 for unit in units)
    before, after = folded(net), skipless(other)
    logits, others = before(images), after(images)
    return SkipRemoval(
        off=(logits - others).abs().max().item(),
        largest=logits.abs().max().item(),
        changed=int((logits.argmax(1) != others.argmax(1)).sum()),
        skips=len(units),
        single=single,
        parameters=(_count(before), _count(after)),
        seconds=(_seconds(before, images, repeats), _seconds(after, images, repeats)),
        pictures=len(images),
    )


def _count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def _seconds(net: nn.Module, images: Tensor, repeats: int) -> float:
    """Of the fastest of so many passes."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        net(images)[0, 0].item()  # an accelerator works on behind Python's back
        times.append(time.perf_counter() - began)
    return min(times)
