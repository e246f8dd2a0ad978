"""How sharply does the loss curve where a network's weights are?

The largest eigenvalue of the Hessian from products with it alone (Pearlmutter 1994), by a power iteration that keeps its steps
(Lanczos 1950): where the strongest curvature is downwards, as before training, the bare iteration finds that one. Gradient descent
with a rate η is stable along a direction while its curvature is below 2/η (Cohen et al. 2021, arXiv 2103.00065).
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from resviz.nets.unit import Net
from resviz.progress import Tick, quiet
from resviz.results import Sharpness
from resviz.spec.landscape import Statistics

__all__ = ["sharpness"]

_TOGETHER = 512 * 8 * 8  # pixels whose graph is kept at once
_Product = Callable[[Tensor], Tensor]


def sharpness(
    net: Net,
    images: Tensor,
    targets: Tensor,
    statistics: Statistics = "trained",
    most: int = 40,
    tolerance: float = 2e-3,
    tick: Tick = quiet,
) -> Sharpness:
    """λ_max of the mean cross-entropy in all parameters; images: (N, C, H, W), targets: (N,) or (N, H, W).

    It ends where two steps agree to `tolerance`, after at most `most` of them. `statistics` are batch norm's, as for a `Plane`.
    """
    product, size = _hessian(copy.deepcopy(net), images, targets, statistics)
    v = torch.randn(size, generator=torch.Generator().manual_seed(0)).to(next(net.parameters()))
    kept = [v / v.norm()]
    middle: list[float] = []  # of the Hessian as the kept vectors see it, which is zero but for its diagonal and the ones beside
    beside: list[float] = []
    steps: list[float] = []
    for n in range(min(most, size)):
        tick(n / most, f"step {n + 1} of at most {most}" + (f", λ ≈ {steps[-1]:.3g}" if steps else ""))
        turned = product(kept[-1])
        middle.append(float(turned @ kept[-1]))
        steps.append(float(np.linalg.eigvalsh(np.diag(middle) + np.diag(beside, 1) + np.diag(beside, -1))[-1]))
        every = torch.stack(kept)
        for _ in range(2):  # once leaves what rounding put back
            turned = turned - every.T @ (every @ turned)
        rest = float(turned.norm())
        if rest <= 1e-6 * abs(steps[-1]) or (n and abs(steps[-1] - steps[-2]) <= tolerance * abs(steps[-1])):
            return Sharpness(steps[-1], np.array(steps), True)
        beside.append(rest)
        kept.append(turned / rest)
    return Sharpness(steps[-1], np.array(steps), len(steps) == size)


def _hessian(net: Net, images: Tensor, targets: Tensor, statistics: Statistics) -> tuple[_Product, int]:
    """The product with the Hessian and its side. One graph is kept where the pictures fit together, else made anew for each part."""
    net.train(statistics == "batch").requires_grad_(True)
    weights = list(net.parameters())
    device = weights[0].device
    together = len(images) if statistics == "batch" else max(1, _TOGETHER // images.shape[-1] ** 2)
    parts = [
        (x.to(device), y.to(device)) for x, y in zip(torch.split(images, together), torch.split(targets, together), strict=True)
    ]

    def gradient(x: Tensor, y: Tensor) -> Tensor:
        with sdpa_kernel(SDPBackend.MATH):  # attention's fused kernels have no second derivative
            loss = nn.functional.cross_entropy(net(x), y, reduction="sum") / targets.numel()  # of pixels, where each has a class
        # nothing comes back to a dropped branch
        found = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True, materialize_grads=True)
        return torch.cat([g.reshape(-1) for g in found])

    def turned(flat: Tensor, v: Tensor, keep: bool) -> Tensor:
        found = torch.autograd.grad(flat, weights, v, retain_graph=keep, allow_unused=True)
        return torch.cat([(torch.zeros_like(w) if g is None else g).reshape(-1) for w, g in zip(weights, found, strict=True)])

    size = sum(weight.numel() for weight in weights)
    if len(parts) == 1:
        kept = gradient(*parts[0])
        return lambda v: turned(kept, v, keep=True), size
    return lambda v: torch.stack([turned(gradient(*part), v, keep=False) for part in parts]).sum(0), size
