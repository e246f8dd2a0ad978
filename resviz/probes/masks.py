"""What does a network mark in pictures that it has not learned from?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from resviz.data.images import ImageSet
from resviz.nets.unit import Net
from resviz.probes.untouched import untouched
from resviz.results import Masks

__all__ = ["MaskWatch", "masks_of"]

PICTURES: Final = 6
_EVERY: Final = 0.5  # seconds between two looks
_REST: Final = 8  # and times what the last one took


@torch.inference_mode()
def masks_of(nets: Sequence[tuple[str, Net]], held_out: ImageSet, step: int = 0) -> Masks:
    """How likely each network says that each pixel of the first `PICTURES` held-out pictures is of the second class; every layer's mode is put back."""
    some = held_out.part(slice(PICTURES))
    found = {}
    for label, net in nets:
        with untouched(net):
            found[label] = torch.softmax(net.eval()(some.normalised(some.images)), 1)[:, 1].contiguous().numpy()
    return Masks(step, some.categories[1], some.images[:, 0].numpy(), some.labels.numpy() == 1, found)


class MaskWatch:
    """The newest answer of each contender. `look` is for whoever may use the networks; `masks` for anyone."""

    def __init__(self) -> None:
        self.masks: Masks | None = None
        self._next = -np.inf

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_next": -np.inf}  # another machine has another clock

    def look(self, nets: Sequence[tuple[str, Net]], held_out: ImageSet, step: int, at_once: bool = False) -> None:
        """Ask these networks, by their labels, where the last look is some time ago, or `at_once`."""
        if not at_once and time.monotonic() < self._next:
            return
        began = time.monotonic()
        self.masks = masks_of(nets, held_out, step)
        ended = time.monotonic()
        self._next = ended + max(_EVERY, _REST * (ended - began))
