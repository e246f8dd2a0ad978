"""Does the gradient change smoothly with the input, or at random?

Balduzzi et al. 2017, arXiv 1702.08591: ∂f/∂x along a line of inputs looks like white noise in deep plain networks, like brown noise
in shallow ones, and in between with skips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from resviz.nets.build import build
from resviz.nets.cost import check_memory
from resviz.nets.unit import Net
from resviz.progress import Tick, quiet
from resviz.results import Shattering
from resviz.spec.net import NetSpec, Norm
from resviz.spec.presets import cifar_blocks

__all__ = ["SHATTERED", "autocorrelation", "depths_of", "designs_of", "shatter"]

SHATTERED: Final = ("residual", "plain", "plain, no norm")  # what is compared, by name
_LAGS: Final = 16


def designs_of(spec: NetSpec) -> dict[str, NetSpec]:
    """The spec's design with skips and a norm, without skips, and with neither."""
    norm = Norm.BATCH if spec.norm is Norm.NONE else spec.norm
    whole = replace(spec, residual=True, norm=norm, cut=frozenset(), dropped=frozenset())
    return dict(zip(SHATTERED, (whole, whole.plain(), replace(whole.plain(), norm=Norm.NONE)), strict=True))


def depths_of(spec: NetSpec) -> tuple[int, ...]:
    """Five depths that the spec's blocks can have."""
    return (11, 20, 29, 56, 110) if spec.block.bottleneck else (8, 20, 32, 56, 110)


def shatter(
    spec: NetSpec, line: tuple[Tensor, Tensor], depths: Sequence[int], points: int = 256, draws: int = 3, tick: Tick = quiet
) -> Shattering:
    """∂f/∂t of the first logit at x₀ + t·(x₁ − x₀) with t from 0 to 1, for each of `designs_of` at each depth, and how alike neighbours are.

    `line` is (x₀, x₁), each (1, C, H, W); autocorrelations are means over `draws` initialisations, the first of which is kept whole.
    """
    start, end = line
    place = torch.linspace(0, 1, points).view(-1, 1, 1, 1)
    inputs = torch.lerp(start, end, place)
    gradients: dict[str, np.ndarray] = {}
    correlations: dict[str, np.ndarray] = {}
    todo, done = len(SHATTERED) * draws * sum(depths), 0
    for name, design in designs_of(spec).items():
        kept, found = [], []
        for depth in depths:
            each = replace(design, blocks=cifar_blocks(depth, spec.block))
            check_memory(each, inputs.shape[-1], points)
            slopes = []
            for draw in range(draws):
                tick(done / todo, f"{name}, {depth} layers")
                slopes.append(_slopes(build(replace(each, seed=spec.seed + draw)), inputs, end - start))
                done += depth
            kept.append(slopes[0])
            found.append(np.mean([autocorrelation(slope, _LAGS) for slope in slopes], axis=0))
        gradients[name], correlations[name] = np.stack(kept), np.stack(found)
    return Shattering(tuple(depths), place.flatten().double().numpy(), gradients, correlations, draws)


def _slopes(net: Net, inputs: Tensor, along: Tensor) -> np.ndarray:
    """(points,): the first logit's derivative along the line. Batch norm has the line's own statistics, which stand still."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    net.requires_grad_(False).train()
    with torch.no_grad():
        net(inputs)
    inputs = inputs.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(net.eval()(inputs)[:, 0].sum(), inputs)
    return (gradient * along).flatten(1).sum(1).double().numpy()


def autocorrelation(values: np.ndarray, lags: int) -> np.ndarray:
    """(lags + 1,): how like itself a sequence is when shifted by 0, 1, … places; 1 at 0. Nothing is like a constant: NaN."""
    centred = values - values.mean()
    power = float(centred @ centred)
    if not power > 0:
        return np.full(lags + 1, np.nan)
    return np.array([centred[: len(centred) - lag] @ centred[lag:] / power for lag in range(lags + 1)])
