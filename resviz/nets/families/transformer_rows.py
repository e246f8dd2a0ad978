"""Every layer of a Transformer for one image or sequence, by arithmetic alone."""

from __future__ import annotations

from resviz.nets.rows import Walk
from resviz.results import LayerTable
from resviz.spec.choices import NormPlace
from resviz.spec.transformer import MLP, TransformerSpec

__all__ = ["rows"]


def rows(spec: TransformerSpec, side: int) -> LayerTable:
    """The table for images of the side that its positions are for, whatever `side` says.

    Tokens have the shape (tokens, numbers). Beside the matrices, whose MACs are tokens × weights, each attention makes 2·T²·D: what
    queries and keys have in common, and the mean of the values. Softmax and norms make none, as in published totals.
    """
    walk = _Walk(spec)
    if spec.vocabulary:
        walk.add("embedding", "embedding", (spec.tokens - 1, spec.dim), spec.vocabulary * spec.dim)
    else:
        walk.conv("conv_proj", spec.dim, spec.patch, spec.patch, bias=True)
    walk.add("class_token", "class token", walk.tokens, spec.dim)
    walk.add("encoder.pos_embedding", "positions", walk.tokens, spec.tokens * spec.dim)
    for name in spec.block_names():
        layer = name.rpartition(".")[0]
        with walk.unit(name, f"layer {layer.rpartition('_')[2]}"):
            walk.sublayer(name, layer)
    if spec.norm is NormPlace.PRE:
        walk.normed("encoder.ln")
    walk.add(spec.classifier, "linear", (spec.classes,), (spec.dim + 1) * spec.classes, spec.dim * spec.classes)
    return walk.table()


class _Walk(Walk):
    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__(spec.in_channels, spec.image)
        self.spec, self.tokens = spec, (spec.tokens, spec.dim)

    def normed(self, name: str) -> None:
        self.add(name, "layer norm", self.tokens, 2 * self.spec.dim)

    def linear(self, name: str, kind: str, out: int) -> None:
        """A matrix that every token meets by itself."""
        tokens, inside = self.shape
        self.add(name, kind, (tokens, out), (inside + 1) * out, tokens * inside * out)

    def sublayer(self, name: str, layer: str) -> None:
        """One sub-layer, from what enters it to what it hands on."""
        spec, source, mlp = self.spec, self.rows[-1].name, name.endswith(f".{MLP}")
        norm = f"{layer}.ln_2" if mlp else f"{layer}.ln_1"
        with self.branch(name not in spec.dropped, 1):
            if spec.norm is NormPlace.PRE:
                self.normed(norm)
            if mlp:
                self.linear(f"{name}.0", "linear", spec.mlp * spec.dim)
                self.same(f"{name}.1", spec.activation.value)
                self.linear(f"{name}.3", "linear", spec.dim)
            else:
                self.linear(f"{layer}.self_attention.in_proj", "linear, q k v", 3 * spec.dim)
                self.field = spec.image if name not in spec.dropped else self.field  # every token sees every other
                self.add(f"{layer}.self_attention", "attention", self.tokens, macs=2 * spec.tokens**2 * spec.dim)
                self.linear(f"{layer}.self_attention.out_proj", "linear", spec.dim)
        self.join(name, source, cut=not spec.has_skip(name))
        if spec.norm is NormPlace.POST:
            self.normed(norm)
