"""RepVGG's unit, to be read beside Ding et al. 2021, RepVGG: Making VGG-style ConvNets Great Again (arXiv 2101.03697), §3.

y = x + g(x) + f(x): a 3×3 convolution as f, beside it a 1×1 as g and x itself, each with a batch norm of its own. No activation
stands between them, so that once it is trained the whole unit is one 3×3 convolution.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from resviz.nets.families.resnet_blocks import PostActivation
from resviz.nets.layers import ACTIVATIONS, NORMS, conv
from resviz.spec.net import NetSpec, Shortcut

__all__ = ["Parallel", "RepBlock"]


class Parallel(nn.Module):
    """RepVGG's two ways past the 3×3: x with a norm, and a 1×1 convolution with one."""

    def __init__(self, spec: NetSpec, channels: int) -> None:
        super().__init__()
        self.norm = NORMS[spec.norm](channels)
        self.point = nn.Sequential(conv(spec, channels, channels, 1), NORMS[spec.norm](channels))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.norm(x) + self.point(x)
        return found


class RepBlock(PostActivation):
    """conv3×3-BN, + BN(x) + conv1×1-BN, ReLU. Where the shape changes, and with option C, its skip is the 1×1 alone, or option A's."""

    convs = 1

    def __init__(self, spec: NetSpec, name: str, in_channels: int, stage: int, stride: int) -> None:
        super().__init__(spec, name, in_channels, stage, stride)
        planes = spec.planes(stage)
        self.conv1 = conv(spec, in_channels, planes, 3, stride)
        self.bn1 = NORMS[spec.norm](planes)
        self.relu1 = ACTIVATIONS[spec.activation]()

    @staticmethod
    def _shortcut(spec: NetSpec, in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
        if spec.residual and in_channels == out_channels and stride == 1 and spec.shortcut is not Shortcut.C:
            return Parallel(spec, in_channels)
        return PostActivation._shortcut(spec, in_channels, out_channels, stride)

    def transformed(self, entered: Tensor) -> Tensor:
        found: Tensor = self.bn1(self.conv1(entered))
        return found

    def folds(self) -> Iterator[tuple[str, str]]:
        yield from super().folds()
        if isinstance(self.downsample, Parallel):
            yield "downsample.point.0", "downsample.point.1"
