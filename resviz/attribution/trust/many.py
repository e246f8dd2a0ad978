"""Methods over many pictures: every metric of each, with intervals, the order that follows, and what another baseline leaves of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch
from PIL import Image

from resviz.attribution.baselines import BASELINES
from resviz.attribution.batch_size import timings_of
from resviz.attribution.question import Asked, Case, ask, cost
from resviz.attribution.trust.bootstrap import interval, kendall, mean_ranks, medians, resamples
from resviz.attribution.trust.cell import FORWARD, MAPS, Mosaic, Shown, measure
from resviz.attribution.watch import watched
from resviz.data.unpack import Entry
from resviz.data.uploads import ImageError, decode
from resviz.machine import device
from resviz.progress import Tick, quiet
from resviz.results import METRICS, Agreement, Interval, Ranking
from resviz.zoo.classifier import Classifier, predict

__all__ = ["MOST_PICTURES", "Picture", "decoded", "expected_seconds", "rank_methods"]

Picture = tuple[str, Image.Image | ImageError]  # by its name, or why it cannot be read
MOST_PICTURES = 200
_BACKWARD = 3  # what a pass with its gradient takes of one without
_SOLVING = 2e-5  # seconds a pixel that imputing it takes, all shares together


def decoded(entries: Iterable[Entry], tick: Tick = quiet) -> Iterator[Picture]:
    """Files as pictures, one at a time."""
    for entry in entries:
        tick(0.0)
        try:
            yield entry.name, decode(entry.read(), tick).image
        except ImageError as error:
            yield entry.name, error


def rank_methods(
    network: Classifier, pictures: Iterable[Picture], methods: Sequence[Asked], tick: Tick = quiet, baseline: str = BASELINES[0]
) -> Ranking:
    """Every method by every metric over the pictures, each explained for the class that the network says it is.

    Raises `ValueError` for a method that cannot be asked of this network, and where there is no picture. `tick` is called before
    every pass; what it raises ends the run.
    """
    if not methods:
        raise ValueError("there is no method to rank; name one or several")
    if baseline not in BASELINES:
        raise ValueError(f"{baseline!r} is no baseline; choose one of {', '.join(BASELINES)}")
    blank = Image.new("RGB", (network.preprocessing.crop,) * 2)
    questions = [ask(Case(network, blank, 0), asked) for asked in methods]
    shown, left_out = _shown(network, pictures, tick)
    shape = len(questions), len(shown)
    scores = {name: np.full(shape, np.nan) for name in METRICS}
    flipped = {kind: np.full(shape, np.nan) for kind in BASELINES}
    weights = [FORWARD + MAPS * each.expected * (_BACKWARD if each.asked.entry.backward else 1) for each in questions]
    whole, done = sum(weights) * len(shown), 0
    for j, picture in enumerate(shown):  # all methods of a picture before the next
        for i, question in enumerate(questions):
            part = _part(tick, done / whole, weights[i] / whole, f"picture {j + 1} of {len(shown)}")
            found, by_baseline = measure(question, picture, part)
            for name, value in (found | {"flipping": by_baseline[baseline]}).items():
                scores[name][i, j] = value
            for kind, value in by_baseline.items():
                flipped[kind][i, j] = value
            done += weights[i]
    answers = tuple(network.categories[picture.target] for picture in shown)
    about = network.name, tuple(picture.name for picture in shown), answers, tuple(each.asked.title for each in questions)
    return _ranking(about, scores, flipped, baseline, left_out)


def _part(tick: Tick, start: float, share: float, place: str) -> Tick:
    """Of the whole, that share from there on."""

    def heard(fraction: float, note: str = "", partial: object = None) -> bool:
        return tick(min(1.0, start + fraction * share), place)

    return heard


def _shown(network: Classifier, pictures: Iterable[Picture], tick: Tick) -> tuple[list[Shown], tuple[str, ...]]:
    """The pictures as the network's inputs with its answers, each with a mosaic; and what could not be read."""
    view, draw = network.fast_view(), np.random.default_rng(0)
    names: list[str] = []
    left_out: list[str] = []
    inputs: list[torch.Tensor] = []
    targets: list[int] = []
    for name, picture in pictures:
        if isinstance(picture, ImageError):
            left_out.append(f"{name}: {picture}")
            continue
        if len(names) == MOST_PICTURES:
            raise ValueError(
                f"there are more than {MOST_PICTURES} pictures; give fewer, and the intervals say what they leave open"
            )
        tick(0.0, f"picture {len(names) + 1} is read")
        names.append(name)
        inputs.append(network.preprocessing.tensor(picture).to(device()).contiguous(memory_format=torch.channels_last))
        targets.append(int(predict(network, picture, view).probabilities.argmax()))
    if not names:
        raise ValueError("there is no picture to measure on; give PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF")
    classes, shown = len(network.categories), []
    for j, (name, x, target) in enumerate(zip(names, inputs, targets, strict=True)):
        other = (target + int(draw.integers(1, classes))) % classes if classes > 1 else target
        others = [inputs[k] for k, its in enumerate(targets) if its != target]
        shown.append(Shown(name, x, target, other, _mosaic(x, others, draw), seed=j))
    return shown, tuple(left_out)


def _mosaic(x: torch.Tensor, others: Sequence[torch.Tensor], draw: np.random.Generator) -> Mosaic | None:
    """The picture at a random place among three that the network says are of other classes; None where there is no such picture."""
    if not others:
        return None
    place, side = int(draw.integers(4)), x.shape[-1]
    tiles = [others[k] for k in draw.choice(len(others), 3, replace=len(others) < 3)]
    tiles.insert(place, x)
    inside = np.zeros((2 * side, 2 * side), bool)
    row, column = divmod(place, 2)
    inside[row * side : (row + 1) * side, column * side : (column + 1) * side] = True
    joined = torch.cat([torch.cat(tiles[:2], 3), torch.cat(tiles[2:], 3)], 2)
    return Mosaic(joined.contiguous(memory_format=torch.channels_last), inside)


def _ranking(
    about: tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    scores: Mapping[str, np.ndarray],
    flipped: Mapping[str, np.ndarray],
    baseline: str,
    left_out: tuple[str, ...],
) -> Ranking:
    """Medians, ranks and agreement with their intervals: the first draw is of every picture once, and is what is reported."""
    pictures = len(about[1])
    drawn = np.concatenate([np.arange(pictures)[None], resamples(pictures)])
    found = {name: medians(each, drawn) for name, each in scores.items()}
    ranks, flips = mean_ranks(found), {kind: medians(each, drawn) for kind, each in flipped.items()}
    survives = {
        kind: Agreement(
            _with_interval(kendall(flips[baseline], flips[kind])),
            _with_interval(kendall(ranks, mean_ranks(found | {"flipping": flips[kind]}))),
        )
        for kind in flipped
        if kind != baseline
    }
    network, names, answers, titles = about
    return Ranking(
        network,
        names,
        answers,
        titles,
        scores=scores,
        medians={name: tuple(map(_with_interval, values)) for name, values in found.items()},
        ranks=tuple(map(_with_interval, ranks)),
        first=tuple(map(float, (ranks[:, 1:] == ranks[:, 1:].min(0)).mean(1))),
        baseline=baseline,
        survives=survives,
        left_out=left_out,
    )


def _with_interval(drawn: np.ndarray) -> Interval:
    return interval(float(drawn[0]), drawn[1:])


def expected_seconds(network: Classifier, methods: Sequence[Asked], pictures: int) -> float:
    """About how long ranking takes, by what passes take here; tries a few where none was timed yet."""
    side = network.preprocessing.crop
    alone, with_gradient = (timings_of(network.spec, side, gradients) for gradients in (False, True))
    if 1 not in alone.times:
        _time_a_pass(network)
    single, together = min(alone.times[1]), alone.seconds or 0.0
    each = 0.0
    for asked in methods:
        passes, backward = cost(network, asked)[0], asked.entry.backward
        usual = (with_gradient.seconds or _BACKWARD * together) if backward else together
        one = max(passes * usual, single * (_BACKWARD if backward else 1))  # a picture by itself takes longer than one of many
        each += FORWARD * together + (MAPS + 3) * one + _SOLVING * side**2  # a mosaic is as large as four
    return pictures * each


@torch.no_grad()
def _time_a_pass(network: Classifier) -> None:
    view, crop = network.fast_view(), network.preprocessing.crop
    x = torch.zeros(1, len(network.preprocessing.mean), crop, crop, device=device()).contiguous(memory_format=torch.channels_last)
    watched(view, 4, quiet)
    for _ in range(4):  # a pass is timed when the next begins
        view(x)
