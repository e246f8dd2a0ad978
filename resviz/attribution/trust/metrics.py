"""What is measured of a map, each metric a function of numbers; equal to Quantus on equal inputs, which `make parity` shows.

A map is (H, W), positive where it speaks for the class. Logits are what a network makes of pictures, (N, C, H, W) to (N, classes),
`explain` makes the map of one picture, (1, C, H, W).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from resviz.attribution.trust.imputation import impute

__all__ = [
    "Draw",
    "Explain",
    "Logits",
    "completeness",
    "complexity",
    "flipping_curve",
    "localisation",
    "max_sensitivity",
    "random_logit",
    "rank_correlation",
    "road",
    "smooth_mprt",
    "smoothed",
    "sparseness",
    "spread",
]

Logits = Callable[[Tensor], Tensor]
Explain = Callable[[Tensor], np.ndarray]
Draw = np.random.Generator | np.random.RandomState  # the second is what the libraries that are compared with draw from


@torch.no_grad()
def flipping_curve(
    logits: Logits, ends: tuple[Tensor, Tensor], values: np.ndarray, target: int, fractions: np.ndarray, size: int
) -> np.ndarray:
    """The class's probability while pixels turn from the first picture into the second, strongest evidence first.

    Pixel flipping (Bach et al. 2015) where the second is a baseline; `size` pictures go through together.
    """
    start, end = ends
    place = np.empty(values.size)
    place[np.argsort(-values, axis=None, kind="stable")] = np.arange(values.size)
    rank = torch.from_numpy(place.reshape(values.shape))[None, None]
    probabilities = []
    for chunk in np.array_split(fractions, -(-len(fractions) // size)):
        turned = (rank < torch.from_numpy(chunk * values.size).view(-1, 1, 1, 1)).to(start.device)  # (n, 1, H, W)
        answer = logits(torch.where(turned, end, start).contiguous(memory_format=torch.channels_last))
        probabilities.append(torch.softmax(answer.cpu().double(), 1)[:, target])
    return torch.cat(probabilities).numpy()


@torch.no_grad()
def road(
    logits: Logits, x: Tensor, values: np.ndarray, target: int, shares: Sequence[float], draw: Draw, noise: float = 0.01
) -> np.ndarray:
    """Whether the class is still the answer after each share of the pixels, strongest first, was imputed (Rong et al. 2022).

    What is imputed depends on what surrounds it, so that the place of what is gone tells the network little.
    """
    order = np.argsort(-values, axis=None, kind="stable")
    picture = x[0].cpu().double().numpy()
    filled = []
    for share in shares:
        gone = np.zeros(values.size, bool)
        gone[order[: int(values.size * share)]] = True
        filled.append(impute(picture, gone.reshape(values.shape), draw, noise))
    given = torch.from_numpy(np.stack(filled)).to(x).contiguous(memory_format=torch.channels_last)
    kept: np.ndarray = (logits(given).argmax(1) == target).cpu().numpy()
    return kept


def max_sensitivity(explain: Explain, x: Tensor, values: np.ndarray, radius: float, nudges: int, draw: Draw) -> float:
    """The largest change of the map, relative to its norm, when every input changes by at most `radius` (Yeh et al. 2019)."""
    changes = []
    for _ in range(nudges):
        nudge = torch.from_numpy(draw.uniform(-radius, radius, tuple(x.shape))).to(x)
        changes.append(float(np.linalg.norm(values - explain(x + nudge))))
    norm = float(np.linalg.norm(values))
    return max(changes) / norm if norm else float("nan")


def localisation(values: np.ndarray, inside: np.ndarray) -> float:
    """The share of the positive evidence that lies inside a mask: on the class's tiles of a mosaic (Arias-Duart et al. 2022)."""
    positive = np.clip(values, 0, None)
    total = float(positive.sum())
    return float(positive[inside].sum()) / total if total else float("nan")


def sparseness(values: np.ndarray) -> float:
    """The Gini index of the strengths (Chalasani et al. 2020): 0 where all are the same, 1 − 1/n where one of n is alone."""
    strength = np.sort(np.abs(values), axis=None)
    total, n = float(strength.sum()), strength.size
    return float(((2 * np.arange(1, n + 1) - n - 1) * strength).sum()) / (n * total) if total else float("nan")


def complexity(values: np.ndarray) -> float:
    """The entropy, in nats, of the pixels' shares of the strength (Bhatt et al. 2020): log n where all n have the same."""
    strength = np.abs(values).ravel()
    total = float(strength.sum())
    share = strength[strength > 0] / total if total else np.full(1, np.nan)
    return abs(float((share * np.log(share)).sum()))


def completeness(values: np.ndarray, change: float) -> float:
    """How far the map's sum is from the score's change, as a share of it (Sundararajan et al. 2017)."""
    return abs(float(values.sum()) - change) / abs(change) if change else float("nan")


def spread(x: Tensor, magnitude: float, samples: int, draw: Draw) -> list[Tensor]:
    """What is added to a picture to average over: noise of `magnitude` times its range, and in the end nothing."""
    scale = magnitude * float(x.max() - x.min())
    drawn = [torch.from_numpy(draw.standard_normal(tuple(x.shape)) * scale).to(x) for _ in range(samples - 1)]
    return [*drawn, torch.zeros_like(x)]


def smoothed(explain: Explain, x: Tensor, noise: Sequence[Tensor]) -> np.ndarray:
    """The average of the maps of as many noisy pictures."""
    return np.asarray(np.mean([explain(x + each) for each in noise], 0))


def smooth_mprt(trained: Explain, randomised: Iterable[Explain], x: Tensor, noise: Sequence[Tensor]) -> np.ndarray:
    """Rank correlation of the averaged map with that of each network that is more and more random (sMPRT, Hedström et al. 2024).

    Averaging takes away the noise in gradients, which would pass for an answer to the weights. Values keep their signs.
    """
    before = smoothed(trained, x, noise)
    return np.array([rank_correlation(before, smoothed(explain, x, noise)) for explain in randomised])


def random_logit(values: np.ndarray, other: np.ndarray) -> float:
    """Structural similarity of the maps for two classes (Sixt et al. 2020), each over its own largest strength."""
    from skimage.metrics import structural_similarity

    scaled = [each / (np.abs(each).max() or 1.0) for each in (values, other)]
    extent = float(max(each.max() for each in scaled) - min(each.min() for each in scaled))
    return float(structural_similarity(*scaled, data_range=extent)) if extent else 1.0


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's, of the values as they are drawn: a map whose signs are turned is not the same map."""
    from scipy.stats import spearmanr

    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a.ravel(), b.ravel()).statistic)
