"""A network whose weights say nothing any more: each changes place within its tensor, so that its scale is left."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resviz.nets.families.resnet import ResNet

__all__ = ["shuffle"]


def shuffle(net: ResNet, stage: str) -> None:
    """Shuffle the weights of one stage of a private view; the tensors that it shares with others stay."""
    generator = torch.Generator().manual_seed(1)
    for module in net.get_submodule(stage).modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            moved = weight.flatten()[torch.randperm(weight.numel(), generator=generator)].view(weight.shape)
            setattr(module, name, nn.Parameter(moved.contiguous(memory_format=_format(weight)), requires_grad=False))


def _format(weight: Tensor) -> torch.memory_format:
    return torch.channels_last if weight.dim() == 4 else torch.contiguous_format
