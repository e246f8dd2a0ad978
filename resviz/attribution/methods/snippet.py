"""The Python that makes a map again: Captum computes it, this project loads the network and cuts the picture out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from resviz.attribution.methods.gradient import TUNNEL_STEPS
from resviz.attribution.methods.table import METHODS

__all__ = ["snippet"]

_SEVERAL: Final = """from resviz.attribution.method import baseline
base = torch.cat([baseline(x, kind, classifier.preprocessing.black()) for kind in ("mean", "black", "blur")])"""
_SEED: Final = "torch.manual_seed(0)\nnp.random.seed(0)"
_REGIONS: Final = """from resviz.attribution.methods.perturbation import superpixels
regions = superpixels(x, {superpixels})  # of like colour"""
_SHARED: Final = "values = found[0, 0].double().numpy() / np.bincount(regions.flatten().numpy())[regions[0, 0].numpy()]"
_SUM: Final = "values = found.detach().sum(1)[0].numpy()"
_LAYER: Final = 'values = LayerAttribution.interpolate(found.detach().sum(1, keepdim=True), x.shape[-2:], interpolate_mode="bilinear")[0, 0].numpy()'
_BASELINES: Final = {
    "mean": "base = torch.zeros_like(x)  # the data's mean colour",
    "black": "base = torch.zeros_like(x) + classifier.preprocessing.black()",
    "blur": "from resviz.attribution.method import baseline\nbase = baseline(x, 'blur')",
    "noise": "base = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))",
}
_TUNNEL: Final = (
    f'{_SEED}\nfound = NoiseTunnel({{class_}}(score)).attribute(x, nt_type="{{kind}}", nt_samples={{samples}}, nt_samples_batch_size=1, '
    "stdevs={noise} * float(x.max() - x.min()), target=0{extra})"
)
# what is imported from captum.attr, the call, and how its answer becomes a map
_CALLS: Final[Mapping[str, tuple[str, str, str]]] = {
    "saliency": ("Saliency", "found = Saliency(score).attribute(x, target=0)", "values = found.detach().amax(1)[0].numpy()"),
    "input-x-gradient": ("InputXGradient", "found = InputXGradient(score).attribute(x, target=0)", _SUM),
    "guided-backprop": ("GuidedBackprop", "found = GuidedBackprop(score).attribute(x, target=0)", _SUM),
    "deconvolution": ("Deconvolution", "found = Deconvolution(score).attribute(x, target=0)", _SUM),
    "integrated-gradients": (
        "IntegratedGradients",
        "found = IntegratedGradients(score).attribute(x, baselines=base, target=0, n_steps={steps}, internal_batch_size=4)",
        _SUM,
    ),
    "deeplift": ("DeepLift", "found = DeepLift(score).attribute(x, baselines=base, target=0)", _SUM),
    "occlusion": (
        "Occlusion",
        "found = Occlusion(score).attribute(x, sliding_window_shapes=({channels}, {window}, {window}), "
        "strides=({channels}, {stride}, {stride}), target=0, baselines=base) / {channels}",
        _SUM,
    ),
    "grad-cam": (
        "LayerAttribution, LayerGradCam",
        'found = LayerGradCam(score, score.net.get_submodule("{layer}")).attribute(x, target=0)',
        _LAYER,
    ),
    "layer-activation": (
        "LayerActivation, LayerAttribution",
        'found = LayerActivation(score, score.net.get_submodule("{layer}")).attribute(x)',
        _LAYER,
    ),
    "guided-grad-cam": (
        "GuidedGradCam",
        'found = GuidedGradCam(score, score.net.get_submodule("{layer}")).attribute(x, target=0, interpolate_mode="bilinear")',
        _SUM,
    ),
    "internal-influence": (
        "InternalInfluence, LayerAttribution",
        'found = InternalInfluence(score, score.net.get_submodule("{layer}")).attribute(x, baselines=base, target=0, n_steps={steps})',
        _LAYER,
    ),
    "layer-conductance": (
        "LayerAttribution, LayerConductance",
        'found = LayerConductance(score, score.net.get_submodule("{layer}")).attribute(x, baselines=base, target=0, n_steps={steps})',
        _LAYER,
    ),
    "gradient-shap": (
        "GradientShap",
        f"{_SEVERAL}\n{_SEED}\nfound = GradientShap(score).attribute(x, baselines=base, n_samples={{samples}}, stdevs={{noise}}, target=0)",
        _SUM,
    ),
    "deeplift-shap": ("DeepLiftShap", f"{_SEVERAL}\nfound = DeepLiftShap(score).attribute(x, baselines=base, target=0)", _SUM),
    "lrp": (
        "LRP",
        "from resviz.attribution.method import Score\nfrom resviz.attribution.methods.relevance import relevance_view\n"
        "# the additions of the skips as layers, and a rule on every layer\n"
        'net = relevance_view(Score(classifier.fast_view(), {target}, {against}), "{rule}")\nfound = LRP(net).attribute(x, target=0)',
        _SUM,
    ),
    "feature-ablation": (
        "FeatureAblation",
        f"{_REGIONS}\nwith torch.no_grad():\n"
        "    found = FeatureAblation(score).attribute(x, baselines=base, target=0, feature_mask=regions)",
        _SHARED,
    ),
    "kernel-shap": (
        "KernelShap",
        f"{_REGIONS}\n{_SEED}\nwith torch.no_grad():\n"
        "    found = KernelShap(score).attribute(x, baselines=base, target=0, feature_mask=regions, n_samples={samples})",
        _SHARED,
    ),
    "lime": (
        "Lime",
        f"{_REGIONS}\n{_SEED}\nwith torch.no_grad():\n"
        "    found = Lime(score).attribute(x, baselines=base, target=0, feature_mask=regions, n_samples={samples})",
        _SHARED,
    ),
    "smoothgrad": ("NoiseTunnel, {class_}", _TUNNEL, _SUM),
    "vargrad": ("NoiseTunnel, {class_}", _TUNNEL, _SUM),
}
# what a noise tunnel averages: its class, and how it is called
_OF: Final[Mapping[str, tuple[str, str]]] = {
    "saliency": ("Saliency", ", abs=False"),
    "input-x-gradient": ("InputXGradient", ""),
    "guided-backprop": ("GuidedBackprop", ""),
    "deconvolution": ("Deconvolution", ""),
    "integrated-gradients": ("IntegratedGradients", f", n_steps={TUNNEL_STEPS}, internal_batch_size=4"),
    "deeplift": ("DeepLift", ", baselines=torch.zeros_like(x)"),
}


def snippet(
    load: str, method: str, target: int, options: Mapping[str, Any], against: int | None = None, channels: int = 3
) -> str:
    """Runnable Python for one map; `load` is the line that makes `classifier`."""
    names, call, end = _CALLS[method]
    given: dict[str, Any] = {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in options.items()}
    given |= {"channels": channels, "target": target, "against": against, "kind": method}
    if method == "occlusion":
        given["stride"] = max(1, given["window"] // 2)
    if "of" in given:
        given["class_"], given["extra"] = _OF[given["of"]]
    lines = [
        "import numpy as np",
        "import torch",
        f"from captum.attr import {names.format(**given)}",
        "from PIL import Image",
        load,
        'x = classifier.preprocessing.tensor(Image.open("photograph.png"))',
        "",
        "class Class(torch.nn.Module):",
        "    def __init__(self, net):",
        "        super().__init__()",
        "        self.net = net",
        "    def forward(self, x):",
        f"        logits = self.net(x)  # the class is {target}{'' if against is None else f' rather than {against}'}",
        f"        return logits[:, {target}:{target + 1}]"
        + ("" if against is None else f" - logits[:, {against}:{against + 1}]"),
        "",
        "score = Class(classifier.private_view())",
        *([_BASELINES[given["baseline"]]] if "baseline" in given else []),
        call.format(**given),
        f"{end}  # {METHODS[method].title}",
    ]
    return "\n".join(lines)
