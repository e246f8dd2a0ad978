"""What a transfer is made of: a network without its head, its batches, and its answers."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from resviz.data.images import ImageSet
from resviz.machine import device
from resviz.nets.build import skeleton
from resviz.nets.families.resnet import ResNet
from resviz.training.recipes import Augmentation, CropFlip, ResizedCropFlip
from resviz.zoo.classifier import Classifier

__all__ = ["augmented", "beheaded", "even_batch", "is_norm", "logits"]

_SMALL = 64  # pixels up to which a picture is shifted by a few pixels, as small ones are, and not cropped at random


def is_norm(module: nn.Module) -> bool:
    """Whether it normalises."""
    return isinstance(module, nn.BatchNorm2d | nn.GroupNorm)


def beheaded(start: Classifier, classes: int) -> ResNet:
    """A copy of the start network for other classes, whose head is all zeros."""
    net = skeleton(replace(start.spec, classes=classes), start.net.variant)
    tensors = {name: tensor.detach().cpu().clone() for name, tensor in start.net.state_dict().items()}
    channels = tensors["fc.weight"].shape[1]
    net.load_state_dict(tensors | {"fc.weight": torch.zeros(classes, channels), "fc.bias": torch.zeros(classes)}, assign=True)
    return net


def even_batch(most: int, count: int) -> int:
    """The largest batch up to `most` that leaves out fewest of `count` pictures."""
    return count // -(-count // most)


def augmented(side: int) -> Augmentation:
    """Shifts by a few pixels of small pictures, random crops of others; both flipped at random."""
    return CropFlip() if side <= _SMALL else ResizedCropFlip((side,))


@torch.inference_mode()
def logits(net: ResNet, images: ImageSet) -> Tensor:
    """In eval mode: (N, classes), on the processor; the network's mode is put back by whoever trains on."""
    net.eval()
    found = [net(x.to(device())).float().cpu() for x, _ in images.batches(max(1, 32 * 128**2 // images.images.shape[-1] ** 2))]
    return torch.cat(found)
