"""What the page about lesions computes, as jobs: a question that was asked before is not computed again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from torch import Tensor

from resviz.data.images import ImageSet
from resviz.machine import device, fitting_threads
from resviz.nets.unit import Net
from resviz.probes import lesion as probe
from resviz.probes.paths import path_lengths
from resviz.probes.refine import refinement
from resviz.probes.skipless import removal
from resviz.progress import Tick
from resviz.results import Draws, Lesions, PathLengths, Refinement, SkipRemoval
from resviz.shared import Public
from resviz.spec.lesion import Lesion
from resviz.ui import cache
from resviz.ui.waiting import Wanted
from resviz.zoo.labelled import labelled_for, training_for

__all__ = ["Question", "lengths", "one", "refined", "several", "singles", "without_skips"]

T = TypeVar("T")
# a bundled network's name, how many pictures it is asked about (0 is all), and whether batch norms' statistics are estimated again
Question = tuple[str, int, bool]
DRAWS: Final = 20
_SMALL: Final = 16  # pixels of a side
_FOR_LENGTHS: Final = {True: 64, False: 16}  # small pictures and larger ones, as the gradient of every length is kept for each
_FOR_STEPS: Final = {True: 256, False: 64}  # as what enters every block is


def _job(slot: str, asked: Question, label: str, work: Callable[[Net, ImageSet, Tick], T], *more: object) -> Wanted[T]:
    """A job about a network of its own and its held-out pictures."""
    model, pictures, _ = asked

    def run(tick: Tick) -> T:
        classifier = cache.bundled(model)
        images = labelled_for(classifier, count=pictures or None)
        with fitting_threads(images.images.shape[-1]):
            return work(classifier.private_view().to(device()), images, tick)

    return f"anatomy.{slot}", Public(("anatomy", slot.partition(".")[0], asked, *more)), label, run


def _again(asked: Question) -> ImageSet | None:
    """What statistics are estimated on, where they are."""
    return training_for(cache.bundled(asked[0])) if asked[2] else None


def one(asked: Question, lesion: Lesion) -> Wanted[Lesions]:
    """The error as it is, and with this lesion."""

    def work(net: Net, images: ImageSet, tick: Tick) -> Lesions:
        return probe.lesions(net, images, [lesion], tick, _again(asked))

    return _job("one", asked, "Asking", work, lesion)


def singles(asked: Question, which: str = "shown") -> Wanted[Lesions]:
    """The error without each part; `which` of the page's networks it is about."""

    def work(net: Net, images: ImageSet, tick: Tick) -> Lesions:
        return probe.lesions(net, images, probe.singles(net), tick, _again(asked))

    return _job(f"singles.{which}", asked, "Taking one part away after another", work)


def several(asked: Question) -> Wanted[dict[str, Draws]]:
    """The error with several parts taken away at random."""

    def work(net: Net, images: ImageSet, tick: Tick) -> dict[str, Draws]:
        return probe.several(net, images, DRAWS, tick, _again(asked))

    return _job("several", asked, "Taking several away at random", work)


def lengths(asked: Question) -> Wanted[PathLengths]:
    """How the gradient divides by the length of its paths."""

    def work(net: Net, images: ImageSet, tick: Tick) -> PathLengths:
        return path_lengths(net, *_batch(net, images, _FOR_LENGTHS), tick)

    return _job("lengths", asked, "Following the gradient by every length", work)


def refined(asked: Question) -> Wanted[Refinement]:
    """Which way the blocks step, and what the head reads on the way."""

    def work(net: Net, images: ImageSet, tick: Tick) -> Refinement:
        return refinement(net, *_batch(net, images, _FOR_STEPS), tick)

    return _job("refined", asked, "Asking every block for its step", work)


def without_skips(asked: Question) -> Wanted[SkipRemoval]:
    """The network beside itself without its skips."""

    def work(net: Net, images: ImageSet, tick: Tick) -> SkipRemoval:
        other = cache.bundled(asked[0]).private_view().to(device())
        return removal(net, other, _batch(net, images, _FOR_STEPS)[0])

    return _job("skipless", asked, "Taking the skips away", work)


def _batch(net: Net, images: ImageSet, most: Mapping[bool, int]) -> tuple[Tensor, Tensor]:
    chosen, where = images.subset(most[images.images.shape[-1] <= _SMALL]), next(net.parameters()).device
    return chosen.normalised(chosen.images).to(where), chosen.labels.to(where)
