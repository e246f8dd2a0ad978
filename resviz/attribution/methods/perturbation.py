"""Methods that cover parts of the picture and look at what the score loses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from captum.attr import Occlusion, PerturbationAttribution
from torch import Tensor

from resviz.attribution.method import Evidence, Score, Setting, Values, flat, numbers
from resviz.nets.inference.fused import near

__all__ = [
    "occlusion",
    "occlusion_pictures",
    "over_superpixels",
    "superpixels",
]


def occlusion(setting: Setting) -> Evidence:
    """What the score loses, on average over the squares that cover a pixel."""
    x, (window, stride) = setting.x, _square(setting.side, setting.values)
    near(setting.score.net, x)
    with torch.no_grad():
        lost = Occlusion(setting.score).attribute(
            x,
            sliding_window_shapes=(x.shape[1], window, window),
            strides=(x.shape[1], stride, stride),
            target=0,
            baselines=setting.baseline(),
            perturbations_per_eval=setting.batch_size(occlusion_pictures(setting.side, setting.values), gradients=False),
        )
    return Evidence(flat(lost) / x.shape[1], True)


def _square(side: int, values: Values) -> tuple[int, int]:
    """The covered square's side and how far it moves, in pixels."""
    window = min(int(values["window"]), side)
    return window, max(1, window // 2)


def occlusion_pictures(side: int, values: Values) -> int:
    """Pictures that an occlusion puts through the network."""
    window, stride = _square(side, values)
    across = -(-(side - window) // stride) + 1
    return 1 + across * across


def superpixels(x: Tensor, count: int) -> Tensor:
    """(1, 1, H, W) whole numbers from 0: regions of like colour (SLIC, Achanta et al. 2012)."""
    from skimage.segmentation import slic

    pixels = numbers(x[0].permute(1, 2, 0))
    labels = slic(pixels, n_segments=count, compactness=float(pixels.std()) * 3, start_label=0, channel_axis=-1)
    if len(np.unique(labels)) < max(2, count // 3):  # a picture of nearly one colour: a grid
        across = max(2, round(count**0.5))
        row, column = (np.arange(n) * across // n for n in labels.shape)
        labels = row[:, None] * across + column
    return torch.from_numpy(np.unique(labels, return_inverse=True)[1].reshape(labels.shape))[None, None].to(x.device)


def over_superpixels(make: Callable[[Score], PerturbationAttribution], sampled: bool) -> Callable[[Setting], Evidence]:
    """`make` makes the Captum method; `sampled` ones draw combinations of superpixels."""

    def run(setting: Setting) -> Evidence:
        mask = superpixels(setting.x, setting.count("superpixels"))
        if not sampled:  # one region at a time
            near(setting.score.net, setting.x)
        extra = {"n_samples": setting.count("samples")} if sampled else {}
        with torch.no_grad():
            lost = make(setting.score).attribute(
                setting.x,
                baselines=setting.baseline(),
                target=0,
                feature_mask=mask,
                perturbations_per_eval=setting.batch_size(
                    setting.count("samples" if sampled else "superpixels"), gradients=False
                ),
                **extra,
            )
        # a superpixel's evidence stands at each of its pixels; shared among them, the map sums to the evidence
        size = numbers(torch.bincount(mask.flatten().cpu())[mask[0, 0].cpu()])
        return Evidence(numbers(lost[0, 0]) / size, True)

    return run
