"""The Python that makes a map again: Captum computes it, this project loads the network and cuts the picture out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["AT_LAYER", "REGIONS", "SEED", "SEVERAL", "SHARED", "SUM", "Snippet", "of_layer"]

SEVERAL: Final = """from resviz.attribution.baselines import baseline
base = torch.cat([baseline(x, kind, classifier.preprocessing.black()) for kind in ("mean", "black", "blur")])
"""
SEED: Final = "torch.manual_seed(0)\nnp.random.seed(0)\n"
REGIONS: Final = """from resviz.attribution.methods.perturbation import superpixels
regions = superpixels(x, {superpixels})  # of like colour
"""
SHARED: Final = "values = found[0, 0].double().numpy() / np.bincount(regions.flatten().numpy())[regions[0, 0].numpy()]"
SUM: Final = "values = found.detach().sum(1)[0].numpy()"
AT_LAYER: Final = 'values = LayerAttribution.interpolate(found.detach().sum(1, keepdim=True), x.shape[-2:], interpolate_mode="bilinear")[0, 0].numpy()'
_BASELINES: Final = {
    "mean": "base = torch.zeros_like(x)  # the data's mean colour",
    "black": "base = torch.zeros_like(x) + classifier.preprocessing.black()",
    "blur": "from resviz.attribution.baselines import baseline\nbase = baseline(x, 'blur')",
    "noise": "base = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))",
}
_SCRIPT: Final = """import numpy as np
import torch
{imports}from PIL import Image
{load}
x = classifier.preprocessing.tensor(Image.open("photograph.png"))

class Class(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net
    def forward(self, x):
        logits = self.net(x)  # the class is {words}
        return {score}

score = Class(classifier.private_view())
{base}{call}
{values}  # {title}"""


@dataclass(frozen=True)
class Snippet:
    """How Captum makes a method's map: what is imported from captum.attr, if anything, the call, and how its answer becomes the map.

    Names in braces stand for the method's values and layer, `channels`, `target`, `against` and `kind`, the method's name.
    `averaged` is what a noise tunnel over the method hands on to it.
    """

    imports: str
    call: str
    values: str = SUM
    averaged: str = ""

    def script(self, load: str, title: str, target: int, against: int | None, fields: Mapping[str, object]) -> str:
        """Runnable Python for one map; `load` is the line that makes `classifier`, `fields` are the values and the other names."""
        words, score = f"{target}", f"logits[:, {target}:{target + 1}]"
        if against is not None:
            words, score = f"{words} rather than {against}", f"{score} - logits[:, {against}:{against + 1}]"
        known = dict(fields) | {"target": target, "against": against}
        parts = {
            "imports": f"from captum.attr import {self.imports.format(**known)}\n" if self.imports else "",
            "call": self.call.format(**known),
            "values": self.values,
            "base": f"{_BASELINES[str(fields['baseline'])]}\n" if "baseline" in fields else "",
        }
        return _SCRIPT.format(load=load, title=title, words=words, score=score, **parts)


def of_layer(name: str, arguments: str) -> Snippet:
    """Captum's call of a method that looks at a layer and is brought to the picture's size."""
    imports = ", ".join(sorted(("LayerAttribution", name)))
    return Snippet(imports, f'found = {name}(score, score.net.get_submodule("{{layer}}")).attribute(x{arguments})', AT_LAYER)
