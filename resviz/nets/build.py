"""A spec's network: as names and shapes alone, or with its initial weights."""

from __future__ import annotations

import hashlib

import torch

from resviz.nets.families.resnet import ResNet, Variant
from resviz.spec.net import NetSpec

__all__ = ["build", "skeleton"]


def skeleton(spec: NetSpec, variant: Variant | None = None) -> ResNet:
    """The network on the meta device: every name and shape, no memory."""
    with torch.device("meta"):
        return ResNet(spec, variant)


def build(spec: NetSpec) -> ResNet:
    """The network with its initial weights.

    Each layer draws from a generator of its own, seeded by the spec's seed and the layer's name: a plain and a residual
    network, or two that differ in one cut, have equal weights wherever both have the layer.
    """
    net = skeleton(spec).to_empty(device="cpu")
    generator = torch.Generator()
    with torch.no_grad():
        for name, layer in net.named_modules():
            digest = hashlib.blake2b(f"{spec.seed}:{name}".encode(), digest_size=8).digest()
            generator.manual_seed(int.from_bytes(digest) >> 1)
            net.draw(layer, generator)
        net.settle()
    return net
