"""A trained residual network without any skip, and with the same answers.

Meng et al. 2021, RMNet (arXiv 2111.00687): what a ReLU returns is never negative, so that another ReLU leaves it as it is. So x can
go along F's convolutions in channels of its own, which hold the identity, and the last convolution adds it. Where F is one convolution
no channel is needed: it takes up what the skip makes of x in its middle tap (Ding et al. 2021, RepVGG, arXiv 2101.03697).
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from resviz.nets.inference.folding import folded
from resviz.nets.unit import Net, Unit

__all__ = ["skipless"]

N = TypeVar("N", bound=Net)


@torch.no_grad()
def skipless(net: N) -> N:
    """The same function in eval mode, each unit a sequence of convolutions and ReLUs alone; changes `net`, which has no units afterwards.

    Raises ValueError where a unit is more than convolutions, norms that fold, ReLUs and an addition that a ReLU follows.
    """
    first = next(net.parameters())
    was, where = first.dtype, first.device
    net = folded(net.cpu().double())  # which not every accelerator has
    for name, unit in list(net.units()):
        net.set_submodule(name, _carrying(name, unit))
    net.to(where, was)
    return net.to(memory_format=torch.channels_last)


def _carrying(name: str, unit: Unit) -> nn.Sequential:
    after, before = unit.joined
    of_pictures = [module for module in unit.modules() if isinstance(module, nn.GroupNorm)]  # a batch norm on the skip is linear
    rest = of_pictures + [module for module in unit.children() if isinstance(module, nn.BatchNorm2d)]
    if not (unit.chain and unit.branch and unit.joins == "add" and before and isinstance(after, nn.ReLU)) or rest:
        raise ValueError(
            f"the skip of {name} cannot be taken away without loss: that needs batch norm, a ReLU behind the addition, and every branch in place"
        )
    if any(isinstance(module, nn.AvgPool2d) for module in unit.modules()):
        raise ValueError(
            f"the skip of {name} cannot be taken away without loss: it averages, at the edge of an odd side over fewer places"
        )
    if any(conv.groups != 1 for conv in unit.chain):
        raise ValueError(f"the skip of {name} cannot be taken away without loss: its convolutions have groups")
    carried = unit.chain[0].in_channels if unit.skip else 0
    layers: list[nn.Module] = []
    for n, conv in enumerate(unit.chain):
        last = n == len(unit.chain) - 1
        layers += [_wider(conv, carried, 0 if n == 0 else conv.in_channels, unit if last else None), nn.ReLU()]
    return nn.Sequential(*layers)


def _wider(conv: nn.Conv2d, carried: int, start: int, ending: Unit | None) -> nn.Conv2d:
    """The convolution with x in the input channels from `start` on: handed on beside what it returns, or, where it ends a unit, added to it."""
    assert not isinstance(conv.padding, str)
    further = carried if ending is None else 0
    wide = nn.Conv2d(
        max(conv.in_channels, start + carried),
        conv.out_channels + further,
        conv.kernel_size,  # type: ignore[arg-type]
        conv.stride,  # type: ignore[arg-type]
        conv.padding,  # type: ignore[arg-type]
        dtype=conv.weight.dtype,
        device=conv.weight.device,
    )
    assert wide.bias is not None
    nn.init.zeros_(wide.weight)
    nn.init.zeros_(wide.bias)
    wide.weight[: conv.out_channels, : conv.in_channels] = conv.weight
    if conv.bias is not None:
        wide.bias[: conv.out_channels] = conv.bias
    middle = wide.weight[:, start : start + carried, conv.kernel_size[0] // 2, conv.kernel_size[1] // 2]  # (out, carried)
    if ending is None:
        middle[conv.out_channels :] += torch.eye(carried, dtype=middle.dtype, device=middle.device)
    elif carried:
        mapped, bias = _mapping(ending, carried, middle)
        middle += mapped
        wide.bias += bias
    return wide


def _mapping(unit: Unit, channels: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """What the skip makes of x's channels, (out, channels), and what it adds: asked with one channel at a time."""
    every = torch.eye(channels, dtype=like.dtype, device=like.device)[:, :, None, None]  # as many pictures of one pixel
    nothing = torch.zeros_like(every[:1])
    bias = unit.identity(nothing, nothing)[0, :, 0, 0]
    return unit.identity(every, every)[:, :, 0, 0].T - bias[:, None], bias
