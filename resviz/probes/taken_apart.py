"""How does one number of a unit come about, and which pixels move it?"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from resviz.nets.unit import Net, Unit
from resviz.probes.inside import addends, hooked, look, mapped, unit_of
from resviz.results import Arithmetic, Field, Forward

__all__ = ["arithmetic", "field"]

_NORMS = {nn.BatchNorm2d: "batch norm", nn.GroupNorm: "group norm"}


@torch.no_grad()
def arithmetic(
    net: Net, kept: Forward, name: str, at: tuple[int, int, int], branch: float = 1.0, skip: float = 1.0
) -> Arithmetic:
    """What adds up to the value at (channel, row, column), in fp64 from what the network read in its own precision.

    Hooks stand on `net` meanwhile: give it a network of your own. Raises ValueError where the unit's branch is dropped, or where F
    ends with something else than a convolution and its norm.
    """
    unit = unit_of(net, name)
    if not unit.branch:
        raise ValueError(f"{name} has no branch: it was dropped")
    shown = look(net, kept, name, branch, skip)
    whole = shown if branch == skip == 1 else look(net, kept, name)
    channel, row, column = at
    conv_name, conv, norm = _ending(unit, name)
    read, convolved = _heard(unit, conv, torch.from_numpy(kept.entered[name])[None].to(conv.weight.device))
    first = channel // (conv.out_channels // conv.groups) * conv.weight.shape[1]
    scale, shift = _affine(norm, convolved, channel)
    return Arithmetic(
        unit=name,
        channel=channel,
        row=row,
        column=column,
        conv=f"{name}.{conv_name}",
        norm=_NORMS.get(type(norm), "") if norm is not None else "",
        first=first,
        window=_window(conv, read, first, (row, column)),
        weights=conv.weight[channel].cpu().numpy(),
        bias=0.0 if conv.bias is None else conv.bias[channel].item(),
        scale=scale,
        shift=shift,
        identity=float(whole.identity[channel, row, column]),
        mapped=mapped(unit),
        activation=shown.activation,
        shown_residual=float(shown.residual[channel, row, column]),
        shown_joined=float(shown.joined[channel, row, column]),
        shown_output=float(shown.output[channel, row, column]),
        branch=branch,
        skip=skip,
    )


def _ending(unit: Unit, name: str) -> tuple[str, nn.Conv2d, nn.Module | None]:
    """F's last convolution with its name within the unit, and the norm that reads it, where F ends with one."""
    names = {module: each for each, module in unit.named_modules()}
    tail = unit.tail
    if isinstance(tail, nn.Conv2d):
        return names[tail], tail, None
    for conv, norm in unit.folds():
        found = unit.get_submodule(conv)
        if unit.get_submodule(norm) is tail and isinstance(found, nn.Conv2d):
            return conv, found, tail
    raise ValueError(
        f"{name}'s F goes through an activation, a factor or a gate behind its last convolution, which is not taken apart"
    )


def _heard(unit: Unit, conv: nn.Conv2d, x: Tensor) -> tuple[Tensor, Tensor]:
    """What the convolution reads and returns while the unit computes F."""
    heard: list[tuple[Tensor, Tensor]] = []
    with hooked(conv.register_forward_hook(lambda _module, inputs, output: heard.append((inputs[0], output)))):
        unit.residual(unit.entry(x))
    return heard[-1]


def _window(conv: nn.Conv2d, read: Tensor, first: int, at: tuple[int, int]) -> np.ndarray:
    """(input channels, height, width) that the convolution multiplies for one place."""
    assert not isinstance(conv.padding, str)  # every convolution here says how wide its margin is
    (high, wide), (down, across) = conv.padding, conv.dilation
    padded = nn.functional.pad(read[0, first : first + conv.weight.shape[1]], (wide, wide, high, high))
    top, left = at[0] * conv.stride[0], at[1] * conv.stride[1]
    rows = slice(top, top + down * (conv.kernel_size[0] - 1) + 1, down)
    columns = slice(left, left + across * (conv.kernel_size[1] - 1) + 1, across)
    return padded[:, rows, columns].cpu().numpy()


def _affine(norm: nn.Module | None, convolved: Tensor, channel: int) -> tuple[float, float]:
    """What a norm in eval mode multiplies a channel by, and what it then adds."""
    if isinstance(norm, nn.BatchNorm2d):
        if norm.running_mean is None or norm.running_var is None:
            raise ValueError("a batch norm without running statistics cannot be taken apart")
        mean, variance = norm.running_mean[channel].item(), norm.running_var[channel].item()
    elif isinstance(norm, nn.GroupNorm):
        size = norm.num_channels // norm.num_groups
        group = convolved[0, channel // size * size : (channel // size + 1) * size].cpu().double()
        mean, variance = group.mean().item(), group.var(correction=0).item()
    else:
        return 1.0, 0.0
    gamma, beta = (1.0, 0.0) if norm.weight is None else (norm.weight[channel].item(), norm.bias[channel].item())
    scale = gamma / (variance + norm.eps) ** 0.5
    return scale, beta - mean * scale


def field(net: Net, picture: Tensor, kept: Forward, name: str, at: tuple[int, int, int]) -> Field:
    """The box of pixels that can reach the value after the addition at (channel, row, column), and its gradient at each of them."""
    unit = unit_of(net, name)
    seen: list[Tensor] = []
    picture = picture.detach().clone().requires_grad_()
    with hooked(unit.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))), torch.enable_grad():
        net(picture)
        residual, identity = addends(unit, seen[0])
        joined = residual if identity is None else unit.join(residual, identity)
        (gradient,) = torch.autograd.grad(joined[(0, *at)], picture)
    return Field(kept.box(name, at[1], at[2]), gradient[0].abs().mean(0).cpu().numpy())
