"""Every layer of a U-Net for one image, by arithmetic alone."""

from __future__ import annotations

from resviz.nets.rows import Shape, Walk
from resviz.results import LayerTable
from resviz.spec.choices import Norm, Span
from resviz.spec.unet import UNetSpec

__all__ = ["rows"]

_NORMS = {Norm.BATCH: "batch norm", Norm.GROUP: "group norm"}


def rows(spec: UNetSpec, side: int) -> LayerTable:
    """The table for square images of `side` pixels; raises `SpecError` for one that cannot be halved as often."""
    spec.check_side(side)
    walk, made = _Walk(spec, side), []
    for level in range(spec.levels + 1):
        if level:
            walk.halve(f"pool{level}")
        for name in spec.down(level):
            walk.block(name, spec.channels(level))
        made.append((walk.rows[-1].name, walk.shape))
    for level in reversed(range(spec.levels)):
        across, *blocks = spec.up(level)
        walk.up(across, *made[level])
        for name in blocks:
            walk.block(name, spec.channels(level))
    walk.conv(spec.classifier, spec.classes, 1, bias=True)
    return walk.table()


class _Walk(Walk):
    def __init__(self, spec: UNetSpec, side: int) -> None:
        super().__init__(spec.in_channels, side)
        self.spec = spec

    def convolved(self, conv: str, norm: str, channels: int) -> None:
        """A 3×3 convolution and its norm."""
        self.conv(conv, channels, 3, bias=self.spec.norm is Norm.NONE)
        if self.spec.norm is not Norm.NONE:
            self.norm(norm, _NORMS[self.spec.norm])

    def up(self, name: str, source: str, beside: Shape) -> None:
        """What comes from below is doubled, and what was made on the way down is put beside it."""
        stage = name.split(".")[0]
        with self.unit(name, stage):
            with self.branch(True, 1):
                self.double(f"{stage}.up", beside[0])
            self.join(name, source, cut=not self.spec.has_skip(name), beside=beside[0], across=True)

    def block(self, name: str, channels: int) -> None:
        """Two convolutions, and where what they make is added."""
        entered, source = self.here, self.rows[-1].name if self.rows else "image"
        with self.unit(name, name.split(".")[0]):
            with self.branch(name not in self.spec.dropped, 1):
                self.convolved(f"{name}.conv1", f"{name}.norm1", channels)
                self.same(f"{name}.relu1", self.spec.activation.value)
                self.convolved(f"{name}.conv2", f"{name}.norm2", channels)
            if self.spec.residual and self.spec.span is not Span.LONG:
                has = self.spec.has_skip(name)
                if entered[0][0] != channels:
                    with self.skip(entered, live=has):
                        self.conv(f"{name}.downsample", channels, 1, bias=self.spec.norm is Norm.NONE)
                self.join(name, source, cut=not has)
            self.same(f"{name}.relu2", self.spec.activation.value)
