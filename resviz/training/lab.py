"""Several networks trained in lockstep on the same batches, recorded at every step and changed while they run."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from resviz.data.images import ImageSet
from resviz.nets.build import build
from resviz.nets.cost import memory_need
from resviz.nets.unit import Net
from resviz.probes.accuracy import agreement, evaluate, percent_right
from resviz.probes.gradients import norms_of
from resviz.probes.signal import watched_signals
from resviz.results import SIGNALS, LabRecord, LabTrack
from resviz.spec.families import Network
from resviz.spec.lab import Edit, LabPlan, labels_of
from resviz.spec.net import NetSpec
from resviz.training.history import History

__all__ = ["HELD_OUT", "HELD_OUT_EVERY", "SIGNALS_EVERY", "Divergence", "Estimate", "Lab", "estimate"]

SIGNALS_EVERY = 16  # steps between two looks at the forward signal
HELD_OUT_EVERY = 50  # steps between two looks at the held-out images
HELD_OUT = 200  # of which at most so many are looked at
_MOMENTUM = 0.9


@dataclass(frozen=True)
class Divergence:
    """A contender's step that was not taken, because its loss or a gradient was infinite or undefined."""

    step: int
    contender: int
    label: str
    loss: float
    layer: str | None


@dataclass(frozen=True)
class Estimate:
    """What a plan costs: seconds a step and bytes at the peak."""

    seconds: float
    memory: int


_Measured = tuple[np.ndarray, np.ndarray, np.ndarray | None]


class _Contender:
    """One network with its optimizer and what was recorded of it."""

    def __init__(self, spec: Network, lr: float) -> None:
        self.net: Net | None = build(spec).train()
        self.blocks = tuple(spec.block_names())
        weights = self.net.weights()
        self.layers, self.weights = tuple(weights), list(weights.values())
        # torch's own default takes the parameters one by one on a CPU
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr, momentum=_MOMENTUM, foreach=True)
        self.lines, self.rows = History(2, kept=2048), History(2 * len(self.layers))
        self.signals, self.held_out = History(len(SIGNALS) * len(self.blocks), kept=256, recent=16), History(2, kept=1024)

    def step(self, images: Tensor, labels: Tensor, clip: float, signals: bool, recording: bool = True) -> _Measured:
        """Train once: (loss, accuracy or IoU %), gradient norms and ‖Δw‖/‖w‖ of every layer, signals. Diverged: no update is made."""
        assert self.net is not None  # a stopped lab never steps
        self.optimizer.zero_grad(set_to_none=True)
        with watched_signals(self.net) if signals else nullcontext(lambda: None) as read:
            logits = self.net(images)
            seen = read()
        loss = nn.functional.cross_entropy(logits, labels)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it unannotated
        gradients = norms_of([weight.grad for weight in self.weights] if recording else [])
        line = np.array([loss.item(), percent_right(agreement(logits.detach(), labels))])
        updates = np.zeros_like(gradients)
        if math.isfinite(line[0]) and np.isfinite(gradients).all():
            if clip:
                nn.utils.clip_grad_norm_(self.net.parameters(), clip, foreach=True)
            self.optimizer.step()
            if recording:
                updates = self._updates()
        return line, np.concatenate([gradients, updates]), seen

    def _updates(self) -> np.ndarray:
        """‖Δw‖/‖w‖: with momentum alone, Δw is the rate times the momentum buffer."""
        state = self.optimizer.state
        buffers = [state[weight].get("momentum_buffer") if weight.grad is not None else None for weight in self.weights]
        sizes = torch.stack(torch._foreach_norm([weight.detach() for weight in self.weights])).double().numpy()
        moved: np.ndarray = self.optimizer.param_groups[0]["lr"] * norms_of(buffers) / np.maximum(sizes, 1e-30)
        return moved


class Lab:
    """Call `advance` for every step, from one thread at a time; `record`, `ask` and `specs` may be called from any other.

    The same plan repeats itself to the bit on the same machine: batches follow from the seed and the step alone.
    """

    def __init__(
        self,
        plan: LabPlan,
        sets: Callable[[], tuple[ImageSet, ImageSet]],
        augment: bool = False,
        recording: bool = True,
        looks: int = HELD_OUT_EVERY,
    ) -> None:
        self._plan, self._sets, self._augment, self._recording, self._looks = plan, sets, augment, recording, looks
        self._asked: list[Edit] = []
        self._lock = threading.Lock()
        self._contenders: list[_Contender] = []
        self._batches: Iterator[tuple[Tensor, Tensor]] | None = None
        self._held_out: ImageSet | None = None
        self.step_number = self._begun = 0
        self.seconds = 0.0  # of computing so far
        self.divergence: Divergence | None = None  # of the last step
        self.broken = False

    @property
    def plan(self) -> LabPlan:
        """The plan with every edit made so far; what was asked for but not yet carried out stands at the next step."""
        with self._lock:
            return self._current_plan()

    def _current_plan(self) -> LabPlan:
        edits = sorted((*self._plan.edits, *self._asked), key=lambda edit: edit.step)
        return replace(self._plan, edits=tuple(edits), steps=max(self._plan.steps, self.step_number))

    @property
    def specs(self) -> tuple[Network, ...]:
        """The contenders as the next step will find them."""
        return self.plan.specs_at(self._begun + 1)

    @property
    def nbytes(self) -> int:
        """Bytes that the whole history takes, now and at any later step."""
        return sum(kept.nbytes for each in self._contenders for kept in (each.lines, each.rows, each.signals, each.held_out))

    def ask(self, edit: Edit) -> None:
        """Change something from the next step on that has not begun, whatever step the edit names."""
        with self._lock:
            self._asked.append(replace(edit, step=self._begun + 1))

    def advance(self) -> None:
        """One step of every contender. Afterwards `divergence` says whose update was withheld, if any was."""
        if self.broken:
            raise RuntimeError("this lab ended with an error; reset it")
        began = time.perf_counter()
        try:
            self._advance()
        except BaseException:
            self.broken = True  # the contenders are no longer at the same step
            raise
        self.seconds += time.perf_counter() - began

    def _advance(self) -> None:
        if self._batches is None:
            self._prepare()
        assert self._batches is not None
        step = self.step_number + 1
        self._carry_out(step)
        images, labels = next(self._batches)
        clip, lr = self._plan.value_at("clip", step), self._plan.value_at("lr", step)
        signals = self._recording and step % SIGNALS_EVERY == 1
        measured = []
        for contender in self._contenders:
            contender.optimizer.param_groups[0]["lr"] = lr
            measured.append(contender.step(images, labels, clip, signals, self._recording))
        looked = step == 1 or step % self._looks == 0
        held_out = [self._look(contender) for contender in self._contenders] if looked else None
        with self._lock:
            for i, (contender, (line, row, seen)) in enumerate(zip(self._contenders, measured, strict=True)):
                contender.lines.append(step, line)
                if self._recording:
                    contender.rows.append(step, row)
                if seen is not None:
                    contender.signals.append(step, seen.ravel())
                if held_out is not None:
                    contender.held_out.append(step, held_out[i])
            self.step_number = step
        self.divergence = next(filter(None, (self._diverged(i, row) for i, row in enumerate(measured))), None)

    def _prepare(self) -> None:
        train, test = self._sets()
        if len(train) < self._plan.batch:
            raise ValueError(f"{len(train)} training images do not fill a batch of {self._plan.batch}; lower the batch")
        self._held_out = test.subset(HELD_OUT)
        contenders = [_Contender(spec, self._plan.lr) for spec in self._plan.contenders]
        with self._lock:
            self._contenders = contenders
        self._batches = self._endless(train)

    def _endless(self, train: ImageSet) -> Iterator[tuple[Tensor, Tensor]]:
        epoch = 0
        while True:
            seed = self._plan.seed * 100_003 + epoch
            yield from train.crop_flip(self._plan.batch, seed) if self._augment else train.shuffled(self._plan.batch, seed)
            epoch += 1

    def _carry_out(self, step: int) -> None:
        """Bring the plan up to date with what was asked for, and the networks with the plan."""
        with self._lock:
            self._begun = step
            asked = [replace(edit, step=step) for edit in self._asked]
            self._asked.clear()
            self._plan = replace(self._plan, edits=(*self._plan.edits, *asked))
        for spec, contender in zip(self._plan.specs_at(step), self._contenders, strict=True):
            assert contender.net is not None
            contender.net.wire(spec)

    def _look(self, contender: _Contender) -> list[float]:
        assert contender.net is not None
        assert self._held_out is not None
        error, loss = evaluate(contender.net, self._held_out)
        return [loss, 100 - error]

    def _diverged(self, i: int, measured: _Measured) -> Divergence | None:
        line, row, _ = measured
        layers = self._contenders[i].layers
        bad = np.flatnonzero(~np.isfinite(row[: len(layers)]))
        if math.isfinite(line[0]) and not bad.size:
            return None
        label = labels_of(self._plan.contenders)[i]
        return Divergence(self.step_number, i, label, float(line[0]), layers[bad[-1]] if bad.size else None)

    def stop(self) -> None:
        """Let the networks go; what was recorded stays."""
        self.broken = True
        for contender in self._contenders:
            contender.net = None
            contender.weights = []
            contender.optimizer = torch.optim.SGD([torch.zeros(1)], 1.0)

    def network(self, contender: int) -> tuple[Net, ImageSet]:
        """A contender as the last step left it, not to be changed, and images that it did not learn from.

        Raises `RuntimeError` before the first step and after `stop`.
        """
        net = self._contenders[contender].net if self._contenders else None
        if net is None or self._held_out is None:
            raise RuntimeError("this lab has no networks; take a step first")
        return net, self._held_out

    def record(self) -> LabRecord | None:
        """What was recorded so far; None before the first step."""
        with self._lock:
            if not self.step_number:
                return None
            first = self._contenders[0]
            tracks = tuple(
                self._track(label, spec, contender)
                for label, spec, contender in zip(
                    labels_of(self._plan.contenders), self._plan.contenders, self._contenders, strict=True
                )
            )
            return LabRecord(
                step=self.step_number,
                classes=self._plan.contenders[0].classes,
                line_steps=first.lines.rows()[0],
                steps=first.rows.rows()[0],
                signal_steps=first.signals.rows()[0],
                held_out_steps=first.held_out.rows()[0],
                tracks=tracks,
                plan=self._current_plan(),
            )

    @staticmethod
    def _track(label: str, spec: Network, contender: _Contender) -> LabTrack:
        lines, rows = contender.lines.rows()[1], contender.rows.rows()[1]
        signals = contender.signals.rows()[1].reshape(-1, len(contender.blocks), len(SIGNALS))
        layers = len(contender.layers)
        return LabTrack(
            label=label,
            residual=spec.residual,
            layers=contender.layers,
            blocks=contender.blocks,
            loss=lines[:, 0],
            accuracy=lines[:, 1],
            gradients=rows[:, :layers],
            updates=rows[:, layers:],
            signals={name: signals[:, :, i] for i, name in enumerate(SIGNALS)},
            held_out=contender.held_out.rows()[1],
        )


def estimate(plan: LabPlan, train: ImageSet) -> Estimate:
    """Seconds a step, from a few steps of the same designs at one and at two blocks a stage; and the memory by arithmetic."""
    images, labels = next(train.shuffled(plan.batch, 0))
    side, weights, pass_ = images.shape[-1], 0, 0
    seconds = sum(_seconds(spec, images, labels) for spec in plan.contenders)
    for spec in plan.contenders:
        whole, none = memory_need(spec, side, plan.batch), memory_need(spec, side, 0)
        weights += 2 * none  # weights, gradients, momentum, and as much again while the optimizer works
        pass_ = max(pass_, whole - none)
    return Estimate(seconds, weights + pass_)


def _seconds(spec: Network, images: Tensor, labels: Tensor) -> float:
    if not isinstance(spec, NetSpec):  # a DenseNet's layers are each dearer than the one before, a Transformer has no stages
        return _time_of_step(spec, images, labels)
    stages = len(spec.blocks)
    one, two = (_time_of_step(spec.resized(blocks=(n,) * stages), images, labels) for n in (1, 3))
    return one + max(0.0, two - one) / (2 * stages) * (sum(spec.blocks) - stages)


def _time_of_step(spec: Network, images: Tensor, labels: Tensor) -> float:
    contender, times = _Contender(spec, 1e-6), []
    for _ in range(4):
        began = time.perf_counter()
        contender.step(images, labels, 0.0, signals=False)
        times.append(time.perf_counter() - began)
    return min(times)
