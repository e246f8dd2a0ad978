"""Methods that follow the gradient at the picture, or along a path from a picture without evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import torch
from captum.attr import (
    Deconvolution,
    DeepLift,
    DeepLiftShap,
    GradientAttribution,
    GradientShap,
    GuidedBackprop,
    InputXGradient,
    IntegratedGradients,
    NoiseTunnel,
    Saliency,
)
from captum.attr._utils.approximation_methods import approximation_parameters

from resviz.attribution.method import Evidence, Score, Setting, Values, flat, numbers

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


def saliency(setting: Setting) -> Evidence:
    """The largest gradient among a pixel's channels; no sign."""
    gradient = Saliency(setting.score).attribute(setting.x, target=0, abs=True)
    return Evidence(numbers(gradient.amax(1)[0]), signed=False)


def input_x_gradient(setting: Setting) -> Evidence:
    """The score's first-order share of each pixel."""
    return Evidence(flat(InputXGradient(setting.score).attribute(setting.x, target=0)), True)


def guided_backprop(setting: Setting) -> Evidence:
    """The gradient, of which each ReLU lets through what is positive on both ways."""
    return Evidence(flat(GuidedBackprop(setting.score).attribute(setting.x, target=0)), True)


def deconvolution(setting: Setting) -> Evidence:
    """The gradient, of which each ReLU lets through what is positive on the way back."""
    return Evidence(flat(Deconvolution(setting.score).attribute(setting.x, target=0)), True)


# what a noise tunnel can average, and what each is asked with
TUNNEL_STEPS: Final = 16  # of Integrated Gradients inside a tunnel, whose noise is larger than what more steps would mend
_TUNNELLED: Final[Mapping[str, Callable[[Score], GradientAttribution]]] = {
    "saliency": Saliency,
    "input-x-gradient": InputXGradient,
    "guided-backprop": GuidedBackprop,
    "deconvolution": Deconvolution,
    "integrated-gradients": IntegratedGradients,
    "deeplift": DeepLift,
}
TUNNELLED: Final = tuple(_TUNNELLED)


def noise_tunnel(kind: str) -> Callable[[Setting], Evidence]:
    """SmoothGrad or VarGrad over one of `TUNNELLED`."""

    def run(setting: Setting) -> Evidence:
        x, of, samples = setting.x, setting.word("of"), setting.count("samples")
        at_once = setting.batch_size(samples)
        extra: dict[str, object] = {"abs": False} if of == "saliency" else {}
        if of == "deeplift":  # a picture and its reference go through together
            extra, at_once = {"baselines": torch.zeros_like(x)}, max(1, at_once // 2)
        elif of == "integrated-gradients":
            extra, at_once = {"n_steps": TUNNEL_STEPS, "internal_batch_size": at_once}, 1
        averaged = NoiseTunnel(_TUNNELLED[of](setting.score)).attribute(
            x,
            nt_type=kind,
            nt_samples=samples,
            nt_samples_batch_size=at_once,
            stdevs=setting.number("noise") * float(x.max() - x.min()),
            target=0,
            **extra,
        )
        return Evidence(flat(averaged), kind == "smoothgrad")

    return run


def tunnelled_pictures(side: int, values: Values) -> int:
    """Pictures that a noise tunnel puts through the network."""
    each = {"integrated-gradients": TUNNEL_STEPS, "deeplift": 2}.get(str(values["of"]), 1)
    return int(values["samples"]) * each


# ------------------------------------------------------------------------------------------- paths and references


def integrated_gradients(setting: Setting) -> Evidence:
    """Captum's sum over the path's points, taken in an order that has a coarse map early: every eighth point, every fourth …"""
    x, base, steps = setting.x, setting.baseline(), setting.count("steps")
    weigh, place = approximation_parameters("gausslegendre")
    weights, points = weigh(steps), place(steps)
    order = [i for stride in (8, 4, 2, 1) for i in range(0, steps, stride) if stride == 8 or i % (2 * stride)]
    captum, attribution, weight = IntegratedGradients(setting.score), torch.zeros_like(x), 0.0
    while order:
        chunk = order[: setting.batch_size(len(order))]
        order = order[len(chunk) :]
        part = [weights[i] for i in chunk], [points[i] for i in chunk]
        attribution += captum._attribute((x,), (base,), target=0, n_steps=len(chunk), step_sizes_and_alphas=part)[0]
        weight += sum(part[0])
        if setting.show is not None:
            setting.show(flat(attribution / weight))
    return Evidence.checked(attribution, setting.change(base))


def gradient_shap(setting: Setting) -> Evidence:
    """Against three baselines at once."""
    bases = setting.baselines()
    attribution = GradientShap(setting.score).attribute(
        setting.x, baselines=bases, n_samples=setting.count("samples"), stdevs=setting.number("noise"), target=0
    )
    return Evidence.checked(attribution, setting.change(bases))


def deeplift(setting: Setting) -> Evidence:
    """Against the baseline that was chosen."""
    base = setting.baseline()
    attribution = DeepLift(setting.score).attribute(setting.x, baselines=base, target=0)
    return Evidence.checked(attribution, setting.change(base))


def deeplift_shap(setting: Setting) -> Evidence:
    """Against three baselines at once."""
    bases = setting.baselines()
    attribution = DeepLiftShap(setting.score).attribute(setting.x, baselines=bases, target=0)
    return Evidence.checked(attribution, setting.change(bases))
