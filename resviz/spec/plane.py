"""What an MLP on points in the plane is, as one frozen value that a URL can hold: `PlaneSpec`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, ClassVar, Final

from resviz.spec.choices import Activation, Design, Init, Norm, Stem
from resviz.spec.fields import (
    Field,
    Kind,
    activations,
    answers,
    check_fields,
    counts,
    flag,
    inits,
    names,
    norms,
    number,
    seeds,
)
from resviz.spec.net import SpecError
from resviz.spec.words import counted_names, word

__all__ = ["MOST_BLOCKS", "PLANE_PRESETS", "Feature", "PlaneSpec", "plane_blocks"]

MOST_BLOCKS: Final = 49  # blocks: 100 layers


class Feature(StrEnum):
    """What a network may read of a point, as in TensorFlow Playground (Smilkov et al. 2017, arXiv 1708.03788)."""

    X = "x"
    Y = "y"
    X2 = "x2"
    Y2 = "y2"
    XY = "xy"
    SIN_X = "sinx"
    SIN_Y = "siny"


def _read_features(text: str) -> tuple[Feature, ...]:
    return tuple(map(Feature, text.split("-")))


@dataclass(frozen=True)
class PlaneSpec:
    """One fully connected network for points of the plane. The default has 20 layers of 16 units, no norm and PyTorch's initialisation.

    A unit is He et al.'s full pre-activation (2016, arXiv 1603.05027, figure 4e) with fully connected layers in place of the
    convolutions: x + W₂ act(norm(W₁ act(norm(x)))). Without its skip it is two layers of an ordinary MLP. `blocks` holds how many
    there are. `cut` and `dropped` hold block names such as `layer1.0`, as a ResNet's do. Raises `SpecError` for a value no network can
    be built from.
    """

    blocks: tuple[int, ...] = field(default=(9,), metadata=counts("(9,)"))
    width: int = field(default=16, metadata=number(1, 256, "Width", "Units of every layer.", step=8))
    features: tuple[Feature, ...] = field(
        default=(Feature.X, Feature.Y),
        metadata={
            "field": Field(
                _read_features,
                "-".join,
                Kind.all_in(
                    tuple,
                    lambda each: isinstance(each, Feature),
                    "a tuple of features",
                    "write one such as (Feature.X, Feature.Y)",
                ),
                "Features",
                "What the first layer reads of a point.",
                lambda spec: "" if spec.features == (Feature.X, Feature.Y) else f"reads {', '.join(map(word, spec.features))}",
            )
        },
    )
    residual: bool = field(default=True, metadata=flag())
    cut: frozenset[str] = field(
        default=frozenset(),
        metadata=names(lambda spec: counted_names(spec.cut, "skip", "skips", "cut") if spec.residual else ""),
    )
    dropped: frozenset[str] = field(
        default=frozenset(),
        metadata=names(lambda spec: counted_names(spec.dropped, "branch", "branches", "dropped")),
    )
    norm: Norm = field(default=Norm.NONE, metadata=norms("What precedes each activation."))
    activation: Activation = field(default=Activation.RELU, metadata=activations("The nonlinearity before each layer."))
    init: Init = field(default=Init.PYTORCH, metadata=inits())
    classes: int = field(default=2, metadata=answers(2, 100))
    in_channels: int = field(default=2, metadata=number(2, 2, "Coordinates", "A point of the plane has two."))
    seed: int = field(default=0, metadata=seeds())

    described: ClassVar[tuple[str, ...]] = ("features", "norm", "init", "activation", "cut", "dropped", "seed")
    classifier: ClassVar[str] = "fc"
    stem: ClassVar[Stem] = Stem.CIFAR  # none of the large ones, of which pages ask

    def __post_init__(self) -> None:
        check_fields(self)
        if len(self.blocks) != 1 or not 1 <= self.blocks[0] <= MOST_BLOCKS:
            raise SpecError(f"blocks must be one count from 1 to {MOST_BLOCKS}, got {self.blocks}; try (9,), which is 20 layers")
        if not self.features or len(set(self.features)) < len(self.features):
            raise SpecError(f"features must be one or more, each once, got {'-'.join(self.features) or 'none'}; try x-y")
        if self.init not in self.inits():
            raise SpecError(f"init={self.init.value} is a ResNet's; use init=pytorch, xavier or kaiming")
        if self.norm is Norm.GROUP and math.gcd(self.width, 16) == 1:
            raise SpecError(f"norm=group leaves groups of one unit at width={self.width}, whose norm is 0; use an even width")
        known = set(self.block_names())
        for field_name, chosen in (("cut", self.cut), ("dropped", self.dropped)):
            if unknown := sorted(chosen - known):
                raise SpecError(f"{field_name} names {unknown[0]!r}, which this network of {self.blocks[0]} blocks does not have")
        if not self.residual and self.dropped:
            raise SpecError(f"{min(self.dropped)} is dropped in a plain network, so nothing would pass; use residual=1")
        if both := sorted(self.cut & self.dropped):
            raise SpecError(f"{both[0]} is both cut and dropped, so nothing would pass; choose one")

    @property
    def depth(self) -> int:
        """Weighted layers: the first, two a block, the classifier."""
        return 2 * self.blocks[0] + 2

    @property
    def title(self) -> str:
        """Family and depth: MLP-20, Plain MLP-20."""
        return f"{'' if self.residual else 'Plain '}MLP-{self.depth}"

    @property
    def design(self) -> Design:
        """Whether it has skips."""
        return "residual" if self.residual else "plain"

    @property
    def shape(self) -> str:
        """The width, since the depth stands in the title."""
        return f"width {self.width}"

    def block_names(self) -> Iterator[str]:
        """Every block's name in forward order."""
        return (f"layer1.{i}" for i in range(self.blocks[0]))

    def has_skip(self, block: str) -> bool:
        """Whether x passes by the block of that name."""
        return self.residual and block not in self.cut

    def plain(self) -> PlaneSpec:
        """The same network without any skip."""
        return replace(self, residual=False, cut=frozenset(), dropped=frozenset())

    def toggled(self, block: str) -> PlaneSpec:
        """The same network with one block's skip cut, or restored."""
        return replace(self, cut=self.cut ^ {block}, dropped=self.dropped - {block})

    def inits(self) -> list[Init]:
        """The initialisations that such a network can have."""
        return [Init.PYTORCH, Init.XAVIER, Init.KAIMING]

    def resized(self, **changes: Any) -> PlaneSpec:
        """`replace`, forgetting the cuts and drops that the new shape has no place for."""
        shape = replace(self, cut=frozenset(), dropped=frozenset(), **changes)
        known = set(shape.block_names()) if shape.residual else set()
        return replace(shape, cut=self.cut & known, dropped=self.dropped & known)


def plane_blocks(depth: int) -> tuple[int, ...]:
    """Blocks of the network whose depth is the nearest to that."""
    return (max(1, min(MOST_BLOCKS, round((depth - 2) / 2))),)


def _presets() -> dict[str, PlaneSpec]:
    nets = {f"mlp{depth}": PlaneSpec(plane_blocks(depth)) for depth in (10, 20, 30, 50, 100)}
    return nets | {f"plain_{name}": spec.plain() for name, spec in nets.items()}


PLANE_PRESETS: Final[Mapping[str, PlaneSpec]] = _presets()
