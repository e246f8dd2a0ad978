"""Class activation maps: a block's channels, each weighted by what it has to do with the class; FullGrad adds up every layer's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np
import torch
from captum._utils.gradient import compute_layer_gradients_and_eval
from captum.attr import LayerActivation, LayerAttribution
from torch import Tensor, nn
from torch.nn import functional as F

from resviz.attribution.method import (
    BatchSize,
    Evidence,
    Method,
    Parameter,
    Score,
    Setting,
    few,
    flat,
    in_batches,
    numbers,
    pictures,
)
from resviz.attribution.methods.perturbation import masked_scores
from resviz.attribution.methods.snippet import AT_LAYER, Snippet, of_layer
from resviz.spec.net import Norm

__all__ = [
    "CAMS",
    "eigen_cam",
    "eigen_projection",
    "full_gradient",
    "fullgrad",
    "grad_cam_plus_plus",
    "gradient_cam",
    "hires_cam",
    "layer_cam",
    "output_and_gradient",
    "score_cam",
    "score_weighted",
    "xgrad_cam",
]

_TINY = 1e-7  # what keeps a quotient of nothing from being one


def output_and_gradient(score: Score, module: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """A block's output and the score's gradient with respect to it, (1, C, h, w) each."""
    gradients, outputs = compute_layer_gradients_and_eval(score, module, (x,), 0)
    return outputs[0].detach(), gradients[0].detach()


def layer_cam(output: Tensor, gradient: Tensor) -> Tensor:
    """Each place of each channel weighted by its own gradient, where that is positive (Jiang et al. 2021)."""
    return gradient.clamp(min=0) * output


def hires_cam(output: Tensor, gradient: Tensor) -> Tensor:
    """Each place of each channel weighted by its own gradient (Draelos & Carin 2020)."""
    return gradient * output


def grad_cam_plus_plus(output: Tensor, gradient: Tensor) -> Tensor:
    """Channels weighted by their positive gradients, of which each place counts as equation 19 has it (Chattopadhay et al. 2017)."""
    squared = gradient**2
    share = squared / (2 * squared + output.sum((2, 3), keepdim=True) * gradient**3 + 1e-6)
    return (gradient.clamp(min=0) * torch.where(gradient != 0, share, 0)).sum((2, 3), keepdim=True) * output


def xgrad_cam(output: Tensor, gradient: Tensor) -> Tensor:
    """Channels weighted by their gradients, of which each place counts by its share of the channel (Fu et al. 2020)."""
    weight = (gradient * output / (output.sum((2, 3), keepdim=True) + _TINY)).sum((2, 3), keepdim=True)
    return weight * output


def gradient_cam(weigh: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Setting], Evidence]:
    """A method that `weigh` makes of a block's output and gradient, (1, C, h, w), summed over the channels."""

    def run(setting: Setting) -> Evidence:
        return _at_size(weigh(*output_and_gradient(setting.score, setting.module, setting.x)), setting.x)

    return run


def _at_size(channels: Tensor, x: Tensor) -> Evidence:
    summed = channels.sum(1, keepdim=True)
    return Evidence(flat(LayerAttribution.interpolate(summed, x.shape[-2:], interpolate_mode="bilinear")), signed=True)


def eigen_projection(output: Tensor) -> Tensor:
    """Every place's part along the channels' first principal component: (1, C, h, w) to (1, 1, h, w).

    A component has no sign of its own; positive is where the block is more active. It is taken from the smaller of the two Gram matrices,
    of places or of channels, which holds all that an SVD of both would find.
    """
    places = output[0].flatten(1).T.cpu().double()
    places = places - places.mean(0)
    if len(places) < places.shape[1]:
        energies, vectors = torch.linalg.eigh(places @ places.T)
        along = energies[-1].clamp(min=0).sqrt() * vectors[:, -1]
    else:
        along = places @ torch.linalg.eigh(places.T @ places)[1][:, -1]
    along = along if along @ output[0].flatten(1).mean(0).cpu().double() >= 0 else -along
    return along.reshape(1, 1, *output.shape[2:]).to(output)


def eigen_cam(setting: Setting) -> Evidence:
    """The first principal component of the block's output (Muhammad & Yeasin 2020)."""
    with torch.no_grad():
        output = LayerActivation(setting.score, setting.module).attribute(setting.x)
    return _at_size(eigen_projection(output), setting.x)


def score_weighted(score: Score, module: nn.Module, x: Tensor, channels: int, batch_size: BatchSize = few) -> Tensor:
    """A block's channels, (1, C, h, w), each weighted by the score of the picture seen through it; the strongest `channels` of them."""
    with torch.no_grad():
        output = LayerActivation(score, module).attribute(x)[0]
        strongest = output.square().sum((1, 2)).topk(min(channels, len(output))).indices
        output = output[strongest]
        masks = F.interpolate(output[None], x.shape[-2:], mode="bilinear", align_corners=True)[0]
        low = masks.amin((1, 2), keepdim=True)
        masks = (masks - low) / (masks.amax((1, 2), keepdim=True) - low + 1e-8)
        base = torch.zeros_like(x)
        scores = torch.cat([masked_scores(score, x, base, masks[some]) for some in in_batches(len(masks), batch_size)])
        return torch.softmax(scores, 0)[None, :, None, None] * output


def score_cam(setting: Setting) -> Evidence:
    """Channels weighted by the score of the picture seen through them alone (Wang et al. 2019)."""
    channels = setting.count("strongest")
    batch_size = partial(setting.batch_size, gradients=False)
    weighted = score_weighted(setting.score, setting.module, setting.x, channels, batch_size)
    return _at_size(weighted, setting.x)


def full_gradient(score: Score, x: Tensor) -> np.ndarray:
    """(H, W): how strongly the picture's values, and every bias at its place, move the score; each channel scaled to 0 … 1.

    The bias of a batch norm in eval mode is what it adds once its mean is taken off, so that a folded network has the same map.
    """
    maps: list[Tensor] = []

    def take(channels: Tensor) -> None:
        size = channels.abs()
        size = size - size.amin((1, 2), keepdim=True)
        summed = (size / (_TINY + size.amax((1, 2), keepdim=True))).sum(0)
        maps.append(F.interpolate(summed[None, None], x.shape[-2:], mode="bilinear", align_corners=False)[0, 0])

    def listen(module: nn.Module, _: object, output: Tensor) -> None:
        bias = _bias(module)
        if bias is not None:
            output.register_hook(lambda gradient: take(bias[:, None, None] * gradient[0]))  # type: ignore[no-untyped-call] # torch leaves it unannotated

    handles = [
        module.register_forward_hook(listen) for module in score.modules() if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    try:
        x = x.detach().clone().requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(score(x).sum(), x)
    finally:
        for handle in handles:
            handle.remove()
    take((x.detach() * gradient)[0])
    return numbers(torch.stack(maps).sum(0))


def _bias(module: nn.Module) -> Tensor | None:
    """What a convolution or a norm adds to each channel, (C,); None where it adds nothing."""
    if isinstance(module, nn.BatchNorm2d):
        mean, variance = module.running_mean, module.running_var
        if mean is None or variance is None:
            return None
        return (module.bias - mean * module.weight / torch.sqrt(variance + module.eps)).detach()
    bias = module.bias
    return bias.detach() if isinstance(bias, Tensor) else None


def fullgrad(setting: Setting) -> Evidence:
    """The picture's gradient and every bias's, magnitudes of all layers together (Srinivas & Fleuret 2019)."""
    return Evidence(full_gradient(setting.score, setting.x), signed=False)


def _of_gradient(name: str) -> Snippet:
    """`weigh` of that name over Captum's output and gradient of the layer."""
    call = (
        f"from resviz.attribution.methods.cam import {name}, output_and_gradient\n"
        f'found = {name}(*output_and_gradient(score, score.net.get_submodule("{{layer}}"), x))'
    )
    return Snippet("LayerAttribution", call, AT_LAYER)


CAMS: Final[Mapping[str, Method]] = {
    "layer-cam": Method(
        "Layer-CAM", "layer", "Jiang et al. 2021, doi 10.1109/TIP.2021.3089943",
        "Where does this layer, early ones too, hold what speaks for the class?",
        "That what a small change would add tells what is there. It leaves out what speaks against.",
        run=gradient_cam(layer_cam), evaluations=pictures(1), snippet=_of_gradient("layer_cam"), layer=True,
    ),
    "hires-cam": Method(
        "HiResCAM", "layer", "Draelos & Carin 2020, arXiv 2011.08891",
        "Which places of this layer raise the score, and which lower it?",
        "Nothing more where one linear layer over all places follows; elsewhere that the score is nearly linear in this layer.",
        run=gradient_cam(hires_cam), evaluations=pictures(1), snippet=of_layer("LayerGradientXActivation", ", target=0"), layer=True,
    ),
    "grad-cam-plus-plus": Method(
        "Grad-CAM++", "layer", "Chattopadhay et al. 2017, arXiv 1710.11063",
        "Where does the evidence lie when the class is there several times?",
        "As Grad-CAM, and the exponential of the score as what is explained. It leaves out what speaks against.",
        run=gradient_cam(grad_cam_plus_plus), evaluations=pictures(1), snippet=_of_gradient("grad_cam_plus_plus"), layer=True,
    ),
    "xgrad-cam": Method(
        "XGrad-CAM", "layer", "Fu et al. 2020, arXiv 2008.02312",
        "Where does the evidence lie, if each channel counts by what it adds to the score?",
        "As Grad-CAM, that a channel means the same everywhere; each place of its gradient counts by its share of the channel.",
        run=gradient_cam(xgrad_cam), evaluations=pictures(1), snippet=_of_gradient("xgrad_cam"), layer=True,
    ),
    "eigen-cam": Method(
        "Eigen-CAM", "layer", "Muhammad & Yeasin 2020, arXiv 2008.00299",
        "What is the main pattern of this layer, whatever the class?",
        "That the strongest component is the object. It does not know the class, and negative is where the layer is quieter.",
        run=eigen_cam, evaluations=pictures(1), layer=True, backward=False,
        snippet=Snippet("LayerActivation, LayerAttribution",
                        "from resviz.attribution.methods.cam import eigen_projection\n"
                        'found = eigen_projection(LayerActivation(score, score.net.get_submodule("{layer}")).attribute(x).detach())', AT_LAYER),
    ),
    "score-cam": Method(
        "Score-CAM", "layer", "Wang et al. 2019, arXiv 1910.01279",
        "Where do the channels look through which alone the picture keeps its score?",
        "That a picture dimmed to one channel's places is still one the network can judge. No gradient; a picture for every channel.",
        run=score_cam, evaluations=lambda side, values: 1 + int(values["strongest"]), layer=True, backward=False,
        snippet=Snippet("LayerAttribution",
                        "from resviz.attribution.methods.cam import score_weighted\n"
                        'found = score_weighted(score, score.net.get_submodule("{layer}"), x, {strongest})', AT_LAYER),
        parameters={"strongest": Parameter("Channels", 64, 4, 2048, "The layer's strongest so many are asked about; a number above its width is all of them, as in the paper.")},
    ),
    "fullgrad": Method(
        "FullGrad", "gradient", "Srinivas & Fleuret 2019, arXiv 1905.00780",
        "How strongly do the picture and every bias in the network, at its place, move the score?",
        "ReLUs. Complete before magnitudes are taken; what is drawn is each layer's channels scaled to their largest, and has no sign.",
        run=fullgrad, evaluations=pictures(1), relu_only=True, inside=True, norms=frozenset({Norm.BATCH, Norm.NONE}),
        snippet=Snippet("", "from resviz.attribution.methods.cam import full_gradient", "values = full_gradient(score, x)"),
    ),
}  # fmt: skip
