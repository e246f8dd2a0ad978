"""What teaching a network other classes costs beside plain PyTorch: its head beside a pass, a step of fine-tuning beside the same step."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
import torch
from PIL import Image
from torch import nn

from resviz.data.album import album_of
from resviz.machine import fitting_threads
from resviz.progress import Cancelled
from resviz.spec.transfer import usual_plan
from resviz.training.transfer.lesson import Lesson
from resviz.training.transfer.loop import Transfer
from resviz.training.transfer.pieces import augmented, beheaded
from resviz.zoo.bundled import load_bundled

__all__ = ["transfer_rows"]

_Ratio = Callable[[Callable[[], object], Callable[[], object], int], float]
_CLASSES, _EACH, _STEPS = 10, 20, 12


def _lesson() -> Lesson:
    """Noise in ten classes of twenty for the network of photographs: what a pass costs does not depend on what it shows."""
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 256, (_CLASSES, _EACH, 160, 160, 3), np.uint8)
    return Lesson(
        load_bundled("resnet18-imagenette"),
        album_of({f"class {n}": list(map(Image.fromarray, each)) for n, each in enumerate(noise)}),
    )


def _head_ratio(ratio: _Ratio, lesson: Lesson) -> float:
    """Features and head / the network as it stands, over the same pictures."""
    parts = [part.normalised(part.images) for part in (lesson.learned, lesson.held)]
    net, size = lesson.start.net, 32 * 128**2 // parts[0].shape[-1] ** 2

    @torch.inference_mode()
    def one_pass() -> None:
        for part in parts:
            for x in part.split(size):
                net(x)

    def head() -> None:
        fresh = Lesson(lesson.start, lesson.album)
        fresh.__dict__.update(learned=lesson.learned, held=lesson.held)  # the pictures are ready, as they are for the pass
        list(Transfer(fresh, usual_plan("head")))

    return ratio(head, one_pass, 5)


def _plain_steps(lesson: Lesson) -> Iterator[None]:
    """The step that a tutorial would write: the last stage and the head learn, and every norm keeps what it learned."""
    plan, net = usual_plan("finetune"), beheaded(lesson.start, _CLASSES)
    net.requires_grad_(False).train()
    for name in ("layer4", "fc"):
        net.get_submodule(name).requires_grad_(True)
    for norm in [each for each in net.modules() if isinstance(each, nn.BatchNorm2d)]:
        norm.eval().requires_grad_(False)
    optimizer = torch.optim.SGD(
        [each for each in net.parameters() if each.requires_grad], plan.rate, momentum=0.9, weight_decay=1e-4
    )
    side = lesson.start.preprocessing.crop
    images = lesson.enlarged(lesson.fitted[0], augmented(side).spare)
    for epoch in range(10**6):
        for x, labels in augmented(side).batches(images, plan.batch, epoch, side):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), labels)
            loss.backward()
            optimizer.step()
            loss.item()
            yield


def _step_ratio(lesson: Lesson) -> float:
    """A step of fine-tuning / a plain one: the median of pairs, the plain one taken where the other says that a step begins."""
    plain, ratios, ended = _plain_steps(lesson), [], 0.0
    next(plain)

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        nonlocal ended
        if not note.startswith("epoch"):
            return False
        ours, began = time.perf_counter() - ended, time.perf_counter()
        next(plain)
        theirs = time.perf_counter() - began
        if fraction * usual_plan("finetune").epochs % 1 and ended:  # before the first step of an epoch there is more than a step
            ratios.append(ours / theirs)
        if len(ratios) == _STEPS:
            raise Cancelled
        ended = time.perf_counter()
        return False

    with suppress(Cancelled):
        list(Transfer(lesson, usual_plan("finetune"), tick=tick))
    return statistics.median(ratios)


def transfer_rows(ratio: _Ratio) -> list[tuple[str, float, float]]:
    """(name, ratio, at most) of 10 classes × 20 pictures from the bundled ResNet-18 for photographs."""
    lesson = _lesson()
    with fitting_threads(lesson.start.preprocessing.crop):
        head, step = _head_ratio(ratio, lesson), _step_ratio(lesson)
    return [
        ("features and head / one pass, ResNet-18, 10 classes of 20 pictures", head, 1.2),
        ("step of fine-tuning / PyTorch step of the same layers, ResNet-18, batch 16", step, 1.1),
    ]


if __name__ == "__main__":
    from tests.bench.__main__ import ratio

    for row in transfer_rows(ratio):
        print(*row, flush=True)
