"""Do blocks refine one estimate, each a step down the loss?

Greff, Srivastava & Schmidhuber 2017 (arXiv 1612.07771); Jastrzębski et al. 2018 (arXiv 1710.04773): F(x) along -∂L/∂x.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from resviz.nets.unit import Net
from resviz.probes.inside import units_of
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
    with torch.enable_grad():
        signals = [net.stem(images).detach().requires_grad_()]
        for n, unit in enumerate(units.values(), 1):
            signals.append(unit(signals[-1]))
            tick(0.4 * n / len(units), f"{n} of {len(units)} blocks")
        loss = nn.functional.cross_entropy(net.head(signals[-1]), labels)
        gradients = torch.autograd.grad(loss, signals[:-1])
    cosines, ratios = [], []
    with torch.no_grad():
        for name, x, gradient in zip(units, signals, gradients, strict=False):
            if name in whole:
                residual = units[name].residual(units[name].entry(x))
                cosines.append(_cosine(residual, -gradient))
                ratios.append((residual.norm() / x.norm()).item())
        read = {
            name: 100 * (net.head(signal).argmax(1) != labels).double().mean().item()
            for name, signal in zip(("", *units), signals, strict=True)
            if signal.shape == signals[-1].shape and name
        }
    tick(1.0)
    return Refinement(tuple(whole), np.array(cosines), np.array(ratios), read, len(labels))


def _cosine(one: Tensor, other: Tensor) -> float:
    """The mean over pictures; NaN between tensors of different shapes."""
    if one.shape != other.shape:
        return float("nan")
    return torch.nn.functional.cosine_similarity(one.flatten(1).double(), other.flatten(1).double(), eps=1e-30).mean().item()
