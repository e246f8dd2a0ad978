"""What a residual network is, as one frozen value that a URL can hold: `NetSpec`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from resviz.spec.choices import DESIGNS, Activation, Block, BranchScale, Carry, Design, Init, Norm, Order, Shortcut, Stem
from resviz.spec.fields import (
    SpecError,
    activations,
    answers,
    channels,
    check_fields,
    choice,
    counts,
    flag,
    inits,
    names,
    norms,
    number,
    seeds,
)
from resviz.spec.words import counted_names, word

__all__ = [
    "DESIGNS",
    "Activation",
    "Block",
    "BranchScale",
    "Carry",
    "Design",
    "Init",
    "NetSpec",
    "Norm",
    "Order",
    "Shortcut",
    "SpecError",
    "Stem",
]


@dataclass(frozen=True)
class NetSpec:
    """One residual (or plain) network. The default is the paper's ResNet-56 for CIFAR-10.

    `width` is the first stage's planes; each later stage doubles it and halves the resolution. `cut` and
    `dropped` hold block names such as `layer2.0`: a cut block passes only F(x), a dropped one only its skip.
    Raises `SpecError` for a value no network can be built from.
    """

    block: Block = field(
        default=Block.BASIC,
        metadata=choice(
            Block,
            "Residual unit",
            "Two 3×3 convolutions, a bottleneck of 1×1, 3×3, 1×1, or RepVGG's: a 3×3 beside a 1×1 and x.",
            lambda spec: word(spec.block),
        ),
    )
    blocks: tuple[int, ...] = field(default=(9, 9, 9), metadata=counts("(3, 4, 6, 3)"))
    stem: Stem = field(
        default=Stem.CIFAR,
        metadata=choice(
            Stem,
            "Stem",
            "What stands before the blocks.",
            lambda spec: "deep stem" if spec.stem is Stem.DEEP else "",
        ),
    )
    width: int = field(
        default=16,
        metadata=number(1, 1024, "Width", "Planes of the first stage; each later stage doubles them.", step=8),
    )
    groups: int = field(default=1, metadata=number(1, 256, "Groups", "Of the 3×3 convolution: more than 1 makes a ResNeXt."))
    width_per_group: int = field(
        default=64,
        metadata=number(1, 1024, "Width per group", "Of 64: 128 doubles the bottleneck's inner width (Wide ResNet)."),
    )
    shortcut: Shortcut = field(
        default=Shortcut.A,
        metadata=choice(
            Shortcut,
            "Shortcut",
            "A zero-pads, B projects where the shape changes, C always projects, D averages each 2×2 before it projects.",
            lambda spec: f"option {spec.shortcut.value}" if spec.residual else "",
        ),
    )
    residual: bool = field(default=True, metadata=flag())
    cut: frozenset[str] = field(
        default=frozenset(),
        metadata=names(lambda spec: counted_names(spec.cut, "skip", "skips", "cut") if spec.residual else ""),
    )
    dropped: frozenset[str] = field(
        default=frozenset(),
        metadata=names(lambda spec: counted_names(spec.dropped, "branch", "branches", "dropped") if spec.residual else ""),
    )
    carry: Carry = field(
        default=Carry.IDENTITY,
        metadata=choice(
            Carry,
            "The skip carries",
            "What becomes of x, where a skip keeps its shape. A gate g is σ of a 1×1 convolution of what the block reads.",
            lambda spec: word(spec.carry) if spec.carry is not Carry.IDENTITY else "",
        ),
    )
    gate: int = field(
        default=6,
        metadata=number(
            0,
            10,
            "Gate begins at σ(−…)",
            "The gate's bias with its sign turned: at 6 a gate begins at 0.002 and x passes almost whole; at 0 it halves x.",
            says=lambda spec: f"gate bias −{spec.gate}" if spec.carry.gates else "",
        ),
    )
    scale: BranchScale = field(
        default=BranchScale.ONE,
        metadata=choice(
            BranchScale,
            "F is multiplied by",
            "1, 1/√blocks (Stable ResNet), or a number that each block learns from 0 (SkipInit, ReZero).",
            lambda spec: word(spec.scale, alone=True) if spec.scale is not BranchScale.ONE else "",
        ),
    )
    survival: int = field(
        default=100,
        metadata=number(
            1,
            100,
            "Last branch survives (%)",
            "Stochastic depth (Huang et al. 2016): while training, block l of L computes F in 1 − l/L · (1 − this) of the steps.",
            says=lambda spec: f"stochastic depth to {spec.survival} %" if spec.survival < 100 else "",
        ),
    )
    norm: Norm = field(default=Norm.BATCH, metadata=norms("What follows each convolution."))
    activation: Activation = field(default=Activation.RELU, metadata=activations("The nonlinearity after each norm."))
    init: Init = field(default=Init.KAIMING, metadata=inits())
    classes: int = field(default=10, metadata=answers())
    in_channels: int = field(default=3, metadata=channels())
    seed: int = field(default=0, metadata=seeds())

    # the order of a description; what tells two networks apart comes first
    described: ClassVar[tuple[str, ...]] = (
        "block",
        "stem",
        "shortcut",
        "carry",
        "gate",
        "scale",
        "survival",
        "norm",
        "init",
        "activation",
        "cut",
        "dropped",
        "seed",
    )
    classifier: ClassVar[str] = "fc"

    def __post_init__(self) -> None:
        check_fields(self)
        if not 1 <= len(self.blocks) <= 6 or any(not 1 <= n <= 512 for n in self.blocks):
            raise SpecError(f"blocks must be 1 to 6 counts from 1 to 512, got {self.blocks}; try (3, 4, 6, 3)")
        if not self.block.bottleneck and (self.groups, self.width_per_group) != (1, 64):
            raise SpecError(
                f"groups={self.groups} and width_per_group={self.width_per_group} need a bottleneck block, "
                f"got block={self.block.value}; use block=bottleneck, or groups=1 and width_per_group=64"
            )
        if self.block.bottleneck and self.mid_channels(0) < self.groups:
            raise SpecError(
                f"width={self.width} with width_per_group={self.width_per_group} leaves no channel for a group; raise either"
            )
        if self.block is Block.REP and self.carry is not Carry.IDENTITY:
            raise SpecError(
                f"carry={self.carry.value} is of a skip that is x alone, and block=rep has norms on it; use carry=identity"
            )
        if self.init is Init.ZERO_GAMMA and self.norm is Norm.NONE:
            raise SpecError("init=zero-gamma needs a norm to hold γ, got norm=none; use norm=batch or init=kaiming")
        if self.init is Init.FIXUP and self.norm is not Norm.NONE:
            raise SpecError(f"init=fixup is for networks without norm, got norm={self.norm.value}; use norm=none or init=kaiming")
        if not self.residual and (self.carry, self.scale, self.survival) != (Carry.IDENTITY, BranchScale.ONE, 100):
            raise SpecError("carry, scale and survival are of skips, and a plain network has none; use residual=1")
        if not self.residual and self.init is Init.FIXUP:
            raise SpecError("init=fixup begins every branch at zero, so nothing would pass a plain network; use init=kaiming")
        known = set(self.block_names())
        for field_name, chosen in (("cut", self.cut), ("dropped", self.dropped)):
            if unknown := sorted(chosen - known):
                raise SpecError(f"{field_name} names {unknown[0]!r}, which this network of {self.blocks} blocks does not have")
        if not self.residual and self.dropped:
            raise SpecError(f"{min(self.dropped)} is dropped in a plain network, so nothing would pass; use residual=1")
        if both := sorted(self.cut & self.dropped):
            raise SpecError(f"{both[0]} is both cut and dropped, so nothing would pass; choose one")

    @property
    def depth(self) -> int:
        """Weighted layers as the paper counts them: the stem, every branch convolution, the classifier."""
        return self.block.convs * sum(self.blocks) + 2

    @property
    def title(self) -> str:
        """Family and depth: ResNet-56, Plain-20; with He et al. 2018's letter ResNet-50-C and ResNet-50-D (arXiv 1812.01187)."""
        if not self.residual:
            return f"Plain-{self.depth}"
        if self.block is Block.REP:
            return f"RepVGG-{self.depth}"
        tweak = {Shortcut.B: "-C", Shortcut.D: "-D"}.get(self.shortcut, "") if self.stem is Stem.DEEP else ""
        return f"ResNet-{self.depth}{tweak}"

    @property
    def design(self) -> Design:
        """Whether it has skips."""
        return "residual" if self.residual else "plain"

    @property
    def shape(self) -> str:
        """Blocks of each stage and the width: 2-2-2, width 16."""
        return f"{'-'.join(map(str, self.blocks))}, width {self.width}"

    @property
    def half_width(self) -> int:
        """Channels within a deep stem."""
        return (self.width + 1) // 2

    def planes(self, stage: int) -> int:
        """Planes of stage 0, 1, …: the block's nominal width before its expansion."""
        return int(self.width * 2**stage)

    def mid_channels(self, stage: int) -> int:
        """Channels inside a block (torchvision's `width`)."""
        if not self.block.bottleneck:
            return self.planes(stage)
        return int(self.planes(stage) * (self.width_per_group / 64.0)) * self.groups

    def out_channels(self, stage: int) -> int:
        """Channels that a stage, counted from 0, hands on."""
        return self.planes(stage) * self.block.expansion

    def block_names(self) -> Iterator[str]:
        """Every block's name in forward order."""
        return (f"layer{s + 1}.{i}" for s, n in enumerate(self.blocks) for i in range(n))

    def plain(self) -> NetSpec:
        """The same network without any skip."""
        return replace(
            self,
            residual=False,
            cut=frozenset(),
            dropped=frozenset(),
            carry=Carry.IDENTITY,
            scale=BranchScale.ONE,
            survival=100,
            init=Init.KAIMING if self.init is Init.FIXUP else self.init,
        )

    def toggled(self, block: str) -> NetSpec:
        """The same network with one block's skip cut, or restored."""
        return replace(self, cut=self.cut ^ {block}, dropped=self.dropped - {block})

    def survives(self, block: str) -> float:
        """How likely a training pass computes the block's F: falling from the first block to the last (Huang et al. 2016, equation 4)."""
        names = list(self.block_names())
        return 1 - (names.index(block) + 1) / len(names) * (1 - self.survival / 100)

    def has_skip(self, block: str) -> bool:
        """Whether x passes by the block of that name."""
        return self.residual and block not in self.cut

    def inits(self) -> list[Init]:
        """The initialisations that such a network can have."""
        fits = {Init.ZERO_GAMMA: self.norm is not Norm.NONE, Init.FIXUP: self.norm is Norm.NONE and self.residual}
        return [init for init in Init if fits.get(init, True)]

    def resized(self, **changes: Any) -> NetSpec:
        """`replace`, forgetting the cuts, drops and grouping that the new shape has no place for."""
        shape = replace(self, cut=frozenset(), dropped=frozenset(), **_fitting(self, changes))
        known = set(shape.block_names())
        if not shape.residual:
            return shape
        return replace(shape, cut=self.cut & known, dropped=self.dropped & known)


def _fitting(spec: NetSpec, changes: dict[str, Any]) -> dict[str, Any]:
    """`changes`, plus what must change with them for the network to exist."""
    forced: dict[str, object] = {}
    if not changes.get("block", spec.block).bottleneck:
        forced |= {"groups": 1, "width_per_group": 64}
    if changes.get("block", spec.block) is Block.REP:
        forced["carry"] = Carry.IDENTITY
    needs_norm = {Init.ZERO_GAMMA: True, Init.FIXUP: False}.get(changes.get("init", spec.init))
    if needs_norm is not None and needs_norm is (changes.get("norm", spec.norm) is Norm.NONE):
        forced["init"] = Init.KAIMING
    return changes | forced
