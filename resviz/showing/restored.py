"""A model of anybody's, as it was before it was looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["restored"]


@contextmanager
def restored(model: nn.Module) -> Iterator[None]:
    """Within it passes may set what they like on the modules; afterwards attributes, what lists and tables hold, and buffers are what they were.

    A tracer calls `forward` with stand-ins for tensors, which a network that keeps something of a pass would keep for good.
    """
    modules = list(model.modules())
    attributes = [dict(vars(module)) for module in modules]
    inside = [(each, each.copy()) for own in attributes for each in own.values() if isinstance(each, dict | list | set)]
    tensors = [*model.buffers(), *(each for own in attributes for each in own.values() if isinstance(each, Tensor))]
    values = [(each, each.detach().clone()) for each in tensors]
    try:
        yield
    finally:
        for module, own in zip(modules, attributes, strict=True):
            for name in vars(module).keys() - own.keys():
                del vars(module)[name]
            vars(module).update(own)
        for each, kept in inside:
            each.clear()
            if isinstance(each, list):
                each.extend(kept)
            else:
                each.update(kept)
        with torch.no_grad():
            for tensor, value in values:
                tensor.copy_(value)
