"""How much does each unit's branch add to what its skip carries?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resviz.nets.unit import Net
from resviz.probes.inside import hooked
from resviz.probes.untouched import untouched

__all__ = ["branch_ratios"]


@torch.no_grad()
def branch_ratios(net: Net, images: Tensor) -> tuple[float, ...]:
    """‖F(x)‖ / ‖x‖ of each unit, in forward order, dropped or not; images: (N, C, H, W).

    In eval mode, so that measuring does not move the running statistics; every layer's mode is put back.
    """
    ratios: list[float] = []

    def measure(unit: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0]
        ratios.append((unit.residual(unit.entry(x)).norm() / x.norm()).item())  # type: ignore[operator]

    with untouched(net), hooked(*(unit.register_forward_pre_hook(measure) for _, unit in net.units())):
        net.eval()(images)
    return tuple(ratios)
