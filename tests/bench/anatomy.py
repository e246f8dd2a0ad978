"""What taking a network apart costs, beside as many plain passes over the same pictures."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from resviz.data.datasets import named_sets
from resviz.machine import fitting_threads
from resviz.probes import lesion
from resviz.probes.paths import path_gradients
from resviz.zoo.bundled import load_bundled

__all__ = ["anatomy_rows"]

_Ratio = Callable[[Callable[[], object], Callable[[], object], int], float]


def anatomy_rows(ratio: _Ratio) -> list[tuple[str, float, float]]:
    """(name, ratio, at most): all single lesions and the gradient by path length of the bundled ResNet-56 for digits."""
    net = load_bundled("resnet56-digits-0").private_view()
    pictures = named_sets("digits")[1]
    every = lesion.singles(net)
    whole, labels = pictures.normalised(pictures.images), pictures.labels
    few, targets = whole[:64], labels[:64]
    units = len(list(net.units()))

    @torch.inference_mode()
    def passes() -> None:
        for _ in every:
            net(whole)

    def backwards() -> None:
        for _ in range(units + 1):
            x = few.clone().requires_grad_()
            torch.autograd.grad(nn.functional.cross_entropy(net(x), targets), x)

    with fitting_threads(whole.shape[-1]):
        lesions = ratio(lambda: lesion.lesions(net, pictures, every), passes, 5)
        paths = ratio(lambda: path_gradients(net, few, targets), backwards, 5)
    return [
        (f"{len(every)} lesions / as many passes, ResNet-56 of width 8, {len(whole)} digits", lesions, 0.6),
        (f"gradient by path length / {units + 1} passes there and back, ResNet-56 of width 8, 64 digits", paths, 1.1),
    ]
