"""A training of anybody's looked at from beside its loop: gradients, updates and activations of every layer, in bounded memory."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
import torch
from torch import Tensor, nn

from resviz.machine import plain
from resviz.probes.gradients import norms_of
from resviz.results import QUANTITIES, Broken, Recording, Table
from resviz.training.history import History
from resviz.version import __version__
from resviz.watching.layers import Hook, Look, layers_of, unwrapped

__all__ = ["Watch", "watch"]

_PENDING = 256  # losses that may wait on an accelerator before they are brought over
_HALVES = (torch.float16, torch.bfloat16)


class Watch:
    """Call `step(loss)` once a step, after the optimizer's and before the gradients are cleared.

    Then a gradient is what the optimizer was given: of a `GradScaler` unscaled, after clipping clipped, of data parallelism the mean of
    all processes. Step 1 and every `every`-th are looked at. Until a step that is looked at has ended, `updates` costs one copy of the
    weights that learn; between such steps nothing is held and no hook is left on the network. Of a run of any length at most 576 steps
    are kept, and `nbytes` is the same from the first step on.
    """

    def __init__(self, model: nn.Module, every: int = 10, activations: bool = True, updates: bool = True) -> None:
        if not isinstance(model, nn.Module):
            raise ValueError(f"a {type(model).__name__} is no nn.Module; of a spec, watch what resviz.build(spec) returns")
        if every < 1 or every != int(every):
            raise ValueError(f"every={every} is no number of steps; take 1 to look at all of them")
        self._model, compiled = unwrapped(model)
        self._layers = layers_of(self._model, compiled)
        self._every, self._activations, self._updates = every, activations, updates
        self._notes = (
            ["Compiled layers take no hooks, so their activations are not recorded."]
            if activations and not all(layer.hooked for layer in self._layers)
            else []
        )
        self._owner = [i for i, layer in enumerate(self._layers) for _ in layer.parameters]
        self._weights = [each for layer in self._layers for each in layer.parameters]
        self._rows = History(len(QUANTITIES) * len(self._layers))
        self._lines = History(1, kept=2048)
        self._pending: list[tuple[int, float | Tensor]] = []
        self._broken: dict[str, Broken] = {}
        self._order: list[int] = []  # of the layers as the first pass called them
        self._looks: dict[int, Look] = {}
        self._before: list[Tensor | None] = []
        self._handles: list[torch.utils.hooks.RemovableHandle] = []
        self._guess = math.nan
        self.step_number = 0
        self.closed = False
        self._prepare()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def nbytes(self) -> int:
        """Bytes that the whole history takes, now and at any later step."""
        return self._rows.nbytes + self._lines.nbytes

    # ------------------------------------------------------------------------------------------ in the loop

    def step(self, loss: Tensor | float | None = None) -> None:
        """A step has been taken; `loss` is its batch's, one number.

        Raises `ValueError` where the loss is more than that, or where no parameter has a gradient at a step that is looked at.
        """
        if self.closed:
            raise RuntimeError("this watch is closed; watch the model again")
        if isinstance(loss, Tensor) and loss.numel() != 1:
            raise ValueError(f"the loss has shape {tuple(loss.shape)}; give one number, such as loss.mean()")
        self.step_number += 1
        if loss is not None:
            # a copy that waits where it is: asking for the number would make an accelerator wait at every step
            kept = loss.detach().to(torch.float32, copy=True).reshape(()) if isinstance(loss, Tensor) else float(loss)
            self._pending.append((self.step_number, kept))
        if self._due(self.step_number):
            try:
                self._look()
            finally:
                self._let_go()
        if len(self._pending) >= _PENDING:
            self._flush()
        if self._due(self.step_number + 1):
            self._prepare()

    def close(self) -> None:
        """Leave the network as it was found; what was recorded stays."""
        self._let_go()
        self.closed = True

    def _due(self, step: int) -> bool:
        return step == 1 or step % self._every == 0

    def _prepare(self) -> None:
        """Hooks and a copy of the weights, for the step that begins."""
        if self._updates:
            self._before = [each.detach().clone() if each.requires_grad else None for each in self._weights]
        if self._activations:
            self._handles = [
                layer.module.register_forward_hook(Hook(partial(self._keep, i), layer))
                for i, layer in enumerate(self._layers)
                if layer.hooked
            ]

    def _let_go(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles, self._before, self._looks = [], [], {}

    def _keep(self, i: int, found: Look) -> None:
        if i in self._looks:
            self._looks[i].add(found)
        else:
            self._looks[i] = found

    def _look(self) -> None:
        self._flush()
        gradients = _norms([each.grad for each in self._weights])
        if np.isnan(gradients).all():
            raise ValueError(
                "no parameter has a gradient: call watch.step() after optimizer.step() and before optimizer.zero_grad(), "
                "and watch the model that is trained"
            )
        std, dead = self._seen()
        row = np.concatenate([self._joined(gradients), self._moved(), std, dead])
        with np.errstate(over="ignore"):  # what single precision cannot hold is kept as ∞
            self._rows.append(self.step_number, row)
        self._order = self._order or list(self._looks)
        # what comes back from the loss passes the last layer first
        if (last := next((i for i in reversed(self._called()) if np.isinf(row[i])), None)) is not None:
            self._note("gradient", self.step_number, self._layers[last].name)
        if (first := next((i for i in self._looks if np.isinf(std[i])), None)) is not None:
            self._note("activation", self.step_number, self._layers[first].name)

    def _joined(self, norms: np.ndarray) -> np.ndarray:
        """The norm of all of a layer's parameters together; NaN where none of them has one."""
        squares, there = np.zeros(len(self._layers)), np.zeros(len(self._layers), bool)
        with np.errstate(over="ignore"):
            np.add.at(squares, self._owner, np.nan_to_num(norms, posinf=np.inf) ** 2)
        np.logical_or.at(there, self._owner, ~np.isnan(norms))
        return np.where(there, np.sqrt(squares), np.nan)

    def _moved(self) -> np.ndarray:
        """‖Δw‖/‖w‖ of every layer; the copies of before become the differences."""
        if not self._before:
            return np.full(len(self._layers), np.nan)
        pairs = [(old, new.detach()) for old, new in zip(self._before, self._weights, strict=True) if old is not None]
        now = _norms([None if old is None else new.detach() for old, new in zip(self._before, self._weights, strict=True)])
        if plain() or any(old.device != new.device for old, new in pairs):
            for old, new in pairs:
                old.sub_(new.to(old.device))
        else:
            torch._foreach_sub_([old for old, _ in pairs], [new for _, new in pairs])
        with np.errstate(invalid="ignore"):
            moved = self._joined(_norms(self._before)) / np.maximum(self._joined(now), 1e-30)
        return np.where(np.isnan(moved) & ~np.isnan(self._joined(now)), np.inf, moved)

    def _seen(self) -> tuple[np.ndarray, np.ndarray]:
        """(standard deviation of what it returned, share of dead units that it read) of every layer."""
        values = np.full((2, len(self._layers)), np.nan)
        for device in {look.spread.device for look in self._looks.values()}:
            there = {i: look for i, look in self._looks.items() if look.spread.device == device}
            stds = [(look.spread / look.entries).clamp(min=0).sqrt().float() for look in there.values()]
            shares = [
                stds[0].new_tensor(math.nan) if look.alive is None else 1 - look.alive.float().mean() for look in there.values()
            ]
            std, dead = torch.stack([*stds, *shares]).cpu().double().numpy().reshape(2, -1)
            values[0, list(there)] = np.where(np.isfinite(std), std, np.inf)
            values[1, list(there)] = dead
        return values[0], values[1]

    def _flush(self) -> None:
        """Bring the losses over, all at once, and see whether one is no number."""
        waiting = [loss for _, loss in self._pending if isinstance(loss, Tensor)]
        brought = iter(torch.stack([loss.to(waiting[0].device) for loss in waiting]).tolist() if waiting else [])
        for step, loss in self._pending:
            value = next(brought) if isinstance(loss, Tensor) else loss
            self._lines.append(step, [value])
            if math.isnan(self._guess):
                self._guess = value
            if not math.isfinite(value):
                self._note("loss", step)
        self._pending = []

    def _note(self, what: Literal["loss", "gradient", "activation"], step: int, layer: str = "") -> None:
        """The first time counts."""
        self._broken.setdefault(what, Broken(what, step, layer))

    # ------------------------------------------------------------------------------------------ what was seen

    def record(self) -> Recording:
        """What was recorded so far. Raises `ValueError` before the first step."""
        if not self.step_number:
            raise ValueError("nothing is recorded before the first watch.step()")
        self._flush()
        steps, rows = self._rows.rows()
        lines, losses = self._lines.rows()
        called = self._called()
        names = tuple(self._layers[i].name for i in called)
        tables = {}
        for quantity, values in zip(QUANTITIES, np.split(rows.astype(np.float64), len(QUANTITIES), 1), strict=True):
            there = [i for i in called if not np.isnan(values[:, i]).all()]
            if there or quantity == "gradient":
                kept = called if quantity == "gradient" else there
                tables[quantity] = Table(tuple(self._layers[i].name for i in kept), steps, values[:, kept])
        judged = [self._layers[i].name for i in called if self._layers[i].matrix]
        card = self._card(names, judged, [name for name in names if name in tables["gradient"].empty])
        return Recording(
            title=type(self._model).__name__,
            unit="step",
            last=self.step_number,
            loss_at=lines.astype(np.float64),
            losses=losses[:, 0].astype(np.float64),
            tables=tables,
            judged=frozenset(judged[:-1] or judged),  # the head's gradient is of another kind and size
            guess=self._guess,
            card=card,
            broken=tuple(sorted(self._broken.values(), key=lambda broken: broken.step)),
        )

    def _called(self) -> list[int]:
        """The layers in the order of the pass; one that no pass called stands behind the one that was registered before it."""
        places = {i: place for place, i in enumerate(self._order)}
        last, keys = -1, []
        for i in range(len(self._layers)):
            last = places.get(i, last)
            keys.append((last, i))
        return sorted(range(len(keys)), key=keys.__getitem__)

    def _card(self, names: Sequence[str], judged: Sequence[str], unused: Sequence[str]) -> dict[str, object]:
        return {
            "format": "resviz watch",
            "version": 1,
            "model": type(self._model).__name__,
            "parameters": sum(each.numel() for each in self._weights),
            "layers": list(names),
            "judged": list(judged[:-1] or judged),
            "unused": list(unused),
            "steps": self.step_number,
            "every": self._every,
            "guess": self._guess if math.isfinite(self._guess) else None,
            "broken": [[broken.what, broken.step, broken.layer] for broken in self._broken.values()],
            "notes": self._notes,
            "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "versions": {"resviz": __version__, "torch": torch.__version__, "python": platform.python_version()},
        }

    def findings(self) -> tuple[str, ...]:
        """What is wrong around the last step, in sentences; empty where nothing is."""
        from resviz.watching.telling import told

        return told(self.record())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write what was recorded: a `.parquet` that the page Recordings opens, or an `.html` that any browser does.

        Raises `ValueError` for another ending. A file of that name is replaced once the new one is whole.
        """
        from resviz.watching.telling import written

        return written(self.record(), Path(path))

    def _repr_html_(self) -> str:
        from resviz.watching.telling import notebook

        return notebook(self.record())


def watch(model: nn.Module, every: int = 10, activations: bool = True, updates: bool = True) -> Watch:
    """Look at every layer of any network while it trains in a loop of your own.

    Call `step(loss)` after the optimizer's step and before the gradients are cleared, `save("run.parquet")` or `save("run.html")`
    whenever you like, and `close()` at the end. Every `every`-th step is looked at; `updates` keeps a copy of the weights during such
    a step, `activations` hooks on the layers. Raises `ValueError` where there is nothing to watch.
    """
    return Watch(model, every, activations, updates)


def _norms(tensors: Sequence[Tensor | None]) -> np.ndarray:
    """L2 norm of each; NaN for None, ∞ where one is no number. Tensors of half precision are added up in single."""
    norms = np.full(len(tensors), np.nan)
    dense = [(i, each.coalesce().values() if each.is_sparse else each) for i, each in enumerate(tensors) if each is not None]
    for device in {each.device for _, each in dense}:
        here = [(i, each) for i, each in dense if each.device == device]
        wide = [(i, torch.linalg.vector_norm(each, dtype=torch.float32) if each.dtype in _HALVES else each) for i, each in here]
        norms[[i for i, _ in wide]] = norms_of([each for _, each in wide])
    there = [i for i, _ in dense]
    norms[there] = np.where(np.isfinite(norms[there]), norms[there], np.inf)
    return norms
