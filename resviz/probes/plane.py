"""What does a network make of each point of the plane, and what does each of its units?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from resviz.data.images import ImageSet
from resviz.data.points import EDGE
from resviz.nets.families.plane import PlaneNet
from resviz.probes.accuracy import evaluate
from resviz.probes.untouched import untouched
from resviz.results import PlaneMap

__all__ = ["UNITS", "Watch", "plane_map", "plane_of"]

SIDE: Final = 64  # points a side of the answer's map; a unit's has half as many
UNITS: Final = 32  # of a layer that are mapped
_EVERY: Final = 0.12  # seconds between two looks
_REST: Final = 3  # and times what the last one took: looking takes a quarter of the time at most


def plane_of(side: int) -> Tensor:
    """The plane as one picture, (1, 2, side, side): x grows to the right, y upwards, each pixel is the point at its centre."""
    at = EDGE * (2 * torch.arange(side) + 1 - side) / side
    return torch.stack([at.expand(side, side), -at[:, None].expand(side, side)])[None]


@torch.inference_mode()
def plane_map(net: PlaneNet, held_out: ImageSet, layer: str = "conv1", step: int = 0, label: str = "") -> PlaneMap:
    """The network's map of the plane, and one of each of the first `UNITS` units that `layer`, the first one or a block, hands on; every layer's mode is put back."""
    with untouched(net):
        net.eval()
        signal = net.stem(plane_of(SIDE))
        units = signal if layer == "conv1" else signal[:, :0]
        for name, block in net.units():
            signal = block(signal)
            units = signal if layer == name else units
        chance = torch.softmax(net.each(signal), 1)[0, 1]
    error, loss = evaluate(net, held_out)
    return PlaneMap(
        step=step,
        label=label,
        chance=chance.numpy(),
        layer=layer,
        units=units[0, :UNITS, ::2, ::2].contiguous().numpy(),
        loss=loss,
        right=100 - error,
        held_out=held_out.images.flatten(1).numpy(),
        labels=np.asarray(held_out.labels),
    )


class Watch:
    """The newest map of each contender. `look` is for whoever may use the networks; `layer` and `maps` for anyone."""

    def __init__(self) -> None:
        self.layer = "conv1"
        self.maps: tuple[PlaneMap, ...] = ()
        self._next = -np.inf

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_next": -np.inf}  # another machine has another clock

    def look(self, nets: Sequence[tuple[str, PlaneNet]], held_out: ImageSet, step: int, at_once: bool = False) -> None:
        """Draw the maps of these networks, by their labels, where the last look is some time ago, or `at_once`."""
        if not at_once and time.monotonic() < self._next:
            return
        began = time.monotonic()
        self.maps = tuple(plane_map(net, held_out, self.layer, step, label) for label, net in nets)
        ended = time.monotonic()
        self._next = ended + max(_EVERY, _REST * (ended - began))
