"""One network of a lab: a step of it, and what is recorded of every layer."""

from __future__ import annotations

import math
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from resviz.nets.build import build
from resviz.nets.unit import Net
from resviz.probes.accuracy import agreement, percent_right
from resviz.probes.gradients import norms_of
from resviz.probes.signal import watched_signals
from resviz.results import SIGNALS
from resviz.spec.families import Network
from resviz.training.history import History

__all__ = ["Contender", "Measured"]

_MOMENTUM = 0.9
Measured = tuple[np.ndarray, np.ndarray, np.ndarray | None]


class Contender:
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

    def step(self, images: Tensor, labels: Tensor, clip: float, signals: bool, recording: bool = True) -> Measured:
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
