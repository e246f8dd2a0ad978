"""Through how many branches does the gradient come back?

A network of L units with skips is 2^L paths (Veit et al. 2016, arXiv 1605.06431). Sampling them is not needed: going backwards,
a unit sends what comes to it once by its skip, which leaves a path's length as it is, and once by its branch, which adds one to it.
So the gradient of every length is carried along as a vector of its own, exactly, in L(L + 1)/2 unit passes, which is half of what
L + 1 backward passes at the roots of unity would take, and without their cancellation.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from resviz.nets.unit import Net, Unit
from resviz.probes.inside import units_of
from resviz.probes.trunk import at_the_end, signals
from resviz.progress import Tick, quiet
from resviz.results import PathLengths

__all__ = ["path_gradients", "path_lengths"]


def path_gradients(net: Net, images: Tensor, labels: Tensor, tick: Tick = quiet) -> Tensor:
    """(L + 1, N, C, H, W): the gradient of the mean cross-entropy at what enters the first unit, by the branches on its paths.

    images: (N, C, H, W), normalised. The network is in eval mode, where norms are linear, and stays as it was.
    """
    units = list(units_of(net).values())
    *entered, last = signals(net, images)
    lengths = [at_the_end(net, last, labels)]
    for passed, (unit, x) in enumerate(zip(reversed(units), reversed(entered), strict=True), 1):
        lengths = _through(unit, x, lengths)
        tick(passed * (passed + 1) / (len(units) * (len(units) + 1)), f"{passed} of {len(units)} blocks")
    return torch.stack(lengths)


def _through(unit: Unit, x: Tensor, lengths: list[Tensor]) -> list[Tensor]:
    """The gradients at what enters a unit, of those at what it returns; both from the shortest paths to the longest."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        entered = unit.entry(x)
        identity = unit.identity(x, entered) if unit.skip else None
        residual = unit.residual(entered) if unit.branch or identity is None else None
        parts = [part for part in (residual, identity) if part is not None]
        joined = (unit.join(*parts) if len(parts) == 2 else parts[0]).detach().requires_grad_()
        after = unit.after(joined)

    def back(output: Tensor, source: Tensor, gradient: Tensor) -> Tensor:
        return torch.autograd.grad(output, source, gradient, retain_graph=True)[0]

    at_join = [gradient if after is joined else back(after, joined, gradient) for gradient in lengths]
    by_skip = None if identity is None else [back(identity, x, gradient) for gradient in at_join]
    by_branch = None if residual is None else [back(residual, x, gradient) for gradient in at_join]
    if by_skip is None or by_branch is None:
        return by_skip or by_branch or []
    return [by_skip[0], *(a + b for a, b in zip(by_skip[1:], by_branch, strict=False)), by_branch[-1]]


def path_lengths(net: Net, images: Tensor, labels: Tensor, tick: Tick = quiet) -> PathLengths:
    """How the gradient divides by the length of its paths, beside the one that PyTorch computes in one pass."""
    found = path_gradients(net, images, labels, tick).flatten(1).double().cpu().numpy()
    with torch.enable_grad():
        x = net.stem(images).detach().requires_grad_()
        signal = x
        for unit in units_of(net).values():
            signal = unit(signal)
        true = torch.autograd.grad(nn.functional.cross_entropy(net.head(signal), labels), x)[0].flatten().double().cpu().numpy()
    total, tiny = float(np.linalg.norm(true)), np.finfo(np.float64).tiny
    return PathLengths(
        norms=np.linalg.norm(found, axis=1),
        along=found @ true / max(total**2, tiny),
        total=total,
        off=float(np.linalg.norm(found.sum(0) - true)) / max(total, tiny),
        units=len(found) - 1,
        pictures=len(labels),
    )
