"""A spec's network: as names and shapes alone, or with its initial weights."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, overload

import torch

from resviz.nets.families import family_of
from resviz.nets.unit import Net
from resviz.spec.base import Spec
from resviz.spec.net import NetSpec

if TYPE_CHECKING:
    from resviz.nets.families.resnet import ResNet, Variant

__all__ = ["build", "skeleton"]


@overload
def skeleton(spec: NetSpec, variant: Variant | None = None) -> ResNet: ...
@overload
def skeleton(spec: Spec) -> Net: ...
def skeleton(spec: Spec, variant: Variant | None = None) -> Net:
    """The network on the meta device: every name and shape, no memory."""
    kind = family_of(spec).module()
    with torch.device("meta"):
        return kind(spec) if variant is None else kind(spec, variant)


@overload
def build(spec: NetSpec) -> ResNet: ...
@overload
def build(spec: Spec) -> Net: ...
def build(spec: Spec) -> Net:
    """The network with its initial weights.

    Each layer draws from a generator of its own, seeded by the spec's seed and the layer's name: a plain and a residual
    network, or two that differ in one cut, have equal weights wherever both have the layer.
    """
    net: Net = family_of(spec).module()(spec)
    generator = torch.Generator()
    with torch.no_grad():
        for name, layer in net.named_modules():
            digest = hashlib.blake2b(f"{spec.seed}:{name}".encode(), digest_size=8).digest()
            generator.manual_seed(int.from_bytes(digest) >> 1)
            net.draw(layer, generator)
        net.settle()
    return net
