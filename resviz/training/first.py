"""Measures what each page opens with: `python -m resviz first` writes it, a page shows it until it is measured again."""

from __future__ import annotations

import io
import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
import torch
from PIL import Image

from resviz.data.datasets import named_sets
from resviz.data.images import probe_batch
from resviz.machine import cores, fitting_threads
from resviz.nets.build import build
from resviz.probes.gradients import gradient_probe
from resviz.probes.landscape import landscapes
from resviz.results import LabRecord
from resviz.spec.comparisons import COMPARISONS
from resviz.spec.datasets import DATASETS
from resviz.spec.lab import LabPlan
from resviz.spec.landscape import PICTURES, LandscapePlan
from resviz.spec.net import NetSpec
from resviz.spec.shortcuts import RACES
from resviz.training.detect import JUDGED
from resviz.training.lab import Lab
from resviz.training.pairs import bundled_pair, pair
from resviz.training.shortcuts import recorded_race
from resviz.training.stage import record
from resviz.version import __version__
from resviz.zoo.first import First
from resviz.zoo.learned import pictures_of

__all__ = ["MEASURES", "measure"]


def _gradients() -> dict[str, object]:
    """The default network with every skip and with none, as Home and Gradients measure them."""
    spec = NetSpec()
    images, targets = probe_batch(64, 3, 8, spec.classes)
    nets = {"residual": spec, "plain": spec.plain()}
    return {key: gradient_probe(build(net).train(), images, targets) for key, net in nets.items()}


def _lab() -> dict[str, object]:
    """The first step of the comparison that the lab opens with."""
    lab = Lab(COMPARISONS["With skips or without"](56), lambda: named_sets("digits"))
    with fitting_threads(8):
        lab.advance()
    return {"record": lab.record()}


def _home() -> dict[str, object]:
    """The comparison that the lab opens with, and where it ends with other skips cut: some ten minutes."""
    return {"stage": record()}


_STEPS: Final = 150  # by which the residual network of the comparison has learned its digits


def _story() -> dict[str, object]:
    """The same comparison at its first step and after training: what the map of the story says of networks without a norm."""
    lab = Lab(replace(COMPARISONS["With skips or without"](56), steps=_STEPS), lambda: named_sets("digits"))
    with fitting_threads(8):
        for _ in range(_STEPS):
            lab.advance()
    record = lab.record()
    assert record is not None  # it has advanced
    return {"record": _ends(record)}


def _ends(record: LabRecord) -> LabRecord:
    """Of gradients, updates and signals the first row and the last ones, of which the lab judges the median."""

    def ends(rows: np.ndarray) -> np.ndarray:
        return np.concatenate([rows[:1], rows[-JUDGED:]])

    tracks = tuple(
        replace(
            track,
            gradients=ends(track.gradients),
            updates=ends(track.updates),
            signals={name: ends(rows) for name, rows in track.signals.items()},
        )
        for track in record.tracks
    )
    return replace(record, steps=ends(record.steps), signal_steps=ends(record.signal_steps), tracks=tracks)


def _explain() -> dict[str, object]:
    """The sample and the network that the page begins with, the answer, and the first methods' maps."""
    from resviz.attribution.methods.table import FIRST
    from resviz.attribution.question import Asked, Case, attribute
    from resviz.data.uploads import sample_photographs
    from resviz.zoo.bundled import load_bundled
    from resviz.zoo.classifier import predict
    from resviz.zoo.scope import begin_with

    samples = sample_photographs()
    network, name = begin_with(tuple(samples))
    classifier, picture = load_bundled(network), samples[name]
    prediction = predict(classifier, picture)
    case = Case(classifier, picture, int(np.argmax(prediction.probabilities)))
    questions = [Asked(method).complete(classifier) for method in FIRST]
    maps = {asked.name: attribute(case, asked) for asked in questions}
    return {
        "sample": name,
        "network": classifier.name,
        "prediction": prediction,
        "window": _jpeg(classifier.preprocessing.window(picture)),
        "maps": maps,
    }


def _inside() -> dict[str, object]:
    """What the first block of the same network does to the same sample: the two tensors that the others follow from."""
    from resviz.data.uploads import sample_photographs
    from resviz.probes.inside import forward, look
    from resviz.zoo.bundled import load_bundled
    from resviz.zoo.scope import begin_with

    samples = sample_photographs()
    network, name = begin_with(tuple(samples))
    classifier = load_bundled(network)
    net = classifier.private_view()
    kept = forward(net, classifier.preprocessing.tensor(samples[name]))
    seen = look(net, kept, next(iter(kept.entered)))
    about = {"sample": name, "network": classifier.name, "unit": seen.unit, "mapped": seen.mapped, "activation": seen.activation}
    return about | {"identity": seen.identity, "residual": seen.residual}


def _anatomy() -> dict[str, object]:
    """What the error of the network that the page begins with is without each of its branches."""
    from resviz.probes.lesion import lesions, singles
    from resviz.spec.query import to_query_string
    from resviz.zoo.bundled import load_bundled
    from resviz.zoo.labelled import labelled_for

    classifier = load_bundled("resnet56-digits-0")
    net, images = classifier.private_view(), labelled_for(classifier)
    with fitting_threads(images.images.shape[-1]):
        found = lesions(net, images, singles(net))
    about = {"network": classifier.name, "spec": to_query_string(net.spec), "side": images.images.shape[-1]}
    return about | {"base": found.base, "dropped": found.of("dropped"), "pictures": found.pictures}


def _landscape() -> dict[str, object]:
    """Both networks' landscapes as the page opens with them: trained where such networks came with the project."""
    plan = LandscapePlan()
    plan = plan if bundled_pair(plan) else replace(plan, weights="start")
    nets = pair(plan)
    images, targets = pictures_of(nets["residual"], PICTURES)
    with fitting_threads(images.shape[-1]):
        views = {design: classifier.private_view() for design, classifier in nets.items()}
        found = landscapes(views, images, targets, plan.around, plan.grid)
    return {"trained": plan.weights == "trained", "depth": plan.depth} | {str(design): each for design, each in found.items()}


def _jpeg(picture: Image.Image) -> np.ndarray:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return np.frombuffer(buffer.getvalue(), np.uint8)


def _shortcuts() -> dict[str, object]:
    """Every race of the page, from three seeds: some six minutes."""
    return {race: recorded_race(race) for race in RACES}


MEASURES: Final[Mapping[str, Callable[[], dict[str, object]]]] = {
    "gradients": _gradients,
    "lab": _lab,
    "explain": _explain,
    "home": _home,
    "inside": _inside,
    "shortcuts": _shortcuts,
    "anatomy": _anatomy,
    "landscape": _landscape,
    "story": _story,
}


def measure(name: str) -> First:
    """What the page of this name opens with, measured here and now."""
    machine = f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, {cores()} cores"
    versions = {"resviz": __version__, "torch": torch.__version__, "python": platform.python_version()}
    card = {
        "machine": machine,
        "versions": versions,
        "measured": f"{datetime.now(UTC):%Y-%m-%d}",
        "command": f"python -m resviz first {name}",
    }
    values = MEASURES[name]()
    plans = (plan for value in values.values() if isinstance(plan := getattr(value, "plan", None), LabPlan))
    return First(values, card | {"data": DATASETS[plan.data].title, "seed": plan.seed} if (plan := next(plans, None)) else card)
