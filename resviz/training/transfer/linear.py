"""A linear classifier on fixed numbers: the one best answer to a convex question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from resviz.progress import Tick, quiet
from resviz.results import LearningCurve
from resviz.spec.transfer import REPEATS

__all__ = ["Head", "fit_head", "learning_curve"]

_STEPS = 1_000
_FEW = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, eq=False)
class Head:
    """logits = x · weightᵀ + bias: (classes, channels) and (classes,), in fp64. `loss` is the mean cross-entropy of what it was fitted to."""

    weight: Tensor
    bias: Tensor
    loss: float

    def logits(self, x: Tensor) -> Tensor:
        """(N, channels) to (N, classes)."""
        return x.double() @ self.weight.T + self.bias

    def accuracy(self, x: Tensor, labels: Tensor) -> float:
        """In percent."""
        return 100 * float((self.logits(x).argmax(1) == labels).double().mean())


def fit_head(x: Tensor, labels: Tensor, classes: int) -> Head:
    """Logistic regression: x (N, channels) is standardised, and Σ cross-entropy + ½‖w‖² minimised by L-BFGS.

    scikit-learn's LogisticRegression behind a StandardScaler has the same optimum at its default C = 1. Nothing is drawn.
    """
    from scipy.optimize import minimize

    numbers, truth = x.double().numpy(), np.eye(classes)[labels.numpy()]  # (N, channels), (N, classes)
    mean, std = numbers.mean(0), numbers.std(0)
    std = np.where(std > 1e-12, std, 1.0)
    # the optimum lies in the span of the pictures, where the question has no more numbers than there are pictures
    turned, sizes, span = (
        each.numpy() for each in torch.linalg.svd(torch.from_numpy((numbers - mean) / std), full_matrices=False)
    )
    z, losses = turned * sizes, list[float]()

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weight, bias = flat[:-classes].reshape(classes, -1), flat[-classes:]
        scores = z @ weight.T + bias
        scores -= scores.max(1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
        off = np.exp(logs) - truth
        loss = -(truth * logs).sum()
        losses.append(float(loss) / len(z))
        return loss + (weight**2).sum() / 2, np.concatenate([(off.T @ z + weight).ravel(), off.sum(0)])

    begin = np.zeros(classes * (z.shape[1] + 1))
    options = {"maxiter": _STEPS, "gtol": 1e-6, "ftol": 1e-13}
    found = minimize(loss_and_gradient, begin, jac=True, method="L-BFGS-B", options=options).x
    weight = torch.from_numpy(found[:-classes].reshape(classes, -1) @ span / std)
    return Head(weight, torch.from_numpy(found[-classes:]) - weight @ torch.from_numpy(mean), losses[-1])


def learning_curve(
    learned: dict[str, Tensor],
    labels: Tensor,
    held: dict[str, Tensor],
    held_labels: Tensor,
    seed: int = 0,
    tick: Tick = quiet,
) -> LearningCurve:
    """Linear heads on 1, 2, 5, 10 … pictures a class, drawn ten times without replacement, each asked about all held-out pictures.

    `learned` and `held` are what the heads read, (N, channels), by name; all names see the same draws. The last count is all that
    every class has.
    """
    classes = int(labels.max()) + 1
    by_class = [torch.nonzero(labels == label).ravel() for label in range(classes)]
    least = min(map(len, by_class))
    counts = (*(n for n in _FEW if n < least), least)
    accuracy = {name: np.zeros((len(counts), REPEATS)) for name in learned}
    for i, count in enumerate(counts):
        for repeat in range(REPEATS):
            tick((i + repeat / REPEATS) / len(counts), f"of {count} a class")
            draw = torch.Generator().manual_seed(seed * 100_003 + count * 1_009 + repeat)
            chosen = torch.cat([own[torch.randperm(len(own), generator=draw)[:count]] for own in by_class])
            for name, x in learned.items():
                head = fit_head(x[chosen], labels[chosen], classes)
                accuracy[name][i, repeat] = head.accuracy(held[name], held_labels)
    return LearningCurve(counts, accuracy)
