"""What a network is called."""

from __future__ import annotations

from resviz.spec.base import Spec
from resviz.spec.families import preset_of
from resviz.spec.fields import fields_of

__all__ = ["describe", "different", "name_of"]

_TITLES = {
    "resnext50_32x4d": "ResNeXt-50 32×4d",
    "resnext101_32x8d": "ResNeXt-101 32×8d",
    "wide_resnet50_2": "Wide ResNet-50-2",
    "wide_resnet101_2": "Wide ResNet-101-2",
}


def name_of(spec: Spec) -> str:
    """The network's short name: `ResNet-56`, `Plain-20`, `ResNet-26 (2-2-2-2)`."""
    preset = preset_of(spec)
    if preset in _TITLES:
        return ("" if spec.residual else "Plain ") + _TITLES[preset]
    return spec.title + ("" if preset or not spec.shape else f" ({spec.shape})")


def describe(spec: Spec) -> str:
    """The network in words, the same everywhere: `ResNet-56 · basic · option A · BN · Kaiming · 3 skips cut`."""
    known = fields_of(type(spec))
    words = (says(spec) for name in spec.described if (says := known[name].says) is not None)
    return " · ".join([name_of(spec), *filter(None, words)])


def different(spec: Spec) -> str:
    """Its name and in what it differs from its family's default: `Plain-56 · no norm · PyTorch init`."""
    usual = set(describe(type(spec)()).split(" · "))
    name, *words = describe(spec).split(" · ")
    return " · ".join([name, *(word for word in words if word not in usual)])
