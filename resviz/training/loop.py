"""Training as a generator: it yields a `TrainStep` a step and an `EpochRecord` an epoch, and can be taken up again.

Nothing random is kept between steps (order and augmentation come from seed and epoch, the learning rate from the step's
number), so a run resumed from its last epoch repeats the lost steps exactly.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from resviz.allocator import keep_freed
from resviz.data.images import ImageSet
from resviz.guard import door
from resviz.machine import device
from resviz.nets.build import build
from resviz.nets.families.resnet import ResNet
from resviz.probes.accuracy import evaluate
from resviz.probes.branches import branch_ratios
from resviz.probes.gradients import gradient_probe
from resviz.results import EpochRecord, TrainStep
from resviz.spec.net import NetSpec
from resviz.spec.query import to_query_string
from resviz.training.arithmetic import Arithmetic, choose
from resviz.training.checkpoints import write_checkpoint
from resviz.training.export import history_from_json, history_to_json
from resviz.training.recipes import Recipe

__all__ = ["Training"]

_EVAL_PIXELS = 10_000 * 32 * 32 * 4  # train error is measured on at most this many, chosen once


class _Saved(TypedDict):
    """A checkpoint of a run that is not over."""

    net: dict[str, Tensor]
    optimizer: dict[str, object]
    losses: list[float]
    run: str
    history: str
    arithmetic: Mapping[str, Any]


@dataclass
class Training:
    """One run: iterate over it. `net` is the network being trained, `history` every epoch so far.

    `precision` and `threads` are chosen by what this machine does fastest unless they are given; a run that is taken up keeps what it
    began with. Raises ValueError where the sets do not go together, or the checkpoint is damaged or another run's.
    """

    spec: NetSpec
    train: ImageSet
    test: ImageSet
    recipe: Recipe
    checkpoint: Path | None = None
    probe_images: int = 64
    precision: str | None = None
    threads: int | None = None
    arithmetic: Arithmetic = field(init=False)
    net: ResNet = field(init=False)
    history: list[EpochRecord] = field(init=False, default_factory=list)
    losses: list[float] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        if len(self.train) < self.recipe.batch:
            raise ValueError(f"{len(self.train)} training images do not fill a batch of {self.recipe.batch}; lower --batch")
        if self.train.categories != self.test.categories:
            raise ValueError(_other_classes(self.train.categories, self.test.categories))
        saved = self._saved()
        self.arithmetic = self._arithmetic(saved)
        self.train, self.test = self.arithmetic.keep(self.train), self.arithmetic.keep(self.test)
        self.net = self.arithmetic.place(build(self.spec))
        self.optimizer = torch.optim.SGD(
            self.net.parameters(),
            lr=self.recipe.lr,
            momentum=self.recipe.momentum,
            nesterov=self.recipe.nesterov,
            weight_decay=self.recipe.weight_decay,
        )
        if saved:
            self.net.load_state_dict(saved["net"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.history, self.losses = history_from_json(saved["history"]), saved["losses"]

    def _arithmetic(self, saved: _Saved | None) -> Arithmetic:
        """What the run began with, where this machine has it and nothing else is asked for."""
        began = Arithmetic(**saved["arithmetic"]) if saved else None
        asked = {"precision": self.precision, "threads": self.threads}
        if began and began.device == device().type and all(v in (None, getattr(began, name)) for name, v in asked.items()):
            return began
        side = self.recipe.side_at(self.recipe.epochs - 1, self.train.images.shape[-1])
        return choose(self.spec, side, self.recipe.batch, self.precision, self.threads)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
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
        side = self.recipe.side_at(epoch, self.train.images.shape[-1])
        return self.recipe.augmentation.batches(self.train, self.recipe.batch, seed, side)

    def _step(self, images: Tensor, labels: Tensor, lr: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        images, labels = self.arithmetic.inputs(images), labels.to(self.arithmetic.device)
        with self.arithmetic.on_threads():
            with self.arithmetic.forward():
                logits = self.net(images)
            loss = nn.functional.cross_entropy(logits.float(), labels, label_smoothing=self.recipe.label_smoothing)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            return loss.item()

    def _measure(self, epoch: int, began: float) -> EpochRecord:
        with self.arithmetic.on_threads():
            return self._measured(epoch, began)

    def _measured(self, epoch: int, began: float) -> EpochRecord:
        train_error, train_loss = evaluate(self.net, self.fixed)
        test_error, test_loss = evaluate(self.net, self.test)
        sample = self._as_tested(self.train.subset(self.probe_images, seed=1))
        images = self.arithmetic.inputs(sample.normalised(sample.images))
        self.net.train()
        return EpochRecord(
            epoch=epoch + 1,
            epochs=self.recipe.epochs,
            train_error=train_error,
            train_loss=train_loss,
            test_error=test_error,
            test_loss=test_loss,
            seconds=time.perf_counter() - began,
            probe=gradient_probe(self.net, images, sample.labels.to(self.arithmetic.device)),
            branch_ratio=branch_ratios(self.net, images),
        )

    def _save(self) -> None:
        if self.checkpoint is None:
            return
        state: _Saved = {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "losses": self.losses,
            "run": self._identity,
            "history": history_to_json(self.history),
            "arithmetic": self.arithmetic.as_dict(),
        }
        write_checkpoint(self.checkpoint, state)

    def _saved(self) -> _Saved | None:
        """What an earlier attempt at this very run left, if any did."""
        path = self.checkpoint
        if path is None or not path.exists():
            return None
        with door(
            ValueError, f"{path} cannot be taken up, it is damaged ({{}}); remove it to begin again, or name another --out"
        ):
            saved: _Saved = torch.load(path, map_location="cpu", weights_only=True)
            run = saved["run"]
            if missing := {"net", "optimizer", "losses", "history", "arithmetic"} - saved.keys():
                raise KeyError(f"no {min(missing)!r} in it")
        if run != self._identity:
            raise ValueError(
                f"{path} belongs to another run ({run}, this one is {self._identity}); name another --out or remove it"
            )
        return saved

    @cached_property
    def _identity(self) -> str:
        """Whatever a run's course depends on: the network, the recipe, and the very images with their classes."""
        digest = hashlib.blake2b(digest_size=8)
        for images in (self.train, self.test):
            digest.update(repr((images.categories, images.mean, images.std, images.resize, tuple(images.images.shape))).encode())
            for tensor in (images.images, images.labels):
                digest.update(tensor.cpu().contiguous().numpy().data)
        return f"{to_query_string(self.spec)} {self.recipe} {len(self.train)} images {digest.hexdigest()}"


def _other_classes(train: tuple[str, ...], test: tuple[str, ...]) -> str:
    alone = sorted(set(train) ^ set(test))
    which = f"{alone[0]!r} is in one of them only" if alone else "they are in another order"
    return f"the training and the test images have different classes: {which}; use the same class folders in both"
