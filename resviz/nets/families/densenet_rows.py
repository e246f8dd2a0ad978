"""Every layer of a DenseNet for one image, by arithmetic alone."""

from __future__ import annotations

from resviz.nets.rows import Walk
from resviz.results import LayerTable, Source
from resviz.spec.choices import Norm, Stem
from resviz.spec.dense import DenseSpec

__all__ = ["rows"]

_NORMS = {Norm.BATCH: "batch norm", Norm.GROUP: "group norm"}


def rows(spec: DenseSpec, side: int) -> LayerTable:
    """The table for square images of `side` pixels."""
    walk = _Walk(spec, side)
    walk.stem()
    for number, count in enumerate(spec.blocks, start=1):
        if number > 1:
            walk.transition(f"features.transition{number - 1}", spec.entering[number - 1])
        for n in range(1, count + 1):
            name, source = f"features.denseblock{number}.denselayer{n}", walk.rows[-1].name
            with walk.unit(name, f"denseblock{number}"):
                walk.layer(name, source)
    walk.normed("features.norm5")
    walk.same("act", spec.activation.value)
    walk.head(spec.classes, spec.classifier)
    return walk.table()


class _Walk(Walk):
    def __init__(self, spec: DenseSpec, side: int) -> None:
        super().__init__(spec.in_channels, side)
        self.spec = spec

    def convolved(self, name: str, channels: int, kernel: int, stride: int = 1) -> None:
        self.conv(name, channels, kernel, stride, bias=self.spec.norm is Norm.NONE)

    def normed(self, name: str) -> None:
        if self.spec.norm is not Norm.NONE:
            self.norm(name, _NORMS[self.spec.norm])

    def stem(self) -> None:
        spec, imagenet = self.spec, self.spec.stem is Stem.IMAGENET
        self.convolved("features.conv0", spec.width, 7 if imagenet else 3, 2 if imagenet else 1)
        if imagenet:
            self.normed("features.norm0")
            self.same("features.relu0", spec.activation.value)
            self.max_pool("features.pool0")

    def layer(self, name: str, source: str) -> None:
        """One layer, and where what it makes is put beside what it read."""
        spec, beside = self.spec, self.shape[0]
        read = enumerate(spec.sources(name))
        sources = tuple(Source(made, channels, (name, n) in spec.severed) for n, (made, channels) in read)
        with self.branch(name not in spec.dropped, 1, sources):
            self.normed(f"{name}.norm1")
            self.same(f"{name}.relu1", spec.activation.value)
            if spec.bottleneck:
                self.convolved(f"{name}.conv1", spec.bottleneck * spec.growth, 1)
                self.normed(f"{name}.norm2")
                self.same(f"{name}.relu2", spec.activation.value)
                self.convolved(f"{name}.conv2", spec.growth, 3)
            else:
                self.convolved(f"{name}.conv1", spec.growth, 3)
        self.join(name, source, cut=not spec.has_skip(name), beside=beside)

    def transition(self, name: str, channels: int) -> None:
        self.normed(f"{name}.norm")
        self.same(f"{name}.relu", self.spec.activation.value)
        self.convolved(f"{name}.conv", channels, 1)
        self.mean_pool(f"{name}.pool")
