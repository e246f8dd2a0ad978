"""DenseNet, to be read beside the paper: Huang et al., Densely Connected Convolutional Networks, 2017 (arXiv 1608.06993).

Names and shapes are torchvision's, so its weights load. For small images the stem is one 3×3 convolution, as in the paper's §4.1.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from resviz.nets.layers import ACTIVATIONS, NORMS, Linear, conv, draw_layer
from resviz.nets.unit import Net, Unit
from resviz.spec.base import Spec
from resviz.spec.choices import Stem
from resviz.spec.dense import DenseSpec

__all__ = ["DenseLayer", "DenseNet"]


class DenseLayer(Unit):
    """BN-ReLU-conv3×3 of everything before it, with B behind BN-ReLU-conv1×1: (N, C, H, W) to (N, C + k, H, W)."""

    def __init__(self, spec: DenseSpec, channels: int) -> None:
        super().__init__(spec.growth, "concat")
        self.deaf: tuple[slice, ...] = ()  # channels that it reads as zeros
        self.norm1, self.relu1 = NORMS[spec.norm](channels), ACTIVATIONS[spec.activation]()
        if spec.bottleneck:
            inside = spec.bottleneck * spec.growth
            self.conv1 = conv(spec, channels, inside, 1)
            self.norm2, self.relu2 = NORMS[spec.norm](inside), ACTIVATIONS[spec.activation]()
            self.conv2 = conv(spec, inside, spec.growth, 3)
        else:
            self.conv1 = conv(spec, channels, spec.growth, 3)

    def entry(self, x: Tensor) -> Tensor:
        if not self.deaf:
            return x
        heard = x.clone()
        for channels in self.deaf:
            heard[:, channels] = 0
        return heard

    def residual(self, entered: Tensor) -> Tensor:
        made: Tensor = self.conv1(self.relu1(self.norm1(entered)))
        return self.conv2(self.relu2(self.norm2(made))) if self.tail is not self.conv1 else made

    @property
    def tail(self) -> nn.Module:
        return getattr(self, "conv2", self.conv1)

    def folds(self) -> Iterator[tuple[str, str]]:
        if self.tail is not self.conv1 and not isinstance(self.norm2, nn.Identity):
            yield "conv1", "norm2"


def _transition(spec: DenseSpec, channels: int, out: int) -> nn.Sequential:
    """BN-ReLU-conv1×1 to θ of the channels, and every second place of the average: (N, C, H, W) to (N, θC, H/2, W/2)."""
    made = nn.Sequential()
    made.add_module("norm", NORMS[spec.norm](channels))
    made.add_module("relu", ACTIVATIONS[spec.activation]())
    made.add_module("conv", conv(spec, channels, out, 1))
    made.add_module("pool", nn.AvgPool2d(2, 2))
    return made


class DenseNet(Net):
    """Stem, dense blocks with a transition between any two, global average pool, classifier: (N, C, H, W) to logits (N, classes)."""

    def __init__(self, spec: DenseSpec) -> None:
        super().__init__()
        self.spec: DenseSpec = spec
        imagenet, channels = spec.stem is Stem.IMAGENET, spec.width
        self.features = nn.Sequential()
        self.features.add_module("conv0", conv(spec, spec.in_channels, channels, 7 if imagenet else 3, 2 if imagenet else 1))
        if imagenet:
            self.features.add_module("norm0", NORMS[spec.norm](channels))
            self.features.add_module("relu0", ACTIVATIONS[spec.activation]())
            self.features.add_module("pool0", nn.MaxPool2d(3, 2, 1))
        self._stem = len(self.features)
        for number, (count, entering) in enumerate(zip(spec.blocks, spec.entering, strict=True), start=1):
            if number > 1:
                self.features.add_module(f"transition{number - 1}", _transition(spec, channels, entering))
            block, channels = nn.Sequential(), entering
            for n in range(1, count + 1):
                block.add_module(f"denselayer{n}", DenseLayer(spec, channels))
                channels += spec.growth
            self.features.add_module(f"denseblock{number}", block)
        self.features.add_module("norm5", NORMS[spec.norm](channels))  # torchvision's name for it, whatever the number of blocks
        self.act = ACTIVATIONS[spec.activation]()
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.classifier: nn.Linear = Linear(channels, spec.classes)
        self.wire(spec)

    def stages(self) -> Iterator[tuple[str, nn.Module]]:
        for name, child in self.features.named_children():
            if next(child.parameters(), None) is not None:
                yield f"features.{name}", child
        yield "classifier", self.classifier

    def stem(self, x: Tensor) -> Tensor:
        """What enters the first dense block: (N, width, H', W')."""
        return self.features[: self._stem](x)

    def head(self, x: Tensor) -> Tensor:
        """(N, classes), of what the last dense block returned."""
        return self._classified(self.features[-1](x))

    def _classified(self, features: Tensor) -> Tensor:
        logits: Tensor = self.classifier(torch.flatten(self.avgpool(self.act(features)), 1))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self._classified(self.features(x))

    def wire(self, spec: Spec) -> None:
        super().wire(spec)
        assert isinstance(spec, DenseSpec)  # it differs in nothing but its cuts
        for name, layer in self.units():
            if not isinstance(layer, DenseLayer):
                continue
            deaf, start = [], 0
            for source, (_, channels) in enumerate(spec.sources(name)):
                if (name, source) in spec.severed:
                    deaf.append(slice(start, start + channels))
                start += channels
            layer.deaf = tuple(deaf)

    def folds(self) -> Iterator[tuple[str, str]]:
        if hasattr(self.features, "norm0"):
            yield "features.conv0", "features.norm0"
        yield from super().folds()

    def draw(self, layer: nn.Module, generator: torch.Generator) -> None:
        draw_layer(layer, self.spec, generator)
