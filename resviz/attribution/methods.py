"""One table over Captum: a method is an entry here and one short function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion, Saliency
from torch import Tensor

from resviz.nets.resnet import ResNet
from resviz.results import Attribution

__all__ = ["METHODS", "Method", "Parameter"]

Run = Callable[[ResNet, Tensor, int, Mapping[str, Any]], Attribution]


@dataclass(frozen=True)
class Parameter:
    """A whole number a method takes."""

    title: str
    default: int
    low: int
    high: int
    help: str


@dataclass(frozen=True)
class Method:
    """A method in the field's words. `evaluations` tells how many forward passes a run makes, for its progress."""

    title: str
    paper: str
    answers: str
    run: Run
    evaluations: Callable[[Tensor, Mapping[str, Any]], int]
    parameters: Mapping[str, Parameter]
    layer: bool = False


def _flat(attribution: Tensor) -> np.ndarray:
    """(1, C, H, W) to (H, W): evidence of a pixel is the sum over its channels."""
    return attribution.detach().sum(1)[0].double().numpy()


def _saliency(net: ResNet, x: Tensor, target: int, _: Mapping[str, Any]) -> Attribution:
    gradient = Saliency(net).attribute(x, target=target, abs=True)
    return Attribution("saliency", target, gradient.amax(1)[0].double().numpy(), signed=False)


def _integrated_gradients(net: ResNet, x: Tensor, target: int, options: Mapping[str, Any]) -> Attribution:
    steps = options["steps"]
    attribution, delta = IntegratedGradients(net).attribute(
        x,
        baselines=0.0,
        target=target,
        n_steps=steps,
        internal_batch_size=_step_batch(x),
        return_convergence_delta=True,
    )
    with torch.no_grad():
        change = (net(x)[0, target] - net(torch.zeros_like(x))[0, target]).item()
    return Attribution("integrated-gradients", target, _flat(attribution), True, delta=float(delta), target_change=change)


def _step_batch(x: Tensor) -> int:
    """Steps of the path taken together: 4 at 224 px, more where they are small."""
    return int(max(1, min(64, 4 * 224 * 224 // (x.shape[-1] * x.shape[-2]))))


def _grad_cam(net: ResNet, x: Tensor, target: int, options: Mapping[str, Any]) -> Attribution:
    layer = options["layer"]
    cam = LayerGradCam(net, net.get_submodule(layer)).attribute(x, target=target)
    upsampled = LayerAttribution.interpolate(cam, x.shape[-2:], interpolate_mode="bilinear")
    return Attribution("grad-cam", target, _flat(upsampled), True, layer=layer)


def _occlusion(net: ResNet, x: Tensor, target: int, options: Mapping[str, Any]) -> Attribution:
    window = min(options["window"], x.shape[-1])
    with torch.no_grad():
        attribution = Occlusion(net).attribute(
            x,
            sliding_window_shapes=(x.shape[1], window, window),
            strides=(x.shape[1], _stride(window), _stride(window)),
            target=target,
            baselines=0.0,
            perturbations_per_eval=_PERTURBATIONS,
        )
    return Attribution("occlusion", target, _flat(attribution) / x.shape[1], True)


_PERTURBATIONS = 8


def _stride(window: int) -> int:
    return max(1, window // 2)


def _occlusion_evaluations(x: Tensor, options: Mapping[str, Any]) -> int:
    window = min(options["window"], x.shape[-1])
    across = -(-(x.shape[-1] - window) // _stride(window)) + 1
    return 1 + -(-across * across // _PERTURBATIONS)


METHODS: Final[Mapping[str, Method]] = {
    "saliency": Method(
        "Saliency",
        "Simonyan et al. 2013, arXiv 1312.6034",
        "Which pixels change the class score most when they change a little?",
        _saliency,
        lambda x, options: 1,
        {},
    ),
    "integrated-gradients": Method(
        "Integrated Gradients",
        "Sundararajan et al. 2017, arXiv 1703.01365",
        "How much did each pixel add to the score on the way from a mean-coloured image to this one?",
        _integrated_gradients,
        lambda x, options: -(-options["steps"] // _step_batch(x)) + 4,
        {"steps": Parameter("Steps", 50, 10, 300, "Points on the path; more make the convergence delta smaller.")},
    ),
    "grad-cam": Method(
        "Layer Grad-CAM",
        "Selvaraju et al. 2016, arXiv 1610.02391",
        "Where does the evidence for the class lie at this depth of the network?",
        _grad_cam,
        lambda x, options: 1,
        {},
        layer=True,
    ),
    "occlusion": Method(
        "Occlusion",
        "Zeiler & Fergus 2013, arXiv 1311.2901",
        "How much does the score fall when this patch is covered?",
        _occlusion,
        _occlusion_evaluations,
        {"window": Parameter("Window", 8, 2, 96, "Side of the covered square in network pixels; it moves by half its side.")},
    ),
}
