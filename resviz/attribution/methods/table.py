"""One table over Captum: a method is an entry here and one short function in a file beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from captum.attr import FeatureAblation, KernelShap, Lime
from torch import Tensor

from resviz.attribution.method import BASELINE, Choice, Method, Options, Parameter
from resviz.attribution.methods import gradient, layer, perturbation, relevance
from resviz.spec.net import Activation, NetSpec, Norm

__all__ = ["FIRST", "METHODS", "at_layer", "available", "title_of"]


def available(spec: NetSpec) -> tuple[str, ...]:
    """The methods that mean something for this network."""
    relu = spec.activation is Activation.RELU
    return tuple(name for name, method in METHODS.items() if (relu or not method.relu_only) and method.sound(spec))


def at_layer(name: str) -> tuple[str, str | None]:
    """A method's name and the layer it is asked at: "grad-cam@layer3.1" is Grad-CAM at that block."""
    method, _, layer = name.partition("@")
    return method, layer or None


def title_of(name: str) -> str:
    """A method in words, with its layer where it has one."""
    method, layer = at_layer(name)
    return METHODS[method].title + (f" · {layer}" if layer else "")


_STEPS = Parameter("Steps", 50, 10, 300, "Points on the path; more make the convergence delta smaller.")
_FEW_STEPS = Parameter("Steps", 20, 5, 100, "Points on the path; more make the sum exacter.")
_SUPERPIXELS = Parameter("Superpixels", 40, 8, 120, "Regions of like colour that are switched on and off together.")
_SAMPLES = Parameter("Samples", 200, 20, 1000, "Random choices of superpixels; more make the map steadier.")
_TUNNEL: Final[Mapping[str, Parameter | Choice]] = {
    "of": Choice("Of", "saliency", gradient.TUNNELLED, "The gradient method that is averaged."),
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
        "That the score is nearly linear around this picture. A magnitude: it speaks neither for nor against the class.",
        gradient.saliency, _one,
    ),
    "integrated-gradients": Method(
        "Integrated Gradients", "path", "Sundararajan et al. 2017, arXiv 1703.01365",
        "How much did each pixel add to the score on the way from a picture without evidence to this one?",
        "That the baseline holds no evidence. Complete: the map sums to the score's change.",
        gradient.integrated_gradients, _path, {"steps": _STEPS, "baseline": BASELINE},
    ),
    "grad-cam": Method(
        "Grad-CAM", "layer", "Selvaraju et al. 2016, arXiv 1610.02391",
        "Where does the evidence for the class lie at this depth of the network?",
        "That a channel means the same everywhere in the picture. It keeps its sign here; the paper and most programs clip what speaks against.",
        layer.grad_cam, _one, layer=True,
    ),
    "occlusion": Method(
        "Occlusion", "perturbation", "Zeiler & Fergus 2013, arXiv 1311.2901",
        "How much does the score fall when this patch is covered?",
        "That a covered patch is still a picture the network can judge.",
        perturbation.occlusion, perturbation.occlusion_pictures,
        {"window": Parameter("Window", 8, 2, 96, "Side of the covered square in network pixels; it moves by half its side."),
         "baseline": BASELINE}, backward=False,
    ),
    "input-x-gradient": Method(
        "Input × Gradient", "gradient", "Shrikumar et al. 2016, arXiv 1605.01713",
        "How much would each pixel add to the score if the score were linear?",
        "That the score is linear between the mean-coloured picture and this one.",
        gradient.input_x_gradient, _one,
    ),
    "gradient-shap": Method(
        "Gradient SHAP", "path", "Lundberg & Lee 2017, arXiv 1705.07874",
        "What does a pixel add on average, coming from several pictures without evidence?",
        "That pixels are independent. Complete on average over many draws, but for what the noise adds.",
        gradient.gradient_shap, lambda x, options: 4 + int(options["samples"]),
        {"samples": Parameter("Samples", 12, 4, 400, "Random points between a baseline and the picture: four times as many halve the error of the draw."),
         "noise": Parameter("Noise", 0.09, 0.0, 0.5, "Standard deviation of the noise that is added to the picture.")},
        drawn=True, remedy="it is drawn, and four times the samples halve that error; what the noise adds stays",
    ),
    "lrp": Method(
        "Layer-wise Relevance", "path", "Bach et al. 2015, doi 10.1371/journal.pone.0130140",
        "How was the score handed back, layer by layer, to the pixels that it came from?",
        "ReLUs, and that a unit's inputs deserve shares in proportion. At an addition the skip and the branch share alike. "
        "Complete, but for what the biases take.",
        relevance.layerwise_relevance, lambda x, options: 3,
        {"rule": Choice("Rule", "composite", relevance.RULES,
                        "Composite: positive weights in the convolutions, even shares in the first one (Montavon et al. 2019).")},
        relu_only=True, sound=lambda spec: spec.norm is not Norm.GROUP, remedy="the biases hold the rest", inside=True,
    ),
    "deeplift": Method(
        "DeepLift", "path", "Shrikumar et al. 2017, arXiv 1704.02685",
        "How does each pixel's difference from a reference explain the score's difference?",
        "That activations can be compared with those of the reference, layer by layer. Complete.",
        gradient.deeplift, lambda x, options: 4, {"baseline": BASELINE}, inside=True, remedy="its rules were broken somewhere, so trust it less",
    ),
    "deeplift-shap": Method(
        "DeepLift SHAP", "path", "Lundberg & Lee 2017, arXiv 1705.07874",
        "DeepLift, averaged over several references.",
        "As DeepLift, and that pixels are independent. Complete.",
        gradient.deeplift_shap, lambda x, options: 10, inside=True, remedy="its rules were broken somewhere, so trust it less",
    ),
    "guided-backprop": Method(
        "Guided Backprop", "gradient", "Springenberg et al. 2014, arXiv 1412.6806",
        "Which pixels excite the units on the way to the class?",
        "ReLUs. It often draws edges whatever the class: see its sanity check (Adebayo et al. 2018, arXiv 1810.03292).",
        gradient.guided_backprop, _one, relu_only=True, inside=True,
    ),
    "deconvolution": Method(
        "Deconvolution", "gradient", "Zeiler & Fergus 2013, arXiv 1311.2901",
        "Which pattern in the picture would the class's activation project back to?",
        "ReLUs. Like Guided Backprop it follows the picture more than the class.",
        gradient.deconvolution, _one, relu_only=True, inside=True,
    ),
    "smoothgrad": Method(
        "SmoothGrad", "gradient", "Smilkov et al. 2017, arXiv 1706.03825",
        "Which pixels matter in pictures that look like this one?",
        "That noise leaves the picture's class as it is.",
        gradient.noise_tunnel("smoothgrad"), gradient.tunnelled_pictures, _TUNNEL, drawn=True,
    ),
    "vargrad": Method(
        "VarGrad", "gradient", "Adebayo et al. 2018, arXiv 1810.03307",
        "Where does the gradient depend most on details of the picture?",
        "That noise leaves the picture's class as it is. It has no sign.",
        gradient.noise_tunnel("vargrad"), gradient.tunnelled_pictures, _TUNNEL, drawn=True,
    ),
    "feature-ablation": Method(
        "Feature Ablation", "perturbation", "Zeiler & Fergus 2013, arXiv 1311.2901",
        "How much does the score fall when this region is taken away?",
        "That regions of like colour belong together.",
        perturbation.over_superpixels(FeatureAblation, False), lambda x, options: 1 + int(options["superpixels"]),
        {"superpixels": _SUPERPIXELS, "baseline": BASELINE}, backward=False,
    ),
    "kernel-shap": Method(
        "Kernel SHAP", "perturbation", "Lundberg & Lee 2017, arXiv 1705.07874",
        "What is each region's fair share of the score (its Shapley value)?",
        "That regions can be taken away in any combination.",
        perturbation.over_superpixels(KernelShap, True), _sampled,
        {"superpixels": _SUPERPIXELS, "samples": _SAMPLES, "baseline": BASELINE}, drawn=True, backward=False,
    ),
    "lime": Method(
        "LIME", "perturbation", "Ribeiro et al. 2016, arXiv 1602.04938",
        "Which few regions would a linear model of the network's answer name?",
        "That a sparse linear model fits near this picture.",
        perturbation.over_superpixels(Lime, True), _sampled,
        {"superpixels": _SUPERPIXELS, "samples": _SAMPLES, "baseline": BASELINE}, drawn=True, backward=False,
    ),
    "guided-grad-cam": Method(
        "Guided Grad-CAM", "layer", "Selvaraju et al. 2016, arXiv 1610.02391",
        "Which details lie where Grad-CAM sees the evidence?",
        "As Guided Backprop: ReLUs, and details that follow the picture.",
        layer.guided_grad_cam, lambda x, options: 2, layer=True, relu_only=True, inside=True,
    ),
    "layer-activation": Method(
        "Layer Activation", "layer", "Captum's LayerActivation",
        "Where is this layer active, whatever the class?",
        "Nothing; it does not know the class.",
        layer.layer_activation, _one, layer=True, backward=False,
    ),
    "internal-influence": Method(
        "Internal Influence", "layer", "Leino et al. 2018, arXiv 1802.03788",
        "Where would a change of this layer change the score, on the way from a picture without evidence?",
        "That the baseline holds no evidence. Where only an average over places follows, as behind the last block, it is the same everywhere.",
        layer.internal_influence, lambda x, options: _path(x, options) - 2, {"steps": _FEW_STEPS, "baseline": BASELINE}, layer=True,
    ),
    "layer-conductance": Method(
        "Layer Conductance", "layer", "Dhamdhere et al. 2018, arXiv 1805.12233",
        "How much of the score's change flows through each place of this layer?",
        "That the baseline holds no evidence. Complete, where all evidence passes the layer.",
        layer.layer_conductance, _path, {"steps": _FEW_STEPS, "baseline": BASELINE}, layer=True,
    ),
}  # fmt: skip
