"""How sure a number over pictures is: what it would have been with other pictures, drawn from those that there are."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from resviz.results import METRICS, Interval

__all__ = ["interval", "kendall", "mean_ranks", "medians", "resamples"]

_RESAMPLES = 2000
_SPAN = (2.5, 97.5)  # percentiles


def resamples(pictures: int, count: int = _RESAMPLES, seed: int = 0) -> np.ndarray:
    """As many draws of the pictures with replacement (Efron 1979): (count, pictures) places; the same for the same seed."""
    return np.random.default_rng(seed).integers(pictures, size=(count, pictures))


def medians(scores: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """(methods, pictures) to (methods, draws), over the pictures that could be measured; NaN where none could."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return np.asarray(np.nanmedian(scores[:, drawn], -1))


def interval(value: float, drawn: np.ndarray) -> Interval:
    """The value with the middle 95 % of what it was in the draws where it could be measured."""
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not known.size:
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.percentile(known, _SPAN)
    return Interval(float(value), float(low), float(high))


def mean_ranks(found: Mapping[str, np.ndarray]) -> np.ndarray:
    """The mean over the metrics of each method's rank, (methods, draws); 1 is the best, equals share theirs.

    `found` are medians, (methods, draws), by the names of `METRICS`. Those without a better end, and those that no method could
    be measured by, have no say; a method that could not be measured where others were is their last.
    """
    from scipy.stats import rankdata

    ranks = []
    for name, metric in METRICS.items():
        if metric.better and np.isfinite(found[name]).any():
            worse = np.where(np.isfinite(found[name]), -metric.better * found[name], np.inf)
            ranks.append(rankdata(worse, axis=0))
    first = next(iter(found.values()))
    return np.asarray(np.mean(ranks, 0)) if ranks else np.full(first.shape, np.nan)


def kendall(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Kendall's τ-b of each draw's two orders, (methods, draws) to (draws,); NaN where one of them orders nothing."""
    first, second = np.triu_indices(len(a), 1)
    one, other = (np.nan_to_num(np.sign(each[first] - each[second])) for each in (a, b))
    with np.errstate(invalid="ignore"):
        return np.asarray((one * other).sum(0) / np.sqrt((one**2).sum(0) * (other**2).sum(0)))
