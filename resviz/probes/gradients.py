"""What does one backward pass send to every layer?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from resviz.nets.resnet import ResNet
from resviz.results import BlockSignal, GradientProfile, Probe

__all__ = ["gradient_probe"]

# fp32 squares leave the representable range beyond these norms, so such layers are measured again in fp64
_SMALL, _LARGE = 1e-15, 1e15


def gradient_probe(net: ResNet, images: Tensor, targets: Tensor) -> Probe:
    """One forward and backward pass of the cross-entropy loss, measured at every layer and every block.

    images: (N, C, H, W); targets: (N,) class indices. Runs in the mode the network is in (train mode normalises by
    the batch); weights, running statistics, gradients and hooks are afterwards what they were before.
    """
    layers = {name: module.weight for name, module in net.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)}
    with _kept_buffers(net), _block_outputs(net) as outputs, torch.enable_grad():
        loss = nn.functional.cross_entropy(net(images), targets)
        wanted = [*layers.values(), *outputs.values()]
        gradients = torch.autograd.grad(loss, wanted, allow_unused=True)
    norms = _norms(gradients)
    stds = _stds([output.detach() for output in outputs.values()])
    return Probe(
        GradientProfile(tuple(layers), norms[: len(layers)], loss.item()),
        BlockSignal(tuple(outputs), norms[len(layers) :], stds),
    )


@contextmanager
def _block_outputs(net: ResNet) -> Iterator[dict[str, Tensor]]:
    """Collect what each block returns during a forward pass; the hooks are gone afterwards, also after an error."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str) -> object:
        def hook(_module: nn.Module, _args: object, output: Tensor) -> None:
            outputs[name] = output

        return hook

    handles = [block.register_forward_hook(keep(name)) for name, block in net.blocks()]  # type: ignore[arg-type]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _kept_buffers(net: nn.Module) -> Iterator[None]:
    """Put batch norm's running statistics back: looking must not change what is looked at."""
    buffers = list(net.buffers()) if net.training else []
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, value in zip(buffers, before, strict=True):
            buffer.copy_(value)


def _norms(tensors: tuple[Tensor | None, ...]) -> np.ndarray:
    """L2 norms in one pass; where fp32 cannot hold the squares, in fp64."""
    present = {i: tensor for i, tensor in enumerate(tensors) if tensor is not None}
    norms = np.zeros(len(tensors))
    if present:
        fast = torch.stack(torch._foreach_norm(list(present.values()))).double().numpy(force=True)
        norms[list(present)] = fast
    for i, tensor in present.items():
        if not _SMALL < norms[i] < _LARGE:
            norms[i] = torch.linalg.vector_norm(tensor.double()).item()
    return norms


def _stds(tensors: list[Tensor]) -> np.ndarray:
    """Standard deviation over all entries, from two streaming reductions (torch.std is several times slower on CPU)."""
    counts = np.array([tensor.numel() for tensor in tensors])
    norms = _norms(tuple(tensors))
    means = torch.stack([tensor.sum(dtype=torch.float32) for tensor in tensors]).double().numpy(force=True) / counts
    with np.errstate(invalid="ignore", over="ignore"):
        return np.sqrt(np.maximum(norms**2 / counts - means**2, 0.0))
