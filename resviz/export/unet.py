"""A U-Net as one file of PyTorch."""

from __future__ import annotations

from typing import Final

from resviz.export.source import DRAWN, GROUP_NORM, IMPORTS, facts, heading, listed, rendered, words
from resviz.spec.choices import Span
from resviz.spec.unet import UNetSpec

__all__ = ["unet"]

_PAPERS: Final = "Ronneberger et al., U-Net, 2015 (arXiv 1505.04597), with padded convolutions; short skips: Drozdzal et al. 2016 (arXiv 1608.04117)."
_LINEAR: Final = """        if isinstance(layer, nn.Linear):  #? !pytorch
            uniform(layer, generator)
        elif isinstance(layer, nn.Conv2d):  #? !pytorch
"""
_DRAWN: Final = (
    DRAWN.replace("nn.Conv2d | nn.Linear", "nn.Conv2d")
    .replace(_LINEAR, "        if isinstance(layer, nn.Conv2d):  #? !pytorch\n")
    .replace('-> None:\n    """Weight, then', '-> None:  #? pytorch\n    """Weight, then')
)
_TEMPLATE: Final = (
    IMPORTS.replace("import math  #? group", "import math\nfrom collections import OrderedDict")
    + """
SEED = $seed
$cut
$dropped


"""
    + GROUP_NORM
    + '''


class Block(nn.Module):
    """Two 3×3 convolutions$says: (N, C, H, W) to (N, made, H, W)."""

    def __init__(self, $parameters: int, made: int) -> None:
        super().__init__()
        self.skip = name not in CUT.split()  #? cut-short
        self.branch = name not in DROPPED.split()  #? dropped
        self.conv1 = nn.Conv2d(entering, made, 3, padding=1, bias=$bias)
        self.norm1 = $norm(made)  #? norm
        self.conv2 = nn.Conv2d(made, made, 3, padding=1, bias=$bias)
        self.norm2 = $norm(made)  #? norm
        self.downsample = nn.Conv2d(entering, made, 1, bias=$bias) if entering != made else None  #? projects

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)  #? short
        if not self.branch:  #? dropped
            return $act(identity)
        out = $act($first)
        out = $second  #? cut-short
        return $act(out + identity if self.skip else out)  #? cut-short
        return $act($second + identity)  #? short !cut-short
        return $act($second)  #? !short


def blocks(stage: str, count: int, entering: int, made: int) -> OrderedDict[str, nn.Module]:  #? named
    """So many blocks by their numbers, of which the first changes the channels."""
    return OrderedDict((str(n), Block(f"{stage}.{n}", made if n else entering, made)) for n in range(count))


def blocks(count: int, entering: int, made: int) -> OrderedDict[str, nn.Module]:  #? !named
    """So many blocks by their numbers, of which the first changes the channels."""
    return OrderedDict((str(n), Block(made if n else entering, made)) for n in range(count))


class UNet(nn.Module):
    """Pictures (N, $channels, H, W) to logits of every pixel (N, $classes, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        $levels
        self.out = nn.Conv2d($width, $classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        held = []
        for down in ($down):
            held.append(down(x))
            x = F.max_pool2d(held[-1], 2)
        x = self.middle(x)
        for name, level in ($up):  #? cut-long
            x, beside = level[0](x), held.pop()
            x = torch.cat((torch.zeros_like(beside) if f"{name}.long" in CUT.split() else beside, x), 1)
            x = level[1:](x)
        for level in ($up):  #? !cut-long
            x = torch.cat((held.pop(), level[0](x)), 1)  #? long
            x = torch.cat((torch.zeros_like(held.pop()), level[0](x)), 1)  #? !long
            x = level[1:](x)
        return self.out(x)


'''
    + _DRAWN
    + """        elif isinstance(layer, nn.ConvTranspose2d):  # each of its pixels is a sum over the channels that enter
            bound = math.sqrt(1 / layer.in_channels)  #? !xavier
            layer.bias.zero_()  #? !pytorch
            layer.weight.uniform_(-bound, bound, generator=generator)  #? pytorch
            layer.bias.uniform_(-bound, bound, generator=generator)  #? pytorch
            layer.weight.normal_(0, math.sqrt(2 / (layer.in_channels + layer.out_channels)), generator=generator)  #? xavier
            layer.weight.normal_(0, math.sqrt(2) * bound, generator=generator)  #? kaiming
    return net


if __name__ == "__main__":
    print(build().eval()(torch.zeros(1, $channels, $side, $side)).shape)
"""
)


def unet(spec: UNetSpec) -> str:
    """The file's text."""
    named = words(spec)
    short = spec.residual and spec.span is not Span.LONG
    long_cut = any(spec.is_long(name) for name in spec.cut)
    given = {
        "short": short,
        "projects": short,
        "long": spec.residual and spec.span is not Span.SHORT,
        "cut-short": short and any(not spec.is_long(name) for name in spec.cut),
        "cut-long": spec.residual and spec.span is not Span.SHORT and long_cut,
        "dropped": bool(spec.dropped),
        "biases": True,  # the last convolution has one
    }
    by_name = given["cut-short"] or given["dropped"]
    given["named"] = by_name
    norm, cut = named["norm"], spec.cut if given["cut-short"] or given["cut-long"] else frozenset()
    inner, outer = ("self.norm1(self.conv1(x))", "self.norm2(self.conv2(out))") if norm else ("self.conv1(x)", "self.conv2(out)")
    levels = range(1, spec.levels + 1)
    up = [f"self.up{n}" for n in reversed(levels)]
    if given["cut-long"]:
        up = [f'("up{n}", self.up{n})' for n in reversed(levels)]
    end = "," if spec.levels == 1 else ""
    filled = {
        "net": "UNet",
        "seed": str(spec.seed),
        "cut": listed("CUT", cut, "skips past which nothing goes: blocks', and long ones across"),
        "dropped": listed("DROPPED", spec.dropped, "blocks that pass their skip alone"),
        "says": ", + x" if short else "",
        "parameters": "name: str, entering" if by_name else "entering",
        "first": inner,
        "second": outer,
        "channels": str(spec.in_channels),
        "classes": str(spec.classes),
        "width": str(spec.width),
        "levels": "\n".join(_levels(spec, by_name)),
        "down": ", ".join(f"self.down{n}" for n in levels) + end,
        "up": ", ".join(up) + end,
        "side": str(2**spec.levels),
    }
    holds = facts(spec) | {name for name, true in given.items() if true}
    return f'"""{heading(spec, _PAPERS)}\n"""\n\n' + rendered(_TEMPLATE, holds, **(named | filled))


def _levels(spec: UNetSpec, by_name: bool) -> list[str]:
    """Each level's blocks, down and up, in the order in which they are done."""
    made, entering = [], spec.in_channels
    for level, count in enumerate(spec.blocks):
        name = "middle" if level == spec.levels else f"down{level + 1}"
        stage = f'"{name}", ' if by_name else ""
        made.append(f"self.{name} = nn.Sequential(blocks({stage}{count}, {entering}, {spec.channels(level)}))")
        entering = spec.channels(level)
    for level in reversed(range(spec.levels)):
        channels, stage = spec.channels(level), f'"up{level + 1}", ' if by_name else ""
        up = f"up=nn.ConvTranspose2d({2 * channels}, {channels}, 2, 2)"
        rest = f"blocks({stage}{spec.blocks[level]}, {2 * channels}, {channels})"
        made.append(f"self.up{level + 1} = nn.Sequential(OrderedDict({up}, **{rest}))")
    return made
