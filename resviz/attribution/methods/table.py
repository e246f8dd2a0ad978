"""One table over Captum: a method is an entry here and one short function in a file beside this one; `cam` has its entries itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from captum.attr import FeatureAblation, KernelShap, Lime

from resviz.attribution.baselines import BASELINES
from resviz.attribution.method import Choice, Method, Parameter, Values, pictures
from resviz.attribution.methods import cam, gradient, layer, perturbation, relevance
from resviz.attribution.methods.snippet import REGIONS, SEED, SEVERAL, SHARED, Snippet, of_layer
from resviz.guard import nearest, quoted
from resviz.spec.net import NetSpec, Norm

__all__ = ["FIRST", "METHODS", "available", "averaged", "method_of"]


def available(spec: NetSpec) -> tuple[str, ...]:
    """The methods that mean something for this network."""
    return tuple(name for name, method in METHODS.items() if not method.unfit(spec))


def method_of(name: str) -> Method:
    """The entry of that name; raises `ValueError` where there is none."""
    if name not in METHODS:
        raise ValueError(f"{quoted(name)!r} is no method; choose one of {', '.join(METHODS)}{nearest(name, METHODS)}")
    return METHODS[name]


def averaged(values: Values) -> Method | None:
    """The method that a noise tunnel with these values averages; None for any other method."""
    return METHODS.get(str(values.get("of")))


_BASELINE = Choice(
    "Baseline", "mean", BASELINES, "The picture without evidence: the data's mean colour, black, the picture blurred, or noise."
)
_STEPS = Parameter("Steps", 50, 10, 300, "Points on the path; more make the convergence delta smaller.")
_FEW_STEPS = Parameter("Steps", 20, 5, 100, "Points on the path; more make the sum exacter.")
_SUPERPIXELS = Parameter("Superpixels", 40, 8, 120, "Regions of like colour that are switched on and off together.")
_SAMPLES = Parameter("Samples", 200, 20, 1000, "Random choices of superpixels; more make the map steadier.")
_WINDOW = Parameter(
    "Window",
    8,
    2,
    96,
    "Side of the covered square in network pixels; it moves by half its side.",
    by_side=lambda side: max(4, side // 7),
)
_TUNNEL: Final[Mapping[str, Parameter | Choice]] = {
    "of": Choice("Of", "saliency", gradient.TUNNELLED, "The gradient method that is averaged."),
    "samples": Parameter("Samples", 25, 5, 100, "Noisy copies of the picture."),
    "noise": Parameter("Noise", 0.15, 0.01, 0.5, "Standard deviation of the noise over the picture's range."),
}
_TUNNEL_CODE = Snippet(
    "NoiseTunnel, {class_}",
    f'{SEED}found = NoiseTunnel({{class_}}(score)).attribute(x, nt_type="{{kind}}", nt_samples={{samples}}, nt_samples_batch_size=1, '
    "stdevs={noise} * float(x.max() - x.min()), target=0{extra})",
)


def _path(side: int, values: Values) -> int:
    return int(values["steps"]) + 2


def _sampled(side: int, values: Values) -> int:
    return 2 + int(values["samples"])


def _of_regions(name: str, more: str = "") -> Snippet:
    """Captum's call of a method over superpixels."""
    call = f"    found = {name}(score).attribute(x, baselines=base, target=0, feature_mask=regions{more})"
    return Snippet(name, f"{REGIONS}{SEED if more else ''}with torch.no_grad():\n{call}", SHARED)


FIRST: Final = ("saliency", "integrated-gradients", "grad-cam", "occlusion")  # what to look at first: one of each kind

METHODS: Final[Mapping[str, Method]] = {
    "saliency": Method(
        "Saliency", "gradient", "Simonyan et al. 2013, arXiv 1312.6034",
        "Which pixels change the class score most when they change a little?",
        "That the score is nearly linear around this picture. A magnitude: it speaks neither for nor against the class.",
        run=gradient.saliency, evaluations=pictures(1),
        snippet=Snippet("Saliency", "found = Saliency(score).attribute(x, target=0)", "values = found.detach().amax(1)[0].numpy()", ", abs=False"),
    ),
    "integrated-gradients": Method(
        "Integrated Gradients", "path", "Sundararajan et al. 2017, arXiv 1703.01365",
        "How much did each pixel add to the score on the way from a picture without evidence to this one?",
        "That the baseline holds no evidence. Complete: the map sums to the score's change.",
        run=gradient.integrated_gradients, evaluations=_path,
        snippet=Snippet("IntegratedGradients", "found = IntegratedGradients(score).attribute(x, baselines=base, target=0, n_steps={steps}, internal_batch_size=4)",
                        averaged=f", n_steps={gradient.TUNNEL_STEPS}, internal_batch_size=4"),
        parameters={"steps": _STEPS, "baseline": _BASELINE},
    ),
    "grad-cam": Method(
        "Grad-CAM", "layer", "Selvaraju et al. 2016, arXiv 1610.02391",
        "Where does the evidence for the class lie at this depth of the network?",
        "That a channel means the same everywhere in the picture. It keeps its sign here; the paper and most programs clip what speaks against.",
        run=layer.grad_cam, evaluations=pictures(1),
        snippet=of_layer("LayerGradCam", ", target=0"),
        layer=True,
    ),
    "occlusion": Method(
        "Occlusion", "perturbation", "Zeiler & Fergus 2013, arXiv 1311.2901",
        "How much does the score fall when this patch is covered?",
        "That a covered patch is still a picture the network can judge.",
        run=perturbation.occlusion, evaluations=perturbation.occlusion_pictures,
        snippet=Snippet("Occlusion", "found = Occlusion(score).attribute(x, sliding_window_shapes=({channels}, {window}, {window}), "
                        "strides=({channels}, {stride}, {stride}), target=0, baselines=base) / {channels}"),
        parameters={"window": _WINDOW, "baseline": _BASELINE},
        backward=False,
    ),
    "input-x-gradient": Method(
        "Input × Gradient", "gradient", "Shrikumar et al. 2016, arXiv 1605.01713",
        "How much would each pixel add to the score if the score were linear?",
        "That the score is linear between the mean-coloured picture and this one.",
        run=gradient.input_x_gradient, evaluations=pictures(1),
        snippet=Snippet("InputXGradient", "found = InputXGradient(score).attribute(x, target=0)"),
    ),
    "gradient-shap": Method(
        "Gradient SHAP", "path", "Lundberg & Lee 2017, arXiv 1705.07874",
        "What does a pixel add on average, coming from several pictures without evidence?",
        "That pixels are independent. Complete on average over many draws, but for what the noise adds.",
        run=gradient.gradient_shap, evaluations=lambda side, values: 4 + int(values["samples"]),
        snippet=Snippet("GradientShap",
                        f"{SEVERAL}{SEED}found = GradientShap(score).attribute(x, baselines=base, n_samples={{samples}}, stdevs={{noise}}, target=0)"),
        parameters={"samples": Parameter("Samples", 12, 4, 400, "Random points between a baseline and the picture: four times as many halve the error of the draw."),
                    "noise": Parameter("Noise", 0.09, 0.0, 0.5, "Standard deviation of the noise that is added to the picture.")},
        drawn=True, remedy="it is drawn, and four times the samples halve that error; what the noise adds stays",
    ),
    "lrp": Method(
        "Layer-wise Relevance", "path", "Bach et al. 2015, doi 10.1371/journal.pone.0130140",
        "How was the score handed back, layer by layer, to the pixels that it came from?",
        "ReLUs, and that a unit's inputs deserve shares in proportion. At an addition the skip and the branch share alike. "
        "Complete, but for what the biases take.",
        run=relevance.layerwise_relevance, evaluations=pictures(3),
        snippet=Snippet("LRP", "from resviz.attribution.method import Score\nfrom resviz.attribution.methods.relevance import relevance_view\n"
                        "# the additions of the skips as layers, and a rule on every layer\n"
                        'net = relevance_view(Score(classifier.fast_view(), {target}, {against}), "{rule}")\nfound = LRP(net).attribute(x, target=0)'),
        parameters={"rule": Choice("Rule", "composite", relevance.RULES,
                                   "Composite: positive weights in the convolutions, even shares in the first one (Montavon et al. 2019).")},
        relu_only=True, remedy="the biases hold the rest", inside=True, norms=frozenset({Norm.BATCH, Norm.NONE}),
    ),
    "deeplift": Method(
        "DeepLift", "path", "Shrikumar et al. 2017, arXiv 1704.02685",
        "How does each pixel's difference from a reference explain the score's difference?",
        "That activations can be compared with those of the reference, layer by layer. Complete.",
        run=gradient.deeplift, evaluations=pictures(4),
        snippet=Snippet("DeepLift", "found = DeepLift(score).attribute(x, baselines=base, target=0)", averaged=", baselines=torch.zeros_like(x)"),
        parameters={"baseline": _BASELINE},
        inside=True, remedy="its rules were broken somewhere, so trust it less",
    ),
    "deeplift-shap": Method(
        "DeepLift SHAP", "path", "Lundberg & Lee 2017, arXiv 1705.07874",
        "DeepLift, averaged over several references.",
        "As DeepLift, and that pixels are independent. Complete.",
        run=gradient.deeplift_shap, evaluations=pictures(10),
        snippet=Snippet("DeepLiftShap", f"{SEVERAL}found = DeepLiftShap(score).attribute(x, baselines=base, target=0)"),
        inside=True, remedy="its rules were broken somewhere, so trust it less",
    ),
    "guided-backprop": Method(
        "Guided Backprop", "gradient", "Springenberg et al. 2014, arXiv 1412.6806",
        "Which pixels excite the units on the way to the class?",
        "ReLUs. It often draws edges whatever the class: see its sanity check (Adebayo et al. 2018, arXiv 1810.03292).",
        run=gradient.guided_backprop, evaluations=pictures(1),
        snippet=Snippet("GuidedBackprop", "found = GuidedBackprop(score).attribute(x, target=0)"),
        relu_only=True, inside=True,
    ),
    "deconvolution": Method(
        "Deconvolution", "gradient", "Zeiler & Fergus 2013, arXiv 1311.2901",
        "Which pattern in the picture would the class's activation project back to?",
        "ReLUs. Like Guided Backprop it follows the picture more than the class.",
        run=gradient.deconvolution, evaluations=pictures(1),
        snippet=Snippet("Deconvolution", "found = Deconvolution(score).attribute(x, target=0)"),
        relu_only=True, inside=True,
    ),
    "smoothgrad": Method(
        "SmoothGrad", "gradient", "Smilkov et al. 2017, arXiv 1706.03825",
        "Which pixels matter in pictures that look like this one?",
        "That noise leaves the picture's class as it is.",
        run=gradient.noise_tunnel("smoothgrad"), evaluations=gradient.tunnelled_pictures,
        snippet=_TUNNEL_CODE,
        parameters=_TUNNEL,
        drawn=True,
    ),
    "vargrad": Method(
        "VarGrad", "gradient", "Adebayo et al. 2018, arXiv 1810.03307",
        "Where does the gradient depend most on details of the picture?",
        "That noise leaves the picture's class as it is. It has no sign.",
        run=gradient.noise_tunnel("vargrad"), evaluations=gradient.tunnelled_pictures,
        snippet=_TUNNEL_CODE,
        parameters=_TUNNEL,
        drawn=True,
    ),
    "feature-ablation": Method(
        "Feature Ablation", "perturbation", "Zeiler & Fergus 2013, arXiv 1311.2901",
        "How much does the score fall when this region is taken away?",
        "That regions of like colour belong together.",
        run=perturbation.over_superpixels(FeatureAblation, False), evaluations=lambda side, values: 1 + int(values["superpixels"]),
        snippet=_of_regions("FeatureAblation"),
        parameters={"superpixels": _SUPERPIXELS, "baseline": _BASELINE},
        backward=False,
    ),
    "kernel-shap": Method(
        "Kernel SHAP", "perturbation", "Lundberg & Lee 2017, arXiv 1705.07874",
        "What is each region's fair share of the score (its Shapley value)?",
        "That regions can be taken away in any combination.",
        run=perturbation.over_superpixels(KernelShap, True), evaluations=_sampled,
        snippet=_of_regions("KernelShap", ", n_samples={samples}"),
        parameters={"superpixels": _SUPERPIXELS, "samples": _SAMPLES, "baseline": _BASELINE},
        drawn=True, backward=False,
    ),
    "lime": Method(
        "LIME", "perturbation", "Ribeiro et al. 2016, arXiv 1602.04938",
        "Which few regions would a linear model of the network's answer name?",
        "That a sparse linear model fits near this picture.",
        run=perturbation.over_superpixels(Lime, True), evaluations=_sampled,
        snippet=_of_regions("Lime", ", n_samples={samples}"),
        parameters={"superpixels": _SUPERPIXELS, "samples": _SAMPLES, "baseline": _BASELINE},
        drawn=True, backward=False,
    ),
    "rise": Method(
        "RISE", "perturbation", "Petsiuk et al. 2018, arXiv 1806.07421",
        "How much higher is the score, on average over random masks, where this pixel is seen?",
        "That a picture seen through soft random holes is still one the network can judge. Less its mean, so that it has a sign; noisy with few masks.",
        run=perturbation.rise, evaluations=lambda side, values: int(values["samples"]),
        snippet=Snippet("", f"from resviz.attribution.methods.perturbation import randomly_masked\n{SEED}found = randomly_masked(score, x, base, {{samples}}, {{cells}})", "values = found"),
        parameters={"samples": Parameter("Masks", 500, 20, 8000, "Random masks: four times as many halve the map's noise."),
                    "cells": Parameter("Cells", 7, 2, 16, "Side of the masks' coarse grid."), "baseline": _BASELINE},
        drawn=True, backward=False,
    ),
    "guided-grad-cam": Method(
        "Guided Grad-CAM", "layer", "Selvaraju et al. 2016, arXiv 1610.02391",
        "Which details lie where Grad-CAM sees the evidence?",
        "As Guided Backprop: ReLUs, and details that follow the picture.",
        run=layer.guided_grad_cam, evaluations=pictures(2),
        snippet=Snippet("GuidedGradCam",
                        'found = GuidedGradCam(score, score.net.get_submodule("{layer}")).attribute(x, target=0, interpolate_mode="bilinear")'),
        layer=True, relu_only=True, inside=True,
    ),
    "layer-activation": Method(
        "Layer Activation", "layer", "Captum's LayerActivation",
        "Where is this layer active, whatever the class?",
        "Nothing; it does not know the class.",
        run=layer.layer_activation, evaluations=pictures(1),
        snippet=of_layer("LayerActivation", ""),
        layer=True, backward=False,
    ),
    "internal-influence": Method(
        "Internal Influence", "layer", "Leino et al. 2018, arXiv 1802.03788",
        "Where would a change of this layer change the score, on the way from a picture without evidence?",
        "That the baseline holds no evidence. Where only an average over places follows, as behind the last block, it is the same everywhere.",
        run=layer.internal_influence, evaluations=lambda side, values: int(values["steps"]),
        snippet=of_layer("InternalInfluence", ", baselines=base, target=0, n_steps={steps}"),
        parameters={"steps": _FEW_STEPS, "baseline": _BASELINE},
        layer=True,
    ),
    "layer-conductance": Method(
        "Layer Conductance", "layer", "Dhamdhere et al. 2018, arXiv 1805.12233",
        "How much of the score's change flows through each place of this layer?",
        "That the baseline holds no evidence. Complete, where all evidence passes the layer.",
        run=layer.layer_conductance, evaluations=_path,
        snippet=of_layer("LayerConductance", ", baselines=base, target=0, n_steps={steps}"),
        parameters={"steps": _FEW_STEPS, "baseline": _BASELINE},
        layer=True,
    ),
    **cam.CAMS,
}  # fmt: skip
