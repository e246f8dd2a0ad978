"""Methods that follow the gradient at the picture, or along a path from a picture without evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from captum.attr import (
    Deconvolution,
    DeepLift,
    DeepLiftShap,
    GradientShap,
    GuidedBackprop,
    InputXGradient,
    IntegratedGradients,
    NoiseTunnel,
    Saliency,
)
from captum.attr._utils.approximation_methods import approximation_parameters
from torch import Tensor

from resviz.attribution.method import (
    Found,
    Options,
    Run,
    Score,
    base_of,
    change_of,
    flat,
    numbers,
    several_bases,
    together,
    total,
)

__all__ = [
    "TUNNELLED",
    "TUNNEL_STEPS",
    "deconvolution",
    "deeplift",
    "deeplift_shap",
    "gradient_shap",
    "guided_backprop",
    "input_x_gradient",
    "integrated_gradients",
    "noise_tunnel",
    "saliency",
    "tunnelled_pictures",
]


def saliency(score: Score, x: Tensor, _: Options) -> Found:
    """The largest gradient among a pixel's channels; no sign."""
    gradient = Saliency(score).attribute(x, target=0, abs=True)
    return Found(numbers(gradient.amax(1)[0]), signed=False)


def input_x_gradient(score: Score, x: Tensor, _: Options) -> Found:
    return Found(flat(InputXGradient(score).attribute(x, target=0)), True)


def guided_backprop(score: Score, x: Tensor, _: Options) -> Found:
    return Found(flat(GuidedBackprop(score).attribute(x, target=0)), True)


def deconvolution(score: Score, x: Tensor, _: Options) -> Found:
    return Found(flat(Deconvolution(score).attribute(x, target=0)), True)


# what a noise tunnel can average, and what each is asked with
TUNNEL_STEPS: Final = 16  # of Integrated Gradients inside a tunnel, whose noise is larger than what more steps would mend
_TUNNELLED: Final[Mapping[str, Callable[[Score], Any]]] = {
    "saliency": Saliency,
    "input-x-gradient": InputXGradient,
    "guided-backprop": GuidedBackprop,
    "deconvolution": Deconvolution,
    "integrated-gradients": IntegratedGradients,
    "deeplift": DeepLift,
}
TUNNELLED: Final = tuple(_TUNNELLED)


def noise_tunnel(kind: str) -> Run:
    """SmoothGrad or VarGrad over one of `TUNNELLED`."""

    def run(score: Score, x: Tensor, options: Options) -> Found:
        of, samples = options["of"], int(options["samples"])
        at_once = together(score, x, samples)
        extra: dict[str, Any] = {"abs": False} if of == "saliency" else {}
        if of == "deeplift":  # a picture and its reference go through together
            extra, at_once = {"baselines": torch.zeros_like(x)}, max(1, at_once // 2)
        elif of == "integrated-gradients":
            extra, at_once = {"n_steps": TUNNEL_STEPS, "internal_batch_size": at_once}, 1
        found = NoiseTunnel(_TUNNELLED[of](score)).attribute(
            x,
            nt_type=kind,
            nt_samples=samples,
            nt_samples_batch_size=at_once,
            stdevs=float(options["noise"]) * float(x.max() - x.min()),
            target=0,
            **extra,
        )
        return Found(flat(found), kind == "smoothgrad")

    return run


def tunnelled_pictures(_x: Tensor, options: Options) -> int:
    """Pictures that a noise tunnel puts through the network."""
    each = {"integrated-gradients": TUNNEL_STEPS, "deeplift": 2}.get(options["of"], 1)
    return int(options["samples"]) * each


# ------------------------------------------------------------------------------------------- paths and references


def integrated_gradients(score: Score, x: Tensor, options: Options) -> Found:
    """Captum's sum over the path's points, taken in an order that has a coarse map early: every eighth point, every fourth …"""
    base, steps = base_of(x, options), int(options["steps"])
    weigh, place = approximation_parameters("gausslegendre")
    weights, points = weigh(steps), place(steps)
    order = [i for stride in (8, 4, 2, 1) for i in range(0, steps, stride) if stride == 8 or i % (2 * stride)]
    captum, found, weight = IntegratedGradients(score), torch.zeros_like(x), 0.0
    while order:
        chunk = order[: together(score, x, len(order))]
        order = order[len(chunk) :]
        part = [weights[i] for i in chunk], [points[i] for i in chunk]
        found += captum._attribute((x,), (base,), target=0, n_steps=len(chunk), step_sizes_and_alphas=part)[0]
        weight += sum(part[0])
        if "show" in options:
            options["show"](flat(found / weight))
    change = change_of(score, x, base)
    return Found(flat(found), True, delta=total(found) - change, change=change)


def gradient_shap(score: Score, x: Tensor, options: Options) -> Found:
    """Against three baselines at once."""
    bases = several_bases(x, options)
    found = GradientShap(score).attribute(
        x, baselines=bases, n_samples=int(options["samples"]), stdevs=float(options["noise"]), target=0
    )
    change = change_of(score, x, bases)
    return Found(flat(found), True, delta=total(found) - change, change=change)


def deeplift(score: Score, x: Tensor, options: Options) -> Found:
    base = base_of(x, options)
    found = DeepLift(score).attribute(x, baselines=base, target=0)
    change = change_of(score, x, base)
    return Found(flat(found), True, delta=total(found) - change, change=change)


def deeplift_shap(score: Score, x: Tensor, options: Options) -> Found:
    """Against three baselines at once."""
    bases = several_bases(x, options)
    found = DeepLiftShap(score).attribute(x, baselines=bases, target=0)
    change = change_of(score, x, bases)
    return Found(flat(found), True, delta=total(found) - change, change=change)
