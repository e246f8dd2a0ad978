"""How far a map can be trusted, measured on the network itself."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from captum.metrics import infidelity, sensitivity_max
from torch import Tensor

from resviz.attribution.baselines import baseline
from resviz.attribution.batch_size import timings_of
from resviz.attribution.question import Asked, Case, Question, ask
from resviz.attribution.shuffle import shuffle
from resviz.attribution.trust.metrics import flipping_curve, rank_correlation
from resviz.attribution.watch import watched
from resviz.nets.families.resnet import ResNet
from resviz.progress import Tick, quiet
from resviz.results import Attribution, Faithfulness

__all__ = ["faithfulness"]

_STEPS = 28  # points of a curve
_SQUARES = 32  # random squares that infidelity covers
_NUDGES = 3  # slightly changed pictures for sensitivity


def faithfulness(case: Case, asked: Asked, attribution: Attribution, tick: Tick = quiet, empty: str = "mean") -> Faithfulness:
    """Deletion and insertion curves, infidelity, sensitivity and the sanity check by randomised weights, for one map.

    `attribution` answers `asked` about the case; `empty` is one of `BASELINES`: what deletion puts in a pixel's place.
    """
    question = ask(case, asked)
    net = question.view()
    stages = tuple(reversed([name for name, _ in net.stages()]))
    repeats = _NUDGES + 1 + len(stages)
    watch = watched(net, 2 * (_STEPS + 1) + _SQUARES + repeats * question.expected, tick)
    x, values = question.x, np.asarray(attribution.values, np.float64)
    fractions = np.linspace(0, 1, _STEPS + 1)
    without = baseline(x, empty, case.network.preprocessing.black()).expand_as(x)
    deletion = _curve(net, question, (x, without), values, fractions)
    insertion = _curve(net, question, (baseline(x, "blur"), x), values, fractions)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="captum")
        unfaithful = _infidelity(net, question, values)
        nudged = _sensitivity(net, question, tick)
    similarity = []
    for stage in stages:  # one after another, so that each adds to those above it
        shuffle(net, stage)
        shuffled = question.answer(net, lambda *_, **__: tick(watch.fraction)).values
        similarity.append(rank_correlation(values, shuffled))
    return Faithfulness(
        fractions,
        deletion,
        insertion,
        infidelity=unfaithful,
        sensitivity=nudged,
        stages=stages,
        similarity=np.array(similarity),
        baseline=empty,
        constant=attribution.constant,
    )


def _curve(net: ResNet, question: Question, ends: tuple[Tensor, Tensor], values: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """The class's probability while pixels turn from the first picture into the second, strongest evidence first."""
    size, temperature = timings_of(net.spec, question.x.shape[-1], False).share(len(fractions)), question.case.network.temperature
    return flipping_curve(lambda x: net(x) / temperature, ends, values, question.case.target, fractions, size)


def _infidelity(net: ResNet, question: Question, values: np.ndarray) -> float:
    """Covering random squares: how far the map's sum over a square is from what the score really loses.

    The map is first scaled as a whole as fits best, since methods differ in their unit.
    """
    generator, side = torch.Generator().manual_seed(0), values.shape[0]
    width = max(2, side // 4)

    def cover(inputs: Tensor, *_: object) -> tuple[Tensor, Tensor]:
        corner = torch.randint(side - width + 1, (len(inputs), 2), generator=generator)
        square = torch.zeros(len(inputs), 1, side, side)
        for mask, (row, column) in zip(square, corner.tolist(), strict=True):
            mask[0, row : row + width, column : column + width] = 1
        return square.expand_as(inputs).contiguous(), inputs * (1 - square)

    channels = question.x.shape[1]
    spread = (torch.from_numpy(values).float() / channels).expand(1, channels, side, side).contiguous().to(question.x.device)
    with torch.no_grad():
        missed = infidelity(
            question.score(net),
            cover,
            question.x,
            spread,
            n_perturb_samples=_SQUARES,
            normalize=True,
            max_examples_per_batch=timings_of(net.spec, side, False).size,
        )
    return float(missed)


def _sensitivity(net: ResNet, question: Question, tick: Tick) -> float:
    """The largest relative change of the map when the picture changes by at most 2 % of its standard deviation."""
    generator = torch.Generator().manual_seed(0)

    def nudge(inputs: Tensor | tuple[Tensor, ...], radius: float) -> Tensor:
        x = inputs[0] if isinstance(inputs, tuple) else inputs
        return x + (2 * torch.rand(x.shape, generator=generator) - 1) * radius

    def explain(inputs: Tensor | tuple[Tensor, ...]) -> Tensor:
        pictures = inputs[0] if isinstance(inputs, tuple) else inputs  # (N, C, H, W)
        maps = [
            question.answer(net, tick, picture[None].contiguous(memory_format=torch.channels_last)).values for picture in pictures
        ]
        return torch.from_numpy(np.stack(maps))[:, None].float().to(question.x.device)

    return float(sensitivity_max(explain, question.x, nudge, n_perturb_samples=_NUDGES, max_examples_per_batch=1))
