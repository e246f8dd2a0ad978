"""A training epoch of ours beside the plain loop over the same JPEG folder: fp32, channels-first, ImageFolder, DataLoader."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from resviz.data.images import CIFAR_MEAN, CIFAR_STD, ImageSet
from resviz.nets.build import build
from resviz.results import TrainStep
from resviz.spec.presets import PRESETS
from resviz.training.loop import Training
from resviz.training.recipes import RECIPES


def _folder(data: ImageSet) -> Path:
    """The pictures as JPEG files, one folder a class."""
    root = Path(tempfile.mkdtemp())
    for i, (pixels, label) in enumerate(zip(data.images, data.labels, strict=True)):
        (root / str(int(label))).mkdir(exist_ok=True)
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(root / str(int(label)) / f"{i}.jpg", quality=75)
    return root


def _data(images: int = 1920) -> ImageSet:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (images, 3, 32, 32), dtype=torch.uint8, generator=generator)
    return ImageSet(pixels, torch.randint(10, (images,), generator=generator), tuple("0123456789"), CIFAR_MEAN, CIFAR_STD)


def _naive_epochs() -> Iterator[float]:
    net = build(PRESETS["resnet20"]).train()
    optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    steps = [v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip(), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
    pictures = ImageFolder(str(_folder(_data())), v2.Compose([*steps, v2.Normalize(CIFAR_MEAN, CIFAR_STD)]))
    loader = DataLoader(pictures, batch_size=128, shuffle=True, drop_last=True)
    while True:
        start = time.perf_counter()
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            loss.item()
        yield time.perf_counter() - start


def _our_epochs() -> Iterator[float]:
    """Steps alone: what is measured after an epoch is left out on both sides."""
    data = _data()
    took, start = 0.0, 0.0
    for event in Training(PRESETS["resnet20"], data, data.subset(64), replace(RECIPES["he2015-cifar"], epochs=100)):
        if isinstance(event, TrainStep):
            took += time.perf_counter() - start if start else 0.0
        else:
            yield took
            took = 0.0
        start = time.perf_counter()


def _serve(ours: bool, pipe: Connection) -> None:
    epochs = _our_epochs() if ours else _naive_epochs()
    next(epochs)
    pipe.send(None)
    while pipe.recv():
        pipe.send(next(epochs))


def throughput(rounds: int = 9) -> tuple[float, float]:
    """Seconds an epoch of ResNet-20 on 1,920 pictures takes, medians of alternating epochs: ours, the plain loop's.

    Each in a process of its own, since ours tunes the allocator of its process.
    """
    context = get_context("spawn")
    pipes: dict[bool, Connection] = {}
    workers = []
    for ours in (True, False):
        pipes[ours], far = context.Pipe()
        workers.append(context.Process(target=_serve, args=(ours, far), daemon=True))
        workers[-1].start()
        pipes[ours].recv()  # alone, so that it finds out undisturbed what this machine does fastest
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds + 1):
        for ours, pipe in pipes.items():
            pipe.send(True)
            times[ours].append(pipe.recv())
    for pipe in pipes.values():
        pipe.send(False)
    for worker in workers:
        worker.join()
    return statistics.median(times[True][1:]), statistics.median(times[False][1:])
