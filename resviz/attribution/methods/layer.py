"""Methods that look at one block's output instead of the pixels."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import GuidedGradCam, InternalInfluence, LayerActivation, LayerAttribution, LayerConductance, LayerGradCam
from torch import Tensor, nn

from resviz.attribution.method import Found, Options, Score, base_of, change_of, flat, together, total

__all__ = [
    "grad_cam",
    "guided_grad_cam",
    "internal_influence",
    "layer_activation",
    "layer_conductance",
]


def _of_layer(score: Score, options: Options) -> nn.Module:
    return score.net.get_submodule(options["layer"])


def _spread(found: Tensor, x: Tensor) -> np.ndarray:
    """A layer's map, summed over its channels, at the picture's size."""
    upsampled = LayerAttribution.interpolate(found.detach().sum(1, keepdim=True), x.shape[-2:], interpolate_mode="bilinear")
    return flat(upsampled)


def grad_cam(score: Score, x: Tensor, options: Options) -> Found:
    cam = LayerGradCam(score, _of_layer(score, options)).attribute(x, target=0)
    return Found(_spread(cam, x), True, layer=True)


def guided_grad_cam(score: Score, x: Tensor, options: Options) -> Found:
    found = GuidedGradCam(score, _of_layer(score, options)).attribute(x, target=0, interpolate_mode="bilinear")
    return Found(flat(found), True, layer=True)


def layer_activation(score: Score, x: Tensor, options: Options) -> Found:
    with torch.no_grad():
        found = LayerActivation(score, _of_layer(score, options)).attribute(x)
    return Found(_spread(found, x), signed=score.net.spec.block.preact, layer=True)


def internal_influence(score: Score, x: Tensor, options: Options) -> Found:
    found = InternalInfluence(score, _of_layer(score, options)).attribute(
        x,
        baselines=base_of(x, options),
        target=0,
        n_steps=int(options["steps"]),
        internal_batch_size=together(score, x, int(options["steps"])),
    )
    return Found(_spread(found, x), True, layer=True)


def layer_conductance(score: Score, x: Tensor, options: Options) -> Found:
    base = base_of(x, options)
    found = LayerConductance(score, _of_layer(score, options)).attribute(
        x, baselines=base, target=0, n_steps=int(options["steps"]), internal_batch_size=together(score, x, int(options["steps"]))
    )
    change = change_of(score, x, base)
    return Found(_spread(found, x), True, delta=total(found) - change, change=change, layer=True)
