"""Methods that look at one block's output instead of the pixels."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import GuidedGradCam, InternalInfluence, LayerActivation, LayerAttribution, LayerConductance, LayerGradCam
from torch import Tensor

from resviz.attribution.method import Evidence, Setting, flat, total

__all__ = [
    "grad_cam",
    "guided_grad_cam",
    "internal_influence",
    "layer_activation",
    "layer_conductance",
]


def _upsampled(attribution: Tensor, x: Tensor) -> np.ndarray:
    """A layer's map, summed over its channels, at the picture's size."""
    summed = attribution.detach().sum(1, keepdim=True)
    return flat(LayerAttribution.interpolate(summed, x.shape[-2:], interpolate_mode="bilinear"))


def grad_cam(setting: Setting) -> Evidence:
    """Each channel of the block, weighted by its mean gradient."""
    cam = LayerGradCam(setting.score, setting.module).attribute(setting.x, target=0)
    return Evidence(_upsampled(cam, setting.x), True)


def guided_grad_cam(setting: Setting) -> Evidence:
    """Grad-CAM's positive part times Guided Backprop."""
    attribution = GuidedGradCam(setting.score, setting.module).attribute(setting.x, target=0, interpolate_mode="bilinear")
    return Evidence(flat(attribution), True)


def layer_activation(setting: Setting) -> Evidence:
    """The block's output itself; signed where no ReLU ends the block."""
    with torch.no_grad():
        activation = LayerActivation(setting.score, setting.module).attribute(setting.x)
    return Evidence(_upsampled(activation, setting.x), signed=setting.score.net.spec.block.preact)


def internal_influence(setting: Setting) -> Evidence:
    """The block's gradient, averaged along the path from the baseline."""
    steps = setting.count("steps")
    attribution = InternalInfluence(setting.score, setting.module).attribute(
        setting.x, baselines=setting.baseline(), target=0, n_steps=steps, internal_batch_size=setting.batch_size(steps)
    )
    return Evidence(_upsampled(attribution, setting.x), True)


def layer_conductance(setting: Setting) -> Evidence:
    """Integrated Gradients of the block's output."""
    base, steps = setting.baseline(), setting.count("steps")
    attribution = LayerConductance(setting.score, setting.module).attribute(
        setting.x, baselines=base, target=0, n_steps=steps, internal_batch_size=setting.batch_size(steps)
    )
    change = setting.change(base)
    return Evidence(_upsampled(attribution, setting.x), True, total(attribution) - change, change)
