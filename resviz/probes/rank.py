"""Do the tokens stay different, or does attention make them one and the same?

Dong et al. 2021 (arXiv 2103.03404): ‖res(X)‖ / ‖X‖ by depth, as in their figure 2. Their bound is in √(‖·‖₁ ‖·‖∞); here both norms are
Frobenius', of which the mean token is the minimiser of ‖X − 1xᵀ‖.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from resviz.data.datasets import probed
from resviz.nets.build import build
from resviz.nets.cost import check_memory, layer_table
from resviz.nets.families.transformer import Transformer
from resviz.progress import Tick, quiet
from resviz.results import Collapse
from resviz.spec.transformer import TransformerSpec

__all__ = ["rank_collapse", "variants_of"]

_MACS: Final = 2e9  # of all pictures of one variant: a second or two
_MOST: Final = 16  # pictures


def variants_of(spec: TransformerSpec) -> dict[str, TransformerSpec]:
    """The design with all its skips, as it is cut, without any, and both ends without MLPs."""
    whole = replace(spec.plain(), residual=True)
    found = {"with skips": whole}
    if spec not in (whole, whole.plain()):
        found["as cut"] = spec
    found["without skips"] = whole.plain()
    if spec.mlp:
        bare = whole.resized(mlp=0)
        found |= {"with skips, no MLP": bare, "attention alone": bare.plain()}
    return found


@torch.no_grad()
def rank_collapse(spec: TransformerSpec, layers: int | None = None, tick: Tick = quiet) -> Collapse:
    """What is left of the tokens' differences behind each layer, of `variants_of` at their initial weights, in double precision.

    They read handwritten digits, or sequences, at most 16 and fewer where a pass costs much. With `layers` the design is first made so deep.
    Raises `SpecError` for a network that would not fit into memory.
    """
    variants = variants_of(spec if layers is None else spec.resized(num_layers=layers))
    images = max(1, min(_MOST, int(_MACS / max(layer_table(each, each.image).macs for each in variants.values()))))
    inputs, _ = probed(spec, images, spec.image)
    found: dict[str, np.ndarray] = {}
    for number, (name, each) in enumerate(variants.items()):
        check_memory(each, each.image, images)
        net = build(each).double().eval()
        assert isinstance(net, Transformer)  # as its spec is
        x = net.stem(inputs.double())
        left = [_residual(x)]
        for layer in net.encoder.layers:
            tick((number + (len(left) - 1) / each.num_layers) / len(variants))
            x = layer(x)
            left.append(_residual(x))
        found[name] = np.array(left)
    return Collapse(found, images, "sequence" if spec.vocabulary else "digit")


def _residual(x: Tensor) -> float:
    """The median over pictures of (N, T, D)."""
    rest = x - x.mean(1, keepdim=True)
    return float((rest.norm(dim=(1, 2)) / x.norm(dim=(1, 2))).median())
