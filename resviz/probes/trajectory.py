"""Which way did the weights take while they learned?

Li et al. 2018, arXiv 1712.09913, §7: random directions are almost orthogonal to any given one, so that a path seen along them looks
like nothing; in the plane of its own first two principal components most of it is seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from resviz.nets.unit import Net
from resviz.probes.landscape import Ground
from resviz.progress import Tick, quiet
from resviz.results import Trajectory

__all__ = ["components", "trajectory"]

Weights = Mapping[str, Tensor]
_ROOM: Final = 0.25  # of the path's width and height that is shown around it


def components(kept: Sequence[Weights]) -> tuple[list[dict[str, Tensor]], np.ndarray, tuple[float, float]]:
    """The first two principal components of all weights' differences from the last ones, each of length 1 by the layer's name.

    With them every moment's coordinates, (moments, 2), the last at (0, 0), and each component's share of the variance. Found from the
    moments' products with each other, since there are far fewer moments than weights. Raises ValueError for fewer than three moments, and
    where nothing moved.
    """
    if len(kept) < 3:
        raise ValueError(f"a plane needs at least 3 moments of a training, got {len(kept)}; keep its weights more often")
    rows = torch.stack([torch.cat([weight.detach().double().flatten() for weight in each.values()]) for each in kept])
    rows -= rows[-1].clone()
    centred = rows - rows.mean(0)
    values, vectors = torch.linalg.eigh(centred @ centred.T)
    if not values[-1] > 0:
        raise ValueError("the weights did not move, so that their path has no plane; train with a higher rate")
    found, coordinates = [], []
    for k in (-1, -2):
        axis = centred.T @ vectors[:, k]
        axis /= axis.norm().clamp_min(torch.finfo(axis.dtype).tiny)
        axis *= 1 if rows[0] @ axis <= 0 else -1  # the start lies on the left, and below
        coordinates.append((rows @ axis).numpy())
        parts = torch.split(axis, [weight.numel() for weight in kept[-1].values()])
        found.append({name: part.view(weight.shape) for (name, weight), part in zip(kept[-1].items(), parts, strict=True)})
    total = float(values.clamp_min(0).sum())
    first, second = (max(0.0, float(values[k])) / total for k in (-1, -2))
    return found, np.stack(coordinates, 1), (first, second)


def trajectory(
    net: Net, kept: Mapping[int, Weights], pictures: tuple[Tensor, Tensor], grid: int = 13, tick: Tick = quiet
) -> Trajectory:
    """The way of the `kept` weights, by step, and the loss on `grid` × `grid` points around it.

    `net` has the last ones; its biases and norms stay as they are, and batch norm takes the statistics of the pictures, (N, C, H, W)
    and (N,), which at other weights are others. `tick` hears of every row.
    """
    axes, at, variance = components(list(kept.values()))
    xs, ys = (np.linspace(*_span(at[:, k]), grid) for k in (0, 1))
    weights = net.weights()
    ground = Ground(net, [{name: axis[name].to(weight) for name, weight in weights.items()} for axis in axes], "batch")
    images, targets = pictures[0].contiguous(memory_format=torch.channels_last), pictures[1]
    losses = np.empty((grid, grid))
    with torch.inference_mode():
        for i, y in enumerate(ys.tolist()):
            tick(i / grid, f"row {i + 1} of {grid}")
            for j, x in enumerate(xs.tolist()):
                ground.stand(x, y)
                losses[i, j] = ground.loss(images, targets)
    return Trajectory(tuple(kept), at, variance, xs, ys, losses=losses, guess=math.log(net.spec.classes))


def _span(values: np.ndarray) -> tuple[float, float]:
    room = _ROOM * (float(np.ptp(values)) or 1.0)
    return float(values.min()) - room, float(values.max()) + room
