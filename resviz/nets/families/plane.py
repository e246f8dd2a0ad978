"""An MLP for points of the plane, residual as He et al., Identity Mappings in Deep Residual Networks, 2016 (arXiv 1603.05027), figure 4e.

A fully connected layer of one point is a 1×1 convolution of a picture of one pixel, so a layer here is what it is in every other
family, and a whole region of the plane goes through as one picture, of which each pixel is a point by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import torch
from torch import Tensor, nn

from resviz.nets.layers import ACTIVATIONS, NORMS, Conv2d, Linear, draw_layer
from resviz.nets.unit import Net, Unit
from resviz.spec.choices import Norm
from resviz.spec.plane import Feature, PlaneSpec

__all__ = ["Layer", "PlaneNet", "PlaneUnit", "Points"]

_FEATURES: Final[Mapping[Feature, Callable[[Tensor, Tensor], Tensor]]] = {
    Feature.X: lambda x, y: x,
    Feature.Y: lambda x, y: y,
    Feature.X2: lambda x, y: x * x,
    Feature.Y2: lambda x, y: y * y,
    Feature.XY: lambda x, y: x * y,
    Feature.SIN_X: lambda x, y: torch.sin(x),
    Feature.SIN_Y: lambda x, y: torch.sin(y),
}


class Points(nn.Module):
    """What is read of each point: (N, 2, H, W) to (N, features, H, W)."""

    def __init__(self, features: tuple[Feature, ...]) -> None:
        super().__init__()
        self.features = features

    def forward(self, points: Tensor) -> Tensor:
        x, y = points[:, 0], points[:, 1]
        return torch.stack([_FEATURES[feature](x, y) for feature in self.features], 1)


class Layer(Conv2d):
    """A fully connected layer of every pixel; of one alone it is multiplied as such, which takes about half the time."""

    def __init__(self, spec: PlaneSpec, inputs: int) -> None:
        super().__init__(inputs, spec.width, 1, bias=spec.norm is Norm.NONE)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2:] != (1, 1):
            return super().forward(x)
        return nn.functional.linear(x.flatten(1), self.weight.flatten(1), self.bias)[:, :, None, None]


class PlaneUnit(Unit):
    """norm-act-layer-norm-act-layer, + x: (N, width, H, W) to the same."""

    def __init__(self, spec: PlaneSpec) -> None:
        super().__init__(spec.width)
        self.norm1, self.relu1 = NORMS[spec.norm](spec.width), ACTIVATIONS[spec.activation]()
        self.conv1 = Layer(spec, spec.width)
        self.norm2, self.relu2 = NORMS[spec.norm](spec.width), ACTIVATIONS[spec.activation]()
        self.conv2 = Layer(spec, spec.width)

    def residual(self, entered: Tensor) -> Tensor:
        inner: Tensor = self.conv1(self.relu1(self.norm1(entered)))
        made: Tensor = self.conv2(self.relu2(self.norm2(inner)))
        return made

    @property
    def tail(self) -> nn.Module:
        return self.conv2

    def folds(self) -> Iterator[tuple[str, str]]:
        if not isinstance(self.norm2, nn.Identity):
            yield "conv1", "norm2"


class PlaneNet(Net):
    """First layer, units, norm, activation, classifier: points (N, 2, 1, 1) to logits (N, classes)."""

    def __init__(self, spec: PlaneSpec) -> None:
        super().__init__()
        self.spec: PlaneSpec = spec
        self.points = Points(spec.features)
        self.conv1 = Layer(spec, len(spec.features))
        self.layer1 = nn.Sequential(*(PlaneUnit(spec) for _ in range(spec.blocks[0])))
        self.norm, self.act = NORMS[spec.norm](spec.width), ACTIVATIONS[spec.activation]()
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))  # of one point that point
        self.fc: nn.Linear = Linear(spec.width, spec.classes)
        self.wire(spec)

    def stem(self, x: Tensor) -> Tensor:
        """What enters the first unit: (N, width, H, W)."""
        first: Tensor = self.conv1(self.points(x))
        return first

    def head(self, x: Tensor) -> Tensor:
        """(N, classes), of what the last unit returned; of a picture of more than one point their mean."""
        logits: Tensor = self.fc(torch.flatten(self.avgpool(self.act(self.norm(x))), 1))
        return logits

    def each(self, x: Tensor) -> Tensor:
        """(N, classes, H, W): the logits of every point by itself, of what the last unit returned."""
        features = self.act(self.norm(x))
        return nn.functional.conv2d(features, self.fc.weight[:, :, None, None], self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer1(self.stem(x)))

    def draw(self, layer: nn.Module, generator: torch.Generator) -> None:
        draw_layer(layer, self.spec, generator)
