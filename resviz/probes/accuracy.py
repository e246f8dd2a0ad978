"""How often is a network wrong, and how far off?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resviz.data.images import ImageSet
from resviz.probes.untouched import untouched

__all__ = ["agreement", "evaluate", "percent_right"]


def agreement(logits: Tensor, labels: Tensor) -> Tensor:
    """(2, K) counts, which add up over batches: how often answer and label agree, of how many; see `percent_right`.

    Of labels (N,) K is 1. Where every pixel has a label, (N, H, W), each class but the first, which is the background, counts its
    pixels in both answer and label, of those in either.
    """
    answers = logits.argmax(1)
    if labels.dim() == 1:
        return torch.tensor([[int((answers == labels).sum())], [len(labels)]], dtype=torch.float64)
    each = [((answers == kind), (labels == kind)) for kind in range(1, logits.shape[1])]
    return torch.stack([torch.stack([(one & other).sum(), (one | other).sum()]) for one, other in each], 1).cpu().double()


def percent_right(counts: Tensor) -> float:
    """Of the counts of `agreement`: accuracy, or of pixels IoU, the mean over the classes that occur, in percent."""
    agreed, of = counts[:, counts[1] > 0]
    return 100 * (agreed / of).mean().item() if len(of) else 100.0


@torch.inference_mode()
def evaluate(net: nn.Module, images: ImageSet, pixels: int = 500 * 32 * 32) -> tuple[float, float]:
    """Error in percent and mean cross-entropy, fp32, eval mode, no augmentation; every layer's mode is put back.

    Where every pixel has a label the error is what IoU lacks to 100 %. `pixels` is how many go through the network together.
    """
    device = next(net.parameters()).device
    counts, loss = torch.zeros(2, 1, dtype=torch.float64), 0.0
    with untouched(net):
        net.eval()
        for inputs, labels in images.batches(max(1, pixels // images.images.shape[-1] ** 2)):
            logits, labels = net(inputs.to(device)), labels.to(device)
            counts = counts + agreement(logits, labels)
            loss += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
    return 100 - percent_right(counts), loss / images.labels.numel()
