"""One run of a sweep, and the numbers that are kept of it."""

from __future__ import annotations

import platform
import time
from typing import TypedDict

import numpy as np

from resviz.data.datasets import named_sets
from resviz.nets.build import build
from resviz.probes.gradients import gradient_probe
from resviz.probes.lesion import lesions, singles
from resviz.spec.sweep import Run
from resviz.training.lab import Lab
from resviz.version import __version__

__all__ = ["About", "Found", "Row", "measure"]

_LAST = 10  # steps whose training loss and accuracy are averaged


class Found(TypedDict, total=False):
    """What a probe measures; each has some of these."""

    loss: float  # of training, mean of the last ten steps
    train_accuracy: float  # %, likewise
    accuracy: float  # %, of 200 held-out pictures (IoU where every pixel has a class)
    first_gradient: float  # ‖∂L/∂W‖ of the first layer at the first step
    last_gradient: float  # of the layer before the classifier at the first step
    ratio: float  # of the two
    diverged: int  # the step whose update was withheld; 0 where none was
    spread: float  # the largest layer's gradient over the smallest that is not 0, before training
    lesion_mean: float  # points of held-out error that the loss of one block adds
    lesion_most: float


class About(TypedDict, total=False):
    """What a run is."""

    key: str
    network: str
    probe: str
    data: str
    steps: int
    lr: float
    batch: int
    seed: int
    depth: int


class Row(About, Found, total=False):
    """A run's numbers; the settings that its plan varies stand beside them under their own names."""

    seconds: float
    machine: str
    version: str


def measure(run: Run) -> Row:
    """What its probe measures, on one thread. The same numbers to the bit on the same kind of machine."""
    import torch

    torch.set_num_threads(1)
    began = time.perf_counter()
    found = _untrained(run) if run.probe == "gradients" else _trained(run)
    return Row(
        key=run.key,
        network=run.network,
        probe=run.probe,
        data=run.data,
        steps=run.steps,
        lr=run.lr,
        batch=run.batch,
        seed=run.seed,
        depth=run.plan.contenders[0].depth,
        **found,
        seconds=time.perf_counter() - began,
        machine=platform.processor() or platform.machine(),
        version=__version__,
    )


def _trained(run: Run) -> Found:
    """Train it to its last step, or to the one that diverges."""
    lab = Lab(run.plan, lambda: named_sets(run.data), looks=run.steps)
    for _ in range(run.steps):
        lab.advance()
        if lab.divergence is not None:
            break
    record = lab.record()
    assert record is not None  # a step was taken
    track, whole = record.tracks[0], lab.divergence is None
    found = Found(
        loss=float(np.mean(track.loss[-_LAST:])) if whole else float("nan"),
        train_accuracy=float(np.mean(track.accuracy[-_LAST:])) if whole else float("nan"),
        accuracy=float(track.held_out[-1][1]) if whole else float("nan"),
        **_ends(np.asarray(track.gradients[0], np.float64)),
        diverged=0 if whole else lab.step_number,
    )
    return Found(**found, **_lesioned(lab)) if run.probe == "lesions" and whole else found


def _ends(gradients: np.ndarray) -> Found:
    """The first layer's gradient and that of the layer before the classifier."""
    first, last = float(gradients[0]), float(gradients[-2 if len(gradients) > 1 else -1])
    return Found(first_gradient=first, last_gradient=last, ratio=first / last if last else float("inf"))


def _untrained(run: Run) -> Found:
    """The gradient of every layer by the first batch, as the network begins."""
    spec = run.plan.contenders[0]
    images, labels = next(named_sets(run.data)[0].shuffled(run.batch, run.seed * 100_003))
    norms = np.asarray(gradient_probe(build(spec).train(), images, labels).profile.norms, np.float64)
    some = norms[norms > 0]  # what is zero by construction, as behind a γ of 0, is no layer's doing
    return Found(**_ends(norms), spread=float(norms.max() / some.min()) if some.size else float("nan"))


def _lesioned(lab: Lab) -> Found:
    """What the loss of one block, or of one convolution without skips, adds to the error on held-out pictures."""
    net, held_out = lab.network(0)
    asked = [lesion for lesion in singles(net) if not lesion.cut]
    if not asked:  # a Transformer without skips has no convolution that could be bypassed
        return Found()
    found = lesions(net.eval(), held_out, asked)
    added = [error - found.base for error in found.errors.values()]
    return Found(lesion_mean=float(np.mean(added)), lesion_most=float(np.max(added)))
