"""A Transformer, of patches or of symbols, as one file of PyTorch."""

from __future__ import annotations

from typing import Final

from resviz.export.source import heading, listed, rendered
from resviz.spec.choices import Activation, Around, Init, NormPlace
from resviz.spec.transformer import TransformerSpec

__all__ = ["transformer"]

_PAPER: Final = (
    "Vaswani et al., Attention Is All You Need, 2017 (arXiv 1706.03762); of patches: Dosovitskiy et al. 2021 (arXiv 2010.11929)."
)
_ACTIVATIONS: Final = {
    Activation.RELU: "nn.ReLU()",
    Activation.GELU: "nn.GELU()",
    Activation.TANH: "nn.Tanh()",
    Activation.SIGMOID: "nn.Sigmoid()",
}
_TEMPLATE: Final = '''
import hashlib
import math
from collections import OrderedDict

import torch
from torch import Tensor, nn

SEED = $seed
$cut
$dropped


class Layer(nn.Module):
    """Attention, then the MLP: tokens (N, $tokens, $dim) to the same."""  #? mlp
    """Attention: tokens (N, $tokens, $dim) to the same."""  #? !mlp

    def __init__(self, name: str) -> None:  #? named
        super().__init__()
        self.kept = [f"{name}.{kind}" not in CUT.split() for kind in ("attention", "mlp")]  # skips  #? cut
        self.done = [f"{name}.{kind}" not in DROPPED.split() for kind in ("attention", "mlp")]  # sub-layers  #? dropped
        $layers

    def __init__(self) -> None:  #? !named
        super().__init__()
        $layers

    def forward(self, x: Tensor) -> Tensor:
        $forward


class Encoder(nn.Module):
    """Layers over tokens that know where they stand."""

    def __init__(self) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, $tokens, $dim))
        self.layers = nn.Sequential(OrderedDict((f"encoder_layer_{n}", Layer($given)) for n in range($number)))
        self.ln = nn.LayerNorm($dim, eps=1e-6)  #? pre


class Transformer(nn.Module):
    """Pictures (N, $channels, $image, $image) to logits (N, $classes), read off a class token."""  #? !symbols
    """Rows of symbols' numbers (N, 1, $image, $image) to logits (N, $classes), read off a class token."""  #? symbols

    def __init__(self) -> None:
        super().__init__()
        self.conv_proj = nn.Conv2d($channels, $dim, $patch, $patch)  #? !symbols
        self.embedding = nn.Embedding($vocabulary, $dim)  #? symbols
        self.class_token = nn.Parameter(torch.zeros(1, 1, $dim))
        self.encoder = Encoder()
        self.heads = nn.Sequential(OrderedDict(head=nn.Linear($dim, $classes)))

    def forward(self, x: Tensor) -> Tensor:
        read = self.conv_proj(x).flatten(2).transpose(1, 2)  #? !symbols
        read = self.embedding(x.flatten(1).long())  #? symbols
        tokens = torch.cat((self.class_token.expand(len(x), -1, -1), read), 1) + self.encoder.pos_embedding
        return self.heads(self.encoder.ln(self.encoder.layers(tokens))[:, 0])  #? pre
        return self.heads(self.encoder.layers(tokens)[:, 0])  #? !pre


def matrix(weight: Tensor, bias: Tensor, generator: torch.Generator) -> None:  #? !pytorch
    """Xavier's, without a bias."""
    nn.init.xavier_uniform_(weight, generator=generator)
    nn.init.zeros_(bias)


def uniform(weight: Tensor, bias: Tensor, generator: torch.Generator) -> None:
    """Between ±1/√fan_in, as PyTorch draws them."""
    bound = math.sqrt(1 / weight.shape[1])
    weight.uniform_(-bound, bound, generator=generator)
    bias.uniform_(-bound, bound, generator=generator)


@torch.no_grad()
def build() -> Transformer:
    """The network; each layer draws its weights from a generator of its own, seeded by the net's seed and the layer's name."""
    net, generator = Transformer(), torch.Generator()
    for name, layer in net.named_modules():
        digest = hashlib.blake2b(f"{SEED}:{name}".encode(), digest_size=8).digest()
        generator.manual_seed(int.from_bytes(digest, "big") >> 1)
        if isinstance(layer, Encoder):
            nn.init.normal_(layer.pos_embedding, std=$std, generator=generator)
        elif isinstance(layer, nn.Embedding):  #? symbols
            nn.init.normal_(layer.weight, std=$std, generator=generator)
        elif isinstance(layer, nn.Conv2d):  #? !symbols
            std = layer.weight[0].numel() ** -0.5
            nn.init.trunc_normal_(layer.weight, std=std, a=-2.0, b=2.0, generator=generator)
            nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.MultiheadAttention):
            $matrix(layer.in_proj_weight, layer.in_proj_bias, generator)
        elif name == "heads.head":  #? !pytorch
            uniform(layer.weight, layer.bias, generator)
        elif isinstance(layer, nn.Linear):
            $matrix(layer.weight, layer.bias, generator)
    return net


if __name__ == "__main__":
    print(build().eval()(torch.zeros(1, $channels, $image, $image)))
'''


def transformer(spec: TransformerSpec) -> str:
    """The file's text."""
    given = {
        "cut": bool(spec.cut),
        "dropped": bool(spec.dropped),
        "named": bool(spec.cut or spec.dropped),
        "mlp": bool(spec.mlp),
        "pre": spec.norm is NormPlace.PRE,
        "symbols": bool(spec.vocabulary),
        "pytorch": spec.init is Init.PYTORCH,
    }
    short = "encoder.layers.encoder_layer_"
    filled = {
        "seed": str(spec.seed),
        "cut": listed("CUT", {name.removeprefix(short) for name in spec.cut}, "sub-layers that pass F(x) alone"),
        "dropped": listed("DROPPED", {name.removeprefix(short) for name in spec.dropped}, "sub-layers that pass x alone"),
        "tokens": str(spec.tokens),
        "dim": str(spec.dim),
        "layers": "\n".join(_layers(spec)),
        "forward": "\n".join(_forward(spec)),
        "given": "str(n)" if given["named"] else "",
        "number": str(spec.num_layers),
        "channels": str(spec.in_channels),
        "image": str(spec.image),
        "classes": str(spec.classes),
        "patch": str(spec.patch),
        "vocabulary": str(spec.vocabulary),
        "std": f"{spec.dim}**-0.5" if spec.vocabulary else "0.02",
        "matrix": "uniform" if given["pytorch"] else "matrix",
    }
    holds = {name for name, true in given.items() if true}
    return f'"""{heading(spec, _PAPER)}\n"""\n\n' + rendered(_TEMPLATE, holds, **filled)


def _layers(spec: TransformerSpec) -> list[str]:
    inside, norm = spec.mlp * spec.dim, spec.norm is not NormPlace.NONE
    made = [f"self.self_attention = nn.MultiheadAttention({spec.dim}, {spec.heads}, batch_first=True)"]
    if norm:
        made.insert(0, f"self.ln_1 = nn.LayerNorm({spec.dim}, eps=1e-6)")
    if spec.mlp and norm:
        made.append(f"self.ln_2 = nn.LayerNorm({spec.dim}, eps=1e-6)")
    if spec.mlp:
        first, last = f"nn.Linear({spec.dim}, {inside})", f"nn.Linear({inside}, {spec.dim})"
        made.append("# the third is torchvision's dropout")
        made.append(f"self.mlp = nn.Sequential({first}, {_ACTIVATIONS[spec.activation]}, nn.Identity(), {last})")
    return made


def _forward(spec: TransformerSpec) -> list[str]:
    """Each sub-layer's lines; the last one's answer is what is returned."""
    lines: list[str] = []
    kinds = (Around.ATTENTION, Around.MLP) if spec.mlp else (Around.ATTENTION,)
    for n, kind in enumerate(kinds):
        read = f"self.ln_{n + 1}(x)" if spec.norm is NormPlace.PRE else "x"
        if kind is Around.MLP:
            own = [f"out = self.mlp({read})"]
        else:
            own = [*(["entered = self.ln_1(x)"] if read != "x" else []), ""]
            own[-1] = f"out = self.self_attention({', '.join(['entered' if read != 'x' else 'x'] * 3)}, need_weights=False)[0]"
        skips = spec.residual and spec.around in (Around.BOTH, kind)
        joined = f"out + x if self.kept[{n}] else out" if skips and spec.cut else "out + x" if skips else "out"
        behind = f"self.ln_{n + 1}({{}})" if spec.norm is NormPlace.POST else "{}"
        last = kind is kinds[-1] and not spec.dropped
        if joined == behind.format(joined) == "out" and not last:
            own[-1] = own[-1].replace("out =", "x =")
        elif joined == behind.format(joined) == "out":
            own[-1] = own[-1].replace("out =", "return")
        else:
            own.append(f"{'return' if last else 'x ='} {behind.format(joined)}")
        if spec.dropped and skips:
            own = [f"if self.done[{n}]:", *(f"    {line}" for line in own)]
            own += ["else:", f"    x = {behind.format('x')}"] if spec.norm is NormPlace.POST else []
        lines += own
    return [*lines, "return x"] if spec.dropped else lines
