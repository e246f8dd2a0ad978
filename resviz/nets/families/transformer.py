"""The Transformer, of patches or of symbols, to be read beside the papers: Vaswani et al. 2017 (arXiv 1706.03762), Dosovitskiy et al. 2021 (arXiv 2010.11929).

Names and shapes are torchvision's, so its weights load. Unlike there the classifier does not begin at 0, which would keep every
gradient behind it at 0 too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from resviz.nets.layers import ACTIVATIONS, Conv2d, Embedding, Linear
from resviz.nets.unit import Net, Unit
from resviz.spec.choices import Init, NormPlace
from resviz.spec.net import SpecError
from resviz.spec.transformer import ATTENTION, MLP, TransformerSpec

__all__ = ["Attention", "EncoderLayer", "FeedForward", "Transformer"]


def _norm(spec: TransformerSpec) -> nn.Module:
    return nn.Identity() if spec.norm is NormPlace.NONE else nn.LayerNorm(spec.dim, eps=1e-6)


class _SubLayer(Unit):
    """F(x) of tokens (N, T, D), with its norm before F or behind the addition. The norm is registered with the layer, under torchvision's name."""

    def __init__(self, spec: TransformerSpec, norm: nn.Module) -> None:
        super().__init__(spec.dim)
        self._beside_it: tuple[nn.Module, ...] = (norm,)  # in a tuple, so that no weight has two names
        self._before = spec.norm is NormPlace.PRE

    def entry(self, x: Tensor) -> Tensor:
        return self._beside_it[0](x) if self._before else x

    @property
    def behind(self) -> tuple[nn.Module, ...]:
        return () if self._before else self._beside_it[:1]


class Attention(_SubLayer):
    """Multi-head self-attention: every token becomes a mean of all tokens' values, weighted by softmax(q·k / √d) in each head."""

    def __init__(self, spec: TransformerSpec, norm: nn.Module, heads: nn.MultiheadAttention, end: nn.Module) -> None:
        super().__init__(spec, norm)
        self._beside_it = (norm, heads, end)

    def residual(self, entered: Tensor) -> Tensor:
        _, heads, end = self._beside_it
        mixed: Tensor = end(heads(entered, entered, entered, need_weights=False)[0])
        return mixed

    def weights(self, x: Tensor) -> Tensor:
        """What every token's value weighs for every other, (N, heads, T, T): rows add up to 1."""
        entered = self.entry(x)
        found: Tensor = self._beside_it[1](entered, entered, entered, need_weights=True, average_attn_weights=False)[1]
        return found

    @property
    def tail(self) -> nn.Module:
        return self._beside_it[2]


class FeedForward(_SubLayer):
    """The MLP, for each token by itself: to `mlp` times its numbers, an activation, and back."""

    def __init__(self, spec: TransformerSpec, norm: nn.Module) -> None:
        super().__init__(spec, norm)
        inside = spec.mlp * spec.dim
        # torchvision's numbers; it has dropout at 2 and 4
        self.add_module("0", Linear(spec.dim, inside))
        self.add_module("1", ACTIVATIONS[spec.activation]())
        self.add_module("3", Linear(inside, spec.dim))

    def residual(self, entered: Tensor) -> Tensor:
        for module in self.children():
            entered = module(entered)
        return entered

    @property
    def tail(self) -> nn.Module:
        return self.get_submodule("3")


class EncoderLayer(nn.Module):
    """Attention, then the MLP: (N, T, D) to the same."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.ln_1 = _norm(spec)
        here = torch.empty(0).device  # skipped: what it would draw for itself is drawn by `build`
        self.self_attention: nn.MultiheadAttention = skip_init(  # type: ignore[no-untyped-call] # torch leaves it unannotated
            nn.MultiheadAttention, spec.dim, spec.heads, batch_first=True, device=here
        )
        self.dropout = nn.Identity()  # where F(x) can be read
        self.add_module(ATTENTION, Attention(spec, self.ln_1, self.self_attention, self.dropout))
        if spec.mlp:
            self.ln_2 = _norm(spec)
            self.add_module(MLP, FeedForward(spec, self.ln_2))

    def forward(self, x: Tensor) -> Tensor:
        for unit in self.children():
            if isinstance(unit, Unit):
                x = unit(x)
        return x


class _Encoder(nn.Module):
    """Layers over tokens that know where they stand; pre-norm ends with a norm of its own."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, spec.tokens, spec.dim))
        self.layers = nn.Sequential()
        for layer in range(spec.num_layers):
            self.layers.add_module(f"encoder_layer_{layer}", EncoderLayer(spec))
        self.ln = _norm(spec) if spec.norm is NormPlace.PRE else nn.Identity()


class Transformer(Net):
    """Patches or symbols and a class token, the encoder, a classifier of the class token: (N, C, side, side) to logits (N, classes).

    Symbols come as their numbers, (N, 1, side, side), read row by row.
    """

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.spec: TransformerSpec = spec
        if spec.vocabulary:
            self.embedding = Embedding(spec.vocabulary, spec.dim)
        else:
            self.conv_proj = Conv2d(spec.in_channels, spec.dim, spec.patch, spec.patch)
        self.class_token = nn.Parameter(torch.empty(1, 1, spec.dim))
        self.encoder = _Encoder(spec)
        self.heads = nn.Sequential()
        self.heads.add_module("head", Linear(spec.dim, spec.classes))
        self.wire(spec)

    def stages(self) -> Iterator[tuple[str, nn.Module]]:
        yield ("embedding", self.embedding) if self.spec.vocabulary else ("conv_proj", self.conv_proj)
        for name, layer in self.encoder.layers.named_children():
            yield f"encoder.layers.{name}", layer
        yield "heads", self.heads

    def stem(self, x: Tensor) -> Tensor:
        """What enters the first layer: (N, T, D)."""
        if x.shape[-1] != self.spec.image or x.shape[-2] != self.spec.image:
            raise SpecError(
                f"pictures of {x.shape[-2]}×{x.shape[-1]} px do not fit its positions, which are for image={self.spec.image}; "
                "use pictures of that side, or another image"
            )
        tokens = torch.cat((self.class_token.expand(x.shape[0], -1, -1), self._read(x)), 1)
        return tokens + self.encoder.pos_embedding

    def _read(self, x: Tensor) -> Tensor:
        """(N, T − 1, D)."""
        read: Tensor = (
            self.embedding(x.flatten(1).long()) if self.spec.vocabulary else self.conv_proj(x).flatten(2).transpose(1, 2)
        )
        return read

    def head(self, x: Tensor) -> Tensor:
        """(N, classes), of the class token alone."""
        logits: Tensor = self.heads(self.encoder.ln(x)[:, 0])
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder.layers(self.stem(x)))

    def weights(self) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for name, module in self.named_modules():
            if isinstance(module, nn.MultiheadAttention):
                found[f"{name}.in_proj"] = module.in_proj_weight  # queries, keys and values in one
            elif isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
                found[name] = module.weight
        return found

    def draw(self, layer: nn.Module, generator: torch.Generator) -> None:
        """As torchvision begins, but for the classifier; with `pytorch` every matrix is uniform ±1/√fan_in.

        Symbols and their positions begin alike, with a standard deviation of 1/√D: at torchvision's 0.02 a position says next to nothing.
        """
        if isinstance(layer, Transformer):
            nn.init.zeros_(self.class_token)
        elif isinstance(layer, _Encoder):
            std = self.spec.dim**-0.5 if self.spec.vocabulary else 0.02
            nn.init.normal_(layer.pos_embedding, std=std, generator=generator)
        elif isinstance(layer, nn.Embedding):
            nn.init.normal_(layer.weight, std=self.spec.dim**-0.5, generator=generator)
        elif isinstance(layer, nn.LayerNorm):
            layer.reset_parameters()
        elif isinstance(layer, nn.MultiheadAttention):
            self._matrix(layer.in_proj_weight, layer.in_proj_bias, generator)
        elif isinstance(layer, nn.Conv2d):
            std = layer.weight[0].numel() ** -0.5
            nn.init.trunc_normal_(layer.weight, std=std, a=-2.0, b=2.0, generator=generator)
            layer.get_parameter("bias").zero_()
        elif isinstance(layer, nn.Linear):
            (_uniform if layer is self.heads[0] else self._matrix)(layer.weight, layer.bias, generator)

    def _matrix(self, weight: Tensor, bias: Tensor, generator: torch.Generator) -> None:
        if self.spec.init is Init.PYTORCH:
            _uniform(weight, bias, generator)
        else:
            nn.init.xavier_uniform_(weight, generator=generator)
            nn.init.zeros_(bias)


def _uniform(weight: Tensor, bias: Tensor, generator: torch.Generator) -> None:
    bound = math.sqrt(1 / weight.shape[1])
    weight.uniform_(-bound, bound, generator=generator)
    bias.uniform_(-bound, bound, generator=generator)
