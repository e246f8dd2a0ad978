"""A network as one file of PyTorch, to be read beside its paper, and as a call of the libraries that have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from resviz.export.densenet import densenet
from resviz.export.plane import plane
from resviz.export.resnet import resnet
from resviz.export.transformer import transformer
from resviz.export.unet import unet
from resviz.spec.choices import Init
from resviz.spec.dense import DENSE_PRESETS, DenseSpec
from resviz.spec.families import Network
from resviz.spec.net import NetSpec
from resviz.spec.presets import PRESETS
from resviz.spec.transformer import TRANSFORMER_PRESETS, TransformerSpec
from resviz.spec.unet import UNetSpec

__all__ = ["code", "timm_call", "torchvision_call"]

_RESNETS: Final = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
_WIDER: Final = ("resnext50_32x4d", "resnext101_32x8d", "wide_resnet50_2", "wide_resnet101_2")
_DENSE: Final = ("densenet121", "densenet161", "densenet169", "densenet201")
_TIMM: Final = {
    **{name: name for name in (*_RESNETS, "resnet50d", *_WIDER, *_DENSE)},
    "vit_b_16": "vit_base_patch16_224",
    "vit_b_32": "vit_base_patch32_224",
    "vit_l_16": "vit_large_patch16_224",
    "vit_s_16": "vit_small_patch16_224",
    "vit_ti_16": "vit_tiny_patch16_224",
}
_TORCHVISION: Final = (*_RESNETS, *_WIDER, *_DENSE, "vit_b_16", "vit_b_32", "vit_l_16")
_PRESETS: Final[Mapping[str, Network]] = {**PRESETS, **DENSE_PRESETS, **TRANSFORMER_PRESETS}


def code(spec: Network) -> str:
    """The text of a file whose `build()` gives, with PyTorch alone, the network and the initial weights that `nets.build` gives."""
    if isinstance(spec, NetSpec):
        return resnet(spec)
    if isinstance(spec, DenseSpec):
        return densenet(spec)
    if isinstance(spec, TransformerSpec):
        return transformer(spec)
    if isinstance(spec, UNetSpec):
        return unet(spec)
    return plane(spec)


def torchvision_call(spec: Network) -> str | None:
    """The call by which torchvision makes this architecture, if it has it; its initial weights are others."""
    name, classes = _published(spec), spec.classes
    if name not in _TORCHVISION:
        return None
    given = [f"num_classes={classes}"] if classes != 1000 else []
    if isinstance(spec, NetSpec) and spec.init is Init.ZERO_GAMMA:
        given.append("zero_init_residual=True")
    if isinstance(spec, TransformerSpec) and spec.image != 224:
        given.append(f"image_size={spec.image}")
    return f"torchvision.models.{name}({', '.join(given)})"


def timm_call(spec: Network) -> str | None:
    """The call by which timm makes this architecture, if it has it."""
    name, classes = _published(spec), spec.classes
    if name is None:
        return None
    given = [f'"{_TIMM[name]}"', *([f"num_classes={classes}"] if classes != 1000 else [])]
    if isinstance(spec, TransformerSpec) and spec.image != 224:
        given.append(f"img_size={spec.image}")
    if isinstance(spec, NetSpec):
        given.append(f"zero_init_last={spec.init is Init.ZERO_GAMMA}")
    return f"timm.create_model({', '.join(given)})"


def _published(spec: Network) -> str | None:
    """The preset that this network is but for its initial weights, its classes and, of a Transformer, the side of its pictures."""

    def bare(each: Network) -> Network:
        if isinstance(each, TransformerSpec):
            return replace(each, classes=1000, seed=0, init=Init.XAVIER, image=2 * each.patch)
        return replace(each, classes=1000, seed=0, init=Init.KAIMING)

    alike = (name for name in _TIMM if type(_PRESETS[name]) is type(spec))
    return next((name for name in alike if bare(_PRESETS[name]) == bare(spec)), None)
