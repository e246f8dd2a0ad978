"""What is taught to which network: pictures as the network sees them, parted once, and what the network makes of them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from resviz.data.album import Album, Snapshot
from resviz.data.images import ImageSet, square
from resviz.machine import device
from resviz.nets.cost import check_memory, memory_limit
from resviz.nets.families.resnet import ResNet
from resviz.progress import Tick, quiet
from resviz.results import LearningCurve
from resviz.spec.transfer import TransferPlan
from resviz.training.estimate import Estimate
from resviz.training.transfer.linear import learning_curve
from resviz.zoo.classifier import Classifier, last_features

__all__ = ["FEATURES", "PIXELS", "SHARE", "Lesson", "estimate"]

SHARE = 0.3  # of each class that is held out
FEATURES, PIXELS = "what the network's head reads", "raw pixels"
_WATCHED = 5  # of so many pictures to learn from, one is watched
_RAW = 32  # pixels a side that a probe of raw pixels reads
_AT_ONCE = 32 * 128 * 128  # pixels that go through the network together


@dataclass(frozen=True, eq=False)
class Lesson:
    """An album, parted by share and seed, for a network that stays as it is. Raises ValueError where two classes are not there.

    `mark` tells the network from all others that go by its name.
    """

    start: Classifier
    album: Album
    share: float = SHARE
    seed: int = 0
    mark: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        if not 0.05 <= self.share <= 0.8:
            raise ValueError(f"the held-out share must be from 0.05 to 0.8, got {self.share:g}; {SHARE:g} is usual")
        object.__setattr__(self, "album", self.album.usable(max(1, len(self.album))))

    @property
    def categories(self) -> tuple[str, ...]:
        """The new classes, in order."""
        return tuple(self.album.classes)

    @property
    def key(self) -> str:
        """What tells its pictures, their parting and its network from all others'."""
        return f"{self.album.key} {self.share:g} {self.seed} {self.start.preprocessing} {self.mark or self.start.name}"

    @cached_property
    def parts(self) -> tuple[list[tuple[int, Snapshot]], list[tuple[int, Snapshot]]]:
        """(label, picture) of those to learn from and of those held out."""
        return self.album.parts(self.share, self.seed)

    @cached_property
    def fitted(self) -> tuple[list[int], list[int]]:
        """Of the pictures to learn from, the places of those that weights are fitted to and of those that are watched."""
        watched: list[int] = []
        labels = [label for label, _ in self.parts[0]]
        for label in range(len(self.categories)):
            own = [place for place, other in enumerate(labels) if other == label]
            watched += own[-max(1, len(own) // _WATCHED) :] if len(own) > 1 else []
        return [place for place in range(len(labels)) if place not in set(watched)], watched

    @cached_property
    def learned(self) -> ImageSet:
        """The pictures to learn from as the network sees a picture."""
        return self._shown(self.parts[0])

    @cached_property
    def held(self) -> ImageSet:
        """The held-out pictures, the same way."""
        return self._shown(self.parts[1])

    def _shown(self, part: list[tuple[int, Snapshot]]) -> ImageSet:
        shown = self.start.preprocessing
        pixels = np.stack([np.asarray(shown.seen(each.image)) for _, each in part])  # (N, H, W, 3)
        return self._set(pixels, part, shown.resize)

    def enlarged(self, places: list[int], spare: float) -> ImageSet:
        """Pictures to learn from, so much larger than shown, for random crops to choose from."""
        part, side = [self.parts[0][place] for place in places], round(self.start.preprocessing.crop * spare)
        return self._set(np.stack([square(each.image, side) for _, each in part]), part, None)

    def _set(self, pixels: np.ndarray, part: list[tuple[int, Snapshot]], resize: int | None) -> ImageSet:
        shown, images = self.start.preprocessing, torch.from_numpy(pixels).permute(0, 3, 1, 2)
        if len(shown.mean) == 1:
            images = torch.from_numpy(np.stack([np.asarray(Image.fromarray(each).convert("L")) for each in pixels]))[:, None]
        labels = torch.tensor([label for label, _ in part])
        return ImageSet(images.contiguous(), labels, self.categories, shown.mean, shown.std, resize)

    def features(self, tick: Tick = quiet) -> tuple[Tensor, Tensor]:
        """What the start network's head reads of the pictures to learn from and of those held out: (N, channels), one pass each."""
        with self._lock:  # asked by two at once, it is computed once
            if "_features" not in self.__dict__:
                began, view = time.perf_counter(), self.start.fast_view(fused=True)
                self.__dict__["_features"] = tuple(_read(view, part, tick) for part in (self.learned, self.held))
                self.__dict__["_features_took"] = time.perf_counter() - began
            found: tuple[Tensor, Tensor] = self.__dict__["_features"]
        return found

    @property
    def features_seconds(self) -> float:
        """What the features took, whoever asked for them first; 0 before that."""
        return float(self.__dict__.get("_features_took", 0))

    def pixels(self) -> tuple[Tensor, Tensor]:
        """The same pictures as 32×32 raw pixels: (N, channels · 1024)."""
        learned, held = (
            F.interpolate(part.images.float() / 255, size=(_RAW, _RAW), mode="bilinear", antialias=True).flatten(1)
            for part in (self.learned, self.held)
        )
        return learned, held

    def curve(self, tick: Tick = quiet) -> LearningCurve:
        """Linear heads by pictures a class, on the features and on raw pixels."""
        features, pixels = self.features(tick), self.pixels()
        return learning_curve(
            {FEATURES: features[0], PIXELS: pixels[0]},
            self.learned.labels,
            {FEATURES: features[1], PIXELS: pixels[1]},
            self.held.labels,
            self.seed,
            tick=tick,
        )


@torch.inference_mode()
def _read(view: ResNet, part: ImageSet, tick: Tick) -> Tensor:
    size = max(1, _AT_ONCE // part.images.shape[-1] ** 2)
    with last_features(view) as given:
        for n, (images, _) in enumerate(part.batches(size)):
            tick(n * size / len(part), f"features, {n * size} of {len(part)} pictures")
            view(images.to(device()))
    return torch.cat(given).clone()


def estimate(lesson: Lesson, plan: TransferPlan) -> Estimate:
    """Seconds of the whole run by a timed pass of a few pictures, and bytes; raises ValueError where the memory does not fit."""
    side, count = lesson.start.preprocessing.crop, len(lesson.album)
    trains = plan.mode != "head"
    batch = min(plan.batch, len(lesson.fitted[0]))
    check_memory(lesson.start.spec, side, batch if trains else max(1, _AT_ONCE // side**2), trains)
    need = count * 3 * (side * 2) ** 2 * (5 if trains else 2)
    if need > memory_limit():
        raise ValueError(
            f"{count:,} pictures of {side} px take {need / 2**30:.1f} GiB and the limit is {memory_limit() / 2**30:.1f} GiB; leave some out"
        )
    few = lesson.held.part(slice(0, 4))
    images, view = few.normalised(few.images).to(device()), lesson.start.fast_view(fused=True)
    with torch.inference_mode():
        view(images)
        began = time.perf_counter()
        view(images)
    each = (time.perf_counter() - began) / len(few)
    fitted, watched = map(len, lesson.fitted)
    # a step is some four fused passes; what is frozen needs no way back, which is not counted
    passes = plan.epochs * (4 * fitted + 1.5 * (watched + len(lesson.parts[1]))) if trains else count
    return Estimate(each * passes, need)
