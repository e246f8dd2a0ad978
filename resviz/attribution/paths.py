"""What only a residual network can be asked: where along the depth the evidence forms, and by which path it comes."""

from __future__ import annotations

import torch
from captum._utils.gradient import compute_layer_gradients_and_eval
from captum.attr import LayerActivation
from torch import Tensor, nn

from resviz.attribution.question import Asked, Case, ask
from resviz.attribution.watch import watched
from resviz.progress import Tick, quiet
from resviz.results import Attribution, Paths

__all__ = ["grad_cam_by_block", "two_paths"]


def grad_cam_by_block(case: Case, tick: Tick = quiet) -> tuple[Attribution, ...]:
    """Layer Grad-CAM at every block, in forward order."""
    question = ask(case, Asked("grad-cam"))
    net, blocks = question.view(), list(case.network.spec.block_names())
    watched(net, len(blocks), tick)
    evidence = ((block, question.answer(net, tick, layer=block)) for block in blocks)
    return tuple(Attribution("grad-cam", case.target, each.values, True, block) for block, each in evidence)


def two_paths(case: Case, block: str, tick: Tick = quiet) -> Paths:
    """Gradient × activation at a block's addition, of what the skip brings, of what the branch brings, and of their sum.

    The three activations are read at three places, so that their agreement is a check and no identity.
    """
    question = ask(case, Asked("grad-cam", block))
    spec, net = case.network.spec, case.network.fast_view()
    if not spec.has_skip(block) or block in spec.dropped:
        raise ValueError(
            f"{block} of {case.network.name} has no two paths: its skip is cut or its branch dropped; choose another block"
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
