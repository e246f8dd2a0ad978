"""The image sets that the lab trains on: each a training and a held-out part."""

from __future__ import annotations

import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from pathlib import PurePosixPath

import numpy as np
import torch
from torch import Tensor

from resviz.data.download import DownloadError, fetch
from resviz.data.images import CIFAR_MEAN, CIFAR_STD, ImageSet, cifar10, data_root, digits, probe_batch, split_folder, square
from resviz.data.pixels import discs, noisy_digits, pixels_batch
from resviz.data.points import points, points_batch
from resviz.data.symbols import sequences, sequences_batch
from resviz.data.unpack import Entry, hidden
from resviz.data.uploads import ImageError, decode
from resviz.progress import Tick, quiet
from resviz.spec.datasets import DATASETS
from resviz.spec.families import Network, things_of
from resviz.spec.lab import LabPlan
from resviz.spec.transformer import TransformerSpec

__all__ = [
    "CIFAR_MEGABYTES",
    "cifar10_sets",
    "cifar10_there",
    "digits_split",
    "download_cifar10",
    "files_sets",
    "lab_sets",
    "named_sets",
    "probed",
    "sets_of",
    "spirals",
]

Sets = tuple[ImageSet, ImageSet]
CIFAR_MEGABYTES = 170
_CIFAR_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_CIFAR_MD5 = "c58f30108f718f92721af3b95e74349a"


def digits_split(held_out: int = 297) -> Sets:
    """scikit-learn's digits: the last ones are held out."""
    every = digits()
    return every.part(slice(None, -held_out)), every.part(slice(-held_out, None))


def spirals(count: int = 1600, held_out: int = 400, side: int = 16, noise: float = 0.35, seed: int = 0) -> Sets:
    """Two-armed spirals in noise, turned at random: the class is which way they wind. Only the whole picture tells."""
    draw = np.random.default_rng(seed)
    total = count + held_out
    labels = draw.integers(0, 2, total)
    turn, pitch = draw.uniform(0, 2 * np.pi, (total, 1, 1)), draw.uniform(0.7, 1.1, (total, 1, 1))
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    angle, radius = np.arctan2(rows, columns), np.hypot(rows, columns)
    arms = np.cos(2 * np.where(labels[:, None, None] == 1, angle, -angle) - pitch * radius + turn)
    pixels = 127.5 + 70 * (arms + noise * draw.standard_normal(arms.shape))
    images = torch.from_numpy(pixels.clip(0, 255).astype(np.uint8))[:, None]
    every = ImageSet(images, torch.from_numpy(labels), ("clockwise", "counter-clockwise"), (0.5,), (0.25,))
    return every.part(slice(None, count)), every.part(slice(count, None))


@lru_cache(maxsize=5)
def named_sets(name: str) -> Sets:
    """A data set that is drawn here or lies on disk, read once a process."""
    makers: dict[str, Callable[[], Sets]] = {
        "digits": digits_split,
        "spirals": spirals,
        "discs": discs,
        "noisy-digits": noisy_digits,
        "cifar10": cifar10_sets,
    }
    return makers[name]()


def sets_of(plan: LabPlan) -> Sets:
    """What a plan learns from and what it holds out, where these are not the visitor's own images; points and sequences follow from its seed."""
    data = DATASETS[plan.data]
    if data.points:
        return points(plan.data, plan.noise, plan.share, plan.seed)
    return sequences(plan.seed) if data.symbols else named_sets(plan.data)


def lab_sets(plan: LabPlan, own: Sets | None = None) -> Callable[[], Sets]:
    """How a lab comes to its images when it begins, wherever that is: `own` are the visitor's, for a plan of these."""
    return partial(_given, own) if plan.data == "own" and own is not None else partial(sets_of, plan)


def _given(sets: Sets) -> Sets:
    return sets


def probed(spec: Network, size: int, side: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """What such a network is probed with where nothing else is asked for: handwritten digits of a side, points of the spirals, sequences, or discs among squares."""
    if isinstance(spec, TransformerSpec) and spec.vocabulary:
        return sequences_batch(size, spec.image, spec.vocabulary, spec.classes, seed)
    if things_of(spec) == "masks":
        return pixels_batch(size, spec.in_channels, side, spec.classes, seed)
    if things_of(spec) == "points":
        return points_batch(size, spec.classes, seed)
    return probe_batch(size, spec.in_channels, side, spec.classes, seed)


def cifar10_there() -> bool:
    """Whether CIFAR-10 lies under RESVIZ_DATA or ~/.cache/resviz, as torchvision's files or as cifar10/train/CLASS/*."""
    root = data_root()
    return (root / "cifar-10-batches-py").is_dir() or (root / "cifar10" / "train").is_dir()


def download_cifar10() -> Iterator[float]:
    """Fetch and unpack torchvision's files, yielding the fraction done; raises `DownloadError`."""
    root = data_root()
    archive = root / "cifar-10-python.tar.gz"
    yield from fetch(_CIFAR_URL, archive, "md5", _CIFAR_MD5, "the handwritten digits, which work offline")
    with tarfile.open(archive) as packed:
        packed.extractall(root, filter="data")


def cifar10_sets() -> Sets:
    """CIFAR-10 from disk; raises `DownloadError` where it is not there."""
    root = data_root()
    if not cifar10_there():
        raise DownloadError(
            f"CIFAR-10 is not under {root} yet; download it ({CIFAR_MEGABYTES} MB), or use the digits, which work offline"
        )
    return cifar10(root) if (root / "cifar-10-batches-py").is_dir() else split_folder(root / "cifar10")


def files_sets(entries: Iterable[Entry], side: int = 32, tick: Tick = quiet) -> tuple[Sets, tuple[str, ...]]:
    """Images by the folder they lie in, its name being their class: every fifth of a class is held out.

    The second value says what was left out, or mended. Raises ValueError where fewer than two classes of five images remain.
    """
    classes: dict[str, list[np.ndarray]] = defaultdict(list)
    said: list[str] = []
    entries = list(entries)
    for n, entry in enumerate(entries):
        tick(n / len(entries), f"{n:,} of {len(entries):,} images")
        folder = PurePosixPath(entry.name.replace("\\", "/")).parent.name
        if hidden(entry.name):
            continue
        try:
            decoded = decode(entry.read(), tick)
        except ImageError as error:
            said.append(f"{entry.name}: {error}")
            continue
        classes[folder].append(square(decoded.image, side))
        said += [f"{entry.name}: {note}" for note in decoded.notes]
    few = [name for name, images in classes.items() if len(images) < 5]
    said += [f"{name or 'the top folder'}: only {len(classes[name])} images, a class needs 5" for name in few]
    names = sorted(set(classes) - set(few))
    if len(names) < 2:
        raise ValueError(
            f"Two folders with at least five images each are needed, one folder a class; found {len(names)} such folders. "
            f"Lay them out as CLASS/NAME.jpg.{f' Left out: {said[0]}' if said else ''}"
        )
    parts: tuple[list[np.ndarray], list[np.ndarray]] = [], []
    labels: tuple[list[int], list[int]] = [], []
    for label, name in enumerate(names):
        for i, image in enumerate(classes[name]):
            parts[i % 5 == 4].append(image)
            labels[i % 5 == 4].append(label)
    train, test = (
        ImageSet(
            torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(),
            torch.tensor(own),
            tuple(names),
            CIFAR_MEAN,
            CIFAR_STD,
        )
        for images, own in zip(parts, labels, strict=True)
    )
    return (train, test), tuple(said)
