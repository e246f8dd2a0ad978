"""What is kept of a classifier that was taught here: its weights as safetensors, with the card that says where they come from."""

from __future__ import annotations

import datetime
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import pandas as pd

from resviz.recordings import to_parquet
from resviz.results import Transferred
from resviz.spec.names import describe
from resviz.spec.query import to_query_string
from resviz.spec.transfer import MODES
from resviz.training.transfer.lesson import Lesson
from resviz.version import __version__
from resviz.zoo.classifier import Classifier
from resviz.zoo.read import said_of

__all__ = ["card_of", "checkpoint_of", "transfer_card", "transfer_recording"]


def transfer_card(lesson: Lesson, found: Transferred, net: Classifier) -> dict[str, object]:
    """Spec, data, recipe, errors, date and origin; the errors are of the held-out pictures."""
    import torch

    counts = ", ".join(f"{len(pictures)} of {name}" for name, pictures in lesson.album.classes.items())
    loss = -torch.from_numpy(found.probabilities).log().clamp(min=-100)[range(len(found.labels)), found.labels].mean()
    return card_of(net) | {
        "data": f"your own pictures: {counts}",
        "caveat": f"{MODES[found.plan.mode]}, from {lesson.start.name}; {len(found.labels)} pictures held out.",
        "recipe": asdict(found.plan) | {"held_out_share": lesson.share, "kept_epoch": found.best},
        "seed": lesson.seed,
        "epochs": len(found.epochs),
        "seconds": round(found.seconds),
        "measured": {
            "test_error": 100 - found.accuracy,
            "test_loss": float(loss),
            "train_loss": found.epochs[found.best - 1].loss,
            "test_images": len(found.labels),
        },
        "from": lesson.start.name,
    }


def transfer_recording(found: Transferred, net: Classifier) -> bytes:
    """Loss and every learning layer's gradient, epoch by epoch, as Parquet; empty for a head alone, which is fitted in one go."""
    if found.plan.mode == "head":
        return b""
    values = np.stack([each.gradients for each in found.epochs])  # (epochs, layers)
    learn = [name for name, own in zip(found.layers, (values != 0).any(0), strict=True) if own]
    rows: list[tuple[int, str, str, float]] = []
    for each in found.epochs:
        rows.append((each.epoch, "loss", "", each.loss))
        own = zip(found.layers, each.gradients, strict=True)
        rows += [(each.epoch, "gradient", name, float(norm)) for name, norm in own if name in learn]
    card = {
        "format": "resviz watch",
        "version": 1,
        "unit": "epoch",
        "steps": len(found.epochs),
        "model": f"{MODES[found.plan.mode]}, {describe(net.spec)}",
        "layers": list(found.layers),
        "judged": [name for name in learn if name != "fc"],
        "guess": math.log(len(found.categories)),
        "broken": [],
        "from": net.source,
    }
    return to_parquet(pd.DataFrame(rows, columns=["step", "quantity", "name", "value"]), card)


def card_of(net: Classifier) -> dict[str, object]:
    """What any classifier's card has: what it is and how it is asked."""
    import torch

    shown = net.preprocessing
    return {
        "title": describe(net.spec),
        "spec": to_query_string(net.spec),
        "data": net.source,
        "caveat": "",
        "categories": list(net.categories),
        "image_size": shown.crop,
        "resize": shown.resize,
        "mean": list(shown.mean),
        "std": list(shown.std),
        "calibration": {"temperature": net.temperature},
        "departs": _departures(net),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {"resviz": __version__, "torch": torch.__version__, "python": platform.python_version()},
    }


def _departures(net: Classifier) -> dict[str, object]:
    """Where it departs from the papers in what its tensors do not show."""
    variant = net.net.variant
    return ({"pool": True} if variant.pool else {}) | ({"groups": variant.groups} if variant.groups else {})


def checkpoint_of(net: Classifier, card: Mapping[str, object] | None = None, recording: bytes = b"") -> bytes:
    """As safetensors with card and recording in its metadata, which `zoo.checkpoint.load` reads back to the same answers."""
    from safetensors.torch import save

    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in net.net.state_dict().items()}
    return save(weights, said_of(card_of(net) if card is None else card, recording))
