"""What does one backward pass send to every layer?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from resviz.machine import plain
from resviz.nets.unit import Net
from resviz.probes.untouched import untouched
from resviz.results import BlockSignal, GradientProfile, Probe

__all__ = ["gradient_probe", "norms_of"]

# fp32 squares leave the representable range beyond these norms, so such layers are measured again in fp64
_SMALL, _LARGE = 1e-15, 1e15


def gradient_probe(net: Net, images: Tensor, targets: Tensor, tick: Callable[[float], object] = lambda fraction: None) -> Probe:
    """One forward and backward pass of the cross-entropy loss, measured at every layer and every block.

    images: (N, C, H, W); targets: (N,) class indices. `tick` hears the fraction done at every block; what it raises ends
    the pass. Runs in the mode the network is in (train mode normalises by
    the batch); weights, buffers, gradients and hooks are afterwards what they were before.
    """
    layers = net.weights()
    with untouched(net), _watched_blocks(net, tick) as blocks, torch.enable_grad():
        loss = nn.functional.cross_entropy(net(images), targets)
        gradients = torch.autograd.grad(loss, list(layers.values()), allow_unused=True)
    return Probe(
        GradientProfile(tuple(layers), norms_of(gradients), loss.item()),
        BlockSignal(
            tuple(blocks),
            np.array([_value(block.gradient) for block in blocks.values()]),
            np.array([block.std() for block in blocks.values()]),
        ),
    )


@dataclass
class _Block:
    """What one block handed on, reduced while it is still in the cache: keeping the tensors costs fresh memory."""

    entries: int
    norm: Tensor
    total: Tensor
    gradient: Tensor | None = None

    def std(self) -> float:
        mean = self.total.item() / self.entries
        square = _value(self.norm) ** 2 / self.entries - mean**2
        return float(np.sqrt(max(square, 0.0))) if np.isfinite(square) else float("inf")


def _value(norm: Tensor | None) -> float:
    return 0.0 if norm is None else norm.item()


def _norm_and_sum(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Both in one pass over memory: a piece is still in the cache when it is read the second time."""
    if not tensor.is_contiguous():
        return _norm(tensor), tensor.sum()
    pieces = torch.split(tensor.reshape(-1), 1 << 18)
    squares, sums = zip(*((torch.dot(piece, piece), piece.sum()) for piece in pieces), strict=True)
    norm, total = torch.stack(squares).sum().sqrt(), torch.stack(sums).sum()
    return norm if _SMALL < norm.item() < _LARGE else _exact_norm(tensor), total


def _norm(tensor: Tensor) -> Tensor:
    """L2 norm; where fp32 cannot hold the squares, in fp64."""
    # BLAS's dot product reads the tensor in half the time that vector_norm takes
    norm = torch.dot(flat := tensor.reshape(-1), flat).sqrt() if tensor.is_contiguous() else torch.linalg.vector_norm(tensor)
    return norm if _SMALL < norm.item() < _LARGE else _exact_norm(tensor)


def _exact_norm(tensor: Tensor) -> Tensor:
    """In fp64, on the processor: not every accelerator has it."""
    return torch.linalg.vector_norm(tensor.detach().cpu().double())


@contextmanager
def _watched_blocks(net: Net, tick: Callable[[float], object]) -> Iterator[dict[str, _Block]]:
    """Measure what each block returns and the gradient that comes back; the hooks are gone afterwards, error or not."""
    blocks: dict[str, _Block] = {}
    units = dict(net.units())
    total, passed = 2 * len(units), 0

    def advance() -> None:
        nonlocal passed
        tick(passed / total)
        passed += 1

    def watch(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_module: nn.Module, _args: object, output: Tensor) -> None:
            advance()
            seen = output.detach()
            blocks[name] = _Block(seen.numel(), *_norm_and_sum(seen))

            def back(gradient: Tensor) -> None:
                advance()
                blocks[name].gradient = _norm(gradient)

            if output.requires_grad:
                output.register_hook(back)  # type: ignore[no-untyped-call] # torch leaves it unannotated

        return hook

    handles: list[RemovableHandle] = []
    try:
        handles.extend(block.register_forward_hook(watch(name)) for name, block in units.items())
        yield blocks
    finally:
        for handle in handles:
            handle.remove()


def norms_of(tensors: Sequence[Tensor | None]) -> np.ndarray:
    """L2 norm of each tensor, 0 for None; where fp32 cannot hold the squares, in fp64."""
    present = [tensor for tensor in tensors if tensor is not None]
    norms = np.zeros(len(tensors))
    if not present:
        return norms
    each = [torch.linalg.vector_norm(tensor) for tensor in present] if plain() else torch._foreach_norm(present)
    found = torch.stack(each).detach().cpu().double().numpy()
    odd = np.flatnonzero(~((found > _SMALL) & (found < _LARGE)))
    if odd.size:
        found[odd] = torch.stack([_exact_norm(present[i]) for i in odd]).numpy()
    norms[[i for i, tensor in enumerate(tensors) if tensor is not None]] = found
    return norms
