"""How much of its theoretical receptive field does the middle of the last feature map see?

Luo et al. 2016, arXiv 1701.04128: a random gradient is placed at the middle of the feature map, what reaches the input is averaged
over random inputs, and what is above 1 − 95.45 % of the strongest counts as seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from resviz.nets.build import build
from resviz.nets.cost import check_memory, layer_table
from resviz.nets.inference.folding import folded
from resviz.nets.unit import Net
from resviz.progress import Tick, quiet
from resviz.results import Reach
from resviz.spec.net import Design, NetSpec, SpecError

__all__ = ["check_field", "draws_of", "reach", "reaches"]

_NETWORKS: Final = 4  # initialisations that the draws are shared among
_WIDEST: Final = 640  # pixels: a pass grows with their square
_WORK: Final = 4e11  # multiply-accumulates forwards, for the draws that are taken where none are asked for
_FEW, _MANY = 8, 100
_FAR: Final = 1024  # pixels of a picture that every stride divides


@dataclass(frozen=True)
class _Place:
    """The middle of the last feature map: its row and column, and the pixels it can see, from `start` to the end of `side`."""

    at: int
    start: int
    side: int


def _place(spec: NetSpec) -> _Place:
    """Position n looks at pixels around n · stride; the picture ends where the window does.

    Every window is centred, but for option D's means, each of a place and the next one: where no branch sees further, that is all.
    """
    table = layer_table(spec, _FAR)
    last = [row for row in table.rows if row.unit][-1]
    means = (unit.skip[0] for unit in table.units if unit.dropped and unit.carries == "averaged projection")
    stride, further = _FAR // last.out_shape[-1], sum(_FAR // row.in_shape[-1] for row in means)
    before = (last.receptive_field - 1 - further) // 2
    at = -(-before // stride)
    return _Place(at, at * stride - before, at * stride - before + last.receptive_field)


def check_field(spec: NetSpec) -> None:
    """Refuse a field that would take too long or not fit; raises `SpecError` with its size, the limit and the remedy."""
    place = _place(spec)
    if (field := place.side - place.start) > _WIDEST:
        raise SpecError(f"the last feature map sees {field} pixels, more than the {_WIDEST} that are walked; choose fewer blocks")
    check_memory(spec, place.side, 2)


def draws_of(spec: NetSpec) -> int:
    """Random inputs that a minute or so is enough for: a hundred of ResNet-20, 26 of ResNet-56."""
    return int(np.clip(_WORK // (2 * layer_table(spec, _place(spec).side).macs), _FEW, _MANY))


def reach(spec: NetSpec, draws: int, tick: Tick = quiet) -> Reach:
    """Mean |∂(middle of the last feature map)/∂x| over random inputs and output gradients, before training.

    The draws are shared among initialisations and weigh the same. Batch norm has the statistics of two such inputs, which stand still.
    Raises `SpecError` for a field that is too wide.
    """
    check_field(spec)
    place = _place(spec)
    networks = min(_NETWORKS, draws)
    total, done = np.zeros((place.side - place.start,) * 2), 0
    for n in range(networks):
        generator = torch.Generator().manual_seed(spec.seed + n)
        net = _settled(replace(spec, seed=spec.seed + n), _noise(spec, place.side, 2, generator))
        for _ in range(n, draws, networks):
            tick(done / draws, f"input {done + 1} of {draws}")
            strength = _sees(net, _noise(spec, place.side, 1, generator), place, generator)
            total += strength / (strength.sum() or 1.0)
            done += 1
    return Reach(total / draws, draws, networks)


def reaches(nets: Mapping[Design, NetSpec], draws: int | None = None, tick: Tick = quiet) -> dict[Design, Reach]:
    """`reach` of each, of `draws` inputs or of as many as `draws_of` takes. Raises `SpecError` before anything is computed."""
    for spec in nets.values():
        check_field(spec)
    found: dict[Design, Reach] = {}
    for key, spec in nets.items():

        def part(fraction: float, note: str = "", partial: object = None, begun: int = len(found)) -> bool:
            return tick((begun + fraction) / len(nets), note, partial)

        found[key] = reach(spec, draws or draws_of(spec), part)
    return found


def _noise(spec: NetSpec, side: int, count: int, generator: torch.Generator) -> Tensor:
    return torch.randn((count, spec.in_channels, side, side), generator=generator)


def _settled(spec: NetSpec, inputs: Tensor) -> Net:
    """The network with its initial weights and these inputs' statistics, folded."""
    net = build(spec)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    net.requires_grad_(False).train()
    with torch.no_grad():
        net(inputs)
    return folded(net.eval())


def _sees(net: Net, x: Tensor, place: _Place, generator: torch.Generator) -> np.ndarray:
    """(field, field): what a random gradient at the place comes to at each pixel, over the picture's channels."""
    signal = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    out = net.stem(signal)
    for _, unit in net.units():
        out = unit(out)
    middle = out[0, :, place.at, place.at]
    (gradient,) = torch.autograd.grad(middle @ torch.randn(middle.shape, generator=generator), signal)
    found: np.ndarray = gradient[0, :, place.start :, place.start :].abs().double().sum(0).numpy()
    return found
