"""A ResNet's residual units, to be read beside the papers.

He et al., Deep Residual Learning for Image Recognition, 2015 (arXiv 1512.03385): `BasicBlock`, `Bottleneck`.
He et al., Identity Mappings in Deep Residual Networks, 2016 (arXiv 1603.05027): the pre-activation blocks, gates and factors.
He et al., Bag of Tricks for Image Classification, 2018 (arXiv 1812.01187): option D's skip, the mean before the projection.

Names and shapes are torchvision's, so its weights load. Like torchvision's, a bottleneck strides in its 3×3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor, nn

from resviz.nets.layers import ACTIVATIONS, NORMS, conv
from resviz.nets.unit import Unit
from resviz.nets.ways import Dropped, Gate, Learned, Survivor, Times
from resviz.spec.net import BranchScale, Carry, Init, NetSpec, Shortcut

__all__ = ["BasicBlock", "Bottleneck", "PostActivation", "PreActBasicBlock", "PreActBottleneck", "ResidualBlock", "ZeroPad"]


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


class ResidualBlock(Unit):
    """y = F(x) + x, as `spec` wires the block called `name`; F's layers are `conv1`, `bn1`, `relu1`, … up to `convs`."""

    convs: ClassVar[int]

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__(spec.out_channels(stage))
        self.skip, self.branch = spec.has_skip(name), name not in spec.dropped
        self.downsample = self._shortcut(spec, in_channels, spec.out_channels(stage), stride)
        same = self.downsample is None and spec.residual
        self.gating = Gate(in_channels, spec.carry is Carry.EXCLUSIVE) if same and spec.carry.gates else None
        self.on_skip = self._on_skip(spec, name) if same else None
        self.on_branch = self._on_branch(spec, name, same)

    @staticmethod
    def _shortcut(spec: NetSpec, in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
        same = in_channels == out_channels and stride == 1
        if not spec.residual or (same and spec.shortcut is not Shortcut.C):
            return None
        if spec.shortcut is Shortcut.A:
            return ZeroPad(in_channels, out_channels, stride)
        if spec.shortcut is Shortcut.D:
            # a last row or column without a neighbour is its own mean
            pool = nn.AvgPool2d(2, stride, ceil_mode=True, count_include_pad=False) if stride > 1 else nn.Identity()
            return nn.Sequential(pool, conv(spec, in_channels, out_channels, 1), NORMS[spec.norm](out_channels))
        return nn.Sequential(conv(spec, in_channels, out_channels, 1, stride), NORMS[spec.norm](out_channels))

    @staticmethod
    def _on_skip(spec: NetSpec, name: str) -> nn.Module | None:
        if spec.carry is Carry.DROPOUT:
            return Dropped(spec.seed, f"{name}.skip")
        return Times(0.5) if spec.carry in (Carry.HALF, Carry.HALF_SKIP) else None

    @staticmethod
    def _on_branch(spec: NetSpec, name: str, same: bool) -> nn.Sequential | None:
        factors: list[nn.Module] = [Times(0.5)] if same and spec.carry is Carry.HALF else []
        if spec.scale is BranchScale.DEPTH:
            factors.append(Times(sum(spec.blocks) ** -0.5))
        if spec.scale is BranchScale.LEARNED or spec.init is Init.FIXUP:
            factors.append(Learned())
        if spec.survival < 100:
            factors.append(Survivor(spec.seed, f"{name}.branch", spec.survives(name)))
        return nn.Sequential(*factors) if factors or (same and spec.carry is Carry.EXCLUSIVE) else None

    def transformed(self, entered: Tensor) -> Tensor:
        """F's layers alone: (N, C, H, W) to (N, channels, H', W')."""
        raise NotImplementedError  # every block has its own

    def residual(self, entered: Tensor) -> Tensor:
        out = self.transformed(entered)
        if self.on_branch is None:
            return out
        if self.gating is not None and self.gating.shares:
            out = out * self.gating(entered)
        return self.on_branch(out)

    def identity(self, x: Tensor, entered: Tensor) -> Tensor:
        carried = super().identity(x, entered)
        if self.gating is not None:
            return carried * (1 - self.gating(entered))
        return carried if self.on_skip is None else self.on_skip(carried)

    @property
    def as_it_came(self) -> bool:
        return super().as_it_came and self.on_skip is None and self.gating is None

    @property
    def last(self) -> nn.Module:
        """The last of F's layers."""
        raise NotImplementedError  # every block has its own

    @property
    def tail(self) -> nn.Module:
        return self.last if self.on_branch is None else self.on_branch

    @property
    def gate(self) -> nn.Module | None:
        return self.get_submodule(f"bn{self.convs}")

    def folds(self) -> Iterator[tuple[str, str]]:
        if isinstance(self.downsample, nn.Sequential) and self.downsample[-1] is not self.projection:
            yield f"downsample.{len(self.downsample) - 2}", f"downsample.{len(self.downsample) - 1}"


class PostActivation(ResidualBlock):
    """2015: each convolution has its norm behind it, and an activation stands behind the addition."""

    @property
    def chain(self) -> tuple[nn.Conv2d, ...]:
        if self.on_branch is not None or self.on_skip is not None or self.gating is not None:
            return ()
        return tuple(module for module in self.children() if isinstance(module, nn.Conv2d))

    @property
    def last(self) -> nn.Module:
        return self.get_submodule(f"bn{self.convs}")

    @property
    def behind(self) -> tuple[nn.Module, ...]:
        return (self.get_submodule(f"relu{self.convs}"),)

    def folds(self) -> Iterator[tuple[str, str]]:
        yield from super().folds()
        yield from ((f"conv{n}", f"bn{n}") for n in range(1, self.convs + 1))


class _PreActivation(ResidualBlock):
    """2016: nothing stands on the trunk. F and a projection read the activated input, another skip reads x."""

    bn1: nn.Module
    relu1: nn.Module

    def entry(self, x: Tensor) -> Tensor:
        return self.relu1(self.bn1(x))

    @property
    def last(self) -> nn.Module:
        return self.get_submodule(f"conv{self.convs}")

    def identity(self, x: Tensor, entered: Tensor) -> Tensor:
        return super().identity(entered if isinstance(self.downsample, nn.Sequential) else x, entered)

    def folds(self) -> Iterator[tuple[str, str]]:
        yield from super().folds()
        yield from ((f"conv{n}", f"bn{n + 1}") for n in range(1, self.convs))


class BasicBlock(PostActivation):
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

    def transformed(self, x: Tensor) -> Tensor:
        out = self.relu1(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(out))


class Bottleneck(PostActivation):
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

    def transformed(self, x: Tensor) -> Tensor:
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.relu2(self.bn2(self.conv2(out)))
        return self.bn3(self.conv3(out))


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

    def transformed(self, x: Tensor) -> Tensor:
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

    def transformed(self, x: Tensor) -> Tensor:
        out = self.conv2(self.relu2(self.bn2(self.conv1(x))))
        return self.conv3(self.relu3(self.bn3(out)))
