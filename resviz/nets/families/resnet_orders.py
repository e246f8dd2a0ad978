"""Where norm and activation stand around the addition, to be read beside He et al. 2016 (arXiv 1603.05027), figure 4.

All but full pre-activation have the layers of the original unit, so that the same weights fit; an order is what is done with them.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from resviz.nets.families.resnet_blocks import BasicBlock, Bottleneck, PreActBasicBlock, PreActBottleneck, ResidualBlock
from resviz.nets.families.resnet_rep import RepBlock
from resviz.spec.net import Block

__all__ = ["BLOCKS"]


class _Ordered(ResidualBlock):
    """By its layers' numbers, since a basic block has two of each and a bottleneck three."""

    def _layers(self, n: int) -> tuple[nn.Module, nn.Module, nn.Module]:
        return self.get_submodule(f"conv{n}"), self.get_submodule(f"bn{n}"), self.get_submodule(f"relu{n}")

    def _up_to_the_last(self, x: Tensor) -> Tensor:
        """conv-BN-ReLU, as often as they stand before the last convolution."""
        for n in range(1, self.convs):
            conv, norm, act = self._layers(n)
            x = act(norm(conv(x)))
        return x

    @property
    def chain(self) -> tuple[nn.Conv2d, ...]:
        return ()


class _NormAfter(_Ordered):
    """(b) conv-BN-ReLU-conv, + x, BN-ReLU: the norm reads the sum."""

    def transformed(self, entered: Tensor) -> Tensor:
        found: Tensor = self.last(self._up_to_the_last(entered))
        return found

    @property
    def last(self) -> nn.Module:
        return self.get_submodule(f"conv{self.convs}")

    @property
    def behind(self) -> tuple[nn.Module, ...]:
        return self._layers(self.convs)[1:]

    @property
    def gate(self) -> nn.Module | None:
        return self.get_submodule(f"bn{self.convs - 1}")  # the last one is the trunk's

    def folds(self) -> Iterator[tuple[str, str]]:
        return (pair for pair in super().folds() if pair[1] != f"bn{self.convs}")


class _ReluBefore(_Ordered):
    """(c) conv-BN-ReLU-conv-BN-ReLU, + x: F is never negative, so that the signal can only grow."""

    def transformed(self, entered: Tensor) -> Tensor:
        conv, norm, act = self._layers(self.convs)
        found: Tensor = act(norm(conv(self._up_to_the_last(entered))))
        return found

    @property
    def last(self) -> nn.Module:
        return self.get_submodule(f"relu{self.convs}")

    @property
    def behind(self) -> tuple[nn.Module, ...]:
        return ()


class _ReluOnly(_Ordered):
    """(d) ReLU-conv-BN-ReLU-conv-BN, + x: like full pre-activation, but the ReLU reads what no norm has touched."""

    def entry(self, x: Tensor) -> Tensor:
        found: Tensor = self.get_submodule("relu1")(x)
        return found

    def transformed(self, entered: Tensor) -> Tensor:
        for n in range(1, self.convs + 1):
            conv, norm, act = self._layers(n)
            entered = norm(conv(entered if n == 1 else act(entered)))
        return entered

    def identity(self, x: Tensor, entered: Tensor) -> Tensor:
        return super().identity(entered if isinstance(self.downsample, nn.Sequential) else x, entered)

    @property
    def behind(self) -> tuple[nn.Module, ...]:
        return ()


class _NormAfterBasic(_NormAfter, BasicBlock):
    pass


class _NormAfterBottleneck(_NormAfter, Bottleneck):
    pass


class _ReluBeforeBasic(_ReluBefore, BasicBlock):
    pass


class _ReluBeforeBottleneck(_ReluBefore, Bottleneck):
    pass


class _ReluOnlyBasic(_ReluOnly, BasicBlock):
    pass


class _ReluOnlyBottleneck(_ReluOnly, Bottleneck):
    pass


BLOCKS: dict[Block, type[ResidualBlock]] = {
    Block.BASIC: BasicBlock,
    Block.BOTTLENECK: Bottleneck,
    Block.PREACT_BASIC: PreActBasicBlock,
    Block.PREACT_BOTTLENECK: PreActBottleneck,
    Block.NORM_AFTER_BASIC: _NormAfterBasic,
    Block.NORM_AFTER_BOTTLENECK: _NormAfterBottleneck,
    Block.RELU_BEFORE_BASIC: _ReluBeforeBasic,
    Block.RELU_BEFORE_BOTTLENECK: _ReluBeforeBottleneck,
    Block.RELU_ONLY_BASIC: _ReluOnlyBasic,
    Block.RELU_ONLY_BOTTLENECK: _ReluOnlyBottleneck,
    Block.REP: RepBlock,
}
