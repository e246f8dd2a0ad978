"""The three ways to teach a network other classes, as a generator that yields every epoch and can be taken up again.

As in `training.loop` nothing random is kept between steps, so a run that was ended repeats what it lost to the bit.
"""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor, nn

from resviz.allocator import keep_freed
from resviz.data.images import ImageSet
from resviz.guard import door
from resviz.machine import device
from resviz.nets.build import build
from resviz.nets.families.resnet import ResNet
from resviz.probes.gradients import norms_of
from resviz.progress import Tick, quiet
from resviz.results import TransferEpoch, Transferred
from resviz.spec.transfer import MODES, TransferPlan
from resviz.training.checkpoints import write_checkpoint
from resviz.training.recipes import OneCycle
from resviz.training.transfer.lesson import Lesson
from resviz.training.transfer.linear import fit_head
from resviz.training.transfer.pieces import augmented, beheaded, even_batch, is_norm, logits
from resviz.zoo.classifier import Classifier

__all__ = ["Transfer"]

_MOMENTUM, _DECAY = 0.9, 1e-4


class _Saved(TypedDict):
    """A checkpoint of a run that is not over."""

    run: str
    net: dict[str, Tensor]
    optimizer: dict[str, object]
    best: dict[str, Tensor]
    begun: dict[str, Tensor]
    rows: list[list[float]]
    gradients: Tensor
    moved: Tensor
    seconds: float


@dataclass
class Transfer:
    """One mode on one lesson: iterate over it. `net` is the network that learns; the lesson's own stays as it is.

    Raises ValueError where the checkpoint is damaged or another run's.
    """

    lesson: Lesson
    plan: TransferPlan
    checkpoint: Path | None = None
    tick: Tick = quiet
    epochs: list[TransferEpoch] = field(init=False, default_factory=list)
    seconds: float = field(init=False, default=0.0)
    net: ResNet = field(init=False)

    def __post_init__(self) -> None:
        saved = self._saved()
        start = self.lesson.start
        classes = len(self.lesson.categories)
        scratch = self.plan.mode == "scratch"
        self.net = build(replace(start.spec, classes=classes, seed=self.plan.seed)) if scratch else beheaded(start, classes)
        self.net.to(device())
        if self.plan.mode == "head":
            return
        self._freeze()
        self.weights = self.net.weights()
        self.begun = {name: weight.detach().clone() for name, weight in self.weights.items()}
        trained = [parameter for parameter in self.net.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.SGD(trained, self.plan.rate or 1e-9, momentum=_MOMENTUM, weight_decay=_DECAY, foreach=True)
        self.best: dict[str, Tensor] = {}
        if saved:
            self._take_up(saved)

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer with weights, in order."""
        return tuple(self.net.weights())

    @property
    def over(self) -> bool:
        """Whether the last epoch is done, or none was better for so long that the rest is left out."""
        return len(self.epochs) - self._kept() >= self.plan.patience or len(self.epochs) >= self.plan.epochs

    def __iter__(self) -> Iterator[TransferEpoch]:
        keep_freed()
        if self.plan.mode == "head":
            yield from self._head()
            return
        if not self.epochs and self.plan.mode == "finetune":
            self._begin_with_a_head()
        fit, watched = self.lesson.fitted
        images = self.lesson.enlarged(fit, augmented(self.lesson.start.preprocessing.crop).spare)
        seen = self.lesson.learned.part(torch.tensor(watched))
        while not self.over:
            began = time.perf_counter()
            epoch = len(self.epochs)
            loss, gradients = self._whole_epoch(images, epoch)
            record = self._measured(epoch, loss, gradients, seen)
            self.epochs.append(record)
            if self._kept() == record.epoch:
                self.best = {name: tensor.detach().clone() for name, tensor in self.net.state_dict().items()}
            self.seconds += time.perf_counter() - began
            self._save()
            yield record
        self.net.load_state_dict(self.best)
        self.net.eval()

    # ------------------------------------------------------------------------------------------- the head alone

    def _head(self) -> Iterator[TransferEpoch]:
        (learned, held), labels = self.lesson.features(self.tick), self.lesson.learned.labels
        began = time.perf_counter()
        head = fit_head(learned, labels, len(self.lesson.categories))
        self._set_head(head.weight, head.bias)
        none = np.zeros(len(self.layers))
        right = head.accuracy(held, self.lesson.held.labels)
        self.epochs = [TransferEpoch(1, 1, loss=head.loss, watched=float("nan"), held_out=right, gradients=none, moved=none)]
        self.seconds = self.lesson.features_seconds + time.perf_counter() - began
        yield self.epochs[0]

    def _begin_with_a_head(self) -> None:
        """Fine-tuning starts from the best head of the network as it is, so that a random one bends nothing (Kumar et al. 2022, arXiv 2202.10054)."""
        fit = torch.tensor(self.lesson.fitted[0])
        learned, labels = self.lesson.features(self.tick)[0], self.lesson.learned.labels
        began = time.perf_counter()
        head = fit_head(learned[fit], labels[fit], len(self.lesson.categories))
        self._set_head(head.weight, head.bias)
        self.seconds = self.lesson.features_seconds + time.perf_counter() - began
        self.begun["fc"] = self.net.fc.weight.detach().clone()

    def _set_head(self, weight: Tensor, bias: Tensor) -> None:
        with torch.no_grad():
            self.net.fc.weight.copy_(weight)
            self.net.fc.bias.copy_(bias)

    # ------------------------------------------------------------------------------------------- with gradients

    def _freeze(self) -> None:
        """Everything but the last stages and the head, and norms where they keep what they learned."""
        self.net.requires_grad_(True)
        if self.plan.mode == "scratch":
            return
        stages = len(self.lesson.start.spec.blocks)
        kept = {f"layer{n}" for n in range(stages - min(self.plan.stages, stages) + 1, stages + 1)} | {"norm", "fc"}
        for name, child in self.net.named_children():
            child.requires_grad_(name in kept or self.plan.stages >= stages)
        for norm in filter(is_norm, self.net.modules()):
            if self.plan.frozen_norms:
                norm.requires_grad_(False)

    def _learning(self) -> None:
        """Training mode where something learns: what is frozen keeps its statistics."""
        self.net.train()
        for norm in filter(is_norm, self.net.modules()):
            if not any(parameter.requires_grad for parameter in norm.parameters()):
                norm.eval()

    def _whole_epoch(self, images: ImageSet, epoch: int) -> tuple[float, np.ndarray]:
        """An epoch that is cancelled half way is undone, so that going on repeats it."""
        net = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}
        optimizer = copy.deepcopy(self.optimizer.state_dict())
        try:
            return self._epoch(images, epoch)
        except BaseException:
            self.net.load_state_dict(net)
            self.optimizer.load_state_dict(optimizer)
            raise

    def _epoch(self, images: ImageSet, epoch: int) -> tuple[float, np.ndarray]:
        """Mean loss, and each layer's mean gradient norm: (layers,)."""
        side, batch = self.lesson.start.preprocessing.crop, even_batch(self.plan.batch, len(images))
        steps, rise = len(images) // batch, OneCycle()
        losses, norms = [], []
        self._learning()
        for i, (x, labels) in enumerate(augmented(side).batches(images, batch, self.plan.seed * 100_003 + epoch, side)):
            self.tick((epoch + i / steps) / self.plan.epochs, f"epoch {epoch + 1} of at most {self.plan.epochs}")
            lr = self.plan.rate * rise(epoch * steps + i, self.plan.epochs * steps, self.lesson.start.spec.depth)
            for group in self.optimizer.param_groups:
                group["lr"] = lr
            loss = nn.functional.cross_entropy(self.net(x.to(device())), labels.to(device()))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call] # torch leaves it unannotated
            norms.append(norms_of([weight.grad for weight in self.weights.values()]))
            self.optimizer.step()
            losses.append(loss.item())
        return float(np.mean(losses)), np.mean(norms, axis=0)

    @torch.no_grad()
    def _settle_norms(self, images: ImageSet) -> None:
        """Statistics of the pictures learned from, as they are shown: a running mean of a few steps an epoch is far behind the weights."""
        norms = [each for each in self.net.modules() if isinstance(each, nn.BatchNorm2d) and each.weight.requires_grad]
        if not norms:
            return
        self._learning()
        before = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the mean of all batches
        for x, _ in images.batches(even_batch(self.plan.batch, len(images))):
            if len(x) > 1:
                self.net(x.to(device()))
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum

    def _measured(self, epoch: int, loss: float, gradients: np.ndarray, seen: ImageSet) -> TransferEpoch:
        self._settle_norms(self.lesson.learned.part(torch.tensor(self.lesson.fitted[0])))
        watched = float(nn.functional.cross_entropy(logits(self.net, seen), seen.labels))
        held = self.lesson.held
        right = 100 * float((logits(self.net, held).argmax(1) == held.labels).double().mean())
        moved = [
            float((weight.detach() - self.begun[name]).norm() / self.begun[name].norm().clamp(min=1e-12))
            for name, weight in self.weights.items()
        ]
        return TransferEpoch(
            epoch + 1, self.plan.epochs, loss, watched, held_out=right, gradients=gradients, moved=np.array(moved)
        )

    def _kept(self) -> int:
        """The epoch, counted from 1, whose network is kept; 0 before the first."""
        if not self.epochs:
            return 0
        return 1 + int(np.argmin([np.nan_to_num(each.watched, nan=np.inf) for each in self.epochs]))

    # ------------------------------------------------------------------------------------------- what it gives

    def result(self) -> Transferred:
        """The course, and the kept network's answers; raises RuntimeError before the last epoch."""
        if not self.epochs:
            raise RuntimeError("nothing was learned yet; iterate over it first")
        with torch.inference_mode():
            probabilities = torch.softmax(logits(self.net, self.lesson.held).double(), 1).numpy()
        fit, watched = map(len, self.lesson.fitted)
        head = self.plan.mode == "head"
        return Transferred(
            plan=self.plan,
            categories=self.lesson.categories,
            layers=self.layers,
            epochs=tuple(self.epochs),
            best=self._kept(),
            probabilities=probabilities,
            labels=self.lesson.held.labels.numpy(),
            learned=fit + watched if head else fit,
            watched=0 if head else watched,
            seconds=self.seconds,
        )

    def network(self, name: str = "") -> Classifier:
        """What was learned as a classifier of its own, which shares nothing with the one it began with."""
        net = self.net.cpu().eval().requires_grad_(False)
        start = self.lesson.start
        source = f"{MODES[self.plan.mode].lower()} on your pictures, from {start.name}"
        return Classifier(name or f"{self.plan.mode} of {start.name}", net, start.preprocessing, self.lesson.categories, source)

    # ------------------------------------------------------------------------------------------- taking it up again

    def _identity(self) -> str:
        """Whatever its course depends on."""
        digest = hashlib.blake2b(digest_size=12)
        for name, tensor in self.lesson.start.net.state_dict().items():
            digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
        return f"{self.plan} {self.lesson.key} {digest.hexdigest()}"

    def _save(self) -> None:
        if self.checkpoint is None:
            return
        state: _Saved = {
            "run": self._identity(),
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "begun": self.begun,
            "rows": [[each.loss, each.watched, each.held_out] for each in self.epochs],
            "gradients": torch.from_numpy(np.stack([each.gradients for each in self.epochs])),
            "moved": torch.from_numpy(np.stack([each.moved for each in self.epochs])),
            "seconds": self.seconds,
        }
        write_checkpoint(self.checkpoint, state)

    def _saved(self) -> _Saved | None:
        path = self.checkpoint
        if path is None or not path.exists() or self.plan.mode == "head":
            return None
        with door(ValueError, f"{path} cannot be taken up, it is damaged ({{}}); remove it to begin again"):
            saved: _Saved = torch.load(path, map_location="cpu", weights_only=True)
            run = saved["run"]
        if run != self._identity():
            raise ValueError(
                f"{path} belongs to another network, other pictures or another plan; name another --out or remove it"
            )
        return saved

    def _take_up(self, saved: _Saved) -> None:
        self.net.load_state_dict(saved["net"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.best, self.seconds, self.begun = saved["best"], saved["seconds"], saved["begun"]
        rows = zip(saved["rows"], saved["gradients"].numpy(), saved["moved"].numpy(), strict=True)
        self.epochs = [
            TransferEpoch(n, self.plan.epochs, loss, watched, held_out=held_out, gradients=gradients, moved=moved)
            for n, ((loss, watched, held_out), gradients, moved) in enumerate(rows, 1)
        ]
