"""Looking must not change what is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

__all__ = ["untouched"]


@contextmanager
def untouched(net: nn.Module) -> Iterator[None]:
    """Within it what a network in train mode keeps count of is a copy; afterwards its own is back, and every layer's mode, error or not."""
    before = [(module, module.training, dict(module._buffers)) for module in net.modules()]
    try:
        for module, training, buffers in before:
            if training:  # in eval mode nothing is counted
                module._buffers.update({name: None if each is None else each.clone() for name, each in buffers.items()})
        yield
    finally:
        for module, training, buffers in before:
            module.training = training
            module._buffers.update(buffers)
