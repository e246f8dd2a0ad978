"""Every layer of an MLP for one point, by arithmetic alone."""

from __future__ import annotations

from resviz.nets.rows import Walk
from resviz.results import LayerTable
from resviz.spec.choices import Norm
from resviz.spec.plane import PlaneSpec

__all__ = ["rows"]

_NORMS = {Norm.BATCH: "batch norm", Norm.GROUP: "group norm"}


def rows(spec: PlaneSpec, side: int) -> LayerTable:
    """The table for one point, which has no sides: `side` is what other families are asked."""
    walk = _Walk(spec)
    walk.add("points", "features", (len(spec.features), 1, 1))
    walk.linear("conv1")
    for name in spec.block_names():
        with walk.unit(name, "layer1"):
            walk.block(name, walk.rows[-1].name)
    walk.activated("norm", "act")
    walk.head(spec.classes, spec.classifier)
    return walk.table()


class _Walk(Walk):
    def __init__(self, spec: PlaneSpec) -> None:
        super().__init__(spec.in_channels, 1)
        self.spec = spec

    def linear(self, name: str) -> None:
        """A fully connected layer."""
        inputs, width = self.shape[0], self.spec.width
        bias = width if self.spec.norm is Norm.NONE else 0
        self.add(name, "linear", (width, 1, 1), inputs * width + bias, inputs * width)

    def activated(self, norm: str, act: str) -> None:
        """Norm and activation."""
        if self.spec.norm is not Norm.NONE:
            self.norm(norm, _NORMS[self.spec.norm])
        self.same(act, self.spec.activation.value)

    def block(self, name: str, source: str) -> None:
        """Two layers, and where what they make is added."""
        with self.branch(name not in self.spec.dropped, 1):
            for n in (1, 2):
                self.activated(f"{name}.norm{n}", f"{name}.relu{n}")
                self.linear(f"{name}.conv{n}")
        if self.spec.residual:
            self.join(name, source, cut=not self.spec.has_skip(name))
