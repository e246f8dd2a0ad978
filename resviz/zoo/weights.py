"""A network's tensors into the network: complete, of the right shapes, finite."""

from __future__ import annotations

import torch
from torch import Tensor

from resviz.guard import quoted
from resviz.nets.build import skeleton
from resviz.nets.families.resnet import ResNet, Variant
from resviz.progress import Tick, quiet
from resviz.spec.names import describe
from resviz.spec.net import NetSpec
from resviz.zoo.infer import State
from resviz.zoo.pickles import Stored
from resviz.zoo.read import CheckpointError

__all__ = ["fits", "load_into", "numbers", "shared_out"]


def load_into(spec: NetSpec, state: State, variant: Variant | None = None, tick: Tick = quiet) -> ResNet:
    """The spec's network with these weights in fp32, in eval mode; a mismatch names the first keys that differ."""
    net = skeleton(spec, variant)
    if variant and variant.groups:
        shared_out(net, variant.groups)
    wanted = net.state_dict()
    counters = {key for key in wanted if key.endswith("num_batches_tracked")}
    given = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    missing, unexpected = sorted(wanted.keys() - given.keys() - counters), sorted(given.keys() - wanted.keys())
    if missing or unexpected:
        parts = [
            f"{word} {', '.join(map(quoted, keys[:3]))}"
            for word, keys in (("missing", missing), ("unexpected", unexpected))
            if keys
        ]
        raise CheckpointError(f"the checkpoint does not fit {describe(spec)}: {'; '.join(parts)}")
    for key, value in given.items():
        _plain(key, value)
        if tuple(value.shape) != tuple(wanted[key].shape):
            raise CheckpointError(f"{key} has shape {tuple(value.shape)}, expected {tuple(wanted[key].shape)}")
    tensors = {}
    for n, (key, value) in enumerate(given.items()):
        tensors[key] = numbers(key, value)
        tick(0.9 + 0.1 * n / len(given), "reading the weights")
    net.load_state_dict(tensors | {key: torch.zeros((), dtype=torch.long) for key in counters}, assign=True)
    return net.eval()


def shared_out(net: ResNet, groups: int) -> None:
    """Raises `CheckpointError` where the channels of a group norm cannot be shared out among so many groups."""
    norms = (module for module in net.modules() if isinstance(module, torch.nn.GroupNorm))
    if odd := next((norm.num_channels for norm in norms if norm.num_channels % groups), 0):
        raise CheckpointError(f"{groups} groups do not divide the {odd} channels of its norms; choose a divisor")


def _plain(key: str, value: Tensor | Stored) -> None:
    if isinstance(value, Stored) and value.problem:
        raise CheckpointError(f"{quoted(key)} is {value.problem}; save plain float tensors")
    if isinstance(value, Tensor) and (value.is_meta or value.layout is not torch.strided):
        raise CheckpointError(f"{quoted(key)} is no plain tensor; save plain float tensors")
    if not value.dtype.is_floating_point:
        raise CheckpointError(f"{quoted(key)} holds {str(value.dtype).removeprefix('torch.')} numbers; save plain float tensors")


def numbers(key: str, value: Tensor | Stored) -> Tensor:
    """Finite float32 numbers, or the reason why not."""
    _plain(key, value)
    found = value.float()
    if not torch.isfinite(found).all():
        raise CheckpointError(
            f"{quoted(key)} holds {int((~torch.isfinite(found)).sum()):,} numbers that are not finite; its training diverged"
        )
    if key.endswith("running_var") and bool((found < 0).any()):
        raise CheckpointError(f"{quoted(key)} holds negative variances; the file is damaged")
    return found


def fits(spec: NetSpec, state: State, variant: Variant | None = None) -> bool:
    """Whether these are the network's tensors, by name and shape."""
    wanted = skeleton(spec, variant).state_dict()
    given = {key: tuple(value.shape) for key, value in state.items()}
    return given == {key: tuple(value.shape) for key, value in wanted.items() if not key.endswith("num_batches_tracked")}
