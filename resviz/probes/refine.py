"""Do blocks refine one estimate, each a step down the loss?

Greff, Srivastava & Schmidhuber 2017 (arXiv 1612.07771); Jastrzębski et al. 2018 (arXiv 1710.04773): F(x) along -∂L/∂x.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from resviz.nets.unit import Net
from resviz.probes.inside import units_of
from resviz.probes.trunk import at_the_end, signals
from resviz.progress import Tick, quiet
from resviz.results import Refinement

__all__ = ["refinement"]


def refinement(net: Net, images: Tensor, labels: Tensor, tick: Tick = quiet) -> Refinement:
    """Cosines and ratios of every unit with a skip and a branch, means over pictures, and the head's errors along the last stage.

    images: (N, C, H, W), normalised; labels: (N,). ‖F‖/‖x‖ is that of the whole batch, as recorded while training. The network is
    in eval mode and stays as it was. Raises ValueError where no unit has a skip.
    """
    units = units_of(net)
    whole = [name for name, unit in units.items() if unit.skip and unit.branch]
    if not whole:
        raise ValueError("none of its blocks has a skip, so none adds a step to anything; ask a residual network")
    passed = signals(net, images)
    with torch.no_grad():
        read = {
            name: 100 * (net.head(signal).argmax(1) != labels).cpu().double().mean().item()
            for name, signal in zip(units, passed[1:], strict=True)
            if signal.shape == passed[-1].shape
        }
    gradient = at_the_end(net, passed.pop(), labels)
    steps: dict[str, tuple[float, float]] = {}
    for n, (name, unit) in enumerate(reversed(units.items()), 1):
        x = passed.pop().requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(unit(x), x, gradient)
        with torch.no_grad():
            if name in whole:
                residual = unit.residual(unit.entry(x))
                steps[name] = _cosine(residual, -gradient), (residual.norm() / x.norm()).item()
        tick(n / len(units), f"{n} of {len(units)} blocks")
    cosines, ratios = np.array([steps[name] for name in whole]).T
    return Refinement(tuple(whole), cosines, ratios, read, len(labels))


def _cosine(one: Tensor, other: Tensor) -> float:
    """The mean over pictures; NaN between tensors of different shapes."""
    if one.shape != other.shape:
        return float("nan")
    return (
        torch.nn.functional.cosine_similarity(one.flatten(1).cpu().double(), other.flatten(1).cpu().double(), eps=1e-30)
        .mean()
        .item()
    )
