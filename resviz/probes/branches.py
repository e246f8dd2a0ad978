"""How much does each unit's branch add to what its skip carries?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resviz.nets.unit import Net

__all__ = ["branch_ratios"]


@torch.no_grad()
def branch_ratios(net: Net, images: Tensor) -> tuple[float, ...]:
    """‖F(x)‖ / ‖x‖ of each unit, in forward order, dropped or not; images: (N, C, H, W).

    In eval mode, so that measuring does not move the running statistics; the network's mode is put back.
    """
    ratios: list[float] = []

    def measure(unit: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0]
        ratios.append((unit.residual(unit.entry(x)).norm() / x.norm()).item())  # type: ignore[operator]

    was_training = net.training
    handles = [unit.register_forward_pre_hook(measure) for _, unit in net.units()]
    net.eval()
    try:
        net(images)
    finally:
        net.train(was_training)
        for handle in handles:
            handle.remove()
    return tuple(ratios)
