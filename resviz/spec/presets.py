"""The networks of the papers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from resviz.spec.net import Block, NetSpec, Shortcut, SpecError, Stem

__all__ = ["CIFAR_DEPTHS", "PRESETS", "cifar_blocks"]

CIFAR_DEPTHS: Final = (20, 32, 44, 56, 110, 1202)
_IMAGENET = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}


def cifar_blocks(depth: int, block: Block = Block.BASIC) -> tuple[int, ...]:
    """Blocks per stage of a three-stage CIFAR network: depth is 6n+2 with basic, 9n+2 with bottleneck blocks."""
    step = 3 * block.convs
    n, rest = divmod(depth - 2, step)
    if rest or n < 1:
        near = max(1, round((depth - 2) / step)) * step + 2
        raise SpecError(f"depth must be {step}n+2 with {block.value} blocks, got {depth}; the nearest is {near}")
    return (n, n, n)


def _imagenet(block: Block, blocks: tuple[int, ...], groups: int = 1, width_per_group: int = 64) -> NetSpec:
    return NetSpec(
        block=block,
        blocks=blocks,
        stem=Stem.IMAGENET,
        width=64,
        groups=groups,
        width_per_group=width_per_group,
        shortcut=Shortcut.B,
        classes=1000,
    )


def _presets() -> dict[str, NetSpec]:
    nets = {
        name: _imagenet(Block.BASIC if name in ("resnet18", "resnet34") else Block.BOTTLENECK, blocks)
        for name, blocks in _IMAGENET.items()
    }
    nets["resnext50_32x4d"] = _imagenet(Block.BOTTLENECK, _IMAGENET["resnet50"], 32, 4)
    nets["resnext101_32x8d"] = _imagenet(Block.BOTTLENECK, _IMAGENET["resnet101"], 32, 8)
    nets["wide_resnet50_2"] = _imagenet(Block.BOTTLENECK, _IMAGENET["resnet50"], 1, 128)
    nets["wide_resnet101_2"] = _imagenet(Block.BOTTLENECK, _IMAGENET["resnet101"], 1, 128)
    nets["resnet50d"] = replace(nets["resnet50"], stem=Stem.DEEP, shortcut=Shortcut.D)
    nets |= {f"resnet{depth}": NetSpec(blocks=cifar_blocks(depth)) for depth in CIFAR_DEPTHS}
    for depth in (164, 1001):
        block = Block.PREACT_BOTTLENECK
        nets[f"resnet{depth}"] = NetSpec(block=block, blocks=cifar_blocks(depth, block), shortcut=Shortcut.B)
    nets |= {f"repvgg{depth}": NetSpec(Block.REP, cifar_blocks(depth, Block.REP), shortcut=Shortcut.B) for depth in (20, 56)}
    return nets | {_plain_name(name): spec.plain() for name, spec in nets.items()}


def _plain_name(name: str) -> str:
    return f"plain{name.removeprefix('resnet')}" if name.startswith("resnet") else f"plain_{name}"


PRESETS: Final[Mapping[str, NetSpec]] = _presets()
