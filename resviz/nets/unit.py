"""What every family's network and its units promise, so that probes, lab and attributions never look inside one.

A unit answers y = after(join(F(x), shortcut(x))). He et al. 2016 (arXiv 1603.05027) write h(x) for the shortcut and f for what
stands after the addition; F reads x itself, or what the unit's entry makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal

import torch
from torch import Tensor, nn

from resviz.spec.base import Spec

__all__ = ["JOINS", "Net", "Unit"]


def _concatenate(residual: Tensor, identity: Tensor) -> Tensor:
    return torch.cat((identity, residual), 1)  # (N, C, H, W) and (N, C', H, W) to (N, C + C', H, W)


JOINS: Final[dict[str, Callable[[Tensor, Tensor], Tensor]]] = {"add": torch.add, "concat": _concatenate}


_WEIGHED = nn.Conv2d | nn.ConvTranspose2d | nn.Linear


class Unit(nn.Module):
    """y = join(F(x), x). A cut skip leaves F(x), a dropped branch leaves the skip; both may change at any time.

    A family's own unit says how it computes F, where F ends (`tail`), and whatever below is not as it is here.

    `channels` is what F returns: (N, C, H, W) to (N, channels, H', W').
    """

    def __init__(self, channels: int, joins: Literal["add", "concat"] = "add") -> None:
        super().__init__()
        self.channels, self.joins = channels, joins
        self.skip, self.branch = True, True
        self.downsample: nn.Module | None = None  # what stands on the skip, if it does not carry x as it is
        self.join = JOINS[joins]  # a module where a method must see the addition

    def entry(self, x: Tensor) -> Tensor:
        """What F reads: x, or its activation."""
        return x

    def residual(self, entered: Tensor) -> Tensor:
        """F, of what `entry` returned."""
        raise NotImplementedError  # every unit has its own

    def identity(self, x: Tensor, entered: Tensor) -> Tensor:
        """What the skip brings to the join, of the unit's input and of what `entry` made of it."""
        return x if self.downsample is None else self.downsample(x)

    def after(self, joined: Tensor) -> Tensor:
        """What the unit returns, of the joined signal."""
        for module in self.behind:
            joined = module(joined)
        return joined

    def forward(self, x: Tensor) -> Tensor:
        entered = self.entry(x)
        if self.joins == "concat":
            return self.after(self._beside(x, entered))
        if not self.branch:
            return self.after(self.identity(x, entered))
        out = self.residual(entered)
        if self.skip:
            out = self.join(out, self.identity(x, entered))
        return self.after(out)

    def _beside(self, x: Tensor, entered: Tensor) -> Tensor:
        """F(x) and x side by side; what is cut or dropped leaves zeros, since the next layer wants its channels."""
        residual, identity = self.residual(entered), self.identity(x, entered)
        return self.join(
            residual if self.branch else torch.zeros_like(residual), identity if self.skip else torch.zeros_like(identity)
        )

    @property
    def tail(self) -> nn.Module:
        """The module whose output is F(x)."""
        raise NotImplementedError

    @property
    def behind(self) -> tuple[nn.Module, ...]:
        """What stands on the trunk behind the join, in forward order."""
        return ()

    @property
    def joined(self) -> tuple[nn.Module, bool]:
        """Where the joined signal can be read: a module, and whether it is that module's input (or its output)."""
        return (self.behind[0], True) if self.behind else (self, False)

    @property
    def as_it_came(self) -> bool:
        """Whether the skip brings x itself."""
        return self.downsample is None

    @property
    def projection(self) -> nn.Conv2d | None:
        """The convolution on the skip, if one stands there."""
        inside = () if self.downsample is None else self.downsample.modules()
        return next((module for module in inside if isinstance(module, nn.Conv2d)), None)

    @property
    def chain(self) -> tuple[nn.Conv2d, ...]:
        """F's convolutions, where once its norms are folded F is nothing but them with an activation between any two.

        Empty where F is more than that, or where no activation stands behind the join.
        """
        return ()

    @property
    def gate(self) -> nn.Module | None:
        """The layer that, where it is a norm, keeps F at zero while its γ is zero; None where there is none."""
        return None

    def folds(self) -> Iterator[tuple[str, str]]:
        """Names, within the unit, of each convolution and of the norm that reads it alone."""
        return iter(())


class Net(nn.Module):
    """A network of units, (N, C, H, W) to logits (N, classes). Every weight's module keeps its name: rows and links carry it."""

    spec: Spec

    def units(self) -> Iterator[tuple[str, Unit]]:
        """Every unit with its name, in forward order."""
        for name in self.spec.block_names():
            unit = self.get_submodule(name)
            assert isinstance(unit, Unit)  # what the family put there
            yield name, unit

    def stages(self) -> Iterator[tuple[str, nn.Module]]:
        """What the network is made of, from its first layer to its classifier: everything that has weights, once."""
        return ((name, child) for name, child in self.named_children() if next(child.parameters(), None) is not None)

    def stem(self, x: Tensor) -> Tensor:
        """What enters the first unit, of pictures."""
        raise NotImplementedError

    def head(self, x: Tensor) -> Tensor:
        """The logits, of what the last unit returned."""
        raise NotImplementedError

    def weights(self) -> dict[str, Tensor]:
        """The weight of every convolution and linear layer by the layer's name, in the order they are registered."""
        return {name: module.weight for name, module in self.named_modules() if isinstance(module, _WEIGHED)}

    def wire(self, spec: Spec) -> None:
        """Cut, restore and drop until the units are as `spec`, which differs in nothing else, has them."""
        self.spec = spec
        for name, unit in self.units():
            unit.skip, unit.branch = spec.has_skip(name), name not in spec.dropped

    def folds(self) -> Iterator[tuple[str, str]]:
        """Names of each convolution and of the norm that reads it alone."""
        for name, unit in self.units():
            yield from ((f"{name}.{conv}", f"{name}.{norm}") for conv, norm in unit.folds())

    def draw(self, layer: nn.Module, generator: torch.Generator) -> None:
        """Give one layer its initial weights; called for every module, without gradients."""
        raise NotImplementedError

    def settle(self) -> None:
        """What begins otherwise than its layers alone would; called when all are drawn."""
