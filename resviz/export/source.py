"""Templates of Python source: what a network does not use is left out, line by line."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable
from string import Template
from typing import Final, Protocol

from resviz.spec.base import Spec
from resviz.spec.choices import Activation, Init, Norm
from resviz.spec.names import describe
from resviz.spec.query import to_query_string

__all__ = ["DRAWN", "GROUP_NORM", "IMPORTS", "Design", "applied", "facts", "heading", "listed", "rendered", "words"]

_MARK: Final = "  #? "
_GAINS: Final = {Activation.TANH: "tanh", Activation.SIGMOID: "sigmoid"}
_ACTIVATIONS: Final = {
    Activation.RELU: "F.relu",
    Activation.GELU: "F.gelu",
    Activation.TANH: "torch.tanh",
    Activation.SIGMOID: "torch.sigmoid",
}
_MODULES: Final = {"F.relu": "nn.ReLU()", "F.gelu": "nn.GELU()", "torch.tanh": "nn.Tanh()", "torch.sigmoid": "nn.Sigmoid()"}
_NORMS: Final = {Norm.BATCH: "nn.BatchNorm2d", Norm.GROUP: "group_norm", Norm.NONE: ""}
# what a file of any family of convolutions begins and ends with
IMPORTS: Final = """
import hashlib
import math  #? group

import torch
from torch import Tensor, nn
from torch.nn import functional as F
"""
GROUP_NORM: Final = '''
def group_norm(channels: int) -> nn.GroupNorm:  #? group
    """16 channels a group, fewer where they don't divide."""
    return nn.GroupNorm(channels // math.gcd(channels, 16), channels)
'''
DRAWN: Final = '''
def uniform(layer: nn.Module, generator: torch.Generator) -> None:
    """Weight, then bias, between ±1/√fan_in, as PyTorch draws them."""
    bound = layer.weight[0].numel() ** -0.5
    layer.weight.uniform_(-bound, bound, generator=generator)
    if layer.bias is not None:
        layer.bias.uniform_(-bound, bound, generator=generator)


@torch.no_grad()
def build() -> $net:
    """The network; each layer draws its weights from a generator of its own, seeded by the net's seed and the layer's name."""
    net, generator = $net(), torch.Generator()
    for name, layer in net.named_modules():
        digest = hashlib.blake2b(f"{SEED}:{name}".encode(), digest_size=8).digest()
        generator.manual_seed(int.from_bytes(digest, "big") >> 1)
        if isinstance(layer, nn.Conv2d | nn.Linear):  #? pytorch
            uniform(layer, generator)
        if isinstance(layer, nn.Linear):  #? !pytorch
            uniform(layer, generator)
        elif isinstance(layer, nn.Conv2d):  #? !pytorch
            nn.init.xavier_normal_(layer.weight, generator=generator)  #? xavier
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="$gain", generator=generator)  #? kaiming
            if layer.bias is not None:  #? biases
                nn.init.zeros_(layer.bias)
'''


class Design(Protocol):
    """What a spec of a family of convolutions says of its layers."""

    @property
    def norm(self) -> Norm: ...
    @property
    def activation(self) -> Activation: ...
    @property
    def init(self) -> Init: ...


def words(spec: Design) -> dict[str, str]:
    """What the layers of such a network are called in PyTorch."""
    return {
        "act": _ACTIVATIONS[spec.activation],
        "act_module": _MODULES[_ACTIVATIONS[spec.activation]],
        "norm": _NORMS[spec.norm],
        "gain": _GAINS.get(spec.activation, "relu"),
        "bias": str(spec.norm is Norm.NONE),
    }


def facts(spec: Design) -> set[str]:
    """What holds of the layers of such a network."""
    drawn = spec.init if spec.init in (Init.XAVIER, Init.PYTORCH) else Init.KAIMING
    norms = {"biases"} if spec.norm is Norm.NONE else {"norm", str(spec.norm)}
    return {str(drawn), *norms}


def rendered(template: str, holds: Collection[str], **words: str) -> str:
    """The template's lines of which every word behind `#?` holds, or with `!` does not; with a line goes what is indented under it.

    `$name` stands for one of `words`; one of several lines takes its line's indentation, and a line of an empty one is left out.
    """
    lines: list[str] = []
    hidden, before, blank = -1, 0, 0  # indentation of a line that was left out, empty lines before it and since
    for line in template.strip("\n").splitlines():
        text, _, mark = line.partition(_MARK)
        indent = len(text) - len(text.lstrip())
        if not text:
            blank += 1
        elif 0 <= hidden < indent:
            blank = 0
        elif not all((word.removeprefix("!") in holds) is not word.startswith("!") for word in mark.split()):
            hidden, before, blank = indent, max(before, blank), 0
        elif filled := Template(text.strip()).substitute(words):
            lines += [""] * min(2, max(before, blank)) + textwrap.indent(filled, " " * indent).splitlines()
            hidden, before, blank = -1, 0, 0
    return "\n".join(lines) + "\n"


def applied(layers: Iterable[str], to: str) -> str:
    """Layers called around each other, the first innermost: `F.relu(self.bn1(self.conv1(x)))`."""
    for layer in layers:
        to = f"{layer if '.' in layer else f'self.{layer}'}({to})"
    return to


def listed(constant: str, names: Collection[str], says: str) -> str:
    """Names as a constant, one text with spaces between; nothing where there is none."""
    ordered = sorted(names, key=lambda name: [(int(part) if part.isdigit() else 0, part) for part in name.split(".")])
    line = f'{constant} = "{" ".join(ordered)}"  # {says}'
    if len(line) <= 120:
        return line if ordered else ""
    return f'# {says}\n{constant} = """\n{textwrap.fill(" ".join(ordered), 126)}\n"""'


def heading(spec: Spec, papers: str) -> str:
    """A file's first words: what it is, by whose papers, and how ResViz names it."""
    query = to_query_string(spec) or "family=resnet"
    link = f"?{query}" if len(query) <= 100 else "the link that Build gives"
    made = f"{papers} This file needs PyTorch alone, and begins with the weights that ResViz begins with ({link})."
    return "\n\n".join(textwrap.fill(text, 120, break_long_words=False) for text in (f"{describe(spec)}.", made))
