"""Several networks trained in lockstep on the same batches, recorded at every step and changed while they run."""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from resviz.data.images import ImageSet
from resviz.nets.unit import Net
from resviz.probes.accuracy import evaluate
from resviz.results import SIGNALS, LabRecord, LabTrack
from resviz.spec.families import Network
from resviz.spec.lab import Edit, LabPlan, labels_of
from resviz.training.contender import Contender, Measured

__all__ = ["HELD_OUT", "HELD_OUT_EVERY", "SIGNALS_EVERY", "Divergence", "Lab"]

SIGNALS_EVERY = 16  # steps between two looks at the forward signal
HELD_OUT_EVERY = 50  # steps between two looks at the held-out images
HELD_OUT = 200  # of which at most so many are looked at


@dataclass(frozen=True)
class Divergence:
    """A contender's step that was not taken, because its loss or a gradient was infinite or undefined."""

    step: int
    contender: int
    label: str
    loss: float
    layer: str | None


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
        self._lent = 0  # of these, how many went along with the copy that goes on elsewhere
        self._seen: LabRecord | None = None  # what that copy has recorded
        self._lock = threading.Lock()
        self._contenders: list[Contender] = []
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
        known, asked = (self._seen.plan, self._asked[self._lent :]) if self._seen else (self._plan, self._asked)
        edits = sorted((*known.edits, *asked), key=lambda edit: edit.step)
        return replace(known, edits=tuple(edits), steps=max(known.steps, self.step_number))

    @property
    def specs(self) -> tuple[Network, ...]:
        """The contenders as the next step will find them."""
        return self.plan.specs_at(self._begun + 1)

    @property
    def nbytes(self) -> int:
        """Bytes that the whole history takes, now and at any later step."""
        return sum(kept.nbytes for each in self._contenders for kept in (each.lines, each.rows, each.signals, each.held_out))

    @property
    def size(self) -> int:
        """Bytes that it holds by now: weights, momentum and history."""
        nets = [contender.net for contender in self._contenders if contender.net is not None]
        return self.nbytes + sum(2 * weight.nbytes for net in nets for weight in net.parameters())

    def ask(self, edit: Edit) -> None:
        """Change something from the next step on that has not begun, whatever step the edit names."""
        with self._lock:
            self._asked.append(replace(edit, step=self._begun + 1))

    def __getstate__(self) -> dict[str, object]:
        """Everything but the lock and the batches, which follow from the seed and the step."""
        with self._lock:
            return {**self.__dict__, "_asked": list(self._asked), "_lock": None, "_batches": None}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def lend(self) -> Lab:
        """What goes on elsewhere, to be pickled at once; until `take_back` this one makes no step, and shows what it is told by `follow`."""
        lent = copy.copy(self)
        self._lent = len(lent._asked)
        return lent

    @property
    def awaited(self) -> bool:
        """Whether something was asked for that the lent copy does not know."""
        return len(self._asked) > self._lent

    def follow(self, record: LabRecord, seconds: float) -> None:
        """What the lent copy has recorded by now."""
        with self._lock:
            self._seen, self.seconds = record, seconds
            self.step_number = self._begun = record.step

    def take_back(self, other: Lab) -> None:
        """Go on from where the other is, with what was asked for meanwhile."""
        with self._lock:
            later = self._asked[self._lent :]
            self.__dict__.update(other.__getstate__(), _lock=self._lock, _lent=0, _seen=None)
            self._asked += [replace(edit, step=self._begun + 1) for edit in later]

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
        self._batches = self._batches or self._prepared()
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

    def _prepared(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches from the next step on; before the first step, the contenders are made too."""
        train, test = self._sets()
        if len(train) < self._plan.batch:
            raise ValueError(f"{len(train)} training images do not fill a batch of {self._plan.batch}; lower the batch")
        if not self._contenders:
            self._held_out = test.subset(HELD_OUT)
            contenders = [Contender(spec, self._plan.lr) for spec in self._plan.contenders]
            with self._lock:
                self._contenders = contenders
        return self._endless(train, *divmod(self.step_number, len(train) // self._plan.batch))

    def _endless(self, train: ImageSet, epoch: int, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        batches = train.crop_flip if self._augment else train.shuffled
        while True:
            yield from batches(self._plan.batch, self._plan.seed * 100_003 + epoch, first=first)
            epoch, first = epoch + 1, 0

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

    def _look(self, contender: Contender) -> list[float]:
        assert contender.net is not None
        assert self._held_out is not None
        error, loss = evaluate(contender.net, self._held_out)
        return [loss, 100 - error]

    def _diverged(self, i: int, measured: Measured) -> Divergence | None:
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
            if self._seen:
                return replace(self._seen, plan=self._current_plan())
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
    def _track(label: str, spec: Network, contender: Contender) -> LabTrack:
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
