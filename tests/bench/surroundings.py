"""What looking around a network costs, beside passing its pictures through it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from resviz.data.datasets import named_sets
from resviz.machine import fitting_threads
from resviz.nets.build import build
from resviz.probes.landscape import landscape
from resviz.probes.similarity import similarity
from resviz.spec.landscape import PICTURES, LandscapePlan, Plane

__all__ = ["surrounding_rows"]

_Ratio = Callable[[Callable[[], object], Callable[[], object], int], float]


def surrounding_rows(ratio: _Ratio) -> list[tuple[str, float, float]]:
    """(name, ratio, at most): a landscape's points, its copy of the network included, and CKA, beside bare passes."""
    net = build(LandscapePlan().specs["residual"]).eval()
    images, labels = next(named_sets("digits")[0].shuffled(512, 0))
    few, targets = images[:PICTURES], labels[:PICTURES]

    @torch.inference_mode()
    def bare(times: int, pictures: torch.Tensor) -> None:
        for _ in range(times):
            net(pictures)

    with fitting_threads(images.shape[-1]):
        point = ratio(lambda: landscape(net, few, targets, Plane(), 5), lambda: bare(25, few), 5)
        alike = ratio(lambda: similarity(net, images), lambda: bare(1, images), 15)
    return [
        ("a landscape's point / bare pass of its pictures, ResNet-56 of width 8, 256 digits", point, 1.1),
        ("CKA of 27 blocks on 512 digits / one bare pass of them, ResNet-56 of width 8", alike, 3.0),
    ]
