"""What does each unit do to one picture, and what becomes of the answer when that is changed?

Networks are in eval mode and asked through `units()` alone; their hooks and `requires_grad` are afterwards what they were.
A picture is (1, channels, height, width); results are numpy's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from resviz.nets.unit import Net, Unit
from resviz.results import Forward, Inside, Lens, Readout
from resviz.results.inside import Mapped

__all__ = ["addends", "changed", "effect", "forward", "hooked", "look", "mapped", "readout", "returned", "unit_of", "units_of"]

_Window = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d


@contextmanager
def hooked(*handles: RemovableHandle) -> Iterator[None]:
    """Within it the hooks listen; they are gone afterwards, error or not."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def unit_of(net: Net, name: str) -> Unit:
    """The unit of that name; raises ValueError where there is none that adds, or where the network still trains."""
    units = units_of(net)
    if name not in units:
        raise ValueError(f"{name!r} is no unit of this network; name one of {', '.join(units)}")
    return units[name]


def units_of(net: Net) -> dict[str, Unit]:
    """Every unit by its name, in forward order; raises ValueError where one does not add, or where the network still trains."""
    if any(module.training for module in net.modules()):
        raise ValueError("what a unit does to a picture is asked of a network in eval mode; call net.eval() first")
    units = dict(net.units())
    if beside := next((name for name, unit in units.items() if unit.joins != "add"), None):
        raise ValueError(f"{beside} puts F(x) beside x, where nothing is added up; ask a network whose units add")
    return units


@torch.no_grad()
def forward(net: Net, picture: Tensor) -> Forward:
    """One pass, kept: what enters each unit, the logits, and every window that the signal passed on its way."""
    entered: dict[str, NDArray[np.float32]] = {}
    lenses: list[Lens] = []
    units = units_of(net)
    owner = {module: (name, unit) for name, unit in units.items() for module in unit.modules()}

    def enter(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda _module, inputs: entered.__setitem__(name, _array(inputs[0]))

    def window(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(module, _Window)  # hung on these alone
        name, unit = owner.get(module, ("", None))
        lenses.append(_lens(module, name, unit, inputs[0]))

    def leave(name: str) -> Callable[[Unit, tuple[Tensor, ...], Tensor], None]:
        def hook(unit: Unit, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if unit.skip and not any(lens.unit == name and lens.path == "skip" for lens in lenses):
                lenses.append(_bare(name, inputs[0], output))

        return hook

    with ExitStack() as hooks:
        for name, unit in units.items():
            hooks.enter_context(hooked(unit.register_forward_pre_hook(enter(name)), unit.register_forward_hook(leave(name))))
        for module in net.modules():
            if isinstance(module, _Window):
                hooks.enter_context(hooked(module.register_forward_pre_hook(window)))
        logits = net(picture)
    return Forward(entered, _array(logits), tuple(lenses))


def _lens(module: _Window, name: str, unit: Unit | None, x: Tensor) -> Lens:
    def side(value: int | str | tuple[int, ...]) -> int:  # PyTorch's padding may be a word; no family's is
        return int(value[0] if isinstance(value, tuple) else value)

    kernel, stride, padding = side(module.kernel_size), side(module.stride), side(module.padding)
    reach = side(getattr(module, "dilation", 1)) * (kernel - 1) + 1
    on_skip = unit is not None and unit.downsample is not None and module in unit.downsample.modules()
    return Lens(name, "skip" if on_skip else "branch" if name else "trunk", reach, stride, padding, (x.shape[-2], x.shape[-1]))


def _bare(name: str, x: Tensor, output: Tensor) -> Lens:
    """A skip without windows: x as it is, or every `stride`-th place of it."""
    return Lens(name, "skip", 1, -(-x.shape[-1] // output.shape[-1]), 0, (x.shape[-2], x.shape[-1]))


@torch.no_grad()
def look(net: Net, kept: Forward, name: str, branch: float = 1.0, skip: float = 1.0) -> Inside:
    """One unit's four tensors, from what entered it; F and x multiplied by `branch` and `skip`."""
    unit = unit_of(net, name)
    x = _tensor(net, kept.entered[name])
    residual, identity = addends(unit, x, branch, skip)
    joined = _joined(unit, residual, identity)
    return Inside(
        unit=name,
        identity=np.zeros_like(_array(residual)) if identity is None else _array(identity),
        residual=_array(residual),
        joined=_array(joined),
        output=_array(unit.after(joined)),
        mapped=mapped(unit),
        activation=", ".join(type(each).__name__ for each in unit.behind if not isinstance(each, nn.Identity)),
    )


def mapped(unit: Unit) -> Mapped:
    """What the skip makes of x."""
    if not unit.skip:
        return "none"
    if unit.downsample is None:
        return "identity" if unit.as_it_came else "weighed"
    if unit.projection is None:
        return "zero-pad"
    return "projection" if isinstance(unit.downsample, nn.Sequential) else "parallel"


def addends(unit: Unit, x: Tensor, branch: float = 1.0, skip: float = 1.0) -> tuple[Tensor, Tensor | None]:
    """F(x) and what the skip brings, None where it is cut, each times its factor; as the unit itself computes them at 1."""
    entered = unit.entry(x)
    identity = unit.identity(x, entered) if unit.skip else None
    residual = unit.residual(entered) if unit.branch or identity is None else torch.zeros_like(identity)
    residual = residual if branch == 1 else residual * branch
    return residual, identity if identity is None or skip == 1 else identity * skip


def _joined(unit: Unit, residual: Tensor, identity: Tensor | None) -> Tensor:
    return residual if identity is None else unit.join(residual, identity)


def _scaling(unit: Unit, branch: float, skip: float) -> RemovableHandle:
    """A hook by which the unit answers with its branch and its skip scaled."""

    def answer(_module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> Tensor:
        return unit.after(_joined(unit, *addends(unit, inputs[0], branch, skip)))

    return unit.register_forward_hook(answer)


@torch.no_grad()
def changed(net: Net, picture: Tensor, name: str, branch: float = 1.0, skip: float = 1.0) -> NDArray[np.float32]:
    """The logits, (classes,), with one unit's F and x multiplied. Hooks stand on `net` meanwhile: give it a network of your own."""
    with hooked(_scaling(unit_of(net, name), branch, skip)):
        return _array(net(picture))


@torch.no_grad()
def readout(net: Net, picture: Tensor, name: str = "", branch: float = 1.0, skip: float = 1.0) -> Readout:
    """The network's own head after each unit that has the last one's shape, with the unit `name` scaled.

    The head is whatever the network does behind its last unit: it gets all of them as one batch in place of that unit's output.
    """
    outputs: dict[str, Tensor] = {}
    units = units_of(net)
    last = list(units)[-1]
    ending: list[str] = []

    def collect(each: str) -> Callable[[nn.Module, object, Tensor], Tensor | None]:
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor | None:
            outputs[each] = output
            if each != last:
                return None
            alike = [seen for seen, out in outputs.items() if out.shape == output.shape]
            ending.extend(alike)
            return torch.cat([outputs[seen] for seen in alike])

        return hook

    with ExitStack() as hooks:
        if name:
            hooks.enter_context(hooked(_scaling(unit_of(net, name), branch, skip)))
        for each, unit in units.items():
            hooks.enter_context(hooked(unit.register_forward_hook(collect(each))))
        logits = net(picture)
    pooled = {each: _array(output.mean((2, 3))) for each, output in outputs.items()}
    return Readout(tuple(ending), logits.cpu().numpy(), pooled)


@torch.no_grad()
def returned(net: Net, picture: Tensor, name: str) -> NDArray[np.float32]:
    """What the unit returns for a picture: (channels, height, width). A hook stands on `net` meanwhile: give it a network of your own."""
    outputs: list[Tensor] = []
    with hooked(unit_of(net, name).register_forward_hook(lambda _module, _inputs, output: outputs.append(output))):
        net(picture)
    return _array(outputs[0])


def effect(net: Net, picture: Tensor, name: str, target: int) -> NDArray[np.float32]:
    """(channels,): gradient × activation of a class's logit at what the unit returns, summed over places."""
    leaves: list[Tensor] = []

    def begin(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        leaves.append(output.detach().requires_grad_())
        return leaves[-1]

    with hooked(unit_of(net, name).register_forward_hook(begin)), torch.enable_grad():
        (gradient,) = torch.autograd.grad(net(picture)[0, target], leaves)
    return (gradient * leaves[0].detach()).sum((2, 3))[0].cpu().numpy()


def _tensor(net: Net, values: NDArray[np.float64] | NDArray[np.float32]) -> Tensor:
    """(1, channels, height, width) where the network is."""
    return torch.from_numpy(values)[None].to(next(net.parameters()).device)


def _array(batch: Tensor) -> NDArray[np.float32]:
    """The one picture's part of a batch of one."""
    found: NDArray[np.float32] = batch[0].detach().cpu().numpy()
    return found
