"""ResNet and its relatives, to be read beside the papers.

He et al., Deep Residual Learning for Image Recognition, 2015 (arXiv 1512.03385): `BasicBlock`, `Bottleneck`.
He et al., Identity Mappings in Deep Residual Networks, 2016 (arXiv 1603.05027): the pre-activation blocks.
He et al., Bag of Tricks for Image Classification, 2018 (arXiv 1812.01187): the deep stem of ResNet-C, the averaging skip of ResNet-D.
Xie et al., ResNeXt, 2016 (arXiv 1611.05431) and Zagoruyko & Komodakis, Wide ResNet, 2016 (arXiv 1605.07146): groups, width.

Names and shapes are torchvision's, and of a deep stem timm's, so their weights load. Like torchvision's, a bottleneck strides in its 3×3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from resviz.nets.families.resnet_blocks import (
    BasicBlock,
    Bottleneck,
    PreActBasicBlock,
    PreActBottleneck,
    ResidualBlock,
    ZeroPad,
)
from resviz.nets.families.resnet_orders import BLOCKS
from resviz.nets.layers import ACTIVATIONS, NORMS, Linear, conv, draw_layer
from resviz.nets.unit import Net
from resviz.nets.ways import Learned
from resviz.spec.net import BranchScale, Init, NetSpec, Order, Stem

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "PreActBasicBlock",
    "PreActBottleneck",
    "ResNet",
    "Variant",
    "ZeroPad",
]


@dataclass(frozen=True)
class Variant:
    """Where published code departs from the papers; only weights from outside need it."""

    pool: bool = False  # a 3×3 max pool, stride 2, behind a 3×3 stem too
    bare: bool = False  # pre-activation without norms: none on the projections, and neither norm nor ReLU after the last block
    groups: int | None = None  # of every group norm, whatever its channels; None is 16 channels a group


def _deep(spec: NetSpec) -> nn.Sequential:
    """Three 3×3; the last one's norm and activation stand behind them all."""
    layers: list[nn.Module] = []
    for entering, stride in ((spec.in_channels, 2), (spec.half_width, 1)):
        layers.append(conv(spec, entering, spec.half_width, 3, stride))
        layers += [NORMS[spec.norm](spec.half_width), ACTIVATIONS[spec.activation]()]
    return nn.Sequential(*layers, conv(spec, spec.half_width, spec.width, 3))


_FIRST: Final[dict[Stem, Callable[[NetSpec], nn.Module]]] = {
    Stem.CIFAR: lambda spec: conv(spec, spec.in_channels, spec.width, 3),
    Stem.IMAGENET: lambda spec: conv(spec, spec.in_channels, spec.width, 7, 2),
    Stem.DEEP: _deep,
}


class ResNet(Net):
    """Stem, stages `layer1` … of blocks, global average pool, classifier: (N, C, H, W) to logits (N, classes)."""

    def __init__(self, spec: NetSpec, variant: Variant | None = None) -> None:
        super().__init__()
        self.spec: NetSpec = spec
        self.variant = variant or Variant()
        full, preact, channels = spec.block.order is Order.PREACT, spec.block.preact, spec.width
        self.conv1 = _FIRST[spec.stem](spec)
        self.bn1 = nn.Identity() if full else NORMS[spec.norm](channels)
        self.relu = nn.Identity() if preact else ACTIVATIONS[spec.activation]()
        self.maxpool = nn.MaxPool2d(3, 2, 1) if spec.stem.photographs or self.variant.pool else nn.Identity()
        for stage, count in enumerate(spec.blocks):
            layer = nn.Sequential()
            for i in range(count):
                name, stride = f"layer{stage + 1}.{i}", 2 if stage and not i else 1
                layer.append(BLOCKS[spec.block](spec, name, channels, stage, stride))
                channels = spec.out_channels(stage)
            self.add_module(f"layer{stage + 1}", layer)
        # the pre-activation trunk ends un-activated, and without a norm where F begins with one (2016 paper, appendix)
        self.norm = NORMS[spec.norm](channels) if full else nn.Identity()
        self.act = ACTIVATIONS[spec.activation]() if preact else nn.Identity()
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc: nn.Linear = Linear(channels, spec.classes)
        self._depart()

    def _depart(self) -> None:
        if self.variant.bare:
            self.norm, self.act = nn.Identity(), nn.Identity()
            for _, block in self.units():
                if isinstance(block.downsample, nn.Sequential):
                    block.downsample = block.downsample[:-1]
        if self.variant.groups is not None:
            for module in self.modules():
                if isinstance(module, nn.GroupNorm):
                    module.num_groups = self.variant.groups

    def stages(self) -> Iterator[tuple[str, nn.Module]]:
        for name in ("conv1", *(f"layer{n}" for n in range(1, len(self.spec.blocks) + 1)), "fc"):
            yield name, self.get_submodule(name)

    def folds(self) -> Iterator[tuple[str, str]]:
        if self.spec.stem is Stem.DEEP:
            yield from (("conv1.0", "conv1.1"), ("conv1.3", "conv1.4"), ("conv1.6", "bn1"))
        else:
            yield "conv1", "bn1"
        yield from super().folds()

    @property
    def first(self) -> tuple[nn.Conv2d, ...]:
        """The stem's convolutions, in forward order."""
        return tuple(module for module in self.conv1.modules() if isinstance(module, nn.Conv2d))

    def stem(self, x: Tensor) -> Tensor:
        """What enters the first block: (N, width, H', W')."""
        return self.maxpool(self.relu(self.bn1(self.conv1(x))))

    def features(self, x: Tensor) -> Tensor:
        """What the average pool sees: (N, channels, H', W')."""
        x = self.stem(x)
        for stage in range(len(self.spec.blocks)):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return self.act(self.norm(x))

    def head(self, x: Tensor) -> Tensor:
        """(N, classes), of what the last block returned."""
        return self._classified(self.act(self.norm(x)))

    def _classified(self, features: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.avgpool(features), 1))

    def forward(self, x: Tensor) -> Tensor:
        return self._classified(self.features(x))

    def draw(self, layer: nn.Module, generator: torch.Generator) -> None:
        draw_layer(layer, self.spec, generator)

    def settle(self) -> None:
        """Zero-γ: every block begins as its skip. Fixup: so does every block, by its last convolution. Gates begin as the spec says."""
        for _, block in self.units():
            if self.spec.init is Init.ZERO_GAMMA and isinstance(block.gate, nn.BatchNorm2d | nn.GroupNorm):
                nn.init.zeros_(block.gate.weight)
            if isinstance(block, ResidualBlock) and block.gating is not None:
                block.gating.start(-self.spec.gate)
        if self.spec.init is Init.FIXUP:
            self._fix_up()

    def _fix_up(self) -> None:
        """Zhang et al. 2019, §4: zero what ends a branch and the classifier, scale what stands before, multiply each branch from 1.

        The biases are each convolution's own, a number a channel, where the paper has one for all of them.
        """
        weights, blocks = self.weights(), sum(self.spec.blocks)
        for name, _ in self.units():
            *before, last = (weights[f"{name}.conv{n}"] for n in range(1, self.spec.block.convs + 1))
            for weight in before:
                weight.mul_(blocks ** (-1 / (2 * len(before))))
            nn.init.zeros_(last)
        for module in self.modules():
            if isinstance(module, Learned) and self.spec.scale is not BranchScale.LEARNED:
                nn.init.ones_(module.alpha)
        nn.init.zeros_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)
