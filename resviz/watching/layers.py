"""Which layers a network of anybody's has, and what each of them returns while it learns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["Hook", "Layer", "Look", "layers_of", "look", "unwrapped"]

_CANCELS = 1e-2  # of the squares: less is left of them with too few digits
_WRAPPER = "_orig_mod"  # what torch.compile calls the network inside


@dataclass(frozen=True, eq=False)
class Layer:
    """A module with parameters of its own, under its first name; of those that it shares with an earlier one that one has the say.

    `matrix` says whether one of them has two dimensions or more, as a convolution's and a linear layer's weights do.
    """

    name: str
    module: nn.Module
    parameters: tuple[nn.Parameter, ...]
    matrix: bool
    hooked: bool  # whether what it returns can be looked at


def unwrapped(model: nn.Module) -> tuple[nn.Module, bool]:
    """The network inside data parallelism and torch.compile, and whether it is compiled."""
    compiled = False
    while True:
        if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            model = model.module
        elif isinstance(inside := getattr(model, _WRAPPER, None), nn.Module):
            model, compiled = inside, True
        else:
            return model, compiled or _compiled(model)


def _compiled(module: nn.Module) -> bool:
    """By `module.compile()`, which changes the module in place; or written in TorchScript. Neither calls hooks that come later."""
    return getattr(module, "_compiled_call_impl", None) is not None or isinstance(module, torch.jit.ScriptModule)


def layers_of(model: nn.Module, compiled: bool) -> tuple[Layer, ...]:
    """Every module with parameters of its own. Raises `ValueError` where there is none, or one that has no shape yet."""
    seen: set[int] = set()
    inside = tuple(
        f"{name}." if name else "" for name, module in model.named_modules() if _WRAPPER in module._modules or _compiled(module)
    )
    found = []
    for name, module in model.named_modules():
        own = tuple(each for each in module.parameters(recurse=False) if id(each) not in seen)
        if any(isinstance(each, nn.UninitializedParameter) for each in own):
            raise ValueError(f"layer {name!r} has no shape before its first batch; call the model once, then watch it")
        seen |= {id(each) for each in own}
        if own:
            said = ".".join(part for part in name.split(".") if part != _WRAPPER) or type(model).__name__
            hooked = not compiled and not name.startswith(inside)
            found.append(Layer(said, module, own, any(each.dim() > 1 for each in own), hooked))
    if not any(each.requires_grad for layer in found for each in layer.parameters):
        raise ValueError(
            f"{type(model).__name__} has no parameter that learns; watch the model whose parameters the optimizer has"
        )
    return tuple(found)


@dataclass(eq=False)
class Look:
    """What a layer returned in all calls of one step, and which of the units that it read were ever anything but 0."""

    entries: int
    mean: Tensor
    spread: Tensor  # the sum of squared distances from the mean
    alive: Tensor | None

    def add(self, other: Look) -> None:
        """Another call's, of a layer that is used more than once or for a batch in pieces."""
        entries, apart = self.entries + other.entries, other.mean - self.mean
        self.spread = self.spread + other.spread + apart**2 * (self.entries * other.entries / entries)
        self.mean, self.entries = self.mean + apart * (other.entries / entries), entries
        if self.alive is None or other.alive is None or self.alive.shape != other.alive.shape:
            self.alive = None
        else:
            self.alive = self.alive | other.alive


def look(layer: Layer, read: object, returned: object) -> Look | None:
    """One call of a layer; None where it returned no numbers."""
    seen = next(_tensors(returned), None)
    if seen is None:
        return None
    flat = _flat(seen.detach())
    return Look(flat.numel(), *_mean_and_spread(flat), _alive(layer, next(_tensors(read), None)))


def _mean_and_spread(flat: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the sum of squared distances from it, in single precision or the tensor's own where that is more."""
    wide = torch.promote_types(flat.dtype, torch.float32)
    mean = flat.mean(dtype=wide)
    if flat.device.type == "cpu" and flat.dtype == torch.float32:
        # BLAS reads it in half the time that vector_norm takes; what is far from 0 cancels
        square = torch.dot(flat, flat)
        spread = square - flat.numel() * mean**2
        if spread > _CANCELS * square:
            return mean, spread
    middle = mean.to(flat.dtype)
    around = torch.linalg.vector_norm(flat - middle, dtype=wide).square()
    return mean, around - flat.numel() * (mean - middle) ** 2


def _tensors(value: object) -> Iterator[Tensor]:
    """The real numbers in what a module takes or returns, in order."""
    if isinstance(value, Tensor):
        if value.is_floating_point() and value.numel() and value.layout == torch.strided:
            yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _tensors(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)


def _flat(tensor: Tensor) -> Tensor:
    """All entries in a row, without a copy wherever they lie in one piece of memory, whatever their order."""
    order = sorted(range(tensor.dim()), key=tensor.stride, reverse=True)
    return tensor.permute(order).reshape(-1)


def _alive(layer: Layer, read: Tensor | None) -> Tensor | None:
    """Which units a layer of weights read as more than 0 somewhere; None for the data, where a 0 is nobody's failure."""
    if not layer.matrix or read is None or not read.requires_grad or read.dim() < 2:
        return None
    unit = 1 if isinstance(layer.module, nn.modules.conv._ConvNd) and read.dim() > 2 else read.dim() - 1
    others = tuple(i for i in range(read.dim()) if i != unit)
    seen = read.detach()
    return (seen.amax(others) != 0) | (seen.amin(others) != 0)  # in a fraction of the time that a norm of such slices takes


class Hook:
    """Hands what a layer returns to whoever watches; a copy of the network, or a file of it, has one that does nothing."""

    def __init__(self, keep: Callable[[Look], None], layer: Layer) -> None:
        self._keep, self._layer = keep, layer

    def __call__(self, _module: nn.Module, read: object, returned: object) -> None:
        """Without gradients nobody trains: a validation in between is not looked at."""
        if torch.is_grad_enabled() and (found := look(self._layer, read, returned)) is not None:
            self._keep(found)

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return _silent, ()


def _silent() -> Callable[..., None]:
    return _nothing


def _nothing(*_: object) -> None:
    """What is left of a hook in a copy."""
