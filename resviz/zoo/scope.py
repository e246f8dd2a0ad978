"""Which pictures a network knows: its names, and how far its own score tells them from others, as measured for its card."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from resviz.data.images import ImageSet
from resviz.results import SCORES, Prediction, Scope, ScopeCard
from resviz.zoo.bundled import bundled_names, card, means_of
from resviz.zoo.classifier import Classifier, last_features

__all__ = [
    "BEGIN",
    "KEPT",
    "SHOWN",
    "begin_with",
    "class_means",
    "classes_of",
    "measured_scope",
    "pictures",
    "scope_of",
    "shows_known",
    "to_card",
]

KEPT: Final = 0.95  # of its own pictures, which the threshold leaves unflagged
# what the sample photographs show, by the names that networks have for it
SHOWN: Final[Mapping[str, frozenset[str]]] = {
    "Cat": frozenset({"cat", "tabby", "tiger cat", "Egyptian cat"}),
    "Coffee": frozenset({"espresso", "cup"}),
    "Rocket": frozenset({"missile", "projectile"}),
    "Temple": frozenset({"palace"}),
}
BEGIN: Final = ("resnet10-tinyimagenet", "Coffee")  # the network for photographs, and the sample of which it is sure and right
_CERTAIN: Final = 0.8
_BATCH: Final = 32


def shows_known(sample: str, categories: Collection[str]) -> bool:
    """Whether a sample photograph shows something that a network with these classes has a name for."""
    return not SHOWN.get(sample, frozenset()).isdisjoint(categories)


def begin_with(samples: Sequence[str]) -> tuple[str, str]:
    """`BEGIN`; where that network or sample is missing, the first one that knows what a sample shows, and that sample.

    "" stands for the network where none is there.
    """
    names = bundled_names()
    if BEGIN[0] in names and BEGIN[1] in samples:
        return BEGIN
    known = ((name, sample) for name in names for sample in samples if shows_known(sample, card(name)["categories"]))
    return next(known, (next(iter(names), ""), samples[0]))


def scope_of(name: str) -> Scope | None:
    """What a bundled network's card says; None where it was not measured, or where the class means that it needs are missing."""
    found = card(name).get("scope")
    if found is None or (found["score"] == "distance" and means_of(name) is None):
        return None
    return Scope(
        score=found["score"],
        threshold=found["threshold"],
        caught=found["caught"],
        false_alarms=found["false_alarms"],
        auroc=found["auroc"],
        inside=found["inside"],
        outside=found["outside"],
        certain=found.get("certain"),
    )


def _held_out(root: Path) -> Path:
    folder = next((root / name for name in ("test", "val") if (root / name).is_dir()), None)
    if folder is None:
        raise ValueError(f"{root} needs a folder test or val with a folder per class in it")
    return folder


def classes_of(root: Path) -> list[str]:
    """The names of the held-out classes, in the order that a card has them."""
    return sorted(path.name for path in _held_out(root).iterdir() if path.is_dir())


def pictures(root: Path, count: int, leave_out: Sequence[str] = ()) -> Iterator[Image.Image]:
    """`count` held-out pictures of ROOT/test or ROOT/val, spread evenly over its classes but for those that are left out."""
    folder = _held_out(root)
    if unknown := sorted(set(leave_out) - set(classes_of(root))):
        raise ValueError(f"{folder} has no class {unknown[0]!r} to leave out; name one of its folders")
    paths = sorted(path for path in folder.glob("*/*") if path.parent.name not in leave_out)
    if not paths:
        raise ValueError(f"{folder} holds no pictures as CLASS/NAME.jpg")
    for at in np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int):
        with Image.open(paths[at]) as file:
            yield file.convert("RGB")


def measured_scope(
    classifier: Classifier,
    inside: Iterable[Image.Image],
    outside: Iterable[Image.Image],
    known: str,
    others: str,
) -> Scope:
    """Every score's AUROC; for the best one a threshold from every second known picture, and the rates on all that had no say in it.

    The distance to the nearest class is one of them where the classifier knows where its classes lie.
    """
    from sklearn.metrics import roc_auc_score

    own, strange = (list(_answers(classifier, images)) for images in (inside, outside))
    truth = np.repeat([1, 0], [len(own), len(strange)])
    scores = [score for score in SCORES if score != "distance" or classifier.means is not None]
    auroc = {score: float(roc_auc_score(truth, _told(own + strange, score))) for score in scores}
    best = max(scores, key=auroc.__getitem__)
    threshold = float(np.quantile(_told(own[::2], best), 1 - KEPT))
    caught, alarms = (float((_told(found, best) < threshold).mean()) for found in (strange, own[1::2]))
    return Scope(
        score=best,
        threshold=threshold,
        caught=caught,
        false_alarms=alarms,
        auroc=auroc,
        inside=f"{len(own):,} of {known}",
        outside=f"{len(strange):,} of {others}",
        certain=(_certain(strange, 1.0), _certain(strange, classifier.temperature)),
    )


def _answers(classifier: Classifier, images: Iterable[Image.Image]) -> Iterator[Prediction]:
    """Many pictures' predictions, a batch at a time."""
    view, given = classifier.fast_view(), iter(images)
    with last_features(view) as features:
        while chunk := list(islice(given, _BATCH)):
            with torch.inference_mode():
                logits = view(torch.cat([classifier.preprocessing.tensor(image) for image in chunk]))
            yield from map(classifier.prediction, logits, features.pop())


def class_means(classifier: Classifier, learned: ImageSet) -> NDArray[np.float32]:
    """(classes, channels): the mean of what the head reads of each class's training pictures, each at length 1, as 16 bits hold it."""
    view = classifier.fast_view()
    with last_features(view) as given, torch.inference_mode():
        for x, _ in learned.batches(_BATCH):
            view(x.to(next(view.parameters()).device))
        seen = torch.nn.functional.normalize(torch.cat(given).cpu().double(), dim=1)
    means = torch.stack([seen[learned.labels == label].mean(0) for label in range(len(classifier.categories))])
    return means.half().float().numpy()


def _certain(predictions: Sequence[Prediction], temperature: float) -> float:
    """The share of them whose largest probability, at that temperature, is `_CERTAIN` or more."""
    logits = torch.tensor(np.stack([prediction.logits for prediction in predictions if prediction.logits is not None]))
    return float((torch.softmax(logits / temperature, 1).amax(1) >= _CERTAIN).double().mean())


def _told(predictions: Sequence[Prediction], score: str) -> np.ndarray:
    return np.array([prediction.familiarity(score) for prediction in predictions])


def to_card(scope: Scope) -> ScopeCard:
    """The scope with the digits that so many pictures are good for."""
    noted: ScopeCard = {
        "score": scope.score,
        "threshold": round(scope.threshold, 3),
        "caught": round(scope.caught, 3),
        "false_alarms": round(scope.false_alarms, 3),
        "auroc": {score: round(value, 3) for score, value in scope.auroc.items()},
        "inside": scope.inside,
        "outside": scope.outside,
    }
    if scope.certain is not None:
        noted["certain"] = (round(scope.certain[0], 3), round(scope.certain[1], 3))
    return noted
