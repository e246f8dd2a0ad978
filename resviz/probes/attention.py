"""What does each token read? The softmax of queries and keys, of one picture, for every layer and head."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from resviz.nets.families.transformer import Attention, Transformer
from resviz.results import AttentionMaps
from resviz.spec.datasets import symbol

__all__ = ["attention_maps"]


@torch.no_grad()
def attention_maps(net: Transformer, picture: Tensor, label: int, steps: int = 0) -> AttentionMaps:
    """Of one picture (1, C, side, side), or sequence; the network, which learned for `steps`, is used as it is and stays so."""
    found, x = [], net.stem(picture)
    for _, unit in net.units():
        if isinstance(unit, Attention):
            found.append(unit.weights(x)[0])
        x = unit(x)
    answer = int(net.head(x).argmax())
    symbols = net.spec.vocabulary > 0
    said, told = (symbol(each + 1) if symbols else str(each) for each in (label, answer))
    return AttentionMaps(torch.stack(found).float().numpy(), np.asarray(picture[0].mean(0)), said, told, steps, symbols)
