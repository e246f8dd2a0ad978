"""What a network's spec chooses between, with the paper that each choice is from."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

__all__ = [
    "DESIGNS",
    "Activation",
    "Around",
    "Block",
    "BranchScale",
    "Carry",
    "Design",
    "Init",
    "Norm",
    "NormPlace",
    "Order",
    "Shortcut",
    "Span",
    "Stem",
]

Design = Literal["residual", "plain"]  # with skips or without, by which the two of a comparison are keyed
DESIGNS: Final[tuple[Design, ...]] = ("residual", "plain")


class Order(StrEnum):
    """Where a unit's last norm and activation stand (He et al. 2016, arXiv 1603.05027, figure 4 and Table 2)."""

    ORIGINAL = "original"  # conv-BN-ReLU-conv-BN, + x, ReLU
    NORM_AFTER = "norm-after"  # conv-BN-ReLU-conv, + x, BN-ReLU
    RELU_BEFORE = "relu-before"  # conv-BN-ReLU-conv-BN-ReLU, + x
    RELU_ONLY = "relu-only"  # ReLU-conv-BN-ReLU-conv-BN, + x
    PREACT = "preact"  # BN-ReLU-conv-BN-ReLU-conv, + x


class Block(StrEnum):
    """The residual unit: basic or a bottleneck, in one of the orders, or RepVGG's (Ding et al. 2021, arXiv 2101.03697)."""

    BASIC = "basic"
    BOTTLENECK = "bottleneck"
    PREACT_BASIC = "preact-basic"
    PREACT_BOTTLENECK = "preact-bottleneck"
    NORM_AFTER_BASIC = "norm-after-basic"
    NORM_AFTER_BOTTLENECK = "norm-after-bottleneck"
    RELU_BEFORE_BASIC = "relu-before-basic"
    RELU_BEFORE_BOTTLENECK = "relu-before-bottleneck"
    RELU_ONLY_BASIC = "relu-only-basic"
    RELU_ONLY_BOTTLENECK = "relu-only-bottleneck"
    REP = "rep"  # conv3×3-BN, + BN(x) + conv1×1-BN, ReLU

    @classmethod
    def of(cls, order: Order, bottleneck: bool) -> Block:
        """The unit of that order."""
        kind = "bottleneck" if bottleneck else "basic"
        return cls(kind if order is Order.ORIGINAL else f"{order}-{kind}")

    @property
    def order(self) -> Order:
        return Order(self.value.rpartition("-")[0] or Order.ORIGINAL)

    @property
    def expansion(self) -> int:
        """Output channels over the block's planes."""
        return 4 if self.bottleneck else 1

    @property
    def bottleneck(self) -> bool:
        return self.value.endswith("bottleneck")

    @property
    def preact(self) -> bool:
        """Whether F begins with an activation, so that the trunk is never activated."""
        return self.order in (Order.RELU_ONLY, Order.PREACT)

    @property
    def convs(self) -> int:
        """Weighted layers on the residual branch."""
        if self is Block.REP:
            return 1
        return 3 if self.bottleneck else 2


class Stem(StrEnum):
    CIFAR = "cifar"  # one 3×3 convolution
    IMAGENET = "imagenet"  # 7×7, stride 2, then a 3×3 max pool, stride 2
    DEEP = "deep"  # ResNet-C's: three 3×3 in the 7×7's place, the first of stride 2 (He et al. 2018, arXiv 1812.01187)

    @property
    def photographs(self) -> bool:
        """Whether it is for photographs, of whose side it leaves a quarter."""
        return self is not Stem.CIFAR


class Shortcut(StrEnum):
    """How a skip changes shape: A zero-pads, B projects where the shape changes, C projects everywhere (paper §3.3)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"  # ResNet-D's: as B, but a stride is the mean of each 2×2 in front of the projection (arXiv 1812.01187, figure 2c)


class Carry(StrEnum):
    """What becomes of x where a skip keeps its shape (He et al. 2016, arXiv 1603.05027, Table 1); g = σ(1×1 convolution of x)."""

    IDENTITY = "identity"  # x + F
    HALF = "half"  # ½ x + ½ F
    HALF_SKIP = "half-skip"  # ½ x + F
    EXCLUSIVE = "exclusive"  # (1 − g) x + g F, as in Highway networks (Srivastava et al. 2015, arXiv 1505.00387)
    GATED = "gated"  # (1 − g) x + F
    DROPOUT = "dropout"  # half of x's numbers dropped while training

    @property
    def gates(self) -> bool:
        return self in (Carry.EXCLUSIVE, Carry.GATED)


class BranchScale(StrEnum):
    """What F is multiplied by."""

    ONE = "one"
    DEPTH = "depth"  # 1/√blocks (Hayou et al. 2021, arXiv 2010.12859)
    LEARNED = "learned"  # a number a block, from 0 (SkipInit: De & Smith 2020, arXiv 2002.10444; ReZero: arXiv 2003.04887)


class Norm(StrEnum):
    BATCH = "batch"
    GROUP = "group"
    NONE = "none"


class NormPlace(StrEnum):
    """Where a Transformer's layer norms stand."""

    PRE = "pre"  # before each sub-layer and before the classifier (ViT: Dosovitskiy et al. 2021, arXiv 2010.11929)
    POST = "post"  # behind each addition (Vaswani et al. 2017, arXiv 1706.03762)
    NONE = "none"


class Around(StrEnum):
    """Which of a Transformer's sub-layers have skips around them."""

    BOTH = "both"
    ATTENTION = "attention"
    MLP = "mlp"


class Span(StrEnum):
    """Which of a U-Net's skips there are (Drozdzal et al. 2016, arXiv 1608.04117)."""

    BOTH = "both"
    LONG = "long"  # from the way down to the way up, put beside
    SHORT = "short"  # around each block, added


class Activation(StrEnum):
    RELU = "relu"
    GELU = "gelu"
    TANH = "tanh"
    SIGMOID = "sigmoid"


class Init(StrEnum):
    KAIMING = "kaiming"  # normal, fan-out (He et al. 2015, arXiv 1502.01852)
    XAVIER = "xavier"
    PYTORCH = "pytorch"  # what nn.Conv2d does by itself: uniform ±1/√fan_in
    FIXUP = "fixup"  # without norm: a branch begins at zero, its other weights at blocks^(−1/(2·convs − 2)) (Zhang et al. 2019, arXiv 1901.09321)
    ZERO_GAMMA = "zero-gamma"  # Kaiming, and the branch's last norm starts at γ = 0 (Goyal et al. 2017, arXiv 1706.02677)
