"""Several networks trained in lockstep: the same batches, the same rate, one difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from resviz.data import ImageSet, digits
from resviz.nets.resnet import ResNet, build
from resviz.results import GradientProfile, RaceStep
from resviz.spec import NetSpec
from resviz.training.loop import evaluate

__all__ = ["Race", "digits_split"]


def digits_split(held_out: int = 297) -> tuple[ImageSet, ImageSet]:
    """scikit-learn's digits: the last ones are held out."""
    every = digits()
    return every.part(slice(None, -held_out)), every.part(slice(-held_out, None))


@dataclass
class Race:
    """Iterate over it: every step trains each contender once on the same batch (SGD, momentum 0.9)."""

    contenders: Mapping[str, NetSpec]
    train: ImageSet
    test: ImageSet
    lr: float
    steps: int = 150
    batch: int = 64
    measure_every: int = 25
    seed: int = 0

    def __iter__(self) -> Iterator[RaceStep]:
        nets = {key: build(spec).train() for key, spec in self.contenders.items()}
        optimizers = {key: torch.optim.SGD(net.parameters(), self.lr, momentum=0.9) for key, net in nets.items()}
        batches = self._batches()
        for step in range(1, self.steps + 1):
            images, labels = next(batches)
            losses, profiles = {}, {}
            for key, net in nets.items():
                losses[key], profiles[key] = _step(net, optimizers[key], images, labels)
            errors = None
            if step % self.measure_every == 0 or step in (1, self.steps):
                errors = {key: (evaluate(net, self.train)[0], evaluate(net, self.test)[0]) for key, net in nets.items()}
            yield RaceStep(step, self.steps, losses, profiles, errors)

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(self.seed)
        while True:
            order = torch.randperm(len(self.train), generator=generator)
            for start in range(0, len(order) - self.batch + 1, self.batch):
                chosen = order[start : start + self.batch]
                yield self.train.normalised(self.train.images[chosen]), self.train.labels[chosen]


def _step(net: ResNet, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor) -> tuple[float, GradientProfile]:
    optimizer.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(net(images), labels)
    loss.backward()  # type: ignore[no-untyped-call]
    profile = _profile(net, loss.item())
    optimizer.step()
    return loss.item(), profile


def _profile(net: ResNet, loss: float) -> GradientProfile:
    """The norms of the gradients just computed, in one pass over the layers."""
    weights = {name: m.weight for name, m in net.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    gradients = [torch.zeros(()) if w.grad is None else w.grad for w in weights.values()]
    return GradientProfile(tuple(weights), torch.stack(torch._foreach_norm(gradients)).double().numpy(), loss)
