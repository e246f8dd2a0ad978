"""U-Net, to be read beside the papers: Ronneberger et al. 2015 (arXiv 1505.04597); its short skips Drozdzal et al. 2016 (arXiv 1608.04117).

A level is a function of levels: what comes up from below is F of what a level made on its way down, and the long skip puts the
two side by side. So a long skip is a unit whose F is everything below it. Convolutions are padded, unlike the paper's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from resviz.nets.layers import ACTIVATIONS, NORMS, Conv2d, conv, draw_layer
from resviz.nets.unit import Net, Unit
from resviz.spec.choices import Init, Span
from resviz.spec.unet import LONG, UNetSpec

__all__ = ["LongSkip", "UNet", "UNetBlock"]


class _UpConv(nn.ConvTranspose2d):
    """Each pixel becomes 2×2: (N, 2C, H, W) to (N, C, 2H, 2W). `UNet.draw` draws its weights."""

    def __init__(self, channels: int) -> None:
        super().__init__(2 * channels, channels, 2, 2)

    def reset_parameters(self) -> None:
        """Leave them as they are."""


class UNetBlock(Unit):
    """conv-norm-act-conv-norm, + x where it has a short skip, act: (N, C, H, W) to (N, C', H, W)."""

    def __init__(self, spec: UNetSpec, channels: int, made: int) -> None:
        super().__init__(made)
        self.conv1, self.norm1, self.relu1 = conv(spec, channels, made, 3), NORMS[spec.norm](made), ACTIVATIONS[spec.activation]()
        self.conv2, self.norm2, self.relu2 = conv(spec, made, made, 3), NORMS[spec.norm](made), ACTIVATIONS[spec.activation]()
        if channels != made and spec.residual and spec.span is not Span.LONG:
            # without a norm, before which a picture's one channel would have no gradient
            self.downsample = conv(spec, channels, made, 1)

    def residual(self, entered: Tensor) -> Tensor:
        inner: Tensor = self.relu1(self.norm1(self.conv1(entered)))
        made: Tensor = self.norm2(self.conv2(inner))
        return made

    @property
    def tail(self) -> nn.Module:
        return self.norm2

    @property
    def behind(self) -> tuple[nn.Module, ...]:
        return (self.relu2,)


class LongSkip(Unit):
    """What came down beside what comes up from below: (N, C, H, W) to (N, 2C, H, W). A cut one leaves zeros in place of the former."""

    def __init__(self, channels: int, below: tuple[nn.Module, ...]) -> None:
        super().__init__(channels, "concat")
        self._below = below  # in a tuple, so that no weight has two names

    def residual(self, entered: Tensor) -> Tensor:
        for module in self._below:
            entered = module(entered)
        return entered

    @property
    def tail(self) -> nn.Module:
        return self._below[-1]


class _Up(nn.Module):
    """A level's way up, of what it made on its way down: (N, C, H, W) to the same."""

    def __init__(self, spec: UNetSpec, level: int, below: tuple[nn.Module, ...]) -> None:
        super().__init__()
        channels = spec.channels(level)
        self.up = _UpConv(channels)
        self.add_module(LONG, LongSkip(channels, (*below, self.up)))
        for n in range(spec.blocks[level]):
            self.add_module(str(n), UNetBlock(spec, channels if n else 2 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        for unit in self.children():
            if isinstance(unit, Unit):
                x = unit(x)
        return x


class UNet(Net):
    """Down, across and up again: pictures (N, C, H, W) to logits of every pixel (N, classes, H, W)."""

    def __init__(self, spec: UNetSpec) -> None:
        super().__init__()
        self.spec: UNetSpec = spec
        entering, down = spec.in_channels, []
        for level, count in enumerate(spec.blocks):
            channels = spec.channels(level)
            blocks = nn.Sequential(*(UNetBlock(spec, channels if n else entering, channels) for n in range(count)))
            if level:
                self.add_module(f"pool{level}", nn.MaxPool2d(2))
            self.add_module("middle" if level == spec.levels else f"down{level + 1}", blocks)
            down.append(blocks)
            entering = channels
        below: tuple[nn.Module, ...] = (down[-1],)
        for level in reversed(range(spec.levels)):
            up = _Up(spec, level, (self.get_submodule(f"pool{level + 1}"), *below))
            self.add_module(f"up{level + 1}", up)
            below = (down[level], up)
        self.out = Conv2d(spec.width, spec.classes, 1)
        self.wire(spec)

    def stem(self, x: Tensor) -> Tensor:
        """The picture, which the first block reads as it is."""
        self.spec.check_side(x.shape[-1])
        self.spec.check_side(x.shape[-2])
        return x

    def head(self, x: Tensor) -> Tensor:
        """(N, classes, H, W), of what the last block returned."""
        logits: Tensor = self.out(x)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.get_submodule("up1")(self.get_submodule("down1")(self.stem(x))))

    def draw(self, layer: nn.Module, generator: torch.Generator) -> None:
        """Two pixels of an up-convolution's answer share no weight, so each is a sum of as many terms as channels enter."""
        if not isinstance(layer, nn.ConvTranspose2d):
            draw_layer(layer, self.spec, generator)
            return
        bound, bias = math.sqrt(1 / layer.in_channels), layer.get_parameter("bias")
        bias.zero_()
        if self.spec.init is Init.PYTORCH:
            layer.weight.uniform_(-bound, bound, generator=generator)
            bias.uniform_(-bound, bound, generator=generator)
        elif self.spec.init is Init.XAVIER:
            layer.weight.normal_(0, math.sqrt(2 / (layer.in_channels + layer.out_channels)), generator=generator)
        else:
            layer.weight.normal_(0, math.sqrt(2) * bound, generator=generator)  # the paper's √(2/N)
