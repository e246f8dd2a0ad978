"""What does the loss look like around a network's weights?

Li et al. 2018, arXiv 1712.09913: a plane through the weights along two random directions, each of whose filters is as long as the
network's own; biases and norms stay as they are.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from resviz.nets.inference.folding import folded
from resviz.nets.unit import Net
from resviz.progress import Tick, quiet
from resviz.results import Landscape
from resviz.spec.landscape import GRIDS, Plane, Statistics
from resviz.spec.net import Design

__all__ = ["Ground", "direction", "landscape", "landscapes"]

_TOGETHER = 512 * 32 * 32  # pixels that go through the network at once
_NEWS = 16  # points between two ticks


def direction(net: Net, seed: int, axis: int) -> dict[str, Tensor]:
    """One random direction by the layer's name: every filter of a convolution or linear layer as long as the network's own.

    Drawn from the seed and the layer's name, so that a plain and a residual network have the same draw.
    """
    found = {}
    for name, weight in net.weights().items():
        digest = hashlib.blake2b(f"{seed}:{axis}:{name}".encode(), digest_size=8).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest) >> 1)
        drawn = torch.randn(weight.shape, generator=generator).to(weight)
        found[name] = drawn * (_lengths(weight.detach()) / _lengths(drawn))
    return found


def _lengths(weight: Tensor) -> Tensor:
    """Of each filter, shaped to be multiplied with the weight."""
    return weight.flatten(1).norm(dim=1).view(-1, *[1] * (weight.dim() - 1))


@torch.inference_mode()
def landscape(
    net: Net, images: Tensor, targets: Tensor, plane: Plane, grid: int, known: Landscape | None = None, tick: Tick = quiet
) -> Landscape:
    """The mean cross-entropy on `grid` × `grid` points, the network itself in the middle; images: (N, C, H, W), targets: (N,) or (N, H, W).

    Points of `known`, the same plane on a coarser or unfinished grid, are not measured again; `tick` hears of the unfinished one,
    row by row. Raises ValueError where `grid` is even or does not hold the points of `known`.
    """
    if grid < 3 or grid % 2 == 0:
        raise ValueError(
            f"a grid has an odd number of points along a side, at least 3, got {grid}; the middle one is the network"
        )
    places = np.linspace(-plane.extent, plane.extent, grid)
    found = Landscape(places, np.full((grid, grid), np.nan), math.log(net.spec.classes)) if known is None else known.refined(grid)
    axes = [direction(net, plane.seed, axis) for axis in (0, 1)]
    ground = Ground(net, axes, plane.statistics)
    device = next(net.parameters()).device
    images, targets = images.to(device, memory_format=torch.channels_last), targets.to(device)
    losses = found.losses.copy()
    open_rows, open_columns = np.nonzero(np.isnan(losses))
    for n, (i, j) in enumerate(zip(open_rows.tolist(), open_columns.tolist(), strict=True)):
        if n % _NEWS == 0:
            tick(n / len(open_rows), f"{n} of {len(open_rows)} points", Landscape(places, losses.copy(), found.guess))
        ground.stand(places[j], places[i])
        losses[i, j] = ground.loss(images, targets)
    return Landscape(places, losses, found.guess)


def landscapes(
    nets: Mapping[Design, Net],
    images: Tensor,
    targets: Tensor,
    plane: Plane,
    grid: int,
    known: Mapping[Design, Landscape] | None = None,
    tick: Tick = quiet,
) -> dict[Design, Landscape]:
    """Several networks' landscapes, coarse to fine together; `known` is what an earlier attempt at the same plane has measured.

    `tick` hears of all of them, whole or not.
    """
    found: dict[Design, Landscape] = {}
    for key, each in (known or {}).items():
        usable = each if each.grid <= grid else each.complete()
        if usable is not None:
            found[key] = usable
    for level in (each for each in GRIDS if each <= grid):
        for key, net in nets.items():
            before = found.get(key)
            if before is not None and (before.grid > level or before.measured == level**2):
                continue

            def hear(fraction: float, note: str = "", partial: object = None, key: Design = key) -> bool:
                if isinstance(partial, Landscape):
                    found[key] = partial
                done = sum(each.measured for each in found.values())
                return tick(done / (len(nets) * grid**2), f"{done:,} of {len(nets) * grid**2:,} points", dict(found))

            found[key] = landscape(net, images, targets, plane, level, known=before, tick=hear)
    return found


class Ground:
    """A copy of the network whose weights lie in one row of memory, so that a step on a plane is two additions.

    `axes` are two directions by the layer's name. With running statistics a batch norm is a scale and a shift: it is folded, and the
    directions are scaled with the filters.
    """

    def __init__(self, net: Net, axes: Sequence[Mapping[str, Tensor]], statistics: Statistics) -> None:
        scaled = [dict(axis) for axis in axes]
        self.net = copy.deepcopy(net).requires_grad_(False)
        self.whole = statistics == "batch"  # the pictures have one statistic together
        self.net.train(self.whole)
        if not self.whole:
            for conv, scale in _scales(self.net).items():
                for axis in scaled:
                    axis[conv] = axis[conv] * scale
            self.net = folded(self.net)
        layers = self.net.weights()
        self.base = torch.cat([weight.reshape(-1) for weight in layers.values()])
        self.across, self.along = (torch.cat([axis[name].reshape(-1) for name in layers]) for axis in scaled)
        self.here = self.base.clone()
        parts = torch.split(self.here, [weight.numel() for weight in layers.values()])
        # by identity: an attention's matrix has a name of its own
        homes = {id(each): (module, own) for module in self.net.modules() for own, each in module.named_parameters(recurse=False)}
        for weight, part in zip(layers.values(), parts, strict=True):
            module, own = homes[id(weight)]
            setattr(module, own, nn.Parameter(part.view(weight.shape), requires_grad=False))

    def stand(self, x: float, y: float) -> None:
        """Go to a point of the plane."""
        torch.add(self.base, self.across, alpha=x, out=self.here)
        self.here.add_(self.along, alpha=y)

    def loss(self, images: Tensor, targets: Tensor) -> float:
        """The mean loss here; infinite where it overflows."""
        size = len(images) if self.whole else max(1, _TOGETHER // (images.shape[-1] * images.shape[-2]))
        parts = zip(torch.split(images, size), torch.split(targets, size), strict=True)
        losses = [nn.functional.cross_entropy(self.net(part), labels, reduction="sum") for part, labels in parts]
        found = float(torch.stack(losses).sum()) / targets.numel()  # of pixels, where each has a class
        return found if math.isfinite(found) else math.inf


def _scales(net: Net) -> dict[str, Tensor]:
    """What each batch norm that folds multiplies its convolution's filters by."""
    found = {}
    for conv, norm in net.folds():
        layer = net.get_submodule(norm)
        if isinstance(layer, nn.BatchNorm2d) and layer.running_var is not None:
            gamma = torch.ones_like(layer.running_var) if layer.weight is None else layer.weight
            found[conv] = (gamma / (layer.running_var + layer.eps).sqrt()).view(-1, 1, 1, 1)
    return found
