"""A DenseNet as one file of PyTorch."""

from __future__ import annotations

from typing import Final

from resviz.export.source import DRAWN, GROUP_NORM, IMPORTS, applied, facts, heading, listed, rendered, words
from resviz.spec.choices import Norm, Stem
from resviz.spec.dense import DenseSpec

__all__ = ["densenet"]

_PAPER: Final = "Huang et al., Densely Connected Convolutional Networks, 2017 (arXiv 1608.06993)."
_TEMPLATE: Final = (
    IMPORTS.replace("import math  #? group", "import math  #? group\nfrom collections import OrderedDict")
    + '''
SEED = $seed
$cut
$dropped
$severed


def conv(entering: int, made: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """Of the same size, or of every second place."""
    return nn.Conv2d(entering, made, kernel, stride, kernel // 2, bias=$bias)


'''
    + GROUP_NORM
    + '''


class Layer(nn.Module):
    """$says, beside x: (N, C, H, W) to (N, C + $growth, H, W)."""

    def __init__(self, $parameters: int) -> None:
        super().__init__()
        self.skip = name not in CUT.split()  #? cut
        self.branch = name not in DROPPED.split()  #? dropped
        self.norm1 = $norm(entering)  #? norm
        self.conv1 = conv(entering, $inner, 1)  #? bottleneck
        self.norm2 = $norm($inner)  #? norm bottleneck
        self.conv2 = conv($inner, $growth, 3)  #? bottleneck
        self.conv1 = conv(entering, $growth, 3)  #? !bottleneck
        start = entering - (int(name.rpartition("denselayer")[2]) - 1) * $growth  #? severed
        cut = [int(source) for layer, source in map(str.split, SEVERED.splitlines()) if layer == name]  #? severed
        self.deaf = [slice(start + (n - 1) * $growth, start + n * $growth) if n else slice(start) for n in cut]  #? severed

    def forward(self, x: Tensor) -> Tensor:
        read = x.clone()  #? severed
        for channels in self.deaf:  #? severed
            read[:, channels] = 0
        $lines
        if not self.branch:  #? dropped
            out = torch.zeros_like(out)
        if not self.skip:  #? cut
            x = torch.zeros_like(x)
        return torch.cat((x, out), 1)  #? residual
        return torch.cat((torch.zeros_like(x), out), 1)  #? !residual


def block($block_name layers: int, entering: int) -> nn.Sequential:
    """Layers, each of which reads all before it."""
    made = ((f"denselayer{n}", Layer($layer_name entering + (n - 1) * $growth)) for n in range(1, layers + 1))
    return nn.Sequential(OrderedDict(made))


def transition(entering: int, made: int) -> nn.Sequential:  #? transitions
    """$transition_says, and the mean of each 2×2."""
    act, pool = $act_module, nn.AvgPool2d(2)
    return nn.Sequential(OrderedDict(norm=$norm(entering), relu=act, conv=conv(entering, made, 1), pool=pool))  #? norm
    return nn.Sequential(OrderedDict(relu=act, conv=conv(entering, made, 1), pool=pool))  #? !norm


class DenseNet(nn.Module):
    """Pictures (N, $channels, H, W) to logits (N, $classes)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.conv0 = conv($channels, $width, $stem)
        self.features.norm0 = $norm($width)  #? imagenet norm
        self.features.relu0 = $act_module  #? imagenet
        self.features.pool0 = nn.MaxPool2d(3, 2, 1)  #? imagenet
        $blocks
        self.features.norm5 = $norm($features)  #? norm
        self.classifier = nn.Linear($features, $classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(F.adaptive_avg_pool2d($act(self.features(x)), 1).flatten(1))


'''
    + DRAWN
    + """    return net


if __name__ == "__main__":
    print(build().eval()(torch.zeros(1, $channels, $side, $side)))
"""
)


def densenet(spec: DenseSpec) -> str:
    """The file's text."""
    named, large = words(spec), spec.stem is Stem.IMAGENET
    norm, act = named["norm"], named["act"]
    by_name = bool(spec.cut or spec.dropped or spec.severed)

    def done(n: int, to: str) -> str:
        return applied([*([f"norm{n}"] if norm else []), act, f"conv{n}"], to)

    first = done(1, "read" if spec.severed else "x")
    said = "-".join(
        filter(
            None,
            (
                {Norm.BATCH: "BN", Norm.GROUP: "GN"}.get(spec.norm, ""),
                {"relu": "ReLU", "gelu": "GELU"}.get(spec.activation, str(spec.activation)),
                "conv",
            ),
        )
    )
    filled = {
        "net": "DenseNet",
        "seed": str(spec.seed),
        "cut": listed("CUT", _short(spec.cut), "layers past which nothing goes"),
        "dropped": listed("DROPPED", _short(spec.dropped), "layers that make zeros"),
        "severed": _severed(spec),
        "says": f"{said}1×1-{said}3×3" if spec.bottleneck else f"{said}3×3",
        "transition_says": f"{said}1×1",
        "growth": str(spec.growth),
        "inner": str(spec.bottleneck * spec.growth),
        "parameters": "name: str, entering" if by_name else "entering",
        "block_name": "name: str," if by_name else "",
        "layer_name": 'f"{name}.denselayer{n}",' if by_name else "",
        "lines": f"out = {first}" + (f"\nout = {done(2, 'out')}" if spec.bottleneck else ""),
        "channels": str(spec.in_channels),
        "classes": str(spec.classes),
        "width": str(spec.width),
        "stem": "7, 2" if large else "3",
        "side": "224" if large else "32",
        "blocks": "\n".join(_blocks(spec, by_name)),
        "features": str(spec.entering[-1] + spec.blocks[-1] * spec.growth),
    }
    return f'"""{heading(spec, _PAPER)}\n"""\n\n' + _spaced(rendered(_TEMPLATE, facts(spec) | _holds(spec), **(named | filled)))


def _holds(spec: DenseSpec) -> set[str]:
    given = {
        "residual": spec.residual,
        "cut": bool(spec.cut),
        "dropped": bool(spec.dropped),
        "severed": bool(spec.severed),
        "bottleneck": bool(spec.bottleneck),
        "transitions": len(spec.blocks) > 1,
        "imagenet": spec.stem is Stem.IMAGENET,
    }
    return {name for name, true in given.items() if true}


def _short(names: frozenset[str]) -> set[str]:
    return {name.removeprefix("features.") for name in names}


def _spaced(text: str) -> str:
    """Without the space of a parameter that is not there."""
    return text.replace("block( ", "block(").replace("Layer( ", "Layer(")


def _severed(spec: DenseSpec) -> str:
    if not spec.severed:
        return ""
    pairs = (f"{layer.removeprefix('features.')} {source}" for layer, source in sorted(spec.severed))
    return (
        "# connections that are cut: the layer, and which of its sources it reads as zeros\n"
        + 'SEVERED = """\\\n'
        + "\n".join(pairs)
        + '\n"""'
    )


def _blocks(spec: DenseSpec, by_name: bool) -> list[str]:
    made = []
    for n, (count, entering) in enumerate(zip(spec.blocks, spec.entering, strict=True), 1):
        if n > 1:
            before = spec.entering[n - 2] + spec.blocks[n - 2] * spec.growth
            made.append(f"self.features.transition{n - 1} = transition({before}, {entering})")
        name = f'"denseblock{n}", ' if by_name else ""
        made.append(f"self.features.denseblock{n} = block({name}{count}, {entering})")
    return made
