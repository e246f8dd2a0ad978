"""Many pictures × networks × methods, one at a time: memory is bounded by one picture, not by the folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from resviz.attribution.methods import at_layer, available
from resviz.attribution.run import Tick, attribute
from resviz.images import ImageError, decode
from resviz.results import Attribution, Prediction
from resviz.zoo.classifier import Classifier, predict

__all__ = ["SUFFIXES", "Explained", "explain_all", "folder"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")


@dataclass(frozen=True)
class Explained:
    """One picture, one network: what it says, and each method's map; `problem` says why there is none."""

    name: str
    network: str
    window: Image.Image | None = None
    prediction: Prediction | None = None
    maps: Mapping[str, Attribution] | None = None
    problem: str = ""


def folder(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of every picture below a folder, in order, read when its turn comes."""
    for file in sorted(path.rglob("*")):
        if file.suffix.lower() in SUFFIXES and not file.name.startswith("."):
            yield str(file.relative_to(path)), file.read_bytes()


def explain_all(
    files: Iterable[tuple[str, bytes]],
    classifiers: Sequence[Classifier],
    methods: Sequence[str],
    tick: Tick = lambda *_, **__: None,
) -> Iterator[Explained]:
    """The evidence for the most probable class of each network; what cannot be read or asked becomes a problem and not an end.

    `tick` is called before every forward pass; what it raises ends the run.
    """
    for name, data in files:
        if not name.lower().endswith(SUFFIXES):
            continue
        try:
            image = decode(data).image
        except ImageError as error:
            yield Explained(name, "", problem=str(error))
            continue
        for classifier in classifiers:
            prediction = predict(classifier, image)
            target = prediction.categories.index(prediction.top(1)[0][0])
            maps, problems = {}, []
            for method in methods:
                unfit = _unfit(classifier, method)
                if unfit:
                    problems.append(unfit)
                else:
                    maps[method] = attribute(classifier, image, method, target, tick=lambda *_, **__: tick(0.0))
            problem = "; ".join(problems)
            yield Explained(name, classifier.name, classifier.preprocessing.window(image), prediction, maps, problem)


def _unfit(classifier: Classifier, name: str) -> str:
    """Why this network cannot be asked so, or nothing."""
    method, layer = at_layer(name)
    if method not in available(classifier.spec):
        return f"{method} means nothing for {classifier.name}, whose activation or norm it does not know"
    if layer is not None and layer not in set(classifier.spec.block_names()):
        return f"{name}: {classifier.name} has no block {layer}"
    return ""
