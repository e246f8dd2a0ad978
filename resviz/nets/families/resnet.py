"""ResNet and its relatives, to be read beside the papers.

He et al., Deep Residual Learning for Image Recognition, 2015 (arXiv 1512.03385): `BasicBlock`, `Bottleneck`.
He et al., Identity Mappings in Deep Residual Networks, 2016 (arXiv 1603.05027): the pre-activation blocks.
Xie et al., ResNeXt, 2016 (arXiv 1611.05431) and Zagoruyko & Komodakis, Wide ResNet, 2016 (arXiv 1605.07146): groups, width.

Names and shapes are torchvision's, so its weights load. Like torchvision's, a bottleneck strides in its 3×3.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from resviz.spec.net import Activation, Block, Init, NetSpec, Norm, Shortcut, Stem

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "PreActBasicBlock",
    "PreActBottleneck",
    "ResNet",
    "Variant",
    "ZeroPad",
    "build",
    "skeleton",
]

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


def _conv(spec: NetSpec, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Same-size convolution; it has a bias of its own only where no norm follows with one."""
    bias = spec.norm is Norm.NONE
    return nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=bias)


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


class _ResidualBlock(nn.Module):
    """y = F(x) + x. A cut skip leaves F(x), a dropped branch leaves x; both can change at any time."""

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__()
        self.skip = spec.has_skip(name)
        self.branch = name not in spec.dropped
        self.plus: Callable[[Tensor, Tensor], Tensor] = torch.add  # a module where a method must see the addition
        self.downsample = self._shortcut(spec, in_channels, spec.out_channels(stage), stride)

    @staticmethod
    def _shortcut(spec: NetSpec, in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
        same = in_channels == out_channels and stride == 1
        if not spec.residual or (same and spec.shortcut is not Shortcut.C):
            return None
        if spec.shortcut is Shortcut.A:
            return ZeroPad(in_channels, out_channels, stride)
        return nn.Sequential(_conv(spec, in_channels, out_channels, 1, stride), NORMS[spec.norm](out_channels))

    def residual(self, x: Tensor) -> Tensor:
        """F(x)."""
        raise NotImplementedError  # every block below has its own

    def add(self, x: Tensor, identity: Tensor) -> Tensor:
        """F(x) + x, or what is left of it."""
        if not self.branch:
            return identity if self.downsample is None else self.downsample(identity)
        out = self.residual(x)
        if self.skip:
            out = self.plus(out, identity if self.downsample is None else self.downsample(identity))
        return out


class BasicBlock(_ResidualBlock):
    """conv3×3-BN-ReLU-conv3×3-BN, + x, ReLU."""

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__(spec, name, in_channels, stage, stride)
        planes, act, norm = spec.planes(stage), ACTIVATIONS[spec.activation], NORMS[spec.norm]
        self.conv1 = _conv(spec, in_channels, planes, 3, stride)
        self.bn1 = norm(planes)
        self.relu1 = act()
        self.conv2 = _conv(spec, planes, planes, 3)
        self.bn2 = norm(planes)
        self.relu2 = act()

    def residual(self, x: Tensor) -> Tensor:
        out = self.relu1(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(out))

    def forward(self, x: Tensor) -> Tensor:
        return self.relu2(self.add(x, x))


class Bottleneck(_ResidualBlock):
    """conv1×1-BN-ReLU-conv3×3-BN-ReLU-conv1×1-BN, + x, ReLU: the 3×3 works on a quarter of the channels."""

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__(spec, name, in_channels, stage, stride)
        mid, out, act, norm = (
            spec.mid_channels(stage),
            spec.out_channels(stage),
            ACTIVATIONS[spec.activation],
            NORMS[spec.norm],
        )
        self.conv1 = _conv(spec, in_channels, mid, 1)
        self.bn1 = norm(mid)
        self.relu1 = act()
        self.conv2 = _conv(spec, mid, mid, 3, stride, spec.groups)
        self.bn2 = norm(mid)
        self.relu2 = act()
        self.conv3 = _conv(spec, mid, out, 1)
        self.bn3 = norm(out)
        self.relu3 = act()

    def residual(self, x: Tensor) -> Tensor:
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.relu2(self.bn2(self.conv2(out)))
        return self.bn3(self.conv3(out))

    def forward(self, x: Tensor) -> Tensor:
        return self.relu3(self.add(x, x))


class PreActBasicBlock(_ResidualBlock):
    """BN-ReLU-conv3×3-BN-ReLU-conv3×3, + x: nothing stands on the trunk. A projection reads the activated input."""

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__(spec, name, in_channels, stage, stride)
        planes, act, norm = spec.planes(stage), ACTIVATIONS[spec.activation], NORMS[spec.norm]
        self.bn1 = norm(in_channels)
        self.relu1 = act()
        self.conv1 = _conv(spec, in_channels, planes, 3, stride)
        self.bn2 = norm(planes)
        self.relu2 = act()
        self.conv2 = _conv(spec, planes, planes, 3)

    def residual(self, x: Tensor) -> Tensor:
        return self.conv2(self.relu2(self.bn2(self.conv1(x))))

    def forward(self, x: Tensor) -> Tensor:
        pre = self.relu1(self.bn1(x))
        return self.add(pre, pre if isinstance(self.downsample, nn.Sequential) else x)


class PreActBottleneck(_ResidualBlock):
    """BN-ReLU-conv1×1-BN-ReLU-conv3×3-BN-ReLU-conv1×1, + x. A projection reads the activated input."""

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__(spec, name, in_channels, stage, stride)
        mid, act, norm = spec.mid_channels(stage), ACTIVATIONS[spec.activation], NORMS[spec.norm]
        self.bn1 = norm(in_channels)
        self.relu1 = act()
        self.conv1 = _conv(spec, in_channels, mid, 1)
        self.bn2 = norm(mid)
        self.relu2 = act()
        self.conv2 = _conv(spec, mid, mid, 3, stride, spec.groups)
        self.bn3 = norm(mid)
        self.relu3 = act()
        self.conv3 = _conv(spec, mid, spec.out_channels(stage), 1)

    def residual(self, x: Tensor) -> Tensor:
        out = self.conv2(self.relu2(self.bn2(self.conv1(x))))
        return self.conv3(self.relu3(self.bn3(out)))

    def forward(self, x: Tensor) -> Tensor:
        pre = self.relu1(self.bn1(x))
        return self.add(pre, pre if isinstance(self.downsample, nn.Sequential) else x)


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


class ResNet(nn.Module):
    """Stem, stages `layer1` … of blocks, global average pool, classifier: (N, C, H, W) to logits (N, classes)."""

    def __init__(self, spec: NetSpec, variant: Variant | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.variant = variant or Variant()
        preact, channels = spec.block.preact, spec.width
        imagenet = spec.stem is Stem.IMAGENET
        self.conv1 = _conv(spec, spec.in_channels, channels, 7 if imagenet else 3, 2 if imagenet else 1)
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
        self.fc = nn.Linear(channels, spec.classes)
        self._depart()

    def _depart(self) -> None:
        if self.variant.bare:
            self.norm, self.act = nn.Identity(), nn.Identity()
            for _, block in self.blocks():
                if isinstance(block.downsample, nn.Sequential):
                    block.downsample = block.downsample[:1]
        if self.variant.groups is not None:
            for module in self.modules():
                if isinstance(module, nn.GroupNorm):
                    module.num_groups = self.variant.groups

    def blocks(self) -> Iterator[tuple[str, _ResidualBlock]]:
        """Every block with its name, in forward order."""
        for name in self.spec.block_names():
            block = self.get_submodule(name)
            assert isinstance(block, _ResidualBlock)  # what __init__ put there
            yield name, block

    def features(self, x: Tensor) -> Tensor:
        """What the average pool sees: (N, channels, H', W')."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(len(self.spec.blocks)):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return self.act(self.norm(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.avgpool(self.features(x)), 1))


def skeleton(spec: NetSpec, variant: Variant | None = None) -> ResNet:
    """The network on the meta device: every name and shape, no memory."""
    with torch.device("meta"):
        return ResNet(spec, variant)


def build(spec: NetSpec) -> ResNet:
    """The network with its initial weights.

    Each layer draws from a generator of its own, seeded by the spec's seed and the layer's name: a plain and a residual
    network, or two that differ in one cut, have equal weights wherever both have the layer.
    """
    net = skeleton(spec).to_empty(device="cpu")
    generator = torch.Generator()
    with torch.no_grad():
        for name, module in net.named_modules():
            digest = hashlib.blake2b(f"{spec.seed}:{name}".encode(), digest_size=8).digest()
            generator.manual_seed(int.from_bytes(digest) >> 1)
            if isinstance(module, nn.Conv2d):
                _init_conv(module, spec, generator)
            elif isinstance(module, nn.Linear):
                bound = module.in_features**-0.5
                module.weight.uniform_(-bound, bound, generator=generator)
                module.bias.uniform_(-bound, bound, generator=generator)
            elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
                module.reset_parameters()
        if spec.init is Init.ZERO_GAMMA:
            for _, block in net.blocks():
                last = [norm for norm in block.children() if isinstance(norm, nn.BatchNorm2d | nn.GroupNorm)][-1]
                nn.init.zeros_(last.weight)
    return net


def _init_conv(conv: nn.Conv2d, spec: NetSpec, generator: torch.Generator) -> None:
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
