"""torchvision's ImageNet weights: downloaded on demand, kept in torch's own cache, checked by their hash."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from resviz.data.download import DownloadError, fetch, intact
from resviz.spec.net import Stem
from resviz.spec.presets import PRESETS
from resviz.zoo.classifier import Classifier, Preprocessing
from resviz.zoo.layouts import networks
from resviz.zoo.read import contents
from resviz.zoo.weights import load_into

__all__ = ["Weights", "download", "load_imagenet", "weights"]


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
        """Where torch.hub keeps the file."""
        import torch

        return Path(torch.hub.get_dir()) / "checkpoints" / self.url.rsplit("/", 1)[1]

    @property
    def cached(self) -> bool:
        """Whether the file is there, whole or not."""
        return self.path.exists()

    @property
    def intact(self) -> bool:
        """Whether they are there with the hash in their name; measured once for each version of the file."""
        return intact(self.path, "sha256", self.hash)

    @property
    def hash(self) -> str:
        """How their SHA-256 begins."""
        return self.path.stem.rsplit("-", 1)[1]


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
                name=name,
                preset=preset,
                url=entry.url,
                params=entry.meta["num_params"],
                gmacs=entry.meta["_ops"],
                top1=metrics["acc@1"],
                top5=metrics["acc@5"],
                megabytes=entry.meta["_file_size"],
            )
    return found


def download(item: Weights) -> Generator[float, None, None]:
    """Fetch the weights, yielding the fraction done; raises `DownloadError`."""
    largest = round(2e6 * item.megabytes)
    yield from fetch(item.url, item.path, "sha256", item.hash, "a bundled network, which works offline", largest=largest)


def load_imagenet(name: str) -> Classifier:
    """Weights that are already on disk, as a classifier with their own preprocessing and categories."""
    from torchvision.models import get_model_weights

    if name not in weights():
        raise ValueError(f"{name!r} is no set of weights; choose one of {', '.join(weights())}")
    item = weights()[name]
    if not item.cached:
        raise DownloadError(f"{name} is not downloaded yet; download it ({item.megabytes:.0f} MB), or use a bundled network")
    if not item.intact:
        raise DownloadError(f"{item.path} is damaged (its hash is not {item.hash}…); download it again, or use a bundled network")
    entry = get_model_weights(item.preset)[f"IMAGENET1K_{name.rsplit('.', 1)[1]}"]
    transform = entry.transforms()
    held = networks(contents(item.path.read_bytes(), item.path.name).tree, name)
    net = load_into(PRESETS[item.preset], held[0].tensors)
    preprocessing = Preprocessing(transform.resize_size[0], transform.crop_size[0], tuple(transform.mean), tuple(transform.std))
    return Classifier(name, net, preprocessing, tuple(entry.meta["categories"]), "torchvision, trained on ImageNet-1K")
