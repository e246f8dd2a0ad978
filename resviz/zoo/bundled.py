"""The checkpoints that come with the project: safetensors and a JSON card each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from resviz.spec import from_query
from resviz.zoo.checkpoint import load_into, read_state
from resviz.zoo.classifier import Classifier, Preprocessing

__all__ = ["CHECKPOINTS", "bundled_names", "card", "load_bundled"]

CHECKPOINTS = Path(__file__).resolve().parents[2] / "assets" / "checkpoints"


def bundled_names() -> tuple[str, ...]:
    """The network for photographs first, which is the default, then residual before plain ones."""

    def rank(name: str) -> tuple[bool, bool, str]:
        return not name.endswith("-imagenette"), name.startswith("plain"), name

    return tuple(sorted((path.stem for path in CHECKPOINTS.glob("*.json")), key=rank))


def card(name: str) -> dict[str, Any]:
    """What the checkpoint is, what it was trained on, and what was measured."""
    if name not in bundled_names():
        raise ValueError(f"{name!r} is no bundled network; choose one of {', '.join(bundled_names())}")
    found: dict[str, Any] = json.loads((CHECKPOINTS / f"{name}.json").read_text())
    return found


def load_bundled(name: str) -> Classifier:
    about = card(name)
    spec, problems = from_query(about["spec"])
    if problems:
        raise ValueError(f"the card of {name} cannot be read: {problems[0]}")
    path = CHECKPOINTS / f"{name}.safetensors"
    net = load_into(spec, read_state(path.read_bytes(), path.name))
    side = about["image_size"]
    preprocessing = Preprocessing(about.get("resize", side), side, tuple(about["mean"]), tuple(about["std"]))
    categories = tuple(category.replace("_", " ") for category in about["categories"])  # folders have no spaces
    return Classifier(name, net, preprocessing, categories, f"bundled, trained on {about['data']}")
