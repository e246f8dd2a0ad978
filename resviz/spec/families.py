"""Every family's spec and its networks of the papers, by the name that links and the command line have for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from resviz.spec.base import Spec
from resviz.spec.datasets import Things
from resviz.spec.dense import DENSE_PRESETS, DenseSpec
from resviz.spec.net import NetSpec
from resviz.spec.plane import PLANE_PRESETS, PlaneSpec
from resviz.spec.presets import PRESETS
from resviz.spec.transformer import TRANSFORMER_PRESETS, TransformerSpec
from resviz.spec.unet import UNET_PRESETS, UNetSpec

__all__ = ["ALL_PRESETS", "SPECS", "UNET_SIDE", "Network", "preset_of", "side_of", "things_of"]

Network: TypeAlias = NetSpec | DenseSpec | TransformerSpec | UNetSpec | PlaneSpec

SPECS: Final[Mapping[str, type[Network]]] = {
    "resnet": NetSpec,
    "densenet": DenseSpec,
    "transformer": TransformerSpec,
    "unet": UNetSpec,
    "plane": PlaneSpec,
}
ALL_PRESETS: Final[Mapping[str, Network]] = {**PRESETS, **DENSE_PRESETS, **TRANSFORMER_PRESETS, **UNET_PRESETS, **PLANE_PRESETS}
UNET_SIDE: Final = 32  # which every U-Net can halve
_SHAPES: Final = {
    NetSpec: ("block", "blocks", "stem", "width", "groups", "width_per_group"),
    DenseSpec: ("blocks", "growth", "bottleneck", "compression", "stem", "width"),
    TransformerSpec: ("image", "patch", "num_layers", "heads", "dim", "mlp", "vocabulary", "norm"),
    UNetSpec: ("blocks", "width", "span"),
    PlaneSpec: ("blocks", "width", "features"),
}


def preset_of(spec: Spec) -> str | None:
    """The preset with skips that has this spec's shape, if any (cuts, norm, init and classes aside)."""
    kind = type(spec)
    if kind not in _SHAPES:
        return None

    def shape(each: Spec) -> list[object]:
        return [getattr(each, field) for field in _SHAPES[kind]]

    wanted = shape(spec)
    of_kind = ((name, each) for name, each in ALL_PRESETS.items() if type(each) is kind and each.residual)
    return next((name for name, each in of_kind if shape(each) == wanted), None)


def side_of(spec: Network, small: int, large: int) -> int:
    """The side in pixels of a picture that such a network is shown: its own, 1 of points, or `large` behind a stem for photographs."""
    if isinstance(spec, TransformerSpec):
        return spec.image
    if isinstance(spec, PlaneSpec):
        return 1
    if isinstance(spec, UNetSpec):
        return UNET_SIDE
    return large if spec.stem.photographs else small


def things_of(spec: Network) -> Things:
    """What such a network reads."""
    if isinstance(spec, TransformerSpec) and spec.vocabulary:
        return "sequences"
    return "points" if isinstance(spec, PlaneSpec) else "masks" if isinstance(spec, UNetSpec) else "images"
