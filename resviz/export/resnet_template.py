"""All that a ResNet of any kind may be, as one file of PyTorch; `resnet` fills it in."""

from __future__ import annotations

from typing import Final

from resviz.export.source import DRAWN, GROUP_NORM, IMPORTS

__all__ = ["TEMPLATE"]

TEMPLATE: Final = (
    IMPORTS
    + '''
SEED = $seed
BLOCKS = $blocks  # of each stage  #? counted
NAMES = [f"{stage}.{n}" for stage, count in enumerate(BLOCKS, 1) for n in range(count)]  #? survival
$cut
$dropped


def conv(entering: int, made: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:  #? grouped
    """Of the same size, or of every second place."""
    return nn.Conv2d(entering, made, kernel, stride, kernel // 2, groups=groups, bias=$bias)


def conv(entering: int, made: int, kernel: int, stride: int = 1) -> nn.Conv2d:  #? !grouped
    """Of the same size, or of every second place."""
    return nn.Conv2d(entering, made, kernel, stride, kernel // 2, bias=$bias)


'''
    + GROUP_NORM
    + '''


class ZeroPad(nn.Module):  #? pads
    """Option A's skip: every second place, and channels of zeros before and after."""

    def __init__(self, entering: int, made: int, stride: int) -> None:
        super().__init__()
        self.stride, self.more = stride, made - entering

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))


def averaged(entering: int, made: int, stride: int) -> nn.Sequential:  #? averages
    """Option D's skip: the mean of each 2×2, of which the last row or column may hold less, then a projection."""
    pool = nn.AvgPool2d(2, stride, ceil_mode=True, count_include_pad=False) if stride > 1 else nn.Identity()
    return nn.Sequential(pool, conv(entering, made, 1), $norm(made))  #? norm
    return nn.Sequential(pool, conv(entering, made, 1))  #? !norm


def deep_stem() -> nn.Sequential:  #? deep
    """Three 3×3 in the place of a 7×7."""
    first = conv($channels, $half, 3, 2), $half_norm, $act_module
    second = conv($half, $half, 3), $half_norm, $act_module
    return nn.Sequential(*first, *second, conv($half, $width, 3))


class Parallel(nn.Module):  #? parallel
    """Past the 3×3 go x, with a norm where there are norms, and a 1×1 convolution of it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = $norm(channels)  #? norm
        self.point = nn.Sequential(conv(channels, channels, 1), $norm(channels))  #? norm
        self.point = nn.Sequential(conv(channels, channels, 1))  #? !norm

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x) + self.point(x)  #? norm
        return x + self.point(x)  #? !norm


class Gate(nn.Module):  #? gates
    """g = σ of a 1×1 convolution of what the block reads: a number for every place of every channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.conv(x))


class Block(nn.Module):
    """$says."""

    def __init__(self, $parameters: int, planes: int, stride: int = 1) -> None:
        super().__init__()
        made = planes * 4  #? bottleneck
        inner = int(planes * ($per_group / 64)) * $groups  #? wide
        $layers
        nn.init.zeros_(self.$gamma.weight)  #? zero-gamma
        self.skip = name not in CUT.split()  #? cut
        self.branch = name not in DROPPED.split()  #? dropped
        self.alpha = nn.Parameter(torch.$alpha(()))  #? learned
        self.survival = 1 - (NAMES.index(name) + 1) / len(NAMES) * (1 - $survival)  #? survival
        self.downsample = $other  #? other !same
        self.downsample = $same  #? other same
        if stride > 1 or entering != $made:  #? other same
            self.downsample = $other
        self.downsample = Parallel(planes)  #? parallel !other
        self.gating = Gate(entering)  #? gates !other
        self.gating = Gate(entering) if self.downsample is None else None  #? gates other

    def forward(self, x: Tensor) -> Tensor:
        entered = $entered  #? pre
        if not self.branch:  #? dropped
            return $dropped_answer
        $branch
        out = out * self.gating($read)$if_same  #? exclusive
        out = out * 0.5$if_same  #? half
        out = out * sum(BLOCKS) ** -0.5  #? depth
        out = out * self.alpha  #? learned
        out = self.survivor(out)  #? survival
        if self.skip:  #? cut
            out = out + $identity
        return $answer

    def survivor(self, out: Tensor) -> Tensor:  #? survival
        """Stochastic depth: a training step leaves F out with a probability that grows with the block's place."""
        if not self.training:
            return out * self.survival
        return out if torch.rand(()) < self.survival else out * 0


def stage(name: str, blocks: int, entering: int, planes: int, stride: int = 1) -> nn.Sequential:  #? named
    """So many blocks, of which the first may change the shape."""
    first = Block(f"{name}.0", entering, planes, stride)
    return nn.Sequential(first, *(Block(f"{name}.{n}", $handed_on, planes) for n in range(1, blocks)))


def stage(blocks: int, entering: int, planes: int, stride: int = 1) -> nn.Sequential:  #? !named
    """So many blocks, of which the first may change the shape."""
    first = Block(entering, planes, stride)
    return nn.Sequential(first, *(Block($handed_on, planes) for _ in range(1, blocks)))


class ResNet(nn.Module):
    """Pictures (N, $channels, H, W) to logits (N, $classes)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = deep_stem()  #? deep
        self.conv1 = conv($channels, $width, $stem)  #? !deep
        self.bn1 = $norm($width)  #? norm !full
        $stages
        self.norm = $norm($features)  #? norm full
        self.fc = nn.Linear($features, $classes)

    def forward(self, x: Tensor) -> Tensor:
        x = $stem_applied
        x = F.max_pool2d(x, 3, 2, 1)  #? photographs
        for stage in ($stages_applied):
            x = stage(x)
        x = $end  #? pre
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


'''
    + DRAWN
    + """        if name.endswith("gating.conv"):  #? gates
            nn.init.constant_(layer.bias, -$gate)
    for block in (module for module in net.modules() if isinstance(module, Block)):  #? fixup
        $scaled
        nn.init.zeros_(block.$last.weight)
    nn.init.zeros_(net.fc.weight)  #? fixup
    nn.init.zeros_(net.fc.bias)  #? fixup
    return net


if __name__ == "__main__":
    print(build().eval()(torch.zeros(1, $channels, $side, $side)))
"""
)
