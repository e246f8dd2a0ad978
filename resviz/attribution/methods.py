"""One table over Captum: a method is an entry here and one short function.

Layer-wise relevance propagation is absent: Captum's rules know modules, and the addition of a skip is none, so both summands
would get the whole relevance and the map would count it twice in every block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from captum.attr import (
    Deconvolution,
    DeepLift,
    DeepLiftShap,
    FeatureAblation,
    GradientShap,
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    InternalInfluence,
    KernelShap,
    LayerActivation,
    LayerAttribution,
    LayerConductance,
    LayerGradCam,
    Lime,
    NoiseTunnel,
    Occlusion,
    Saliency,
)
from captum.attr._utils.approximation_methods import approximation_parameters
from torch import Tensor, nn

from resviz.attribution.pace import pace_of
from resviz.nets.resnet import ResNet
from resviz.spec import Activation, NetSpec

__all__ = [
    "FIRST",
    "METHODS",
    "Choice",
    "Found",
    "Method",
    "Parameter",
    "Score",
    "available",
    "baseline",
    "superpixels",
]


class Score(nn.Module):
    """One number for each image, (N, 1): the logit of a class, or how far it is above another class's."""

    def __init__(self, net: ResNet, target: int, against: int | None = None) -> None:
        super().__init__()
        self.net, self.target, self.against = net, target, against

    def forward(self, x: Tensor) -> Tensor:
        logits = self.net(x)
        score = logits[:, self.target : self.target + 1]
        return score if self.against is None else score - logits[:, self.against : self.against + 1]


@dataclass(frozen=True)
class Parameter:
    """A number a method takes; whole where its default is."""

    title: str
    default: float
    low: float
    high: float
    help: str


@dataclass(frozen=True)
class Choice:
    """One of several words a method takes."""

    title: str
    default: str
    choices: tuple[str, ...]
    help: str


Options = Mapping[str, Any]
Run = Callable[[Score, Tensor, Options], "Found"]


@dataclass(frozen=True)
class Found:
    """What a method's function returns: the map, and its own check where it has one."""

    values: np.ndarray
    signed: bool
    delta: float | None = None
    change: float | None = None
    layer: bool = False


@dataclass(frozen=True)
class Method:
    """A method in the field's words. `evaluations` tells how many pictures a run puts through the network, for its progress and its cost."""

    title: str
    family: str
    paper: str
    answers: str
    assumes: str
    run: Run
    evaluations: Callable[[Tensor, Options], int]
    parameters: Mapping[str, Parameter | Choice] = field(default_factory=dict)
    layer: bool = False
    relu_only: bool = False
    drawn: bool = False  # from the process's random numbers


def available(spec: NetSpec) -> tuple[str, ...]:
    """The methods that mean something for this network."""
    return tuple(name for name, method in METHODS.items() if spec.activation is Activation.RELU or not method.relu_only)


# ------------------------------------------------------------------------------------------- what they share

BASELINES = ("mean", "black", "blur", "noise")
_BASELINE = Choice(
    "Baseline", "mean", BASELINES, "The picture without evidence: the data's mean colour, black, the picture blurred, or noise."
)


def baseline(x: Tensor, kind: str, black: Tensor | None = None) -> Tensor:
    """A picture without evidence, as a normalised input: (1, C, H, W)."""
    if kind == "mean":
        return torch.zeros_like(x)
    if kind == "black":
        return torch.zeros_like(x) + (x.amin((0, 2, 3), keepdim=True) if black is None else black)
    if kind == "blur":
        from torchvision.transforms.v2 import functional as v2

        sigma = x.shape[-1] / 16
        blurred: Tensor = v2.gaussian_blur(x, [2 * round(2 * sigma) + 1] * 2, [sigma, sigma])
        return blurred.contiguous(memory_format=torch.channels_last)
    if kind == "noise":
        return torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).contiguous(memory_format=torch.channels_last)
    raise ValueError(f"{kind!r} is no baseline; choose one of {', '.join(BASELINES)}")


def _flat(attribution: Tensor) -> np.ndarray:
    """(1, C, H, W) to (H, W): evidence of a pixel is the sum over its channels."""
    return attribution.detach().sum(1)[0].double().numpy()


def _sum(attribution: Tensor) -> float:
    return attribution.detach().double().sum().item()


def _change(score: Score, x: Tensor, base: Tensor) -> float:
    with torch.no_grad():
        return (score(x) - score(base)).mean().item()


def _together(score: Score, x: Tensor, pictures: int, gradients: bool = True) -> int:
    return pace_of(score.net.spec, x.shape[-1], gradients).share(max(1, pictures))


def _base(x: Tensor, options: Options) -> Tensor:
    return baseline(x, options["baseline"], options.get("black"))


# ------------------------------------------------------------------------------------------- gradients


def _saliency(score: Score, x: Tensor, _: Options) -> Found:
    gradient = Saliency(score).attribute(x, target=0, abs=True)
    return Found(gradient.amax(1)[0].double().numpy(), signed=False)


def _input_x_gradient(score: Score, x: Tensor, _: Options) -> Found:
    return Found(_flat(InputXGradient(score).attribute(x, target=0)), True)


def _guided_backprop(score: Score, x: Tensor, _: Options) -> Found:
    return Found(_flat(GuidedBackprop(score).attribute(x, target=0)), True)


def _deconvolution(score: Score, x: Tensor, _: Options) -> Found:
    return Found(_flat(Deconvolution(score).attribute(x, target=0)), True)


_TUNNELLED: Final = {
    "saliency": lambda score: Saliency(score),
    "input-x-gradient": lambda score: InputXGradient(score),
    "guided-backprop": lambda score: GuidedBackprop(score),
    "deconvolution": lambda score: Deconvolution(score),
}


def _noise_tunnel(kind: str) -> Run:
    def run(score: Score, x: Tensor, options: Options) -> Found:
        of = options["of"]
        extra = {"abs": False} if of == "saliency" else {}
        found = NoiseTunnel(_TUNNELLED[of](score)).attribute(
            x,
            nt_type=kind,
            nt_samples=int(options["samples"]),
            nt_samples_batch_size=_together(score, x, int(options["samples"])),
            stdevs=float(options["noise"]) * float(x.max() - x.min()),
            target=0,
            **extra,
        )
        return Found(_flat(found), kind == "smoothgrad")

    return run


# ------------------------------------------------------------------------------------------- paths and references


def _integrated_gradients(score: Score, x: Tensor, options: Options) -> Found:
    """Captum's sum over the path's points, taken in an order that has a coarse map early: every eighth point, every fourth …"""
    base, steps = _base(x, options), int(options["steps"])
    weigh, place = approximation_parameters("gausslegendre")
    weights, points = weigh(steps), place(steps)
    order = [i for stride in (8, 4, 2, 1) for i in range(0, steps, stride) if stride == 8 or i % (2 * stride)]
    captum, found, weight = IntegratedGradients(score), torch.zeros_like(x), 0.0
    while order:
        chunk = order[: _together(score, x, len(order))]
        order = order[len(chunk) :]
        part = [weights[i] for i in chunk], [points[i] for i in chunk]
        found += captum._attribute((x,), (base,), target=0, n_steps=len(chunk), step_sizes_and_alphas=part)[0]
        weight += sum(part[0])
        if "show" in options:
            options["show"](_flat(found / weight))
    change = _change(score, x, base)
    return Found(_flat(found), True, delta=_sum(found) - change, change=change)


def _gradient_shap(score: Score, x: Tensor, options: Options) -> Found:
    bases = torch.cat([baseline(x, kind, options.get("black")) for kind in ("mean", "black", "blur")])
    found = GradientShap(score).attribute(
        x, baselines=bases, n_samples=int(options["samples"]), stdevs=float(options["noise"]), target=0
    )
    change = _change(score, x, bases)
    return Found(_flat(found), True, delta=_sum(found) - change, change=change)


def _deeplift(score: Score, x: Tensor, options: Options) -> Found:
    base = _base(x, options)
    found = DeepLift(score).attribute(x, baselines=base, target=0)
    change = _change(score, x, base)
    return Found(_flat(found), True, delta=_sum(found) - change, change=change)


def _deeplift_shap(score: Score, x: Tensor, options: Options) -> Found:
    bases = torch.cat([baseline(x, kind, options.get("black")) for kind in ("mean", "black", "blur")])
    found = DeepLiftShap(score).attribute(x, baselines=bases, target=0)
    change = _change(score, x, bases)
    return Found(_flat(found), True, delta=_sum(found) - change, change=change)


# ------------------------------------------------------------------------------------------- perturbations


def _occlusion(score: Score, x: Tensor, options: Options) -> Found:
    window = min(int(options["window"]), x.shape[-1])
    with torch.no_grad():
        found = Occlusion(score).attribute(
            x,
            sliding_window_shapes=(x.shape[1], window, window),
            strides=(x.shape[1], _stride(window), _stride(window)),
            target=0,
            baselines=_base(x, options),
            perturbations_per_eval=_together(score, x, _occlusion_evaluations(x, options), False),
        )
    return Found(_flat(found) / x.shape[1], True)


def _stride(window: int) -> int:
    return max(1, window // 2)


def _occlusion_evaluations(x: Tensor, options: Options) -> int:
    window = min(int(options["window"]), x.shape[-1])
    across = -(-(x.shape[-1] - window) // _stride(window)) + 1
    return 1 + across * across


def superpixels(x: Tensor, count: int) -> Tensor:
    """(1, 1, H, W) whole numbers from 0: regions of like colour (SLIC, Achanta et al. 2012)."""
    from skimage.segmentation import slic

    pixels = x[0].permute(1, 2, 0).double().numpy()
    labels = slic(pixels, n_segments=count, compactness=float(pixels.std()) * 3, start_label=0, channel_axis=-1)
    if len(np.unique(labels)) < max(2, count // 3):  # a picture of nearly one colour: a grid
        across = max(2, round(count**0.5))
        row, column = (np.arange(n) * across // n for n in labels.shape)
        labels = row[:, None] * across + column
    return torch.from_numpy(np.unique(labels, return_inverse=True)[1].reshape(labels.shape))[None, None]


def _over_superpixels(make: Callable[[Score], Any], sampled: bool) -> Run:
    def run(score: Score, x: Tensor, options: Options) -> Found:
        mask = superpixels(x, int(options["superpixels"]))
        extra: dict[str, Any] = {"n_samples": int(options["samples"])} if sampled else {}
        with torch.no_grad():
            found = make(score).attribute(
                x,
                baselines=_base(x, options),
                target=0,
                feature_mask=mask,
                perturbations_per_eval=_together(score, x, int(options["samples" if sampled else "superpixels"]), False),
                **extra,
            )
        # a superpixel's evidence stands at each of its pixels; shared among them, the map sums to the evidence
        size = torch.bincount(mask.flatten())[mask[0, 0]].double().numpy()
        return Found(found[0, 0].double().numpy() / size, True)

    return run


# ------------------------------------------------------------------------------------------- layers


def _of_layer(score: Score, options: Options) -> nn.Module:
    return score.net.get_submodule(options["layer"])


def _spread(found: Tensor, x: Tensor) -> np.ndarray:
    """A layer's map, summed over its channels, at the picture's size."""
    upsampled = LayerAttribution.interpolate(found.detach().sum(1, keepdim=True), x.shape[-2:], interpolate_mode="bilinear")
    return _flat(upsampled)


def _grad_cam(score: Score, x: Tensor, options: Options) -> Found:
    cam = LayerGradCam(score, _of_layer(score, options)).attribute(x, target=0)
    return Found(_spread(cam, x), True, layer=True)


def _guided_grad_cam(score: Score, x: Tensor, options: Options) -> Found:
    found = GuidedGradCam(score, _of_layer(score, options)).attribute(x, target=0, interpolate_mode="bilinear")
    return Found(_flat(found), True, layer=True)


def _layer_activation(score: Score, x: Tensor, options: Options) -> Found:
    with torch.no_grad():
        found = LayerActivation(score, _of_layer(score, options)).attribute(x)
    return Found(_spread(found, x), signed=score.net.spec.block.preact, layer=True)


def _internal_influence(score: Score, x: Tensor, options: Options) -> Found:
    found = InternalInfluence(score, _of_layer(score, options)).attribute(
        x,
        baselines=_base(x, options),
        target=0,
        n_steps=int(options["steps"]),
        internal_batch_size=_together(score, x, int(options["steps"])),
    )
    return Found(_spread(found, x), True, layer=True)


def _layer_conductance(score: Score, x: Tensor, options: Options) -> Found:
    base = _base(x, options)
    found = LayerConductance(score, _of_layer(score, options)).attribute(
        x, baselines=base, target=0, n_steps=int(options["steps"]), internal_batch_size=_together(score, x, int(options["steps"]))
    )
    change = _change(score, x, base)
    return Found(_spread(found, x), True, delta=_sum(found) - change, change=change, layer=True)


_STEPS = Parameter("Steps", 50, 10, 300, "Points on the path; more make the convergence delta smaller.")
_FEW_STEPS = Parameter("Steps", 20, 5, 100, "Points on the path; more make the sum exacter.")
_SUPERPIXELS = Parameter("Superpixels", 40, 8, 120, "Regions of like colour that are switched on and off together.")
_SAMPLES = Parameter("Samples", 200, 20, 1000, "Random choices of superpixels; more make the map steadier.")
_TUNNEL: Final[Mapping[str, Parameter | Choice]] = {
    "of": Choice("Of", "saliency", tuple(_TUNNELLED), "The gradient method that is averaged."),
    "samples": Parameter("Samples", 25, 5, 100, "Noisy copies of the picture."),
    "noise": Parameter("Noise", 0.15, 0.01, 0.5, "Standard deviation of the noise over the picture's range."),
}


def _one(_x: Tensor, _options: Options) -> int:
    return 1


def _path(x: Tensor, options: Options) -> int:
    return int(options["steps"]) + 2


def _sampled(x: Tensor, options: Options) -> int:
    return 2 + int(options["samples"])


FIRST: Final = ("saliency", "integrated-gradients", "grad-cam", "occlusion")  # what to look at first: one of each kind

METHODS: Final[Mapping[str, Method]] = {
    "saliency": Method(
        "Saliency", "gradient", "Simonyan et al. 2013, arXiv 1312.6034",
        "Which pixels change the class score most when they change a little?",
        "That the score is nearly linear around this picture.",
        _saliency, _one,
    ),
    "integrated-gradients": Method(
        "Integrated Gradients", "path", "Sundararajan et al. 2017, arXiv 1703.01365",
        "How much did each pixel add to the score on the way from a picture without evidence to this one?",
        "That the baseline holds no evidence. Complete: the map sums to the score's change.",
        _integrated_gradients, _path, {"steps": _STEPS, "baseline": _BASELINE},
    ),
    "grad-cam": Method(
        "Layer Grad-CAM", "layer", "Selvaraju et al. 2016, arXiv 1610.02391",
        "Where does the evidence for the class lie at this depth of the network?",
        "That a channel means the same everywhere in the picture.",
        _grad_cam, _one, layer=True,
    ),
    "occlusion": Method(
        "Occlusion", "perturbation", "Zeiler & Fergus 2013, arXiv 1311.2901",
        "How much does the score fall when this patch is covered?",
        "That a covered patch is still a picture the network can judge.",
        _occlusion, _occlusion_evaluations,
        {"window": Parameter("Window", 8, 2, 96, "Side of the covered square in network pixels; it moves by half its side."),
         "baseline": _BASELINE},
    ),
    "input-x-gradient": Method(
        "Input × Gradient", "gradient", "Shrikumar et al. 2016, arXiv 1605.01713",
        "How much would each pixel add to the score if the score were linear?",
        "That the score is linear between the mean-coloured picture and this one.",
        _input_x_gradient, _one,
    ),
    "gradient-shap": Method(
        "Gradient SHAP", "path", "Lundberg & Lee 2017, arXiv 1705.07874",
        "What does a pixel add on average, coming from several pictures without evidence?",
        "That pixels are independent. Complete in expectation.",
        _gradient_shap, lambda x, options: 4 + int(options["samples"]),
        {"samples": Parameter("Samples", 12, 4, 50, "Random points between a baseline and the picture."),
         "noise": Parameter("Noise", 0.09, 0.0, 0.5, "Standard deviation of the noise that is added to the picture.")},
        drawn=True,
    ),
    "deeplift": Method(
        "DeepLift", "path", "Shrikumar et al. 2017, arXiv 1704.02685",
        "How does each pixel's difference from a reference explain the score's difference?",
        "That activations can be compared with those of the reference, layer by layer. Complete.",
        _deeplift, lambda x, options: 4, {"baseline": _BASELINE},
    ),
    "deeplift-shap": Method(
        "DeepLift SHAP", "path", "Lundberg & Lee 2017, arXiv 1705.07874",
        "DeepLift, averaged over several references.",
        "As DeepLift, and that pixels are independent. Complete.",
        _deeplift_shap, lambda x, options: 10,
    ),
    "guided-backprop": Method(
        "Guided Backprop", "gradient", "Springenberg et al. 2014, arXiv 1412.6806",
        "Which pixels excite the units on the way to the class?",
        "ReLUs. It often draws edges whatever the class: see its sanity check (Adebayo et al. 2018, arXiv 1810.03292).",
        _guided_backprop, _one, relu_only=True,
    ),
    "deconvolution": Method(
        "Deconvolution", "gradient", "Zeiler & Fergus 2013, arXiv 1311.2901",
        "Which pattern in the picture would the class's activation project back to?",
        "ReLUs. Like Guided Backprop it follows the picture more than the class.",
        _deconvolution, _one, relu_only=True,
    ),
    "smoothgrad": Method(
        "SmoothGrad", "gradient", "Smilkov et al. 2017, arXiv 1706.03825",
        "Which pixels matter in pictures that look like this one?",
        "That noise leaves the picture's class as it is.",
        _noise_tunnel("smoothgrad"), lambda x, options: int(options["samples"]), _TUNNEL, drawn=True,
    ),
    "vargrad": Method(
        "VarGrad", "gradient", "Adebayo et al. 2018, arXiv 1810.03307",
        "Where does the gradient depend most on details of the picture?",
        "That noise leaves the picture's class as it is. It has no sign.",
        _noise_tunnel("vargrad"), lambda x, options: int(options["samples"]), _TUNNEL, drawn=True,
    ),
    "feature-ablation": Method(
        "Feature Ablation", "perturbation", "Zeiler & Fergus 2013, arXiv 1311.2901",
        "How much does the score fall when this region is taken away?",
        "That regions of like colour belong together.",
        _over_superpixels(FeatureAblation, False), lambda x, options: 1 + int(options["superpixels"]),
        {"superpixels": _SUPERPIXELS, "baseline": _BASELINE},
    ),
    "kernel-shap": Method(
        "Kernel SHAP", "perturbation", "Lundberg & Lee 2017, arXiv 1705.07874",
        "What is each region's fair share of the score (its Shapley value)?",
        "That regions can be taken away in any combination.",
        _over_superpixels(KernelShap, True), _sampled,
        {"superpixels": _SUPERPIXELS, "samples": _SAMPLES, "baseline": _BASELINE}, drawn=True,
    ),
    "lime": Method(
        "LIME", "perturbation", "Ribeiro et al. 2016, arXiv 1602.04938",
        "Which few regions would a linear model of the network's answer name?",
        "That a sparse linear model fits near this picture.",
        _over_superpixels(Lime, True), _sampled,
        {"superpixels": _SUPERPIXELS, "samples": _SAMPLES, "baseline": _BASELINE}, drawn=True,
    ),
    "guided-grad-cam": Method(
        "Guided Grad-CAM", "layer", "Selvaraju et al. 2016, arXiv 1610.02391",
        "Which details lie where Grad-CAM sees the evidence?",
        "As Guided Backprop: ReLUs, and details that follow the picture.",
        _guided_grad_cam, lambda x, options: 2, layer=True, relu_only=True,
    ),
    "layer-activation": Method(
        "Layer Activation", "layer", "Captum's LayerActivation",
        "Where is this layer active, whatever the class?",
        "Nothing; it does not know the class.",
        _layer_activation, _one, layer=True,
    ),
    "internal-influence": Method(
        "Internal Influence", "layer", "Leino et al. 2018, arXiv 1802.03788",
        "Where would a change of this layer change the score, on the way from a picture without evidence?",
        "That the baseline holds no evidence.",
        _internal_influence, lambda x, options: _path(x, options) - 2, {"steps": _FEW_STEPS, "baseline": _BASELINE}, layer=True,
    ),
    "layer-conductance": Method(
        "Layer Conductance", "layer", "Dhamdhere et al. 2018, arXiv 1805.12233",
        "How much of the score's change flows through each place of this layer?",
        "That the baseline holds no evidence. Complete, where all evidence passes the layer.",
        _layer_conductance, _path, {"steps": _FEW_STEPS, "baseline": _BASELINE}, layer=True,
    ),
}  # fmt: skip
