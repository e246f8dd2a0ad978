"""ResNet and its relatives, to be read beside the papers.

He et al., Deep Residual Learning for Image Recognition, 2015 (arXiv 1512.03385): `BasicBlock`, `Bottleneck`.
He et al., Identity Mappings in Deep Residual Networks, 2016 (arXiv 1603.05027): the pre-activation blocks.
Xie et al., ResNeXt, 2016 (arXiv 1611.05431) and Zagoruyko & Komodakis, Wide ResNet, 2016 (arXiv 1605.07146): groups, width.

Names and shapes are torchvision's, so its weights load. Like torchvision's, a bottleneck strides in its 3×3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from resviz.nets.layers import ACTIVATIONS, NORMS, Linear, conv, draw_conv
from resviz.nets.unit import Net, Unit
from resviz.spec.net import Block, Init, NetSpec, Shortcut, Stem

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "PreActBasicBlock",
    "PreActBottleneck",
    "ResNet",
    "Variant",
    "ZeroPad",
]


class ZeroPad(nn.Module):
    """Option A's skip: every second pixel, and zero channels shared evenly before and after. No parameters."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.before = (out_channels - in_channels) // 2
        self.after = out_channels - in_channels - self.before
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]  # (N, C, H/stride, W/stride)
        if self.before < 0 or self.after < 0:  # a stage narrower than what enters it
            return x[:, -self.before : x.shape[1] + self.after]
        return nn.functional.pad(x, (0, 0, 0, 0, self.before, self.after))  # (N, C', H/stride, W/stride)


class _ResidualBlock(Unit):
    """y = F(x) + x, as `spec` wires the block called `name`; F's layers are `conv1`, `bn1`, `relu1`, … up to `convs`."""

    convs: ClassVar[int]

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__(spec.out_channels(stage))
        self.skip, self.branch = spec.has_skip(name), name not in spec.dropped
        self.downsample = self._shortcut(spec, in_channels, spec.out_channels(stage), stride)

    @staticmethod
    def _shortcut(spec: NetSpec, in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
        same = in_channels == out_channels and stride == 1
        if not spec.residual or (same and spec.shortcut is not Shortcut.C):
            return None
        if spec.shortcut is Shortcut.A:
            return ZeroPad(in_channels, out_channels, stride)
        return nn.Sequential(conv(spec, in_channels, out_channels, 1, stride), NORMS[spec.norm](out_channels))

    @property
    def gate(self) -> nn.Module | None:
        return self.get_submodule(f"bn{self.convs}")

    def folds(self) -> Iterator[tuple[str, str]]:
        if isinstance(self.downsample, nn.Sequential) and len(self.downsample) > 1:
            yield "downsample.0", "downsample.1"


class _PostActivation(_ResidualBlock):
    """2015: each convolution has its norm behind it, and an activation stands behind the addition."""

    @property
    def chain(self) -> tuple[nn.Conv2d, ...]:
        return tuple(module for module in self.children() if isinstance(module, nn.Conv2d))

    @property
    def tail(self) -> nn.Module:
        return self.get_submodule(f"bn{self.convs}")

    @property
    def joined(self) -> tuple[nn.Module, bool]:
        return self.get_submodule(f"relu{self.convs}"), True

    def folds(self) -> Iterator[tuple[str, str]]:
        yield from super().folds()
        yield from ((f"conv{n}", f"bn{n}") for n in range(1, self.convs + 1))


class _PreActivation(_ResidualBlock):
    """2016: nothing stands on the trunk. F and a projection read the activated input, another skip reads x."""

    bn1: nn.Module
    relu1: nn.Module

    def entry(self, x: Tensor) -> Tensor:
        return self.relu1(self.bn1(x))

    @property
    def tail(self) -> nn.Module:
        return self.get_submodule(f"conv{self.convs}")

    def identity(self, x: Tensor, entered: Tensor) -> Tensor:
        return super().identity(entered if isinstance(self.downsample, nn.Sequential) else x, entered)

    def folds(self) -> Iterator[tuple[str, str]]:
        yield from super().folds()
        yield from ((f"conv{n}", f"bn{n + 1}") for n in range(1, self.convs))


class BasicBlock(_PostActivation):
    """conv3×3-BN-ReLU-conv3×3-BN, + x, ReLU."""

    convs = 2

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__(spec, name, in_channels, stage, stride)
        planes, act, norm = spec.planes(stage), ACTIVATIONS[spec.activation], NORMS[spec.norm]
        self.conv1 = conv(spec, in_channels, planes, 3, stride)
        self.bn1 = norm(planes)
        self.relu1 = act()
        self.conv2 = conv(spec, planes, planes, 3)
        self.bn2 = norm(planes)
        self.relu2 = act()

    def residual(self, x: Tensor) -> Tensor:
        out = self.relu1(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(out))

    def after(self, joined: Tensor) -> Tensor:
        return self.relu2(joined)


class Bottleneck(_PostActivation):
    """conv1×1-BN-ReLU-conv3×3-BN-ReLU-conv1×1-BN, + x, ReLU: the 3×3 works on a quarter of the channels."""

    convs = 3

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__(spec, name, in_channels, stage, stride)
        mid, out, act, norm = (
            spec.mid_channels(stage),
            spec.out_channels(stage),
            ACTIVATIONS[spec.activation],
            NORMS[spec.norm],
        )
        self.conv1 = conv(spec, in_channels, mid, 1)
        self.bn1 = norm(mid)
        self.relu1 = act()
        self.conv2 = conv(spec, mid, mid, 3, stride, spec.groups)
        self.bn2 = norm(mid)
        self.relu2 = act()
        self.conv3 = conv(spec, mid, out, 1)
        self.bn3 = norm(out)
        self.relu3 = act()

    def residual(self, x: Tensor) -> Tensor:
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.relu2(self.bn2(self.conv2(out)))
        return self.bn3(self.conv3(out))

    def after(self, joined: Tensor) -> Tensor:
        return self.relu3(joined)


class PreActBasicBlock(_PreActivation):
    """BN-ReLU-conv3×3-BN-ReLU-conv3×3, + x."""

    convs = 2

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__(spec, name, in_channels, stage, stride)
        planes, act, norm = spec.planes(stage), ACTIVATIONS[spec.activation], NORMS[spec.norm]
        self.bn1 = norm(in_channels)
        self.relu1 = act()
        self.conv1 = conv(spec, in_channels, planes, 3, stride)
        self.bn2 = norm(planes)
        self.relu2 = act()
        self.conv2 = conv(spec, planes, planes, 3)

    def residual(self, x: Tensor) -> Tensor:
        return self.conv2(self.relu2(self.bn2(self.conv1(x))))


class PreActBottleneck(_PreActivation):
    """BN-ReLU-conv1×1-BN-ReLU-conv3×3-BN-ReLU-conv1×1, + x."""

    convs = 3

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__(spec, name, in_channels, stage, stride)
        mid, act, norm = spec.mid_channels(stage), ACTIVATIONS[spec.activation], NORMS[spec.norm]
        self.bn1 = norm(in_channels)
        self.relu1 = act()
        self.conv1 = conv(spec, in_channels, mid, 1)
        self.bn2 = norm(mid)
        self.relu2 = act()
        self.conv2 = conv(spec, mid, mid, 3, stride, spec.groups)
        self.bn3 = norm(mid)
        self.relu3 = act()
        self.conv3 = conv(spec, mid, spec.out_channels(stage), 1)

    def residual(self, x: Tensor) -> Tensor:
        out = self.conv2(self.relu2(self.bn2(self.conv1(x))))
        return self.conv3(self.relu3(self.bn3(out)))


BLOCKS: dict[Block, type[_ResidualBlock]] = {
    Block.BASIC: BasicBlock,
    Block.BOTTLENECK: Bottleneck,
    Block.PREACT_BASIC: PreActBasicBlock,
    Block.PREACT_BOTTLENECK: PreActBottleneck,
}


@dataclass(frozen=True)
class Variant:
    """Where published code departs from the papers; only weights from outside need it."""

    pool: bool = False  # a 3×3 max pool, stride 2, behind a 3×3 stem too
    bare: bool = False  # pre-activation without norms: none on the projections, and neither norm nor ReLU after the last block
    groups: int | None = None  # of every group norm, whatever its channels; None is 16 channels a group


class ResNet(Net):
    """Stem, stages `layer1` … of blocks, global average pool, classifier: (N, C, H, W) to logits (N, classes)."""

    def __init__(self, spec: NetSpec, variant: Variant | None = None) -> None:
        super().__init__()
        self.spec: NetSpec = spec
        self.variant = variant or Variant()
        preact, channels = spec.block.preact, spec.width
        imagenet = spec.stem is Stem.IMAGENET
        self.conv1 = conv(spec, spec.in_channels, channels, 7 if imagenet else 3, 2 if imagenet else 1)
        self.bn1 = nn.Identity() if preact else NORMS[spec.norm](channels)
        self.relu = nn.Identity() if preact else ACTIVATIONS[spec.activation]()
        self.maxpool = nn.MaxPool2d(3, 2, 1) if imagenet or self.variant.pool else nn.Identity()
        for stage, count in enumerate(spec.blocks):
            layer = nn.Sequential()
            for i in range(count):
                name, stride = f"layer{stage + 1}.{i}", 2 if stage and not i else 1
                layer.append(BLOCKS[spec.block](spec, name, channels, stage, stride))
                channels = spec.out_channels(stage)
            self.add_module(f"layer{stage + 1}", layer)
        # the pre-activation trunk ends un-normalised, so it is activated once more (2016 paper, appendix)
        self.norm = NORMS[spec.norm](channels) if preact else nn.Identity()
        self.act = ACTIVATIONS[spec.activation]() if preact else nn.Identity()
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc: nn.Linear = Linear(channels, spec.classes)
        self._depart()

    def _depart(self) -> None:
        if self.variant.bare:
            self.norm, self.act = nn.Identity(), nn.Identity()
            for _, block in self.units():
                if isinstance(block.downsample, nn.Sequential):
                    block.downsample = block.downsample[:1]
        if self.variant.groups is not None:
            for module in self.modules():
                if isinstance(module, nn.GroupNorm):
                    module.num_groups = self.variant.groups

    def stages(self) -> Iterator[tuple[str, nn.Module]]:
        for name in ("conv1", *(f"layer{n}" for n in range(1, len(self.spec.blocks) + 1)), "fc"):
            yield name, self.get_submodule(name)

    def folds(self) -> Iterator[tuple[str, str]]:
        yield "conv1", "bn1"
        yield from super().folds()

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
        if isinstance(layer, nn.Conv2d):
            draw_conv(layer, self.spec, generator)
        elif isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            layer.weight.uniform_(-bound, bound, generator=generator)
            layer.bias.uniform_(-bound, bound, generator=generator)
        elif isinstance(layer, nn.BatchNorm2d | nn.GroupNorm):
            layer.reset_parameters()

    def settle(self) -> None:
        """Zero-γ: every block begins as its skip."""
        if self.spec.init is Init.ZERO_GAMMA:
            for _, block in self.units():
                if isinstance(block.gate, nn.BatchNorm2d | nn.GroupNorm):
                    nn.init.zeros_(block.gate.weight)
