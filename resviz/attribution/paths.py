"""What only a residual network can be asked: where along the depth the evidence forms, and by which path it comes."""

from __future__ import annotations

import torch
from captum._utils.gradient import compute_layer_gradients_and_eval
from captum.attr import LayerActivation
from PIL import Image
from torch import Tensor, nn

from resviz.attribution.question import Tick, ask, watched
from resviz.results import Attribution, Paths
from resviz.zoo.classifier import Classifier

__all__ = ["grad_cam_by_block", "two_paths"]


def _quiet(fraction: float, note: str = "", partial: object = None) -> None: ...


def grad_cam_by_block(
    classifier: Classifier, image: Image.Image, target: int, against: int | None = None, tick: Tick = _quiet
) -> tuple[Attribution, ...]:
    """Layer Grad-CAM at every block, in forward order."""
    question = ask(classifier, image, "grad-cam", target, None, against)
    net, blocks = question.view(), list(classifier.spec.block_names())
    watched(net, len(blocks), tick)
    maps = []
    for block in blocks:
        found = question.answer(net, tick, layer=block)
        maps.append(Attribution("grad-cam", target, found.values, True, block))
    return tuple(maps)


def two_paths(
    classifier: Classifier, image: Image.Image, target: int, block: str, against: int | None = None, tick: Tick = _quiet
) -> Paths:
    """Gradient × activation at a block's addition, of what the skip brings, of what the branch brings, and of their sum.

    The three activations are read at three places, so that their agreement is a check and no identity.
    """
    question = ask(classifier, image, "grad-cam", target, {"layer": block}, against)
    spec, net = classifier.spec, classifier.fast_view()
    if not spec.has_skip(block) or block in spec.dropped:
        raise ValueError(
            f"{block} of {classifier.name} has no two paths: its skip is cut or its branch dropped; choose another block"
        )
    watched(net, 3, tick)
    score, unit = question.score(net), dict(net.units())[block]
    at, before = unit.joined
    gradients, sums = compute_layer_gradients_and_eval(score, at, question.x, 0, attribute_to_layer_input=before)
    gradient, whole = gradients[0].detach(), sums[0].detach()
    with torch.no_grad():
        branch = _activation(score, unit.tail, question.x)
        if unit.downsample is not None:
            skip = _activation(score, unit.downsample, question.x)
        else:
            skip = LayerActivation(score, unit).attribute(question.x, attribute_to_layer_input=True)
    maps = [(gradient * part).sum(1)[0].detach().cpu().double() for part in (skip, branch, whole)]
    missed = (maps[0] + maps[1] - maps[2]).norm() / maps[2].norm().clamp_min(1e-30)
    return Paths(block, maps[0].numpy(), maps[1].numpy(), maps[2].numpy(), float(missed))


def _activation(score: nn.Module, layer: nn.Module, x: Tensor) -> Tensor:
    found: Tensor = LayerActivation(score, layer).attribute(x)
    return found.detach()
