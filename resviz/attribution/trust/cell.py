"""Every metric of one method on one picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from resviz.attribution.baselines import BASELINES, baseline
from resviz.attribution.batch_size import timings_of
from resviz.attribution.question import Question
from resviz.attribution.shuffle import shuffle
from resviz.attribution.trust import metrics
from resviz.attribution.trust.metrics import Explain
from resviz.attribution.watch import watched
from resviz.nets.families.resnet import ResNet
from resviz.progress import Tick

__all__ = ["FORWARD", "MAPS", "Mosaic", "Shown", "measure"]

_FRACTIONS: Final = np.linspace(0, 1, 17)  # of pixels flipped
_SHARES: Final = tuple(n / 10 for n in range(1, 10))  # of pixels imputed
_NUDGES, _RADIUS = 4, 0.02  # inputs have a standard deviation of about 1
_SAMPLES, _MAGNITUDE = 4, 0.1  # the paper's magnitude over the picture's range
_DEPTHS: Final = 3  # how far down weights are shuffled: the classifier, half of the stages, all
FORWARD: Final = len(BASELINES) * len(_FRACTIONS) + len(_SHARES)  # passes that need no gradient, however the method works
MAPS: Final = 1 + _NUDGES + 1 + 1 + _SAMPLES * (1 + _DEPTHS)  # the picture's, nudged, mosaic's, another class's, averaged


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Four pictures in one, (1, C, 2H, 2W), of which one shows the class: where `inside`, (2H, 2W), is true."""

    x: Tensor
    inside: np.ndarray


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture, (1, C, H, W), the class that the network says it is, another class, and a mosaic where there can be one."""

    name: str
    x: Tensor
    target: int
    other: int
    mosaic: Mosaic | None
    seed: int  # of what is drawn about it, the same for every method


def measure(question: Question, shown: Shown, tick: Tick) -> tuple[dict[str, float], dict[str, float]]:
    """Each metric's value by its name, and pixel flipping's by its baseline; NaN where it cannot be measured.

    `tick` hears the fraction of this one that is done, before every pass.
    """
    asked = replace(question, x=shown.x, case=replace(question.case, target=shown.target))
    net, x = asked.view(), shown.x
    watch = watched(net, FORWARD + MAPS * asked.expected, tick)

    def explain(picture: Tensor, of: Question = asked) -> np.ndarray:
        given = picture.contiguous(memory_format=torch.channels_last)
        return np.asarray(of.answer(net, lambda *_, **__: tick(watch.fraction), given).values, np.float64)

    evidence = asked.answer(net, lambda *_, **__: tick(watch.fraction))
    values = np.asarray(evidence.values, np.float64)
    nudging, filling, averaging = (np.random.default_rng((shown.seed, n)) for n in range(3))
    other = replace(asked, case=replace(asked.case, target=shown.other))
    found = {
        "sensitivity": metrics.max_sensitivity(explain, x, values, _RADIUS, _NUDGES, nudging),
        "localisation": float("nan"),
        "random-logit": metrics.random_logit(values, explain(x, other)),
        "completeness": float("nan") if evidence.change is None else metrics.completeness(values, evidence.change),
        "sparseness": metrics.sparseness(values),
        "complexity": metrics.complexity(values),
    }
    if shown.mosaic is not None:
        found["localisation"] = metrics.localisation(explain(shown.mosaic.x), shown.mosaic.inside)
    by_baseline = {kind: float("nan") for kind in BASELINES}
    found["road"] = float("nan")
    if not asked.attribution(evidence).constant:  # which puts the pixels in no order
        by_baseline = {kind: _flipped(net, asked, values, kind) for kind in BASELINES}
        found["road"] = _road(net, asked, values, filling)
    noise = metrics.spread(x, _MAGNITUDE, _SAMPLES, averaging)
    alike = metrics.smooth_mprt(explain, _randomised(net, explain), x, noise)  # the last of all: it ruins the view
    found["randomisation"] = float(np.clip(alike, 0, None).mean())  # turned round is not alike, and no better than unlike
    return found, by_baseline


def _flipped(net: ResNet, question: Question, values: np.ndarray, kind: str) -> float:
    """The mean of the curve; NaN where the picture without a pixel is the class too, so that taking pixels away tells nothing."""
    without = baseline(question.x, kind, question.case.network.preprocessing.black().to(question.x.device)).expand_as(question.x)
    size = timings_of(net.spec, question.x.shape[-1], False).share(len(_FRACTIONS))
    temperature = question.case.network.temperature  # as the page's own probabilities
    curve = metrics.flipping_curve(
        lambda x: net(x) / temperature, (question.x, without), values, question.case.target, _FRACTIONS, size
    )
    return float(np.trapezoid(curve, _FRACTIONS)) if curve[-1] < curve[0] / 2 else float("nan")


def _road(net: ResNet, question: Question, values: np.ndarray, draw: np.random.Generator) -> float:
    size = timings_of(net.spec, question.x.shape[-1], False).share(len(_SHARES))

    def logits(pictures: Tensor) -> Tensor:
        return torch.cat([net(part) for part in torch.split(pictures, size)])

    return float(metrics.road(logits, question.x, values, question.case.target, _SHARES, draw).mean())


def _randomised(net: ResNet, explain: Explain) -> Iterator[Explain]:
    """The network's maps while its weights are shuffled from the top: its classifier's, half of its stages', all."""
    stages = [name for name, _ in net.stages()][::-1]
    stops = {round(depth) for depth in np.linspace(1, len(stages), _DEPTHS)}
    for n, stage in enumerate(stages, 1):
        shuffle(net, stage)
        if n in stops:
            yield explain
