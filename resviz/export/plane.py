"""An MLP on points of the plane as one file of PyTorch."""

from __future__ import annotations

from typing import Final

from resviz.export.source import DRAWN, GROUP_NORM, IMPORTS, facts, heading, listed, rendered, words
from resviz.spec.plane import Feature, PlaneSpec

__all__ = ["plane"]

_PAPER: Final = "He et al., Identity Mappings in Deep Residual Networks, 2016 (arXiv 1603.05027), figure 4e, with linear layers."
_READ: Final = {
    Feature.X: "x",
    Feature.Y: "y",
    Feature.X2: "x * x",
    Feature.Y2: "y * y",
    Feature.XY: "x * y",
    Feature.SIN_X: "torch.sin(x)",
    Feature.SIN_Y: "torch.sin(y)",
}
# here the layers are linear ones too, and the classifier alone begins as PyTorch begins
_DRAWN: Final = (
    DRAWN.replace("nn.Conv2d | nn.Linear", "nn.Linear")
    .replace("if isinstance(layer, nn.Linear):  #? !pytorch", 'if name == "fc":  #? !pytorch')
    .replace("elif isinstance(layer, nn.Conv2d)", "elif isinstance(layer, nn.Linear)")
)
_TEMPLATE: Final = (
    IMPORTS.replace("from torch.nn import functional as F", "from torch.nn import functional as F  #? functional")
    + """
SEED = $seed
$cut
$dropped


"""
    + GROUP_NORM
    + '''


class Block(nn.Module):
    """Two layers, $says: (N, $width) to the same."""

    def __init__(self, name: str) -> None:  #? named
        super().__init__()
        self.skip = name not in CUT.split()  #? cut
        self.branch = name not in DROPPED.split()  #? dropped
        $layers

    def __init__(self) -> None:  #? !named
        super().__init__()
        $layers

    def forward(self, x: Tensor) -> Tensor:
        if not self.branch:  #? dropped
            return x
        out = self.conv1($act($norm1))
        out = self.conv2($act($norm2))  #? residual
        return out + x if self.skip else out  #? cut
        return out + x  #? residual !cut
        return self.conv2($act($norm2))  #? !residual


class MLP(nn.Module):
    """Points (N, 2) to logits (N, $classes)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Linear($features, $width, bias=$bias)
        self.layer1 = nn.Sequential(*(Block(f"layer1.{n}") for n in range($blocks)))  #? named
        self.layer1 = nn.Sequential(*(Block() for _ in range($blocks)))  #? !named
        self.norm = $norm($width)  #? norm
        self.fc = nn.Linear($width, $classes)

    def forward(self, points: Tensor) -> Tensor:
        $coordinates
        x = self.layer1(self.conv1(torch.stack([$read], 1)))
        return self.fc($act($norm_end))


'''
    + _DRAWN
    + """    return net


if __name__ == "__main__":
    print(build().eval()(torch.zeros(1, 2)))
"""
)


def plane(spec: PlaneSpec) -> str:
    """The file's text."""
    named = words(spec) | {"norm": words(spec)["norm"].replace("BatchNorm2d", "BatchNorm1d")}
    norm, width, bias = named["norm"], spec.width, named["bias"]
    layers = [
        line
        for n in (1, 2)
        for line in (
            *([f"self.norm{n} = {norm}({width})"] if norm else []),
            f"self.conv{n} = nn.Linear({width}, {width}, bias={bias})",
        )
    ]
    read = ", ".join(_READ[feature] for feature in spec.features)
    of = [axis for axis in "xy" if any(axis in feature for feature in _axes(spec))]
    given = {
        "residual": spec.residual,
        "cut": bool(spec.cut),
        "dropped": bool(spec.dropped),
        "named": bool(spec.cut or spec.dropped),
        "functional": named["act"].startswith("F."),
    }
    filled = {
        "net": "MLP",
        "seed": str(spec.seed),
        "cut": listed("CUT", spec.cut, "blocks that pass F(x) alone"),
        "dropped": listed("DROPPED", spec.dropped, "blocks that pass x alone"),
        "says": "each behind an activation" + (", + x" if spec.residual else ""),
        "width": str(width),
        "layers": "\n".join(layers),
        "norm1": "self.norm1(x)" if norm else "x",
        "norm2": "self.norm2(out)" if norm else "out",
        "norm_end": "self.norm(x)" if norm else "x",
        "classes": str(spec.classes),
        "features": str(len(spec.features)),
        "blocks": str(spec.blocks[0]),
        "coordinates": "x, y = points.flatten(1).unbind(1)"
        if len(of) == 2
        else f"{of[0]} = points.flatten(1)[:, {'xy'.index(of[0])}]",
        "read": read,
    }
    holds = facts(spec) | {name for name, true in given.items() if true}
    return f'"""{heading(spec, _PAPER)}\n"""\n\n' + rendered(_TEMPLATE, holds, **(named | filled))


def _axes(spec: PlaneSpec) -> list[str]:
    return [str(feature).removeprefix("sin") for feature in spec.features]
