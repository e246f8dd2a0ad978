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

    images: (N, C, H, W); targets: (N,) class indices, or (N, H, W) where every pixel has one. A frozen layer gets no gradient, which is 0.
    `tick` hears the fraction done at every block; what it raises ends the pass. Runs in the mode the network is in (train mode
    normalises by the batch); weights, buffers, gradients and hooks are afterwards what they were before. Raises `ValueError` for an
    empty batch and for targets that are no classes of the network.
    """
    if not isinstance(images, Tensor) or not images.numel():
        given = f"one of shape {tuple(images.shape)}" if isinstance(images, Tensor) else f"a {type(images).__name__}"
        raise ValueError(f"images must be a tensor (N, C, H, W), got {given}; give one image or more")
    layers = net.weights()
    with untouched(net), _watched_blocks(net, tick) as blocks, torch.enable_grad():
        logits = net(images)
        loss = nn.functional.cross_entropy(logits, _classes(targets, logits))
        gradients = _gradients(net, loss, list(layers.values()))
    return Probe(
        GradientProfile(tuple(layers), norms_of(gradients), loss.item()),
        BlockSignal(
            tuple(blocks),
            np.array([_value(block.gradient) for block in blocks.values()]),
            np.array([block.std() for block in blocks.values()]),
        ),
    )


def _classes(targets: Tensor, logits: Tensor) -> Tensor:
    """The targets as whole numbers; raises `ValueError` where they are not one class for each answer."""
    shape, count = (logits.shape[0], *logits.shape[2:]), logits.shape[1]
    if not isinstance(targets, Tensor):
        raise ValueError(
            f"targets must be a tensor of class indices, got a {type(targets).__name__}; write torch.tensor(targets)"
        )
    if targets.shape != shape or targets.is_floating_point() or targets.is_complex():
        given = f"{tuple(targets.shape)} of {targets.dtype}".replace("torch.", "")
        raise ValueError(f"targets must be class indices of shape {shape}, got {given}; give a whole number for each answer")
    least, most = (int(each) for each in torch.aminmax(targets.long()))
    if least < 0 or most >= count:
        raise ValueError(f"targets hold class {least if least < 0 else most}, which does not exist; choose 0 to {count - 1}")
    return targets.long()


def _gradients(net: Net, loss: Tensor, weights: Sequence[Tensor]) -> list[Tensor | None]:
    """Of each weight; None of one that is frozen, or that the loss does without."""
    asked = list(weights)
    if not all(weight.requires_grad for weight in asked):  # what else learns lets the gradient come as far as it does in training
        asked = [each for each in net.parameters() if each.requires_grad]
    if not asked or not loss.requires_grad:
        return [None] * len(weights)
    found = dict(zip(map(id, asked), torch.autograd.grad(loss, asked, allow_unused=True), strict=True))
    return [found.get(id(weight)) for weight in weights]


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
