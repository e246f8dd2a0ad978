"""What a Transformer is, of pictures or of symbols, as one frozen value that a URL can hold: `TransformerSpec`.

Vaswani et al. 2017 (arXiv 1706.03762) for the encoder, Dosovitskiy et al. 2021 (arXiv 2010.11929) for the patches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from resviz.spec.choices import Activation, Around, Design, Init, NormPlace
from resviz.spec.fields import (
    activations,
    answers,
    channels,
    check_fields,
    choice,
    flag,
    inits,
    names,
    number,
    seeds,
)
from resviz.spec.net import SpecError
from resviz.spec.words import counted_names, word

__all__ = ["ATTENTION", "MLP", "TRANSFORMER_PRESETS", "TransformerSpec"]

_SUBLAYER: Final = "encoder.layers.encoder_layer_{}.{}"
ATTENTION: Final = "attention"
MLP: Final = "mlp"
_LETTERS: Final = {(12, 192, 3): "Ti", (12, 384, 6): "S", (12, 768, 12): "B", (24, 1024, 16): "L", (32, 1280, 16): "H"}


@dataclass(frozen=True)
class TransformerSpec:
    """One Transformer. The default is a small Vision Transformer for handwritten digits: 16 patches of 2×2 pixels, six layers.

    With a `vocabulary` it reads symbols in place of patches: `image` of them in a row, as many rows, read row by row.
    A layer has two sub-layers, each a unit with a skip of its own: `attention`, and `mlp` unless `mlp` is 0. `cut` and `dropped` hold
    their names, such as `encoder.layers.encoder_layer_0.attention`; `around` leaves the skips around one kind of them alone. Its
    position embedding belongs to one image side. Raises `SpecError` for a value no network can be built from.
    """

    image: int = field(
        default=8,
        metadata=number(
            2,
            1024,
            "Image side",
            "Pixels: the positions that it knows are of this side. Of symbols, how many stand in a row, and how many rows.",
        ),
    )
    patch: int = field(default=2, metadata=number(1, 64, "Patch", "Pixels of a patch's side; each becomes a token."))
    num_layers: int = field(default=6, metadata=number(1, 96, "Layers", "Each of two sub-layers: attention, then the MLP."))
    heads: int = field(
        default=4,
        metadata=number(1, 64, "Heads", "Of the attention, side by side.", says=lambda spec: f"{spec.heads} heads"),
    )
    dim: int = field(
        default=64,
        metadata=number(1, 2048, "Dimension", "Numbers of a token.", step=8, says=lambda spec: f"d={spec.dim}"),
    )
    mlp: int = field(
        default=2,
        metadata=number(
            0,
            8,
            "MLP ratio",
            "The MLP's inner width over a token's; 0 leaves attention alone.",
            says=lambda spec: "" if spec.mlp else "no MLP",
        ),
    )
    vocabulary: int = field(
        default=0, metadata=number(0, 1024, "Vocabulary", "Symbols that it tells apart; 0 reads the patches of a picture.")
    )
    norm: NormPlace = field(
        default=NormPlace.PRE,
        metadata=choice(
            NormPlace,
            "Layer norm",
            "Before each sub-layer (ViT), after each addition (Vaswani et al. 2017), or none.",
            lambda spec: word(spec.norm, alone=True),
        ),
    )
    residual: bool = field(default=True, metadata=flag())
    around: Around = field(
        default=Around.BOTH,
        metadata=choice(
            Around,
            "Skips around",
            "Both sub-layers, or one of them alone.",
            lambda spec: "" if spec.around is Around.BOTH or not spec.residual else f"skips around {word(spec.around)} alone",
        ),
    )
    cut: frozenset[str] = field(
        default=frozenset(),
        metadata=names(
            lambda spec: counted_names(spec.cut, "skip", "skips", "cut") if spec.residual else "", _SUBLAYER, (ATTENTION, MLP)
        ),
    )
    dropped: frozenset[str] = field(
        default=frozenset(),
        metadata=names(lambda spec: counted_names(spec.dropped, "branch", "branches", "dropped"), _SUBLAYER, (ATTENTION, MLP)),
    )
    activation: Activation = field(default=Activation.GELU, metadata=activations("The nonlinearity in the MLP.", Activation.GELU))
    init: Init = field(default=Init.XAVIER, metadata=inits())
    classes: int = field(default=10, metadata=answers())
    in_channels: int = field(default=1, metadata=channels())
    seed: int = field(default=0, metadata=seeds())

    described: ClassVar[tuple[str, ...]] = (
        "dim",
        "heads",
        "mlp",
        "norm",
        "init",
        "activation",
        "around",
        "cut",
        "dropped",
        "seed",
    )
    classifier: ClassVar[str] = "heads.head"

    def __post_init__(self) -> None:
        check_fields(self)
        if self.image % self.patch:
            raise SpecError(f"patch={self.patch} does not divide image={self.image}; choose a patch that does")
        if self.vocabulary and (self.patch, self.in_channels) != (1, 1):
            raise SpecError(
                f"vocabulary={self.vocabulary} reads symbols one by one, got patch={self.patch} and in_channels={self.in_channels}; "
                "use patch=1 and in_channels=1, or vocabulary=0"
            )
        if self.vocabulary == 1:
            raise SpecError("vocabulary=1 has nothing to tell apart; use 2 or more, or 0 for pictures")
        if self.dim % self.heads:
            raise SpecError(f"heads={self.heads} does not divide dim={self.dim}; choose heads that do")
        if self.init not in self.inits():
            raise SpecError(f"init={self.init.value} is for convolutions, of which a Transformer has one; use init=xavier")
        known = set(self.block_names())
        for field_name, chosen in (("cut", self.cut), ("dropped", self.dropped)):
            if unknown := sorted(chosen - known):
                raise SpecError(
                    f"{field_name} names {unknown[0]!r}, which this network of {self.num_layers} layers does not have; cut one that it has"
                )
        if gone := sorted(name for name in self.dropped if not self.has_skip(name)):
            raise SpecError(f"{gone[0]} is dropped and has no skip, so nothing would pass; keep its skip, or do not drop it")

    @property
    def depth(self) -> int:
        """Layers, as the papers count them: each is attention and MLP."""
        return self.num_layers

    @property
    def title(self) -> str:
        """Size and patch as the paper writes them, or the number of layers: ViT-B/16, ViT-6/2; Transformer-4 of symbols."""
        if self.vocabulary:
            return f"{'' if self.residual else 'Plain '}Transformer-{self.num_layers}"
        size = _LETTERS.get((self.num_layers, self.dim, self.heads)) if self.mlp == 4 else None
        return f"{'' if self.residual else 'Plain '}ViT-{size or self.num_layers}/{self.patch}"

    @property
    def design(self) -> Design:
        """Whether it has skips."""
        return "residual" if self.residual else "plain"

    @property
    def shape(self) -> str:
        """What its title leaves open: 8 px."""
        return f"{self.image**2} of {self.vocabulary} symbols" if self.vocabulary else f"{self.image} px"

    @property
    def tokens(self) -> int:
        """Patches or symbols, and the class token before them."""
        return (self.image // self.patch) ** 2 + 1

    def block_names(self) -> Iterator[str]:
        """Every sub-layer's name in forward order."""
        kinds = (ATTENTION, MLP) if self.mlp else (ATTENTION,)
        return (_SUBLAYER.format(layer, kind) for layer in range(self.num_layers) for kind in kinds)

    def plain(self) -> TransformerSpec:
        """The same network with every skip cut: each sub-layer passes F(x) alone."""
        return replace(self, residual=False, around=Around.BOTH, cut=frozenset(), dropped=frozenset())

    def toggled(self, block: str) -> TransformerSpec:
        """The same network with the skip around one sub-layer cut, or restored."""
        cut = frozenset(name for name in self.block_names() if not self.has_skip(name))
        return replace(self, residual=True, around=Around.BOTH, cut=cut ^ {block}, dropped=self.dropped - {block})

    def has_skip(self, block: str) -> bool:
        """Whether what came before goes past the sub-layer of that name."""
        return self.residual and block not in self.cut and (self.around is Around.BOTH or block.endswith(f".{self.around}"))

    def sized(self, side: int) -> TransformerSpec:
        """The same network for images of another side, with as many patches where that can be."""
        patch = 1 if self.vocabulary else max(1, self.patch * side // self.image)
        return replace(self, image=side, patch=patch if side % patch == 0 else 1)

    def unit_of(self, layer: str) -> str | None:
        """The sub-layer that a layer belongs to; None for what stands outside of them."""
        place = layer.split(".")
        if not layer.startswith("encoder.layers.") or len(place) < 4:
            return None
        return ".".join((*place[:3], MLP if place[3] in (MLP, "ln_2") else ATTENTION))

    def inits(self) -> list[Init]:
        """The initialisations that such a network can have."""
        return [Init.XAVIER, Init.PYTORCH]

    def resized(self, **changes: Any) -> TransformerSpec:
        """`replace`, forgetting the cuts and drops that the new shape has no place for."""
        shape = replace(self, cut=frozenset(), dropped=frozenset(), **changes)
        known = set(shape.block_names())
        if not shape.residual:
            return shape
        kept = replace(shape, cut=self.cut & known)
        return replace(kept, dropped=frozenset(name for name in self.dropped & known if kept.has_skip(name)))


def _imagenet(layers: int, heads: int, dim: int, patch: int) -> TransformerSpec:
    return TransformerSpec(224, patch, layers, heads, dim, 4, classes=1000, in_channels=3)


def _presets() -> dict[str, TransformerSpec]:
    nets = {
        "vit_digits": TransformerSpec(),
        "vit_ti_16": _imagenet(12, 3, 192, 16),
        "vit_s_16": _imagenet(12, 6, 384, 16),
        "vit_b_16": _imagenet(12, 12, 768, 16),
        "vit_b_32": _imagenet(12, 12, 768, 32),
        "vit_l_16": _imagenet(24, 16, 1024, 16),
    }
    post = {"vit_digits_post": replace(nets["vit_digits"], norm=NormPlace.POST)}
    nets["transformer_copy"] = TransformerSpec(3, 1, 4, vocabulary=9, classes=8)
    return nets | post | {f"plain_{name}": spec.plain() for name, spec in nets.items()}


TRANSFORMER_PRESETS: Final[Mapping[str, TransformerSpec]] = _presets()
