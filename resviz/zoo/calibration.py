"""How sure may a network say that it is? Its temperature, its calibration error, and which classes it takes for which."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from resviz.data.images import ImageSet
from resviz.results.card import AnswersCard, CalibrationCard
from resviz.zoo.classifier import Classifier

__all__ = ["calibration_error", "fitted_temperature", "held_out_logits", "measured_answers", "measured_calibration"]

_BINS = 15  # Guo et al. 2017, arXiv 1706.04599
_CONFUSIONS = 12  # of a card


@torch.inference_mode()
def held_out_logits(classifier: Classifier, images: ImageSet, size: int = 64) -> tuple[Tensor, Tensor]:
    """Logits (N, classes) and labels (N,) of labelled pictures, `size` at a time."""
    view = classifier.fast_view(fused=True)
    device = next(view.parameters()).device
    answers = [(view(x.to(device)).cpu().double(), labels) for x, labels in images.batches(size)]
    return torch.cat([logits for logits, _ in answers]), torch.cat([labels for _, labels in answers])


def fitted_temperature(logits: Tensor, labels: Tensor) -> float:
    """The T for which softmax(logits / T) makes the labels likeliest (Guo et al. 2017); logits (N, classes), labels (N,)."""
    from scipy.optimize import minimize_scalar

    def surprise(log_temperature: float) -> float:
        return float(torch.nn.functional.cross_entropy(logits / np.exp(log_temperature), labels))

    return float(np.exp(minimize_scalar(surprise, bounds=(-3, 3), method="bounded").x))


def calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64], bins: int = _BINS) -> float:
    """The expected calibration error: |accuracy − confidence| in bins of equal width, weighted by how many fall into each.

    `probabilities` are (N, classes), `labels` (N,). Source: Guo et al. 2017, equation 3.
    """
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(place, right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def measured_calibration(logits: Tensor, labels: Tensor, what: str) -> CalibrationCard:
    """The temperature from every second picture, and the calibration error before and after on those that had no say in it."""
    temperature = fitted_temperature(logits[::2], labels[::2])
    rest, truth = logits[1::2], labels[1::2].numpy()
    before, after = (calibration_error(torch.softmax(rest / t, 1).numpy(), truth) for t in (1.0, temperature))
    return {
        "temperature": round(temperature, 4),
        "error_before": round(before, 4),
        "error_after": round(after, 4),
        "bins": _BINS,
        "measured": f"fitted on {len(labels) - len(truth):,} of {what}, measured on the other {len(truth):,}",
    }


def measured_answers(logits: Tensor, labels: Tensor, categories: tuple[str, ...]) -> AnswersCard:
    """The top-5 error, each class's own error, and the mistakes that are made most often; in percent of a class's pictures."""
    answers = logits.argmax(1)
    missed = ~(logits.topk(min(5, len(categories)), 1).indices == labels[:, None]).any(1)
    counts = torch.bincount(labels, minlength=len(categories)).clamp(min=1)
    table = torch.zeros(len(categories), len(categories))
    table.index_put_((labels, answers), torch.ones(len(labels)), accumulate=True)
    share = 100 * table / counts[:, None]
    errors = 100 - share.diagonal()
    share.fill_diagonal_(0)
    order = torch.argsort(share.flatten(), descending=True, stable=True)[:_CONFUSIONS].tolist()
    pairs = [(place // len(categories), place % len(categories)) for place in order]
    return {
        "top5_error": round(100 * float(missed.double().mean()), 2),
        "class_errors": {name: round(error, 1) for name, error in zip(categories, errors.tolist(), strict=True)},
        "confusions": [(categories[a], categories[b], round(float(share[a, b]), 1)) for a, b in pairs if share[a, b] > 0],
    }
