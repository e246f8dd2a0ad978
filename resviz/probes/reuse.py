"""Which earlier features does each layer of a DenseNet read?

Huang et al. 2017 (arXiv 1608.06993), figure 5: the mean absolute weight from each source in a dense block to each layer that reads it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from resviz.nets.families.densenet import DenseNet
from resviz.results import Reuse

__all__ = ["feature_reuse"]


def feature_reuse(net: DenseNet) -> tuple[Reuse, ...]:
    """Each dense block's map; the last column is the transition behind it, or the classifier."""
    spec, weights, names = net.spec, net.weights(), list(net.spec.block_names())
    found, start = [], 0
    for block, count in enumerate(spec.blocks, start=1):
        layers, start = names[start : start + count], start + count
        last = block == len(spec.blocks)
        behind = spec.classifier if last else f"features.transition{block}.conv"
        values = np.full((count + 1, count + 1), np.nan)
        widths = [channels for _, channels in spec.sources(layers[-1])] + [spec.growth]
        for column, reader in enumerate([f"{layer}.conv1" for layer in layers] + [behind]):
            means = _means(weights[reader], widths[: column + 1])
            for source, mean in enumerate(means):
                severed = column < count and (layers[column], source) in spec.severed
                passed = all(map(spec.has_skip, layers[source:column]))
                made = not source or layers[source - 1] not in spec.dropped
                if passed and made and not severed:
                    values[source, column] = mean
        numbers = tuple(map(str, range(1, count + 1)))
        ends = "classifier" if last else f"transition{block}"
        found.append(Reuse(f"denseblock{block}", ("input", *numbers), (*numbers, ends), values))
    return tuple(found)


def _means(weight: Tensor, widths: list[int]) -> list[float]:
    """Mean |w| over the channels of each source, of a weight (out, in, …)."""
    return [float(piece.abs().double().mean()) for piece in torch.split(weight.detach(), widths, dim=1)]
