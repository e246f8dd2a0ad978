"""Many pictures × networks × methods, one at a time: memory is bounded by one picture, not by the folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from resviz.attribution.question import Asked, Case, attribute
from resviz.data.unpack import Entry
from resviz.data.uploads import ImageError, decode
from resviz.guard import brief
from resviz.progress import Tick, quiet
from resviz.results import Attribution, Prediction
from resviz.zoo.classifier import Classifier, predict

__all__ = ["Explained", "explain_all"]


@dataclass(frozen=True)
class Explained:
    """One picture, one network: what it says, and each method's map; `problem` says why there is none, `notes` what was mended."""

    name: str
    network: str
    window: Image.Image | None = None
    prediction: Prediction | None = None
    maps: Mapping[str, Attribution] | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()


def explain_all(
    entries: Iterable[Entry], classifiers: Sequence[Classifier], methods: Sequence[Asked], tick: Tick = quiet
) -> Iterator[Explained]:
    """The evidence for the most probable class of each network: every entry has an answer, or the problem why not.

    A name that comes again gets a number. `tick` is called before every forward pass; what it raises ends the run.
    """
    seen: Counter[str] = Counter()
    for entry in entries:
        seen[entry.name] += 1
        name = entry.name if seen[entry.name] == 1 else f"{entry.name} ({seen[entry.name]})"
        tick(0.0)
        try:
            decoded = decode(entry.read(), tick)
        except ImageError as error:
            yield Explained(name, "", problem=str(error))
            continue
        for classifier in classifiers:
            try:
                yield replace(_explained(name, classifier, decoded.image, methods, tick), notes=decoded.notes)
            except Exception as error:  # what one network cannot do with one picture is no reason to end the run
                yield Explained(name, classifier.name, problem=f"{classifier.name} cannot be asked about it: {brief(error)}")


def _explained(name: str, classifier: Classifier, image: Image.Image, methods: Sequence[Asked], tick: Tick) -> Explained:
    prediction = predict(classifier, image)
    case = Case(classifier, image, prediction.categories.index(prediction.top(1)[0][0]))
    maps, problems = {}, []
    for asked in methods:
        if unfit := _unfit(classifier, asked):
            problems.append(unfit)
            continue
        try:
            maps[asked.name] = attribute(case, asked, tick=lambda *_, **__: tick(0.0))
        except Exception as error:
            problems.append(f"{asked.name} ended with an error: {brief(error)}")
    window = classifier.preprocessing.window(image)
    return Explained(name, classifier.name, window, prediction, maps, "; ".join(problems))


def _unfit(classifier: Classifier, asked: Asked) -> str:
    """Why this network cannot be asked so, or nothing."""
    if asked.entry.unfit(classifier.spec):
        return f"{asked.method} means nothing for {classifier.name}, whose activation or norm it does not know"
    if asked.layer is not None and asked.layer not in set(classifier.spec.block_names()):
        return f"{asked.name}: {classifier.name} has no block {asked.layer}"
    return ""
