"""What a DenseNet is, as one frozen value that a URL can hold: `DenseSpec` (Huang et al. 2017, arXiv 1608.06993)."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from resviz.spec.choices import Activation, Design, Init, Norm, Stem
from resviz.spec.fields import (
    activations,
    answers,
    channels,
    check_fields,
    choice,
    connections,
    counts,
    flag,
    inits,
    names,
    norms,
    number,
    seeds,
)
from resviz.spec.net import SpecError
from resviz.spec.words import counted_names

__all__ = ["DENSE_PRESETS", "DenseSpec", "dense_blocks"]

_LAYER: Final = "features.denseblock{}.denselayer{}"


@dataclass(frozen=True)
class DenseSpec:
    """One DenseNet. The default is the paper's for CIFAR-10 with L = 40 and k = 12.

    Layer n of a dense block reads the block's input (source 0) and what the layers 1 … n − 1 made, side by side, and makes `growth`
    channels more. With `bottleneck` and `compression` below 100 it is the paper's DenseNet-BC. `cut` holds layers past which nothing
    goes: behind them zeros stand beside what they make. `severed` holds connections, a layer and the source whose channels it reads
    as zeros, and `dropped` layers that make zeros themselves; no shape and no weight changes. Without `residual` every layer is cut.
    Raises `SpecError` for a value no network can be built from.
    """

    blocks: tuple[int, ...] = field(default=(12, 12, 12), metadata=counts("(12, 12, 12)"))
    growth: int = field(
        default=12,
        metadata=number(1, 256, "Growth k", "Channels that each layer adds.", says=lambda spec: f"k={spec.growth}"),
    )
    bottleneck: int = field(
        default=0,
        metadata=number(0, 16, "Bottleneck", "A 1×1 convolution to so many times k before each 3×3 one; 0 has none, B has 4."),
    )
    compression: int = field(
        default=100, metadata=number(1, 100, "Compression θ (%)", "Of the channels that a transition hands on; C has 50.")
    )
    stem: Stem = field(default=Stem.CIFAR, metadata=choice(Stem, "Stem", "What stands before the blocks.", without=(Stem.DEEP,)))
    width: int = field(default=16, metadata=number(1, 1024, "Width", "Channels of the stem.", step=8))
    residual: bool = field(default=True, metadata=flag())
    cut: frozenset[str] = field(
        default=frozenset(),
        metadata=names(lambda spec: counted_names(spec.cut, "skip", "skips", "cut") if spec.residual else "", _LAYER),
    )
    dropped: frozenset[str] = field(
        default=frozenset(),
        metadata=names(lambda spec: counted_names(spec.dropped, "layer", "layers", "dropped"), _LAYER),
    )
    severed: frozenset[tuple[str, int]] = field(
        default=frozenset(),
        metadata=connections(lambda spec: counted_names(spec.severed, "connection", "connections", "cut"), _LAYER),
    )
    norm: Norm = field(default=Norm.BATCH, metadata=norms("What precedes each activation."))
    activation: Activation = field(default=Activation.RELU, metadata=activations("The nonlinearity after each norm."))
    init: Init = field(default=Init.KAIMING, metadata=inits())
    classes: int = field(default=10, metadata=answers())
    in_channels: int = field(default=3, metadata=channels())
    seed: int = field(default=0, metadata=seeds())

    described: ClassVar[tuple[str, ...]] = ("growth", "norm", "init", "activation", "cut", "severed", "dropped", "seed")
    classifier: ClassVar[str] = "classifier"

    def __post_init__(self) -> None:
        check_fields(self)
        if not 1 <= len(self.blocks) <= 6 or any(not 1 <= n <= 128 for n in self.blocks):
            raise SpecError(f"blocks must be 1 to 6 counts from 1 to 128, got {self.blocks}; try (12, 12, 12)")
        if self.stem is Stem.DEEP:
            raise SpecError(f"stem={self.stem.value} is a ResNet's, which a DenseNet has not; use stem=imagenet")
        if self.init not in self.inits():
            raise SpecError(f"init={self.init.value} is for residual branches, which a DenseNet has not; use init=kaiming")
        if not all(self.entering):
            raise SpecError(f"compression={self.compression} leaves no channel behind a transition; raise it or the width")
        self._check_names()

    def _check_names(self) -> None:
        known = {name: n for _, n, name in self._layers()}
        for field_name, chosen in (
            ("cut", self.cut),
            ("dropped", self.dropped),
            ("severed", {layer for layer, _ in self.severed}),
        ):
            if unknown := sorted(chosen - known.keys()):
                raise SpecError(f"{field_name} names {unknown[0]!r}, which this network of {self.blocks} layers does not have")
        if not self.residual and self.dropped:
            raise SpecError(f"{min(self.dropped)} is dropped in a plain network, so nothing would pass; use residual=1")
        if both := sorted(self.cut & self.dropped):
            raise SpecError(f"{both[0]} is both cut and dropped, so nothing would pass; choose one")
        for layer, source in sorted(self.severed):
            if not 0 <= source < known[layer]:
                raise SpecError(f"severed cuts source {source} off {layer}, which reads sources 0 to {known[layer] - 1}")
        for layer, gone in sorted(Counter(layer for layer, _ in self.severed).items()):
            if gone == known[layer]:
                raise SpecError(f"severed leaves {layer} no source to read; keep one of them, or drop the layer")

    @property
    def depth(self) -> int:
        """Weighted layers as the paper counts them: stem, convolutions, transitions, classifier."""
        return self.convs * sum(self.blocks) + len(self.blocks) + 1

    @property
    def convs(self) -> int:
        """Convolutions of a layer."""
        return 2 if self.bottleneck else 1

    @property
    def title(self) -> str:
        """Family and depth: DenseNet-121, and for small images as the paper writes them DenseNet-40, DenseNet-BC-100."""
        small = self.stem is Stem.CIFAR
        kind = ("B" if small and self.bottleneck else "") + ("C" if small and self.compression < 100 else "")
        return f"{'' if self.residual else 'Plain '}DenseNet-{kind and kind + '-'}{self.depth}"

    @property
    def design(self) -> Design:
        """Whether it has skips."""
        return "residual" if self.residual else "plain"

    @property
    def shape(self) -> str:
        """Layers of each block and the width: 12-12-12, width 16."""
        return f"{'-'.join(map(str, self.blocks))}, width {self.width}"

    @property
    def entering(self) -> tuple[int, ...]:
        """Channels that enter each dense block."""
        found = [self.width]
        for count in self.blocks[:-1]:
            found.append((found[-1] + count * self.growth) * self.compression // 100)
        return tuple(found)

    def _layers(self) -> Iterator[tuple[int, int, str]]:
        """Block and layer, counted from 1, and the layer's name."""
        return ((b, n, _LAYER.format(b, n)) for b, count in enumerate(self.blocks, 1) for n in range(1, count + 1))

    def block_names(self) -> Iterator[str]:
        """Every layer's name in forward order."""
        return (name for _, _, name in self._layers())

    def sources(self, layer: str) -> tuple[tuple[str, int], ...]:
        """What a layer reads, side by side: where each piece was made, and its channels. The first is the block's input."""
        block, n = next((block, n) for block, n, name in self._layers() if name == layer)
        begin = "stem" if block == 1 else f"features.transition{block - 1}"
        made = ((_LAYER.format(block, each), self.growth) for each in range(1, n))
        return (begin, self.entering[block - 1]), *made

    def unread(self, layer: str) -> bool:
        """Whether nothing gets to read what a layer makes."""
        names = [name for name in self.block_names() if name.startswith(layer.rpartition(".")[0] + ".")]
        read: dict[str, bool] = {}
        for source, name in reversed(list(enumerate(names, 1))):
            read[name] = self._is_read(source, names[source:], read)
        return not read[layer]

    def _is_read(self, source: int, readers: Sequence[str], read: Mapping[str, bool]) -> bool:
        for reader in readers:
            if (reader, source) not in self.severed and reader not in self.dropped and read[reader]:
                return True
            if not self.has_skip(reader):
                return False
        return True  # by what stands behind the block

    def reads_zeros(self, layer: str) -> bool:
        """Whether a cut, a drop or a severed connection leaves zeros in what a layer reads; their ReLUs are no dead units."""
        within = layer.rpartition(".")[0] + "."
        before = itertools.takewhile(lambda name: name != layer, (n for n in self.block_names() if n.startswith(within)))
        return any(name == layer for name, _ in self.severed) or any(not self.has_skip(n) or n in self.dropped for n in before)

    def plain(self) -> DenseSpec:
        """The same network with every skip cut: each layer reads the one before it, and zeros."""
        return replace(self, residual=False, cut=frozenset(), dropped=frozenset(), severed=frozenset())

    def toggled(self, block: str) -> DenseSpec:
        """The same network with the skip past one layer cut, or restored."""
        cut = self.cut if self.residual else frozenset(self.block_names())
        return replace(self, residual=True, cut=cut ^ {block}, dropped=self.dropped - {block})

    def reading(self, layer: str, source: int | None = None) -> DenseSpec:
        """The same network with one connection into a layer cut, or restored; without a source all but the nearest, or all restored."""
        of = len(self.sources(layer))
        wanted = {(layer, source)} if source is not None else {(layer, each) for each in range(of - 1)}
        kept = self.severed - wanted if wanted <= self.severed else self.severed | wanted
        return replace(self, severed=kept)

    def has_skip(self, block: str) -> bool:
        """Whether what came before goes past the layer of that name."""
        return self.residual and block not in self.cut

    def inits(self) -> list[Init]:
        """The initialisations that such a network can have."""
        return [Init.KAIMING, Init.XAVIER, Init.PYTORCH]

    def resized(self, **changes: Any) -> DenseSpec:
        """`replace`, forgetting the cuts and drops that the new shape has no place for."""
        shape = replace(self, cut=frozenset(), dropped=frozenset(), severed=frozenset(), **changes)
        if not shape.residual:
            return shape
        known = set(shape.block_names())
        kept = frozenset(each for each in self.severed if each[0] in known)
        return replace(shape, cut=self.cut & known, dropped=self.dropped & known, severed=kept)


def dense_blocks(depth: int, bottleneck: bool = False) -> tuple[int, ...]:
    """Layers of each block of a three-block network for CIFAR: L is 3n + 4, with bottlenecks 6n + 4."""
    step = 6 if bottleneck else 3
    n, rest = divmod(depth - 4, step)
    if rest or n < 1:
        near = max(1, round((depth - 4) / step)) * step + 4
        raise SpecError(
            f"depth must be {step}n+4 {'with' if bottleneck else 'without'} bottlenecks, got {depth}; the nearest is {near}"
        )
    return (n, n, n)


def _cifar(depth: int, growth: int) -> DenseSpec:
    return DenseSpec(dense_blocks(depth), growth)


def _cifar_bc(depth: int, growth: int) -> DenseSpec:
    """4.1: such a network's stem has twice the growth."""
    return DenseSpec(dense_blocks(depth, True), growth, bottleneck=4, compression=50, width=2 * growth)


def _imagenet(blocks: tuple[int, ...], growth: int = 32) -> DenseSpec:
    return DenseSpec(blocks, growth, 4, 50, Stem.IMAGENET, 2 * growth, classes=1000)  # tables 1 and torchvision's


def _presets() -> dict[str, DenseSpec]:
    nets = {
        "densenet121": _imagenet((6, 12, 24, 16)),
        "densenet161": _imagenet((6, 12, 36, 24), 48),
        "densenet169": _imagenet((6, 12, 32, 32)),
        "densenet201": _imagenet((6, 12, 48, 32)),
        "densenet40_k12": _cifar(40, 12),
        "densenet100_k12": _cifar(100, 12),
        "densenet100_k24": _cifar(100, 24),
        "densenet_bc100_k12": _cifar_bc(100, 12),
        "densenet_bc250_k24": _cifar_bc(250, 24),
        "densenet_bc190_k40": _cifar_bc(190, 40),
    }
    return nets | {f"plain_{name}": spec.plain() for name, spec in nets.items()}


DENSE_PRESETS: Final[Mapping[str, DenseSpec]] = _presets()
