"""Convolutions, norms and activations as a spec names them, and how their weights begin."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, Protocol

import torch
from torch import nn

from resviz.spec.choices import Activation, Init, Norm

__all__ = ["ACTIVATIONS", "NORMS", "Conv2d", "Design", "Embedding", "Linear", "conv", "draw_layer"]


class Design(Protocol):
    """What a spec of any family says of its layers."""

    @property
    def norm(self) -> Norm: ...
    @property
    def activation(self) -> Activation: ...
    @property
    def init(self) -> Init: ...


class Conv2d(nn.Conv2d):
    """PyTorch's, which does not draw its weights at its construction: `build` draws them, or a checkpoint has them."""

    def reset_parameters(self) -> None:
        """Leave them as they are."""


class Linear(nn.Linear):
    """PyTorch's, which does not draw its weights at its construction."""

    def reset_parameters(self) -> None:
        """Leave them as they are."""


class Embedding(nn.Embedding):
    """PyTorch's, which does not draw its weights at its construction."""

    def reset_parameters(self) -> None:
        """Leave them as they are."""


ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    Activation.RELU: nn.ReLU,
    Activation.GELU: nn.GELU,
    Activation.TANH: nn.Tanh,
    Activation.SIGMOID: nn.Sigmoid,
}
# whose gain Kaiming's standard deviation takes
_GAINS: dict[Activation, Literal["relu", "tanh", "sigmoid"]] = {
    Activation.RELU: "relu",
    Activation.GELU: "relu",
    Activation.TANH: "tanh",
    Activation.SIGMOID: "sigmoid",
}
NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    Norm.BATCH: nn.BatchNorm2d,
    # 16 channels a group (Wu & He 2018, arXiv 1803.08494, table 3), fewer where they don't divide
    Norm.GROUP: lambda channels: nn.GroupNorm(channels // math.gcd(channels, 16), channels),
    Norm.NONE: lambda channels: nn.Identity(),
}


def conv(spec: Design, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Same-size convolution; it has a bias of its own only where no norm follows with one."""
    bias = spec.norm is Norm.NONE
    return Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=bias)


def draw_layer(layer: nn.Module, spec: Design, generator: torch.Generator) -> None:
    """Initial weights of a convolution, a norm or the classifier; what has none is left alone."""
    if isinstance(layer, nn.Conv2d):
        _draw_conv(layer, spec, generator)
    elif isinstance(layer, nn.Linear):
        bound = layer.in_features**-0.5
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    elif isinstance(layer, nn.BatchNorm2d | nn.GroupNorm):
        layer.reset_parameters()


def _draw_conv(conv: nn.Conv2d, spec: Design, generator: torch.Generator) -> None:
    """Initial weights as the spec has them drawn; a bias begins at 0, or as PyTorch draws it."""
    bound = conv.weight[0].numel() ** -0.5
    if spec.init is Init.PYTORCH:
        conv.weight.uniform_(-bound, bound, generator=generator)
    elif spec.init is Init.XAVIER:
        nn.init.xavier_normal_(conv.weight, generator=generator)
    else:
        nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity=_GAINS[spec.activation], generator=generator)
    if conv.bias is not None:
        if spec.init is Init.PYTORCH:
            conv.bias.uniform_(-bound, bound, generator=generator)
        else:
            nn.init.zeros_(conv.bias)
