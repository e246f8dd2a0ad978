"""How often is a network wrong, and how far off?"""

from __future__ import annotations

import torch
from torch import nn

from resviz.data.images import ImageSet

__all__ = ["evaluate"]


@torch.inference_mode()
def evaluate(net: nn.Module, images: ImageSet, pixels: int = 500 * 32 * 32) -> tuple[float, float]:
    """Error in percent and mean cross-entropy, fp32, eval mode, no augmentation; the network's mode is put back.

    `pixels` is how many go through the network together.
    """
    was_training, device = net.training, next(net.parameters()).device
    net.eval()
    wrong, loss = 0, 0.0
    try:
        for inputs, labels in images.batches(max(1, pixels // images.images.shape[-1] ** 2)):
            logits, labels = net(inputs.to(device)), labels.to(device)
            wrong += int((logits.argmax(1) != labels).sum())
            loss += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
    finally:
        net.train(was_training)
    return 100 * wrong / len(images), loss / len(images)
