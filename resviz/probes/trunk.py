"""A network's trunk as its units hand it on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resviz.nets.unit import Net
from resviz.probes.inside import units_of

__all__ = ["at_the_end", "signals"]


@torch.no_grad()
def signals(net: Net, images: Tensor) -> list[Tensor]:
    """What enters every unit, and last what the last one returns; nothing of how it came about is kept."""
    units = units_of(net)
    found = [net.stem(images)]
    for unit in units.values():
        found.append(unit(found[-1]))
    return found


def at_the_end(net: Net, signal: Tensor, labels: Tensor) -> Tensor:
    """The gradient of the mean cross-entropy at what the last unit returned."""
    last = signal.detach().requires_grad_()
    with torch.enable_grad():
        loss = nn.functional.cross_entropy(net.head(last), labels)
    return torch.autograd.grad(loss, last)[0]
