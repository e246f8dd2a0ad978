"""Every metric of trust where the right answer can be worked out by hand, and what the bootstrap makes of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau
from torch import Tensor

from resviz.attribution.trust import metrics
from resviz.attribution.trust.bootstrap import interval, kendall, mean_ranks, medians, resamples
from resviz.attribution.trust.imputation import impute
from resviz.results import METRICS

ONES = torch.ones(1, 1, 2, 2)
FIRST = np.array([[4.0, 3.0], [2.0, 1.0]])  # the pixels in the order in which they lie
LAST = FIRST[::-1, ::-1].copy()


def weighed(*weights: float) -> metrics.Logits:
    """A linear network: class 0 has the weighted sum of four pixels times log 3, class 1 has 0, so that the odds are powers of 3."""

    def logits(x: Tensor) -> Tensor:
        score = (x.flatten(1) * torch.tensor(weights)).sum(1) * math.log(3)
        return torch.stack([score, torch.zeros_like(score)], 1)

    return logits


def draw() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_flipping_follows_the_map_and_stops_at_the_baseline(size: int) -> None:
    ends, quarters = (ONES, torch.zeros_like(ONES)), np.linspace(0, 1, 5)
    even = metrics.flipping_curve(weighed(1, 1, 1, 1), ends, FIRST, 0, quarters, size)
    assert even == pytest.approx([81 / 82, 27 / 28, 9 / 10, 3 / 4, 1 / 2])
    found = metrics.flipping_curve(weighed(2, 0, 0, 0), ends, FIRST, 0, quarters, size)
    assert found == pytest.approx([9 / 10, 1 / 2, 1 / 2, 1 / 2, 1 / 2])
    missed = metrics.flipping_curve(weighed(2, 0, 0, 0), ends, LAST, 0, quarters, size)
    assert missed == pytest.approx([9 / 10, 9 / 10, 9 / 10, 9 / 10, 1 / 2])


def test_what_is_gone_becomes_the_weighted_mean_of_its_neighbours() -> None:
    picture = np.arange(9.0).reshape(1, 3, 3) ** 2
    gone = np.zeros((3, 3), bool)
    gone[1, 1] = True
    middle = (1 + 9 + 25 + 49) / 6 + (0 + 4 + 36 + 64) / 12
    assert impute(picture, gone, draw(), 0.0)[0, 1, 1] == pytest.approx(middle)
    corner = np.zeros((3, 3), bool)
    corner[0, 0] = True  # two direct neighbours and one diagonal: 5/12 of the weights
    assert impute(picture, corner, draw(), 0.0)[0, 0, 0] == pytest.approx((1 / 6 + 9 / 6 + 16 / 12) / (5 / 12))
    assert (impute(picture, corner, draw(), 0.0)[0, 1:] == picture[0, 1:]).all()


def test_pixels_that_are_gone_together_are_in_balance() -> None:
    picture = np.random.default_rng(1).normal(size=(2, 6, 6))
    gone = np.zeros((6, 6), bool)
    gone[2:4, 1:5] = True
    filled = impute(picture, gone, draw(), 0.0)
    again = np.zeros((6, 6), bool)
    again[3, 3] = True  # alone, it is what the whole system made it
    assert impute(filled, again, draw(), 0.0)[:, 3, 3] == pytest.approx(filled[:, 3, 3])
    flat = np.full((3, 6, 6), 7.0)
    assert impute(flat, gone, draw(), 0.0) == pytest.approx(flat)
    noisy = impute(np.zeros((1, 64, 64)), np.arange(4096).reshape(64, 64) > 0, draw(), 0.1)
    assert noisy.std() == pytest.approx(0.1, rel=0.1)
    with pytest.raises(ValueError, match="every pixel is gone"):
        impute(flat, np.ones((6, 6), bool), draw())


def test_road_keeps_the_answer_until_what_it_rests_on_is_gone() -> None:
    x = torch.zeros(1, 1, 2, 2)
    x[0, 0, 0, 0] = 1.0  # and the others are what it would be imputed by

    def logits(pictures: Tensor) -> Tensor:
        return torch.stack([pictures[:, 0, 0, 0] - 0.5, torch.zeros(len(pictures))], 1)

    shares = (0.25, 0.5, 0.75)
    assert metrics.road(logits, x, FIRST, 0, shares, draw(), 0.0).tolist() == [False, False, False]
    assert metrics.road(logits, x, LAST, 0, shares, draw(), 0.0).tolist() == [True, True, True]
    assert metrics.road(logits, x, FIRST, 0, (0.0,), draw(), 0.0).tolist() == [True]


def test_sensitivity_is_the_largest_change_over_the_maps_norm() -> None:
    def itself(x: Tensor) -> np.ndarray:
        return x[0, 0].double().numpy()

    nudges = [np.random.RandomState(0).uniform(-0.5, 0.5, (3, 1, 1, 2, 2))][0]
    worst = max(float(np.linalg.norm(nudge)) for nudge in nudges) / 2  # the norm of four ones
    found = metrics.max_sensitivity(itself, ONES, np.ones((2, 2)), 0.5, 3, np.random.RandomState(0))
    assert found == pytest.approx(worst, rel=1e-5)
    assert metrics.max_sensitivity(lambda x: FIRST, ONES, FIRST, 0.5, 3, draw()) == 0
    assert math.isnan(metrics.max_sensitivity(itself, ONES, np.zeros((2, 2)), 0.5, 3, draw()))


def test_localisation_counts_what_speaks_for_the_class_alone() -> None:
    values, left = np.array([[1.0, -5.0], [3.0, 0.0]]), np.array([[True, False], [True, False]])
    assert metrics.localisation(values, left) == 1
    assert metrics.localisation(values, left.T) == pytest.approx(1 / 4)
    assert math.isnan(metrics.localisation(-np.ones((2, 2)), left))


@pytest.mark.parametrize(("values", "gini", "nats"), [([5, 0, 0, 0], 0.75, 0), ([1, -1, 1, -1], 0, math.log(4)), ([4, 2, -3, 1], 0.25, 1.2798542)])  # fmt: skip
def test_few_pixels_are_sparse_and_many_are_complex(values: list[float], gini: float, nats: float) -> None:
    assert metrics.sparseness(np.array(values, float)) == pytest.approx(gini)
    assert metrics.complexity(np.array(values, float)) == pytest.approx(nats, abs=1e-6)


def test_a_map_of_zeros_is_neither_sparse_nor_complex() -> None:
    assert math.isnan(metrics.sparseness(np.zeros(4)))
    assert math.isnan(metrics.complexity(np.zeros(4)))


def test_completeness_is_the_share_that_is_missed() -> None:
    assert metrics.completeness(np.array([1.0, 2.0]), 4.0) == pytest.approx(0.25)
    assert metrics.completeness(np.array([-1.0, -3.0]), -4.0) == 0
    assert math.isnan(metrics.completeness(np.ones(2), 0.0))


def test_an_average_over_noise_ends_with_the_picture_itself() -> None:
    noise = metrics.spread(ONES * torch.tensor([0.0, 2.0]), 0.1, 3, np.random.RandomState(0))
    assert noise[-1].abs().max() == 0
    assert noise[0].flatten().tolist() == pytest.approx((0.2 * np.random.RandomState(0).standard_normal(4)).tolist())
    mean = (noise[0] + noise[1])[0, 0].double().numpy() / 3
    assert metrics.smoothed(lambda x: x[0, 0].double().numpy(), ONES, noise) == pytest.approx(1 + mean, abs=1e-6)


def test_a_map_that_ignores_the_weights_stays_and_one_that_turns_is_told() -> None:
    noise = [torch.zeros_like(ONES)]
    randomised = [lambda x: FIRST, lambda x: -FIRST, lambda x: np.ones((2, 2))]
    assert metrics.smooth_mprt(lambda x: FIRST, randomised, ONES, noise) == pytest.approx([1, -1, 0])


def test_the_maps_of_two_classes_are_compared_whatever_their_size() -> None:
    values = np.random.default_rng(0).normal(size=(16, 16))
    assert metrics.random_logit(values, 5 * values) == pytest.approx(1)
    assert abs(metrics.random_logit(values, np.random.default_rng(1).normal(size=(16, 16)))) < 0.3
    assert metrics.random_logit(np.zeros((16, 16)), np.zeros((16, 16))) == 1


# ------------------------------------------------------------------------------------------ over many pictures


def test_the_bootstrap_draws_the_same_again_and_knows_what_is_certain() -> None:
    assert (resamples(5, 100, seed=3) == resamples(5, 100, seed=3)).all()
    assert (resamples(5, 100, seed=3) != resamples(5, 100, seed=4)).any()
    scores = np.array([[2.0, 2.0, 2.0], [1.0, 5.0, np.nan]])
    drawn = medians(scores, resamples(3))
    certain = interval(2.0, drawn[0])
    assert (certain.low, certain.high) == (2, 2)
    unsure = interval(3.0, drawn[1])
    assert (unsure.low, unsure.high) == (1, 5)
    assert math.isnan(interval(float("nan"), drawn[0]).low)


def test_an_interval_is_as_wide_as_the_spread_over_the_pictures_says() -> None:
    """The median of n normal numbers has a standard error of 1.253 / √n."""
    scores = np.random.default_rng(0).normal(size=(1, 400))
    found = interval(float(np.median(scores)), medians(scores, resamples(400))[0])
    assert found.high - found.low == pytest.approx(2 * 1.96 * 1.253 / 20, rel=0.3)


def test_ranks_are_means_over_the_metrics_that_have_a_better_end() -> None:
    found = {name: np.full((3, 1), np.nan) for name in METRICS}
    found["flipping"] = np.array([[0.1], [0.2], [0.3]])  # less is better: 1, 2, 3
    found["localisation"] = np.array([[0.2], [0.9], [0.2]])  # more is better: 2.5, 1, 2.5
    found["road"] = np.array([[0.5], [np.nan], [0.1]])  # what was not measured is last: 2, 3, 1
    found["sparseness"] = np.array([[0.0], [0.0], [1.0]])  # neither: no say
    assert mean_ranks(found)[:, 0] == pytest.approx([5.5 / 3, 2, 6.5 / 3])


def test_kendalls_tau_is_that_of_scipy() -> None:
    a, b = np.random.default_rng(0).integers(4, size=(2, 5, 50)).astype(float)
    expected = [kendalltau(one, other).statistic for one, other in zip(a.T, b.T, strict=True)]
    assert kendall(a, b) == pytest.approx(expected, nan_ok=True)
    order = np.array([[1.0], [2.0], [3.0]])
    assert kendall(order, 10 * order) == pytest.approx([1])
    assert kendall(order, -order) == pytest.approx([-1])
    assert math.isnan(kendall(order, np.ones((3, 1)))[0])
