"""torchvision's ImageNet weights: downloaded on demand, kept in torch's own cache, checked by their hash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from resviz.fetch import DownloadError, fetch
from resviz.spec import PRESETS, Stem
from resviz.zoo.checkpoint import load_into, read_state
from resviz.zoo.classifier import Classifier, Preprocessing

__all__ = ["Weights", "download", "load_imagenet", "published", "weights"]


@dataclass(frozen=True)
class Weights:
    """One set of published weights; accuracies in percent, torchvision's metadata."""

    name: str  # resnet50.V2
    preset: str
    url: str
    params: int
    gmacs: float
    top1: float
    top5: float
    megabytes: float

    @property
    def path(self) -> Path:
        import torch

        return Path(torch.hub.get_dir()) / "checkpoints" / self.url.rsplit("/", 1)[1]

    @property
    def cached(self) -> bool:
        return self.path.exists()


@cache
def weights() -> Mapping[str, Weights]:
    """Every set of ImageNet weights for a preset of ours, by name such as `resnet50.V2`."""
    from torchvision.models import get_model_weights

    found = {}
    for preset, spec in PRESETS.items():
        if spec.stem is not Stem.IMAGENET or not spec.residual:
            continue
        for entry in get_model_weights(preset):
            name = f"{preset}.{entry.name.removeprefix('IMAGENET1K_')}"
            metrics = entry.meta["_metrics"]["ImageNet-1K"]
            found[name] = Weights(
                name,
                preset,
                entry.url,
                entry.meta["num_params"],
                entry.meta["_ops"],
                metrics["acc@1"],
                metrics["acc@5"],
                entry.meta["_file_size"],
            )
    return found


def published(preset: str) -> Weights | None:
    """The preset's V1 weights: the numbers the field quotes."""
    return weights().get(f"{preset}.V1")


def download(item: Weights) -> Iterator[float]:
    """Fetch the weights, yielding the fraction done; raises `DownloadError`."""
    expected = item.path.stem.rsplit("-", 1)[1]
    yield from fetch(item.url, item.path, "sha256", expected, "a bundled network, which works offline")


def load_imagenet(name: str) -> Classifier:
    """Weights that are already on disk, as a classifier with their own preprocessing and categories."""
    from torchvision.models import get_model_weights

    if name not in weights():
        raise ValueError(f"{name!r} is no set of weights; choose one of {', '.join(weights())}")
    item = weights()[name]
    if not item.cached:
        raise DownloadError(f"{name} is not downloaded yet; download it ({item.megabytes:.0f} MB), or use a bundled network")
    entry: Any = get_model_weights(item.preset)[f"IMAGENET1K_{name.rsplit('.', 1)[1]}"]
    transform = entry.transforms()
    state = read_state(item.path.read_bytes(), item.path.name)
    net = load_into(PRESETS[item.preset], state)
    preprocessing = Preprocessing(transform.resize_size[0], transform.crop_size[0], tuple(transform.mean), tuple(transform.std))
    return Classifier(name, net, preprocessing, tuple(entry.meta["categories"]), "torchvision, trained on ImageNet-1K")
