"""What becomes of a trained network's error when parts of it are taken away?

Veit, Wilber & Belongie 2016 (arXiv 1605.06431) deleted and reordered the blocks of trained networks. Batch norms keep the
statistics of training, or, where that is asked for, take those of each lesion anew from other pictures. A signal is computed once up
to where a lesion begins: the lesions wait along the trunk until it comes by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from resviz.data.images import ImageSet
from resviz.nets.families.resnet import ZeroPad
from resviz.nets.unit import Net, Unit
from resviz.probes.inside import hooked, units_of
from resviz.progress import Tick, quiet
from resviz.results import Draws, Lesions
from resviz.spec.lesion import Lesion

__all__ = ["COUNTS", "drawn", "layers_of", "lesions", "several", "singles", "swaps"]

Step = Callable[[Tensor], Tensor]
_Routes = Mapping[Lesion, tuple[int, list[Step]]]
_Take = Callable[[Lesion], None]  # gives every batch norm what it goes by under a lesion
_PIXELS = 250 * 32 * 32  # that go through the network together: more of them leave the cache


def layers_of(net: Net) -> dict[str, tuple[str, ...]]:
    """Of every unit the names of its branch's convolutions, in forward order."""
    return {name: tuple(f"{name}.{conv}" for conv in _convs(unit)) for name, unit in net.units()}


def _convs(unit: Unit) -> list[str]:
    aside = set() if unit.downsample is None else set(unit.downsample.modules())
    return [name for name, module in unit.named_modules() if isinstance(module, nn.Conv2d) and module not in aside]


def singles(net: Net) -> tuple[Lesion, ...]:
    """Every unit with a skip without its branch and without its skip; in a network without skips every convolution bypassed."""
    parts = {name for name, unit in net.units() if unit.skip and unit.branch}
    if not parts:
        return tuple(Lesion(bypassed=frozenset({conv})) for convs in layers_of(net).values() for conv in convs)
    whole = [name for name, _ in net.units() if name in parts]
    return tuple(lesion for name in whole for lesion in (Lesion(dropped=frozenset({name})), Lesion(cut=frozenset({name}))))


def drawn(net: Net, count: int, draws: int = 20, seed: int = 0) -> tuple[Lesion, ...]:
    """So many lesions, each of `count` units without their branches, or in a network without skips of `count` bypassed convolutions."""
    draw = np.random.default_rng((seed, count))
    single = [lesion for lesion in singles(net) if not lesion.cut]
    if not 1 <= count <= len(single):
        raise ValueError(f"{count} parts cannot be taken away from {len(single)}; choose from 1 to {len(single)}")
    chosen = [[single[i] for i in draw.choice(len(single), count, replace=False)] for _ in range(draws)]
    return tuple(
        Lesion(
            dropped=frozenset().union(*(each.dropped for each in some)),
            bypassed=frozenset().union(*(each.bypassed for each in some)),
        )
        for some in chosen
    )


def swaps(net: Net, count: int, draws: int = 20, seed: int = 0) -> tuple[Lesion, ...]:
    """So many lesions, each of `count` pairs of units that change places, one pair after the other.

    Drawn among the units of a stage that leave the shape as it is; raises ValueError where no stage has two of them.
    """
    draw, pairs = np.random.default_rng((seed, count, 1)), _pairs(net)
    if not pairs:
        raise ValueError("no two blocks of a stage leave the shape as it is, so none can change places; use a deeper network")
    return tuple(Lesion(swapped=tuple(pairs[i] for i in draw.choice(len(pairs), count))) for _ in range(draws))


def _pairs(net: Net) -> list[tuple[str, str]]:
    """Units of one stage that could stand in each other's place."""
    stages: dict[str, list[str]] = {}
    for name, unit in net.units():
        if unit.skip and unit.downsample is None:
            stages.setdefault(name.split(".")[0], []).append(name)
    return [(one, other) for names in stages.values() for i, one in enumerate(names) for other in names[i + 1 :]]


@torch.inference_mode()
def lesions(net: Net, images: ImageSet, asked: Sequence[Lesion], tick: Tick = quiet, again: ImageSet | None = None) -> Lesions:
    """The error as the network is, and with each of the lesions; `tick` gets what is known so far.

    With pictures to estimate batch norms' statistics on `again`, each lesion, and the whole network, goes by its own. Hooks stand on
    `net` meanwhile: give it a network of your own, in eval mode. Raises ValueError for a lesion of what it has not, and where there
    is no batch norm to estimate anything of.
    """
    routes = {lesion: _route(net, lesion) for lesion in dict.fromkeys(asked)}
    wrong, seen = dict.fromkeys((Lesion(), *routes), 0), dict.fromkeys((Lesion(), *routes), 0)
    size = max(1, _PIXELS // images.images.shape[-1] ** 2)
    total = (1 + len(routes)) * -(-len(images) // size)

    def known() -> Lesions:
        errors = {each: 100 * wrong[each] / seen[each] for each in seen if seen[each]}
        return Lesions(errors.pop(Lesion()), errors, len(images), len(again) if again is not None else 0)

    with _statistics(net, routes, again, size, tick) as take:
        for pictures, labels in images.batches(size):
            for lesion, logits in _answers(net, routes, pictures.to(next(net.parameters()).device), take):
                wrong[lesion] += int((logits.cpu().argmax(1) != labels).sum())
                seen[lesion] += len(labels)
                done = sum(seen.values()) / (len(images) * len(seen))
                tick(done, f"{round(done * total)} of {total} passes", known())
    return known()


def _answers(net: Net, routes: _Routes, pictures: Tensor, take: _Take) -> Iterator[tuple[Lesion, Tensor]]:
    """The logits without any lesion, then with each, in the order in which the signal comes to where they begin."""
    units = units_of(net)
    take(Lesion())
    yield Lesion(), net(pictures)
    begins = _begins(routes)
    x = net.stem(pictures)
    for at, unit in enumerate(units.values()):
        for lesion in begins.get(at, ()):
            take(lesion)
            yield lesion, _ended(net, routes[lesion][1], x)
        take(Lesion())
        x = unit(x)


def _begins(routes: _Routes) -> dict[int, list[Lesion]]:
    """The lesions by the place of the first unit that they touch."""
    found: dict[int, list[Lesion]] = {}
    for lesion, (first, _) in routes.items():
        found.setdefault(first, []).append(lesion)
    return found


def _ended(net: Net, steps: Sequence[Step], signal: Tensor) -> Tensor:
    """The logits, of what enters the first of the steps."""
    for step in steps:
        signal = step(signal)
    return net.head(signal)


def _all_ended(net: Net, steps: Sequence[Step], signals: Sequence[Tensor]) -> None:
    for signal in signals:
        _ended(net, steps, signal)


@contextmanager
def _statistics(net: Net, routes: _Routes, again: ImageSet | None, size: int, tick: Tick) -> Iterator[_Take]:
    """Within it batch norms go by each lesion's own statistics where they are estimated; afterwards by their old ones, error or not."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d) and module.track_running_stats]
    if again is None:
        yield lambda lesion: None
        return
    if not norms:
        raise ValueError("this network has no batch norm whose statistics could be estimated again; ask without that")
    before = [(norm.momentum, dict(norm._buffers)) for norm in norms]
    try:
        known = _estimated(net, norms, routes, [x.to(next(net.parameters()).device) for x, _ in again.batches(size)], tick)
        yield lambda lesion: _give(norms, known[lesion])
    finally:
        for norm, (momentum, buffers) in zip(norms, before, strict=True):
            norm.momentum = momentum
            norm._buffers.update(buffers)
            norm.eval()


_Seen = list[tuple[Tensor | None, Tensor | None]]  # mean and variance of each batch norm


def _give(norms: Sequence[nn.BatchNorm2d], seen: _Seen) -> None:
    for norm, (mean, variance) in zip(norms, seen, strict=True):
        norm.running_mean, norm.running_var = mean, variance


def _estimated(
    net: Net, norms: Sequence[nn.BatchNorm2d], routes: _Routes, batches: Sequence[Tensor], tick: Tick
) -> dict[Lesion, _Seen]:
    """What every norm sees of the pictures under each lesion: from where it begins by the batches, before it as the whole network has it."""
    found = {Lesion(): _seen(norms, lambda: [net(pictures) for pictures in batches])}
    begins = _begins(routes)
    _give(norms, found[Lesion()])
    signals = [net.stem(pictures) for pictures in batches]
    for at, unit in enumerate(units_of(net).values()):
        for lesion in begins.get(at, ()):
            tick(0.0, f"statistics of {len(found)} of {len(routes)} lesions")
            found[lesion] = _seen(norms, partial(_all_ended, net, routes[lesion][1], signals))
        _give(norms, found[Lesion()])
        signals = [unit(x) for x in signals]
    return found


def _seen(norms: Sequence[nn.BatchNorm2d], run: Callable[[], object]) -> _Seen:
    """The mean over all batches of what each norm sees while it goes by the batches themselves."""
    for norm in norms:
        count = norm.num_features
        norm.running_mean, norm.running_var = norm.weight.new_zeros(count), norm.weight.new_ones(count)
        norm.num_batches_tracked, norm.momentum = torch.zeros((), dtype=torch.long), None
        norm.train()
    run()
    for norm in norms:
        norm.eval()
    return [(norm.running_mean, norm.running_var) for norm in norms]


def _route(net: Net, lesion: Lesion) -> tuple[int, list[Step]]:
    """The place of the first unit that is no longer what it was, and what the signal then passes through, up to the head."""
    units = units_of(net)
    order, layers = list(units), {conv: name for name, convs in layers_of(net).items() for conv in convs}
    swapped = {name for pair in lesion.swapped for name in pair}
    if unknown := sorted(({*lesion.dropped, *lesion.cut, *swapped} - units.keys()) | (lesion.bypassed - layers.keys())):
        raise ValueError(f"this network has no {unknown[0]!r}; name one of {', '.join(units)}, or a convolution of theirs")
    if not lesion.names:
        raise ValueError("a lesion takes something away; name a unit or a convolution")
    for one, other in lesion.swapped:
        a, b = order.index(one), order.index(other)
        order[a], order[b] = other, one
    touched = lesion.dropped | lesion.cut | {layers[conv] for conv in lesion.bypassed}
    places = [i for i, (now, before) in enumerate(zip(order, units, strict=True)) if now != before or now in touched]
    first = min(places, default=len(order) - 1)  # pairs that changed back
    return first, [_step(name, units[name], lesion) for name in order[first:]]


def _step(name: str, unit: Unit, lesion: Lesion) -> Step:
    if name in lesion.dropped:
        return partial(_without_branch, unit)
    if name in lesion.cut:
        return partial(_without_skip, unit)
    convs = [conv for conv in _convs(unit) if f"{name}.{conv}" in lesion.bypassed]
    return partial(_bypassing, unit, convs) if convs else unit


def _without_branch(unit: Unit, x: Tensor) -> Tensor:
    return unit.after(unit.identity(x, unit.entry(x)))


def _without_skip(unit: Unit, x: Tensor) -> Tensor:
    return unit.after(unit.residual(unit.entry(x)))


def _bypassing(unit: Unit, convs: Sequence[str], x: Tensor) -> Tensor:
    """What the unit returns with the identity in place of some convolutions and of the norms that read them alone."""
    norms = dict(unit.folds())
    with ExitStack() as hooks:
        for conv in convs:
            hooks.enter_context(hooked(unit.get_submodule(conv).register_forward_hook(_as_it_came)))
            if conv in norms:
                hooks.enter_context(hooked(unit.get_submodule(norms[conv]).register_forward_hook(_as_it_came)))
        return unit(x)


def _as_it_came(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    """The input: where the shape changes every second pixel and zero channels, as the papers' option A has it."""
    x = inputs[0]
    if x.shape == output.shape:
        return x
    padded: Tensor = ZeroPad(x.shape[1], output.shape[1], x.shape[2] // output.shape[2])(x)
    return padded


COUNTS: Final = (1, 2, 4, 8, 14, 20)  # parts taken away at once


def several(net: Net, images: ImageSet, draws: int = 20, tick: Tick = quiet, again: ImageSet | None = None) -> dict[str, Draws]:
    """The errors with several branches dropped, or convolutions bypassed, at random; and with several pairs of blocks swapped, where it can.

    `again` is as in `lesions`.
    """
    parts = sum(not lesion.cut for lesion in singles(net))
    whole = any(unit.skip and unit.branch for _, unit in net.units())
    makers: dict[str, Callable[..., tuple[Lesion, ...]]] = {"branches dropped" if whole else "layers bypassed": drawn}
    if whole and _pairs(net):
        makers["pairs swapped"] = swaps
    found = {}
    for n, (title, make) in enumerate(makers.items()):

        def partly(fraction: float, note: str = "", partial: object = None, n: int = n) -> bool:
            return tick((n + fraction) / len(makers), note)

        asked = {count: make(net, count, draws) for count in COUNTS if count <= parts}
        measured = lesions(net, images, [lesion for some in asked.values() for lesion in some], partly, again)
        errors = np.array([[measured.errors[lesion] for lesion in some] for some in asked.values()])
        found[title] = Draws(tuple(asked), errors, measured.base, measured.pictures, measured.estimated_on)
    return found
