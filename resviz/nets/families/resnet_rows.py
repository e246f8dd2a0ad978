"""Every layer of a ResNet for one image, by arithmetic alone."""

from __future__ import annotations

from resviz.nets.rows import Walk
from resviz.results import LayerTable
from resviz.spec.net import Block, BranchScale, Carry, Init, NetSpec, Norm, Order, Shortcut, Stem

__all__ = ["rows"]

_NORMS = {Norm.BATCH: "batch norm", Norm.GROUP: "group norm"}


def rows(spec: NetSpec, side: int) -> LayerTable:
    """The table for square images of `side` pixels."""
    walk = _Walk(spec, side)
    source = walk.stem()
    for stage, count in enumerate(spec.blocks):
        for i in range(count):
            name = f"layer{stage + 1}.{i}"
            with walk.unit(name, f"layer{stage + 1}"):
                walk.block(name, stage, 2 if stage and not i else 1, source)
            source = name
    if spec.block.order is Order.PREACT:
        walk.normed("norm")
    if spec.block.preact:
        walk.activated("act")
    walk.head(spec.classes)
    return walk.table()


class _Walk(Walk):
    def __init__(self, spec: NetSpec, side: int) -> None:
        super().__init__(spec.in_channels, side)
        self.spec = spec

    def convolved(self, name: str, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        self.conv(name, channels, kernel, stride, groups, bias=self.spec.norm is Norm.NONE)

    def normed(self, name: str) -> None:
        if self.spec.norm is not Norm.NONE:
            self.norm(name, _NORMS[self.spec.norm])

    def activated(self, name: str) -> None:
        self.same(name, self.spec.activation.value)

    def stem(self) -> str:
        """Returns the name of the stem's last layer."""
        spec, imagenet = self.spec, self.spec.stem is Stem.IMAGENET
        if spec.stem is Stem.DEEP:
            self.deep()
        else:
            self.convolved("conv1", spec.width, 7 if imagenet else 3, 2 if imagenet else 1)
        if spec.block.order is not Order.PREACT:
            self.normed("bn1")
        if not spec.block.preact:
            self.activated("relu")
        if spec.stem.photographs:
            self.max_pool("maxpool")
        return self.rows[-1].name

    def deep(self) -> None:
        """ResNet-C's three 3×3."""
        for n, stride in ((0, 2), (3, 1)):
            self.convolved(f"conv1.{n}", self.spec.half_width, 3, stride)
            self.normed(f"conv1.{n + 1}")
            self.activated(f"conv1.{n + 2}")
        self.convolved("conv1.6", self.spec.width, 3)

    def block(self, name: str, stage: int, stride: int, source: str) -> None:
        spec, entered = self.spec, self.here
        with self.branch(name not in spec.dropped, stride):
            self.layers(name, stage, stride)
            self.factors(name, changes=entered[0] != self.shape)
        if spec.residual:
            changes = entered[0] != self.shape
            if spec.shortcut is not Shortcut.A and (changes or spec.shortcut is Shortcut.C):
                channels = self.shape[0]
                with self.skip(entered, live=spec.has_skip(name)):
                    self.projected(f"{name}.downsample", channels, stride)
            elif not changes and spec.block is Block.REP:
                with self.skip(entered, live=spec.has_skip(name)):
                    self.beside(f"{name}.downsample")
            elif not changes and spec.carry is not Carry.IDENTITY:
                gates = spec.has_skip(name) + (spec.carry is Carry.EXCLUSIVE and name not in spec.dropped)  # of F as well
                with self.skip(entered, live=bool(gates)):
                    self.carried(name, gates)
            self.join(name, source, cut=not spec.has_skip(name))
        if spec.block.order is Order.NORM_AFTER:
            self.normed(f"{name}.bn{spec.block.convs}")
        if spec.block.order in (Order.ORIGINAL, Order.NORM_AFTER):
            self.activated(f"{name}.relu{spec.block.convs}")

    def projected(self, name: str, channels: int, stride: int) -> None:
        """A 1×1 of every `stride`-th place, or behind option D's mean."""
        averages = self.spec.shortcut is Shortcut.D
        if averages and stride > 1:
            self.mean_pool(f"{name}.0", keeps=True)
        self.convolved(f"{name}.{0 + averages}", channels, 1, 1 if averages else stride)
        self.normed(f"{name}.{1 + averages}")

    def beside(self, name: str) -> None:
        """RepVGG's two ways past the 3×3."""
        if self.spec.norm is Norm.NONE:
            self.same(f"{name}.norm", "identity")
        self.normed(f"{name}.norm")
        self.convolved(f"{name}.point.0", self.shape[0], 1)
        self.normed(f"{name}.point.1")

    def carried(self, name: str, gates: int) -> None:
        """What stands on a skip that keeps its shape; a gate is computed once for each way that it is on."""
        if self.spec.carry.gates:
            self.conv(f"{name}.gating.conv", self.shape[0], 1, bias=True, calls=gates)
        else:
            self.same(f"{name}.on_skip", "dropout" if self.spec.carry is Carry.DROPOUT else "factor")

    def factors(self, name: str, changes: bool) -> None:
        """What F is multiplied by, in the order of the block's own layers."""
        spec = self.spec
        kinds = ["factor"] * (spec.carry is Carry.HALF and not changes and spec.shortcut is not Shortcut.C)
        kinds += ["factor"] * (spec.scale is BranchScale.DEPTH)
        kinds += ["learned factor"] * (spec.scale is BranchScale.LEARNED or spec.init is Init.FIXUP)
        kinds += ["stochastic depth"] * (spec.survival < 100)
        for n, kind in enumerate(kinds):
            self.add(f"{name}.on_branch.{n}", kind, self.shape, params=int(kind == "learned factor"))

    def layers(self, name: str, stage: int, stride: int) -> None:
        """The branch."""
        spec, order = self.spec, self.spec.block.order
        mid, out = spec.mid_channels(stage), spec.out_channels(stage)
        convs = [(mid, 3, stride, 1), (out, 3, 1, 1)][: spec.block.convs]
        if spec.block.bottleneck:
            convs = [(mid, 1, 1, 1), (mid, 3, stride, spec.groups), (out, 1, 1, 1)]
        for n, conv in enumerate(convs, start=1):
            if order is Order.PREACT:
                self.normed(f"{name}.bn{n}")
            if spec.block.preact:
                self.activated(f"{name}.relu{n}")
            self.convolved(f"{name}.conv{n}", *conv)
            inner = n < len(convs)
            if order is not Order.PREACT and (inner or order is not Order.NORM_AFTER):
                self.normed(f"{name}.bn{n}")
            if not spec.block.preact and (inner or order is Order.RELU_BEFORE):
                self.activated(f"{name}.relu{n}")
