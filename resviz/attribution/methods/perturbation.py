"""Methods that cover parts of the picture and look at what the score loses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from captum.attr import Occlusion, PerturbationAttribution
from torch import Tensor
from torch.nn import functional as F

from resviz.attribution.method import BatchSize, Evidence, Score, Setting, Values, few, flat, in_batches, numbers
from resviz.nets.inference.fused import near

__all__ = [
    "masked_scores",
    "occlusion",
    "occlusion_pictures",
    "over_superpixels",
    "randomly_masked",
    "rise",
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


def masked_scores(score: Score, x: Tensor, base: Tensor, masks: Tensor) -> Tensor:
    """The score of the picture seen through each mask, (N, H, W) from 0 to 1, over the picture without evidence: (N,)."""
    pictures = base + (x - base) * masks[:, None]
    found: Tensor = score(pictures.contiguous(memory_format=torch.channels_last))[:, 0]
    return found


def randomly_masked(score: Score, x: Tensor, base: Tensor, samples: int, cells: int, batch_size: BatchSize = few) -> np.ndarray:
    """(H, W): how far the score is above its mean where a pixel is seen, over random masks of so many cells a side, half of them open.

    Masks are drawn as by Petsiuk et al. 2018: a coarse grid, enlarged and shifted by less than a cell, from torch's random numbers.
    """
    height, width = x.shape[-2:]
    step = [-(-side // cells) for side in (height, width)]
    grids = (torch.rand(samples, 1, cells, cells) < 0.5).float()
    shifts = torch.stack([torch.randint(0, most, (samples,)) for most in step], 1).tolist()
    seen, evidence, scores = torch.zeros(height, width), torch.zeros(height, width), []
    with torch.no_grad():
        for some in in_batches(samples, batch_size):
            large = F.interpolate(grids[some], [(cells + 1) * each for each in step], mode="bilinear", align_corners=False)
            masks = torch.stack(
                [mask[0, r : r + height, c : c + width] for mask, (r, c) in zip(large, shifts[some], strict=True)]
            )
            found = masked_scores(score, x, base, masks.to(x.device)).cpu()
            seen += masks.sum(0)
            evidence += torch.einsum("n,nhw->hw", found, masks)
            scores.append(found)
    return numbers(evidence / seen.clamp(min=1e-6) - torch.cat(scores).mean())


def rise(setting: Setting) -> Evidence:
    """What the score gains, on average over random masks, where a pixel is seen."""
    samples, cells = setting.count("samples"), min(setting.count("cells"), setting.side)
    batch_size = partial(setting.batch_size, gradients=False)
    return Evidence(randomly_masked(setting.score, setting.x, setting.baseline(), samples, cells, batch_size), signed=True)
