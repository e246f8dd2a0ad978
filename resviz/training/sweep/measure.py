"""One run of a sweep, and the numbers that are kept of it."""

from __future__ import annotations

import platform
import time
from typing import TypedDict

import numpy as np

from resviz.data.datasets import named_sets
from resviz.spec.sweep import Run
from resviz.training.lab import Lab
from resviz.version import __version__

__all__ = ["Row", "measure"]

_LAST = 10  # steps whose training loss and accuracy are averaged


class Row(TypedDict, total=False):
    """A run's numbers; the settings that its plan varies stand beside them under their own names."""

    key: str
    network: str
    data: str
    steps: int
    lr: float
    batch: int
    seed: int
    depth: int
    loss: float  # of training, mean of the last ten steps
    train_accuracy: float  # %, likewise
    accuracy: float  # %, of 200 held-out pictures (IoU where every pixel has a class)
    first_gradient: float  # ‖∂L/∂W‖ of the first layer at the first step
    last_gradient: float  # of the layer before the classifier at the first step
    ratio: float  # of the two
    diverged: int  # the step whose update was withheld; 0 where none was
    seconds: float
    machine: str
    version: str


def measure(run: Run) -> Row:
    """Train it to its last step, or to the one that diverges, on one thread. The same numbers to the bit on the same kind of machine."""
    import torch

    torch.set_num_threads(1)
    began = time.perf_counter()
    plan = run.plan
    lab = Lab(plan, lambda: named_sets(run.data), looks=run.steps)
    for _ in range(run.steps):
        lab.advance()
        if lab.divergence is not None:
            break
    record = lab.record()
    assert record is not None  # a step was taken
    track, network = record.tracks[0], plan.contenders[0]
    gradients = np.asarray(track.gradients[0], np.float64)
    whole = lab.divergence is None
    first, last = float(gradients[0]), float(gradients[-2 if len(gradients) > 1 else -1])
    return Row(
        key=run.key,
        network=run.network,
        data=run.data,
        steps=run.steps,
        lr=run.lr,
        batch=run.batch,
        seed=run.seed,
        depth=network.depth,
        loss=float(np.mean(track.loss[-_LAST:])) if whole else float("nan"),
        train_accuracy=float(np.mean(track.accuracy[-_LAST:])) if whole else float("nan"),
        accuracy=float(track.held_out[-1][1]) if whole else float("nan"),
        first_gradient=first,
        last_gradient=last,
        ratio=first / last if last else float("inf"),
        diverged=lab.step_number if lab.divergence is not None else 0,
        seconds=time.perf_counter() - began,
        machine=platform.processor() or platform.machine(),
        version=__version__,
    )
