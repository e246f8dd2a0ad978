"""Training as a generator: it yields a `TrainStep` a step and an `EpochRecord` an epoch, and can be taken up again.

Nothing random is kept between steps (order and augmentation come from seed and epoch, the learning rate from the step's
number), so a run resumed from its last epoch repeats the lost steps exactly.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from resviz.data import ImageSet
from resviz.heap import keep_freed
from resviz.nets.resnet import ResNet, build
from resviz.probes.gradients import gradient_probe
from resviz.results import EpochRecord, TrainStep
from resviz.spec import NetSpec, to_query_string
from resviz.training.recipes import Recipe
from resviz.training.record import history_from_json, history_to_json

__all__ = ["Training", "evaluate"]

_EVAL_PIXELS = 10_000 * 32 * 32 * 4  # train error is measured on at most this many, chosen once


@dataclass
class Training:
    """One run: iterate over it. `net` is the network being trained, `history` every epoch so far."""

    spec: NetSpec
    train: ImageSet
    test: ImageSet
    recipe: Recipe
    checkpoint: Path | None = None
    probe_images: int = 64
    net: ResNet = field(init=False)
    history: list[EpochRecord] = field(init=False, default_factory=list)
    losses: list[float] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        if len(self.train) < self.recipe.batch:
            raise ValueError(f"{len(self.train)} training images do not fill a batch of {self.recipe.batch}; lower --batch")
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net = build(self.spec).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.SGD(
            self.net.parameters(),
            lr=self.recipe.lr,
            momentum=self.recipe.momentum,
            nesterov=self.recipe.nesterov,
            weight_decay=self.recipe.weight_decay,
        )
        if self.checkpoint is not None and self.checkpoint.exists():
            self._restore(self.checkpoint)

    @property
    def steps(self) -> int:
        return self.recipe.epochs * (len(self.train) // self.recipe.batch)

    def __iter__(self) -> Iterator[TrainStep | EpochRecord]:
        keep_freed()
        per_epoch = len(self.train) // self.recipe.batch
        for epoch in range(len(self.history), self.recipe.epochs):
            began = time.perf_counter()
            self.net.train()
            for i, (images, labels) in enumerate(self._batches(epoch)):
                step = epoch * per_epoch + i
                lr = self.recipe.lr_at(step, self.steps, self.spec.depth)
                loss = self._step(images, labels, lr)
                self.losses.append(loss)
                yield TrainStep(step + 1, self.steps, epoch + 1, loss, lr)
            record = self._measure(epoch, began)
            self.history.append(record)
            self._save()
            yield record

    @cached_property
    def fixed(self) -> ImageSet:
        """The training images whose error is measured: un-augmented, seen as the test images are."""
        return self._as_tested(self.train.subset(min(10_000, _EVAL_PIXELS // self.test.images.shape[-1] ** 2)))

    def _as_tested(self, images: ImageSet) -> ImageSet:
        return images if self.test.resize is None else images.centred(self.test.resize, self.test.images.shape[-1])

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        seed = self.spec.seed * 100_003 + epoch
        if self.recipe.sides:
            return self.train.resized_crop_flip(self.recipe.batch, seed, self.recipe.side_at(epoch))
        return self.train.crop_flip(self.recipe.batch, seed)

    def _step(self, images: Tensor, labels: Tensor, lr: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        images, labels = images.to(self.device), labels.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            logits = self.net(images)
        loss = nn.functional.cross_entropy(logits.float(), labels, label_smoothing=self.recipe.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.item()

    def _measure(self, epoch: int, began: float) -> EpochRecord:
        train_error, train_loss = evaluate(self.net, self.fixed)
        test_error, test_loss = evaluate(self.net, self.test)
        sample = self._as_tested(self.train.subset(self.probe_images, seed=1))
        images = sample.normalised(sample.images).to(self.device)
        self.net.train()
        return EpochRecord(
            epoch + 1,
            self.recipe.epochs,
            train_error,
            train_loss,
            test_error,
            test_loss,
            time.perf_counter() - began,
            gradient_probe(self.net, images, sample.labels.to(self.device)),
            _branch_ratios(self.net, images),
        )

    def _save(self) -> None:
        if self.checkpoint is None:
            return
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        part = self.checkpoint.with_suffix(".part")
        state = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "losses": self.losses}
        torch.save(state | {"run": self._identity(), "history": history_to_json(self.history)}, part)
        os.replace(part, self.checkpoint)

    def _restore(self, path: Path) -> None:
        saved: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        if saved["run"] != self._identity():
            raise ValueError(f"{path} belongs to another run ({saved['run']}); name another --out or remove it")
        self.net.load_state_dict(saved["net"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.history, self.losses = history_from_json(saved["history"]), saved["losses"]

    def _identity(self) -> str:
        return f"{to_query_string(self.spec)} {self.recipe} {len(self.train)} images"


@torch.inference_mode()
def evaluate(net: ResNet, images: ImageSet, pixels: int = 500 * 32 * 32) -> tuple[float, float]:
    """Error in percent and mean cross-entropy, fp32, eval mode, no augmentation; the network's mode is put back."""
    was_training, device = net.training, next(net.parameters()).device
    net.eval()
    wrong, loss = 0, 0.0
    try:
        for inputs, labels in images.batches(max(1, pixels // images.images.shape[-1] ** 2)):
            logits, labels = net(inputs.to(device)), labels.to(device)
            wrong += int((logits.argmax(1) != labels).sum())
            loss += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
    finally:
        net.train(was_training)
    return 100 * wrong / len(images), loss / len(images)


@torch.no_grad()
def _branch_ratios(net: ResNet, images: Tensor) -> tuple[float, ...]:
    """‖F(x)‖ / ‖x‖ of each block, in eval mode, so that measuring does not move the running statistics."""
    ratios: list[float] = []
    net.eval()
    x = net.maxpool(net.relu(net.bn1(net.conv1(images))))
    for _, block in net.blocks():
        entered = x
        inner = block.relu1(block.bn1(x)) if net.spec.block.preact else x  # type: ignore[operator]
        ratios.append((block.residual(inner).norm() / entered.norm()).item())
        x = block(x)
    net.train()
    return tuple(ratios)
