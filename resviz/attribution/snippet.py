"""The Python that makes a map again with Captum alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from resviz.attribution.methods import METHODS

__all__ = ["snippet"]

_SUM: Final = "values = found.detach().sum(1)[0].numpy()"
_LAYER: Final = 'values = LayerAttribution.interpolate(found.detach().sum(1, keepdim=True), x.shape[-2:], interpolate_mode="bilinear")[0, 0].numpy()'
_BASELINES: Final = {
    "mean": "base = torch.zeros_like(x)  # the data's mean colour",
    "black": "base = torch.zeros_like(x) + classifier.preprocessing.black()",
    "blur": "from resviz.attribution.kinds import baseline\nbase = baseline(x, 'blur')",
    "noise": "base = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))",
}
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
    "smoothgrad": (
        "NoiseTunnel, Saliency",
        'torch.manual_seed(0)\nfound = NoiseTunnel(Saliency(score)).attribute(x, nt_type="smoothgrad", nt_samples={samples}, '
        "stdevs={noise} * float(x.max() - x.min()), target=0, abs=False)",
        _SUM,
    ),
}


def snippet(
    load: str, method: str, target: int, options: Mapping[str, Any], against: int | None = None, channels: int = 3
) -> str:
    """Runnable Python for one map, or "" where a method needs more than one call; `load` is the line that makes `classifier`."""
    if method not in _CALLS or (method == "smoothgrad" and options.get("of", "saliency") != "saliency"):
        return ""
    names, call, end = _CALLS[method]
    numbers = {
        name: int(value) if float(value).is_integer() else value for name, value in options.items() if not isinstance(value, str)
    }
    words = {name: value for name, value in options.items() if isinstance(value, str)}
    if method == "occlusion":
        numbers["stride"] = max(1, numbers["window"] // 2)
    lines = [
        "import torch",
        f"from captum.attr import {names}",
        "from PIL import Image",
        load,
        'x = classifier.preprocessing.tensor(Image.open("photograph.png"))',
        "",
        "class Score(torch.nn.Module):",
        "    def __init__(self, net):",
        "        super().__init__()",
        "        self.net = net",
        "    def forward(self, x):",
        f"        logits = self.net(x)  # the class is {target}{'' if against is None else f' rather than {against}'}",
        f"        return logits[:, {target}:{target + 1}]"
        + ("" if against is None else f" - logits[:, {against}:{against + 1}]"),
        "",
        "score = Score(classifier.private_view())",
        *([_BASELINES[words["baseline"]]] if "base=" in call or "baselines=base" in call else []),
        call.format(channels=channels, **numbers, **words),
        f"{end}  # {METHODS[method].title}",
    ]
    return "\n".join(lines)
