"""A training epoch of ours beside the loop a tutorial would write: fp32, channels-first, a DataLoader."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from resviz.data import CIFAR_MEAN, CIFAR_STD, ImageSet
from resviz.nets.resnet import build
from resviz.results import TrainStep
from resviz.spec import PRESETS
from resviz.training.loop import Training
from resviz.training.recipes import RECIPES


class _Pictures(Dataset):
    def __init__(self, images: ImageSet) -> None:
        self.images = images
        self.transform = v2.Compose(
            [
                v2.ToImage(),
                v2.RandomCrop(32, padding=4),
                v2.RandomHorizontalFlip(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(CIFAR_MEAN, CIFAR_STD),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.images.images[i].permute(1, 2, 0).numpy()), int(self.images.labels[i])


def throughput(images: int = 1280, rounds: int = 5) -> tuple[float, float]:
    """Seconds an epoch of ResNet-20 on `images` pictures takes, medians of alternating rounds: ours, the naive loop's."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (images, 3, 32, 32), dtype=torch.uint8, generator=generator)
    data = ImageSet(pixels, torch.randint(10, (images,), generator=generator), tuple("0123456789"), CIFAR_MEAN, CIFAR_STD)
    naive = build(PRESETS["resnet20"]).train()
    optimizer = torch.optim.SGD(naive.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    loader = DataLoader(_Pictures(data), batch_size=128, shuffle=True, drop_last=True, num_workers=2, persistent_workers=True)

    def theirs() -> None:
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(naive(x), y)
            loss.backward()
            optimizer.step()
            loss.item()

    ours = iter(Training(PRESETS["resnet20"], data, data.subset(64), replace(RECIPES["he2015-cifar"], epochs=rounds + 2)))

    def epoch() -> float:
        """Steps alone: what is measured after an epoch is left out on both sides."""
        took, start = 0.0, time.perf_counter()
        for event in ours:
            if not isinstance(event, TrainStep):
                return took
            took += time.perf_counter() - start
            start = time.perf_counter()
        return took

    theirs(), epoch()
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        start = time.perf_counter()
        theirs()
        times["theirs"].append(time.perf_counter() - start)
        times["ours"].append(epoch())
    return statistics.median(times["ours"]), statistics.median(times["theirs"])
