"""What the lab compares: plans by name, of any depth, family by family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from resviz.spec.choices import Span
from resviz.spec.datasets import DATASETS
from resviz.spec.dense import DenseSpec, dense_blocks
from resviz.spec.families import Network
from resviz.spec.lab import LabPlan, fitting_data
from resviz.spec.net import Block, Init, NetSpec, Norm, SpecError
from resviz.spec.plane import PlaneSpec, plane_blocks
from resviz.spec.presets import cifar_blocks
from resviz.spec.transformer import TRANSFORMER_PRESETS, TransformerSpec
from resviz.spec.unet import UNetSpec, unet_blocks

__all__ = [
    "COMPARISONS",
    "DENSE_COMPARISONS",
    "PLANE_COMPARISONS",
    "TRANSFORMER_COMPARISONS",
    "UNET_COMPARISONS",
    "against_plain",
    "as_deep",
    "comparison_of",
    "depth_of",
    "fitting",
]


def _on_digits(depth: int, norm: Norm = Norm.BATCH, init: Init = Init.KAIMING) -> NetSpec:
    return NetSpec(blocks=cifar_blocks(depth), in_channels=1, norm=norm, init=init)


def _skips(depth: int) -> LabPlan:
    spec = _on_digits(depth, norm=Norm.NONE, init=Init.PYTORCH)
    return LabPlan((spec, spec.plain()))


def _norms(depth: int) -> LabPlan:
    spec = _on_digits(depth, init=Init.PYTORCH)
    return LabPlan((spec, replace(spec, norm=Norm.NONE)))


def _inits(depth: int) -> LabPlan:
    spec = _on_digits(depth, norm=Norm.NONE)
    return LabPlan(tuple(replace(spec, init=init) for init in (Init.PYTORCH, Init.XAVIER, Init.KAIMING)))


def _preact(depth: int) -> LabPlan:
    spec = _on_digits(depth)
    return LabPlan((spec, replace(spec, block=Block.PREACT_BASIC)), lr=0.1)


def _zero_gamma(depth: int) -> LabPlan:
    spec = _on_digits(depth)
    return LabPlan((spec, replace(spec, init=Init.ZERO_GAMMA)), lr=0.1)


def _depths(depth: int) -> LabPlan:
    shallow, deep = _on_digits(20), _on_digits(depth if depth > 20 else 56)
    return LabPlan((shallow, deep, shallow.plain(), deep.plain()), lr=0.1)


def _dense(depth: int) -> LabPlan:
    spec = as_deep(DenseSpec(in_channels=1), depth)
    return LabPlan((spec, spec.plain()), lr=0.1)


def _vit(depth: int) -> LabPlan:
    spec = TransformerSpec(num_layers=depth)
    return LabPlan((spec, spec.plain()), lr=0.05)


def _vit_and_resnet(depth: int) -> LabPlan:
    return LabPlan((TransformerSpec(num_layers=depth), _on_digits(20)), lr=0.05)


def _copying(depth: int) -> LabPlan:
    spec = replace(TRANSFORMER_PRESETS["transformer_copy"], num_layers=depth)
    return LabPlan((spec, spec.plain()), data="copy", lr=0.05)


def _plane(depth: int) -> LabPlan:
    spec = PlaneSpec(plane_blocks(depth))
    return LabPlan((spec, spec.plain()), data="plane-spirals")


def _long(depth: int) -> LabPlan:
    spec = UNetSpec(unet_blocks(depth), norm=Norm.NONE, init=Init.PYTORCH, span=Span.LONG)
    return LabPlan((spec, spec.plain()), "discs", lr=0.05, batch=16)


def _long_and_short(depth: int) -> LabPlan:
    spec = UNetSpec(unet_blocks(depth), norm=Norm.NONE, init=Init.PYTORCH)
    kinds = (replace(spec, span=Span.LONG), replace(spec, span=Span.SHORT), spec.plain())
    return LabPlan((spec, *kinds), "discs", lr=0.05, batch=16)


COMPARISONS: Final[Mapping[str, Callable[[int], LabPlan]]] = {
    "With skips or without": _skips,
    "Batch norm or none": _norms,
    "Three initialisations": _inits,
    "Pre-activation": _preact,
    "Zero-γ": _zero_gamma,
    "Shallow and deep": _depths,
}
DENSE_COMPARISONS: Final[Mapping[str, Callable[[int], LabPlan]]] = {"DenseNet or plain": _dense}
TRANSFORMER_COMPARISONS: Final[Mapping[str, Callable[[int], LabPlan]]] = {
    "ViT or plain": _vit,
    "ViT or ResNet-20": _vit_and_resnet,
    "Copying symbols": _copying,
}
UNET_COMPARISONS: Final[Mapping[str, Callable[[int], LabPlan]]] = {
    "Long skips or none": _long,
    "Long, short, both, none": _long_and_short,
}
PLANE_COMPARISONS: Final[Mapping[str, Callable[[int], LabPlan]]] = {"Points in the plane": _plane}


def against_plain(spec: Network) -> LabPlan:
    """A network and the same without any skip, on handwritten digits, or on points; a plain network and the same with every skip."""
    name = fitting_data([spec])[0]
    data = DATASETS[name]
    spec = fitting(spec, data.side, data.channels, data.classes or 10)
    other = spec.plain() if spec.residual else replace(spec, residual=True)
    return LabPlan(
        (spec, other) if spec.residual else (other, spec),
        name,
        lr=0.05 if isinstance(spec, TransformerSpec | UNetSpec) else 0.02 if spec.norm is Norm.NONE else 0.1,
    )


def fitting(spec: Network, side: int, channels: int, classes: int) -> Network:
    """The network for images of that side, channels and classes: a Transformer's patches grow with the side."""
    if isinstance(spec, TransformerSpec):
        spec = spec.sized(side)
    return replace(spec, in_channels=channels, classes=classes)


def as_deep(spec: Network, depth: int) -> Network:
    """The same design of three blocks or stages, as near to that depth as its family has one."""
    if isinstance(spec, DenseSpec):
        each = 3 * spec.convs
        return spec.resized(blocks=dense_blocks(max(1, round((depth - 4) / each)) * each + 4, spec.bottleneck > 0))
    if isinstance(spec, PlaneSpec):
        return spec.resized(blocks=plane_blocks(depth))
    if isinstance(spec, UNetSpec):
        return spec.resized(blocks=unet_blocks(depth, spec.levels))
    if isinstance(spec, TransformerSpec):
        return spec.resized(num_layers=min(96, depth))
    each = 3 * spec.block.convs
    return spec.resized(blocks=cifar_blocks(max(1, round((depth - 2) / each)) * each + 2, spec.block))


def depth_of(contenders: Sequence[Network]) -> int:
    """The depth that they are compared at: of the deepest that counts layers as the first does."""
    return max(spec.depth for spec in contenders if type(spec) is type(contenders[0]))


_COMPARED: Final = {
    DenseSpec: DENSE_COMPARISONS,
    TransformerSpec: TRANSFORMER_COMPARISONS,
    UNetSpec: UNET_COMPARISONS,
    PlaneSpec: PLANE_COMPARISONS,
}


def comparison_of(plan: LabPlan) -> str | None:
    """The comparison whose contenders these are, if any (data, seed and edits aside)."""
    depth = depth_of(plan.contenders)
    for name, make in _COMPARED.get(type(plan.contenders[0]), COMPARISONS).items():
        try:
            made = make(depth)
            data = DATASETS[made.data]
            usual = (replace(spec, in_channels=data.channels, classes=data.classes or 10, seed=0) for spec in plan.contenders)
            if made.contenders == tuple(usual):
                return name
        except SpecError:  # the depth is none that this comparison can build
            return None
    return None
