"""How does the signal travel forwards, block by block?

Brock et al. 2021, arXiv 2101.08692: signal propagation plots. De & Smith 2020, arXiv 2002.10444: how its variance grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from resviz.machine import plain
from resviz.nets.unit import Net
from resviz.results import SIGNALS

__all__ = ["watched_signals"]


@contextmanager
def watched_signals(net: Net) -> Iterator[Callable[[], np.ndarray]]:
    """While it holds, every forward pass is measured; what it yields returns (blocks, len(SIGNALS)) of the last one.

    The hooks are gone afterwards, error or not. A value is NaN where the network has no such thing: the variance of a
    dropped branch, dead units without a ReLU.
    """
    units, handles = [unit for _, unit in net.units()], []
    ends: dict[int, tuple[Tensor, Tensor]] = {}  # of each block: the mean and the variance of every channel
    branches: dict[int, Tensor] = {}
    sums: dict[tuple[int, int], Tensor] = {}

    def moments(output: Tensor) -> tuple[Tensor, Tensor]:
        seen = _as_maps(output.detach())
        if plain() or seen.device.type != "cpu":
            return seen.mean((0, 2, 3)), seen.var((0, 2, 3), correction=0)
        # batch norm's own kernel: torch.var_mean takes four to ten times as long
        found: tuple[Tensor, Tensor] = torch.ops.aten.batch_norm_update_stats(seen, None, None, 0.0)
        return found

    def at_end(i: int, output: Tensor) -> None:
        ends[i] = moments(output)

    def at_branch(i: int, output: Tensor) -> None:
        branches[i] = moments(output)[1]

    def at_relu(i: int, n: int, output: Tensor) -> None:
        sums[i, n] = _as_maps(output.detach()).sum((0, 2, 3))

    def hooked(module: nn.Module, keep: Callable[[Tensor], None]) -> None:
        handles.append(module.register_forward_hook(lambda _module, _args, output: keep(output)))

    try:
        for i, unit in enumerate(units):
            hooked(unit, partial(at_end, i))
            hooked(unit.tail, partial(at_branch, i))
            for n, relu in enumerate(module for module in unit.modules() if isinstance(module, nn.ReLU)):
                hooked(relu, partial(at_relu, i, n))
        yield lambda: _measured(len(units), ends, branches, sums)
    finally:
        for handle in handles:
            handle.remove()


def _as_maps(seen: Tensor) -> Tensor:
    """Tokens (N, T, D) as maps (N, D, T, 1): each of a token's numbers is a channel."""
    return seen.transpose(1, 2).unsqueeze(3) if seen.dim() == 3 else seen


def _measured(
    blocks: int, ends: Mapping[int, tuple[Tensor, Tensor]], branches: Mapping[int, Tensor], sums: Mapping[tuple[int, int], Tensor]
) -> np.ndarray:
    """The signals (blocks, len(SIGNALS)) from the moments that the hooks kept."""
    values = np.full((blocks, len(SIGNALS)), np.nan)
    means, variances = _split([end[0] for end in ends.values()]), _split([end[1] for end in ends.values()])
    for i, mean, variance in zip(ends, means, variances, strict=True):
        values[i, :3] = (mean**2).mean(), variance.mean(), np.sqrt(variance.mean() + mean.var())
    for i, variance in zip(branches, _split(list(branches.values())), strict=True):
        values[i, 3] = variance.mean()
    dead: dict[int, list[np.ndarray]] = {}
    for (i, _), total in zip(sums, _split(list(sums.values())), strict=True):
        dead.setdefault(i, []).append(total == 0)  # nothing below zero leaves a ReLU
    for i, channels in dead.items():
        values[i, 4] = np.concatenate(channels).mean()
    return values


def _split(vectors: list[Tensor]) -> list[np.ndarray]:
    """All of them in fp64, brought over at once."""
    if not vectors:
        return []
    every = torch.cat(vectors).detach().cpu().double().numpy()
    return np.split(every, np.cumsum([len(vector) for vector in vectors])[:-1])
