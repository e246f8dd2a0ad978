"""Every family of networks, once: its spec, its networks of the papers, its layer table, its module and its comparisons.

A family is a room beside this file and an entry here. What is built, measured, drawn or trained asks `family_of(spec)`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resviz.guard import quoted
from resviz.nets.families import densenet_rows, plane_rows, resnet_rows, transformer_rows, unet_rows
from resviz.results import LayerTable
from resviz.spec.base import Spec
from resviz.spec.comparisons import COMPARISONS, DENSE_COMPARISONS, PLANE_COMPARISONS, TRANSFORMER_COMPARISONS, UNET_COMPARISONS
from resviz.spec.dense import DENSE_PRESETS, DenseSpec
from resviz.spec.lab import LabPlan
from resviz.spec.net import NetSpec, SpecError
from resviz.spec.plane import PLANE_PRESETS, PlaneSpec
from resviz.spec.presets import PRESETS
from resviz.spec.transformer import TRANSFORMER_PRESETS, TransformerSpec
from resviz.spec.unet import UNET_PRESETS, UNetSpec

if TYPE_CHECKING:
    from resviz.nets.unit import Net

__all__ = ["FAMILIES", "Family", "family_of", "recognised"]


@dataclass(frozen=True)
class Family:
    """What is known of a family without torch; `module` imports it.

    `rows` takes a spec and the image's side in pixels, `module` returns the class that a spec builds, `recognise` tells from the names
    of some weights whether they are one of the family's networks, and `comparisons` make a lab's plan of a depth.
    """

    spec: type[Spec]
    presets: Mapping[str, Spec]
    rows: Callable[[Any, int], LayerTable]
    module: Callable[[], Callable[..., Net]]
    recognise: Callable[[Collection[str]], bool]
    comparisons: Mapping[str, Callable[[int], LabPlan]]


def _resnet() -> type[Net]:
    from resviz.nets.families.resnet import ResNet

    return ResNet


def _is_resnet(weights: Collection[str]) -> bool:
    known = set(weights)
    stems = {"conv1.weight", "conv1.0.weight"}  # a deep one has several convolutions
    units = {"layer1.0.conv2.weight", "layer1.0.downsample.point.0.weight"}  # RepVGG's has one convolution on its branch
    return {"layer1.0.conv1.weight", "fc.weight"} <= known and not stems.isdisjoint(known) and not units.isdisjoint(known)


def _densenet() -> type[Net]:
    from resviz.nets.families.densenet import DenseNet

    return DenseNet


def _is_densenet(weights: Collection[str]) -> bool:
    return {"features.conv0.weight", "features.denseblock1.denselayer1.conv1.weight", "classifier.weight"} <= set(weights)


def _plane() -> type[Net]:
    from resviz.nets.families.plane import PlaneNet

    return PlaneNet


def _transformer() -> type[Net]:
    from resviz.nets.families.transformer import Transformer

    return Transformer


def _is_transformer(weights: Collection[str]) -> bool:
    return {"conv_proj.weight", "encoder.pos_embedding", "encoder.layers.encoder_layer_0.self_attention.in_proj_weight"} <= set(
        weights
    )


def _unet() -> type[Net]:
    from resviz.nets.families.unet import UNet

    return UNet


FAMILIES: dict[str, Family] = {
    "resnet": Family(NetSpec, PRESETS, resnet_rows.rows, _resnet, _is_resnet, COMPARISONS),
    "densenet": Family(DenseSpec, DENSE_PRESETS, densenet_rows.rows, _densenet, _is_densenet, DENSE_COMPARISONS),
    "transformer": Family(
        TransformerSpec, TRANSFORMER_PRESETS, transformer_rows.rows, _transformer, _is_transformer, TRANSFORMER_COMPARISONS
    ),
    "unet": Family(UNetSpec, UNET_PRESETS, unet_rows.rows, _unet, lambda weights: False, UNET_COMPARISONS),
    "plane": Family(PlaneSpec, PLANE_PRESETS, plane_rows.rows, _plane, lambda weights: False, PLANE_COMPARISONS),
}


def family_of(spec: Spec) -> Family:
    """The family whose networks such a spec describes. Raises `SpecError` where there is none."""
    for family in FAMILIES.values():
        if type(spec) is family.spec:
            return family
    if isinstance(spec, str):
        raise SpecError(
            f"{quoted(spec)!r} is a name, and a spec is asked for: PRESETS has those of the papers by name, NetSpec makes others"
        )
    raise SpecError(f"{type(spec).__name__} belongs to no family; the families are {', '.join(FAMILIES)}")


def recognised(weights: Collection[str]) -> str | None:
    """The name of the family that weights of these names belong to, if any."""
    return next((name for name, family in FAMILIES.items() if family.recognise(weights)), None)
