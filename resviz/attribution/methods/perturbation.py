"""Methods that cover parts of the picture and look at what the score loses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from captum.attr import Occlusion
from torch import Tensor

from resviz.attribution.method import Found, Options, Run, Score, base_of, flat, numbers, together
from resviz.nets.inference.fused import near

__all__ = [
    "occlusion",
    "occlusion_pictures",
    "over_superpixels",
    "superpixels",
]


def occlusion(score: Score, x: Tensor, options: Options) -> Found:
    window = min(int(options["window"]), x.shape[-1])
    near(score.net, x)
    with torch.no_grad():
        found = Occlusion(score).attribute(
            x,
            sliding_window_shapes=(x.shape[1], window, window),
            strides=(x.shape[1], _stride(window), _stride(window)),
            target=0,
            baselines=base_of(x, options),
            perturbations_per_eval=together(score, x, occlusion_pictures(x, options), False),
        )
    return Found(flat(found) / x.shape[1], True)


def _stride(window: int) -> int:
    return max(1, window // 2)


def occlusion_pictures(x: Tensor, options: Options) -> int:
    """Pictures that an occlusion puts through the network."""
    window = min(int(options["window"]), x.shape[-1])
    across = -(-(x.shape[-1] - window) // _stride(window)) + 1
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


def over_superpixels(make: Callable[[Score], Any], sampled: bool) -> Run:
    """`make` makes the Captum method; `sampled` ones draw combinations of superpixels."""

    def run(score: Score, x: Tensor, options: Options) -> Found:
        mask = superpixels(x, int(options["superpixels"]))
        if not sampled:  # one region at a time
            near(score.net, x)
        extra: dict[str, Any] = {"n_samples": int(options["samples"])} if sampled else {}
        with torch.no_grad():
            found = make(score).attribute(
                x,
                baselines=base_of(x, options),
                target=0,
                feature_mask=mask,
                perturbations_per_eval=together(score, x, int(options["samples" if sampled else "superpixels"]), False),
                **extra,
            )
        # a superpixel's evidence stands at each of its pixels; shared among them, the map sums to the evidence
        size = numbers(torch.bincount(mask.flatten().cpu())[mask[0, 0].cpu()])
        return Found(numbers(found[0, 0]) / size, True)

    return run
