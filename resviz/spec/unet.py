"""What a U-Net is, as one frozen value that a URL can hold: `UNetSpec` (Ronneberger et al. 2015, arXiv 1505.04597)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from resviz.spec.choices import Activation, Design, Init, Norm, Span, Stem
from resviz.spec.fields import (
    activations,
    answers,
    channels,
    check_fields,
    choice,
    counts,
    flag,
    inits,
    norms,
    number,
    seeds,
    whole_names,
)
from resviz.spec.net import SpecError
from resviz.spec.words import counted_names, word

__all__ = ["LONG", "UNET_PRESETS", "UNetSpec", "unet_blocks"]

LONG: Final = "long"  # how the name of a long skip ends: up1.long
_MIDDLE: Final = "middle"
_LIKE: Final = r"(?:down\d|up\d|middle)\.(?:\d{1,2}|long)"


@dataclass(frozen=True)
class UNetSpec:
    """One U-Net. The default halves 32 px three times, with one block at each level, and marks every pixel with one of two classes.

    `blocks` holds how many blocks each level has on its way down, the last of them at the bottom, and as many on the way up. A block is two
    3×3 convolutions: the paper's with `residual` off, He et al.'s with a short skip around it (Drozdzal et al. 2016, arXiv 1608.04117,
    whose blocks are pre-activation). A long skip puts what a level made on its way down beside what comes up to it. `span` leaves one kind
    alone. Convolutions are padded, so that the answer is as large as the picture; the paper's are not, and it crops. `cut` holds names
    such as `down1.0` and `up1.long`, `dropped` those of blocks that pass their short skip alone. Raises `SpecError` for a value no
    network can be built from.
    """

    blocks: tuple[int, ...] = field(default=(1, 1, 1, 1), metadata=counts("(1, 1, 1, 1)"))
    width: int = field(
        default=8, metadata=number(1, 256, "Width", "Channels of the first level; each level doubles them.", step=4)
    )
    residual: bool = field(default=True, metadata=flag())
    span: Span = field(
        default=Span.BOTH,
        metadata=choice(
            Span,
            "Skips that are",
            "Long ones, from the way down to the way up, short ones around each block, or both.",
            lambda spec: "" if spec.span is Span.BOTH or not spec.residual else f"{word(spec.span)} skips alone",
        ),
    )
    cut: frozenset[str] = field(
        default=frozenset(),
        metadata=whole_names(
            lambda spec: counted_names(spec.cut, "skip", "skips", "cut") if spec.residual else "", _LIKE, "down1.0,up1.long"
        ),
    )
    dropped: frozenset[str] = field(
        default=frozenset(),
        metadata=whole_names(lambda spec: counted_names(spec.dropped, "branch", "branches", "dropped"), _LIKE, "down1.0,up2.0"),
    )
    norm: Norm = field(default=Norm.BATCH, metadata=norms("What follows each 3×3 convolution."))
    activation: Activation = field(default=Activation.RELU, metadata=activations("The nonlinearity after each norm."))
    init: Init = field(default=Init.KAIMING, metadata=inits())
    classes: int = field(default=2, metadata=answers(2, 1000))
    in_channels: int = field(default=1, metadata=channels())
    seed: int = field(default=0, metadata=seeds())

    described: ClassVar[tuple[str, ...]] = ("span", "norm", "init", "activation", "cut", "dropped", "seed")
    classifier: ClassVar[str] = "out"
    stem: ClassVar[Stem] = Stem.CIFAR  # none of the large ones, of which pages ask

    def __post_init__(self) -> None:
        check_fields(self)
        if not 2 <= len(self.blocks) <= 6 or any(not 1 <= n <= 16 for n in self.blocks):
            raise SpecError(f"blocks must be 2 to 6 counts from 1 to 16, got {self.blocks}; try (1, 1, 1, 1)")
        if self.init not in self.inits():
            raise SpecError(f"init={self.init.value} is a ResNet's; use init=kaiming")
        known = set(self.block_names())
        for field_name, chosen in (("cut", self.cut), ("dropped", self.dropped)):
            if unknown := sorted(chosen - known):
                raise SpecError(f"{field_name} names {unknown[0]!r}, which this network of {self.blocks} blocks does not have")
        if gone := sorted(name for name in self.dropped if not self.drops(name)):
            raise SpecError(f"{gone[0]} is dropped and has no short skip, so nothing would pass; choose a block that has one")

    @property
    def levels(self) -> int:
        """How often the way down halves the side."""
        return len(self.blocks) - 1

    @property
    def depth(self) -> int:
        """Convolutions on the longest way: two a block, one to come up each level, and the last."""
        return 2 * (sum(self.blocks) + sum(self.blocks[:-1])) + self.levels + 1

    @property
    def title(self) -> str:
        """Family and depth, the paper's network being U-Net-23."""
        return f"{'' if self.residual else 'Plain '}U-Net-{self.depth}"

    @property
    def design(self) -> Design:
        """Whether it has skips."""
        return "residual" if self.residual else "plain"

    @property
    def shape(self) -> str:
        """Blocks of each level and the width: 1-1-1-1, width 8."""
        return f"{'-'.join(map(str, self.blocks))}, width {self.width}"

    def channels(self, level: int) -> int:
        """Channels of a level, counted from 0."""
        return int(self.width * 2**level)

    def down(self, level: int) -> tuple[str, ...]:
        """The names of a level's blocks on the way down, the level counted from 0."""
        stage = _MIDDLE if level == self.levels else f"down{level + 1}"
        return tuple(f"{stage}.{n}" for n in range(self.blocks[level]))

    def up(self, level: int) -> tuple[str, ...]:
        """The name of a level's long skip and those of its blocks on the way up."""
        return (f"up{level + 1}.{LONG}", *(f"up{level + 1}.{n}" for n in range(self.blocks[level])))

    def block_names(self) -> Iterator[str]:
        """Every block's and every long skip's name, in the order in which they are done."""
        for level in range(self.levels + 1):
            yield from self.down(level)
        for level in reversed(range(self.levels)):
            yield from self.up(level)

    @staticmethod
    def is_long(name: str) -> bool:
        """Whether it is the name of a long skip."""
        return name.endswith(f".{LONG}")

    def has_skip(self, block: str) -> bool:
        """Whether what came before goes past the block, or across to the way up."""
        kind = Span.LONG if self.is_long(block) else Span.SHORT
        return self.residual and block not in self.cut and self.span in (Span.BOTH, kind)

    def skips(self) -> tuple[str, ...]:
        """The names of the skips that are of its span, in order, those that are cut among them."""
        return tuple(
            name for name in self.block_names() if self.span is Span.BOTH or self.is_long(name) == (self.span is Span.LONG)
        )

    def drops(self, block: str) -> bool:
        """Whether a block could be dropped: it has a short skip to pass, and what it holds is itself alone."""
        return not self.is_long(block) and self.has_skip(block)

    def plain(self) -> UNetSpec:
        """The same network without any skip: an hourglass."""
        return replace(self, residual=False, cut=frozenset(), dropped=frozenset())

    def toggled(self, block: str) -> UNetSpec:
        """The same network with one skip cut, or restored; one of a kind that there is none of begins with both kinds."""
        if self.residual and block in self.skips():
            return replace(self, cut=self.cut ^ {block}, dropped=self.dropped - {block})
        cut = frozenset(name for name in self.block_names() if not self.has_skip(name))
        return replace(self, residual=True, span=Span.BOTH, cut=cut ^ {block}, dropped=self.dropped - {block})

    def check_side(self, side: int) -> None:
        """Raises `SpecError` where a picture of that side cannot be halved as often as the network halves it."""
        if side % 2**self.levels:
            near = max(1, round(side / 2**self.levels)) * 2**self.levels
            raise SpecError(f"{side} px cannot be halved {self.levels} times; use {near} px, or fewer levels")

    def inits(self) -> list[Init]:
        """The initialisations that such a network can have."""
        return [Init.KAIMING, Init.XAVIER, Init.PYTORCH]

    def resized(self, **changes: Any) -> UNetSpec:
        """`replace`, forgetting the cuts and drops that the new shape has no place for."""
        shape = replace(self, cut=frozenset(), dropped=frozenset(), **changes)
        known = set(shape.block_names())
        if not shape.residual:
            return shape
        kept = replace(shape, cut=self.cut & known)
        return replace(kept, dropped=frozenset(filter(kept.drops, self.dropped & known)))


def unet_blocks(depth: int, levels: int = 3) -> tuple[int, ...]:
    """Blocks of a network that halves so many times and has as many blocks everywhere, as near to that depth as there is one."""
    each = 4 * levels + 2
    return (max(1, min(16, round((depth - levels - 1) / each))),) * (levels + 1)


def _presets() -> dict[str, UNetSpec]:
    small = UNetSpec()
    nets = {
        "unet_small": small,
        "unet_deep": UNetSpec((3, 3, 3, 3)),
        "unet_five": UNetSpec((1,) * 6, 8),
        "unet": UNetSpec((1,) * 5, 64, span=Span.LONG, norm=Norm.NONE),  # the paper's
    }
    kinds = {f"unet_small_{span}": replace(small, span=span) for span in (Span.LONG, Span.SHORT)}
    return nets | kinds | {f"plain_{name}": spec.plain() for name, spec in nets.items()}


UNET_PRESETS: Final[Mapping[str, UNetSpec]] = _presets()
