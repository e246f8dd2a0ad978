"""The checkpoints that come with the project: safetensors and a JSON card each; a damaged one stands aside, by name."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from resviz.guard import door
from resviz.place import asset
from resviz.results import Card
from resviz.spec.query import from_query, resnet_of
from resviz.zoo.arrays import read_arrays, write_arrays
from resviz.zoo.classifier import Classifier, Preprocessing
from resviz.zoo.read import CheckpointError, contents, with_card
from resviz.zoo.weights import load_into

__all__ = [
    "CHECKPOINTS",
    "bundled_file",
    "bundled_names",
    "bundled_problems",
    "card",
    "digits_names",
    "every_name",
    "load_bundled",
    "means_of",
    "write_means",
]

CHECKPOINTS = asset("checkpoints")
Kind = Literal["photographs", "digits"]
_FOLDERS: Final[dict[Kind, str]] = {"photographs": "", "digits": "digits"}  # under CHECKPOINTS
_NEEDED: Final = ("title", "spec", "data", "caveat", "categories", "image_size", "mean", "std", "epochs", "measured")
_REMEDY: Final = "copy it from the project again"


def bundled_names() -> tuple[str, ...]:
    """Those for photographs first, which know most, then residual before plain ones; none that is damaged."""

    def rank(name: str) -> tuple[bool, bool, bool, str]:
        return not name.endswith("-tinyimagenet"), not name.endswith("-imagenette"), name.startswith("plain"), name

    return tuple(sorted((name for name in every_name("photographs") if not isinstance(_known(name), str)), key=rank))


def digits_names() -> tuple[str, ...]:
    """The networks of handwritten digits that are whole: ResNets, other residual ones and plain ones, by depth and seed."""

    def rank(about: Card) -> tuple[bool, bool, int, int]:
        spec = from_query(about["spec"])[0]
        return not spec.residual, spec.title.partition("-")[0] != "ResNet", spec.depth, spec.seed

    whole = {name: about for name in every_name("digits") if not isinstance(about := _known(name), str)}
    return tuple(sorted(whole, key=lambda name: rank(whole[name])))


def bundled_problems(kind: Kind = "photographs") -> tuple[str, ...]:
    """What is missing or damaged, a sentence each."""
    own = [found for name in every_name(kind) if isinstance(found := _known(name), str)]
    means = map(_means, () if kind == "digits" else bundled_names())
    return (*own, *(found for found in means if isinstance(found, str)))


def card(name: str) -> Card:
    """What the checkpoint is, what it was trained on, and what was measured."""
    if name not in every_name():
        raise ValueError(f"{name!r} is no bundled network; choose one of {', '.join((*bundled_names(), *digits_names()))}")
    found = _known(name)
    if isinstance(found, str):
        raise CheckpointError(found)
    return found


def load_bundled(name: str) -> Classifier:
    """A bundled network; raises ValueError, which names the file that is damaged."""
    about = card(name)
    spec = resnet_of(about["spec"])
    path = _file(name, ".safetensors")
    with door(CheckpointError, f"{_shown(path)} cannot be read ({{}}); {_REMEDY}"):
        net = load_into(spec, contents(path.read_bytes(), path.name).tensors)
    side = about["image_size"]
    preprocessing = Preprocessing(about.get("resize", side), side, tuple(about["mean"]), tuple(about["std"]))
    categories = tuple(category.replace("_", " ") for category in about["categories"])  # folders have no spaces
    source, temperature = f"bundled, trained on {about['data']}", about.get("calibration", {}).get("temperature", 1.0)
    return Classifier(name, net, preprocessing, categories, source, temperature=temperature, means=means_of(name))


def means_of(name: str) -> NDArray[np.float32] | None:
    """(classes, channels): where each class lies in the features that a network's head reads; None where its scope is not told by them."""
    found = _means(name)
    return None if isinstance(found, str) else found


def write_means(name: str, means: NDArray[np.float32]) -> Path:
    """Beside the network's checkpoint, in 16 bits."""
    return write_arrays(CHECKPOINTS / f"{name}.means.npz", {"means": means})


def _means(name: str) -> NDArray[np.float32] | str | None:
    """A network's class means, or what is wrong with their file."""
    if card(name).get("scope", {}).get("score") != "distance":
        return None
    found = read_arrays(CHECKPOINTS / f"{name}.means.npz")
    return found if isinstance(found, str) else found["means"]


def bundled_file(name: str) -> bytes:
    """The checkpoint as a file that carries its card wherever it goes."""
    return with_card(_file(name, ".safetensors").read_bytes(), card(name))


def every_name(*kinds: Kind) -> tuple[str, ...]:
    """Every bundled network, whole or not: those for photographs, those for digits, or both where neither is named."""
    folders = [CHECKPOINTS / _FOLDERS[kind] for kind in kinds or _FOLDERS]
    patterns = ("*.json", "*.safetensors")
    return tuple(sorted({path.stem for folder in folders for pattern in patterns for path in folder.glob(pattern)}))


def _file(name: str, ending: str) -> Path:
    """A network's card or its weights, there or not."""
    digits = CHECKPOINTS / _FOLDERS["digits"]
    there = any((digits / f"{name}{each}").exists() for each in (".json", ".safetensors"))
    return (digits if there else CHECKPOINTS) / f"{name}{ending}"


def _shown(path: Path) -> str:
    return f"assets/checkpoints/{path.relative_to(CHECKPOINTS).as_posix()}"


def _known(name: str) -> Card | str:
    """A network's card, or what is wrong with its files."""
    files = [_file(name, ending) for ending in (".json", ".safetensors")]
    return _looked_at(name, tuple(os.stat(file)[6:9] if file.exists() else None for file in files), files[0].parent)


@lru_cache(maxsize=64)
def _looked_at(name: str, versions: tuple[object, ...], folder: Path) -> Card | str:
    """`versions` are the sizes and times of the two files, so that each version is looked at once."""
    noted, weights = folder / f"{name}.json", folder / f"{name}.safetensors"
    if not weights.exists():
        return f"{_shown(weights)} is missing; {_REMEDY}"
    try:
        with door(CheckpointError, f"{_shown(weights)} is damaged ({{}}); {_REMEDY}"):
            inside = contents(weights.read_bytes(), weights.name).metadata.get("card")
        if not noted.exists() and inside is None:
            return f"{_shown(noted)} is missing; {_REMEDY}"
        with door(CheckpointError, f"{_shown(noted)} is damaged ({{}}); {_REMEDY}"):
            about: Card = json.loads(noted.read_text(encoding="utf-8") if noted.exists() else inside or "")
            if absent := [key for key in _NEEDED if key not in about]:
                raise ValueError(f"it has no {absent[0]}")
            if problems := from_query(about["spec"])[1]:
                raise ValueError(problems[0])
            if from_query(about["spec"])[0].classes != len(about["categories"]):
                raise ValueError("it names another number of classes")
            float(about["measured"]["test_error"])
    except CheckpointError as error:
        return str(error)
    return about
