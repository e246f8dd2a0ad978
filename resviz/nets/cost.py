"""What a network costs: every layer's shapes, parameters, multiply-accumulates and memory, by arithmetic alone."""

from __future__ import annotations

import os
from functools import lru_cache

from resviz.machine import memory
from resviz.results import LayerRow, LayerTable
from resviz.spec.net import NetSpec, Norm, Shortcut, SpecError, Stem

__all__ = ["check_memory", "layer_table", "memory_limit", "memory_need"]

Shape = tuple[int, ...]


class _Walk:
    """Appends rows while it keeps the signal's shape, its receptive field and the distance between neighbours."""

    def __init__(self, spec: NetSpec, side: int) -> None:
        self.spec = spec
        self.rows: list[LayerRow] = []
        self.shape: Shape = (spec.in_channels, side, side)
        self.field, self.jump = 1, 1
        self.live = True  # False inside a dropped branch, which is not computed

    def add(self, name: str, kind: str, out: Shape, params: int = 0, macs: int = 0, **more: object) -> None:
        size = out[0]
        for n in out[1:]:
            size *= n
        memory = 4 * size if self.live else 0
        self.rows.append(
            LayerRow(name, kind, self.shape, out, params, macs if self.live else 0, memory, self.field, **more)  # type: ignore[arg-type]
        )
        self.shape = out

    def conv(self, name: str, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        inside, height, width = self.shape
        high, wide = (height - 1) // stride + 1, (width - 1) // stride + 1
        weights = channels * (inside // groups) * kernel * kernel
        self.field += (kernel - 1) * self.jump
        self.jump *= stride
        bias = channels if self.spec.norm is Norm.NONE else 0
        kind = f"conv {kernel}×{kernel}" + (f", {groups} groups" if groups > 1 else "")
        self.add(name, kind, (channels, high, wide), weights + bias, weights * high * wide)

    def norm(self, name: str) -> None:
        if self.spec.norm is not Norm.NONE:
            kind = "batch norm" if self.spec.norm is Norm.BATCH else "group norm"
            self.add(name, kind, self.shape, 2 * self.shape[0])

    def act(self, name: str) -> None:
        self.add(name, self.spec.activation.value, self.shape)


@lru_cache(maxsize=64)
def layer_table(spec: NetSpec, image_size: int = 224) -> LayerTable:
    """Every layer in forward order for square images of `image_size` pixels.

    A block's own row is its addition (kind "add"): `skip_from` names the layer its skip starts at, `cut` tells that the
    skip does not arrive. A cut projection keeps its parameters but costs no MACs, and so does a dropped branch.
    Published totals count the same: convolutions and the classifier make MACs, everything trainable makes params.
    """
    if not 1 <= image_size <= 4096:
        raise SpecError(f"image_size must be from 1 to 4096 pixels, got {image_size}; try 224")
    walk = _Walk(spec, image_size)
    source = _stem(walk)
    for stage, count in enumerate(spec.blocks):
        for i in range(count):
            _block(walk, f"layer{stage + 1}.{i}", stage, 2 if stage and not i else 1, source)
            source = f"layer{stage + 1}.{i}"
    if spec.block.preact:
        walk.norm("norm")
        walk.act("act")
    channels, height, width = walk.shape
    walk.field += (max(height, width) - 1) * walk.jump
    walk.add("avgpool", "average pool", (channels, 1, 1))
    walk.add("fc", "linear", (spec.classes,), (channels + 1) * spec.classes, channels * spec.classes)
    rows = tuple(walk.rows)
    return LayerTable(rows, sum(r.params for r in rows), sum(r.macs for r in rows), sum(r.memory for r in rows))


def _stem(walk: _Walk) -> str:
    spec, imagenet = walk.spec, walk.spec.stem is Stem.IMAGENET
    walk.conv("conv1", spec.width, 7 if imagenet else 3, 2 if imagenet else 1)
    if not spec.block.preact:
        walk.norm("bn1")
        walk.act("relu")
    if imagenet:
        channels, height, width = walk.shape
        walk.field += 2 * walk.jump
        walk.jump *= 2
        walk.add("maxpool", "max pool 3×3", (channels, (height - 1) // 2 + 1, (width - 1) // 2 + 1))
    return walk.rows[-1].name


def _block(walk: _Walk, name: str, stage: int, stride: int, source: str) -> None:
    spec = walk.spec
    entered, field, jump = walk.shape, walk.field, walk.jump
    walk.live = name not in spec.dropped
    _branch(walk, name, stage, stride)
    left, skip = walk.shape, spec.has_skip(name)
    if not walk.live:
        walk.field, walk.jump = field, jump * stride
    walk.live = True
    if not spec.residual:
        if not spec.block.preact:
            walk.act(f"{name}.relu{spec.block.convs}")
        return
    changes = entered != left
    if spec.shortcut is not Shortcut.A and (changes or spec.shortcut is Shortcut.C):
        walk.shape, walk.live = entered, skip
        inner_field, inner_jump = walk.field, walk.jump
        walk.field, walk.jump = field, jump
        walk.conv(f"{name}.downsample.0", left[0], 1, stride)
        walk.norm(f"{name}.downsample.1")
        walk.field, walk.jump, walk.live = inner_field, inner_jump, True
    walk.shape = left
    walk.add(name, "add", left, skip_from=source, cut=not skip)
    if not spec.block.preact:
        walk.act(f"{name}.relu{spec.block.convs}")


def _branch(walk: _Walk, name: str, stage: int, stride: int) -> None:
    spec = walk.spec
    mid, out = spec.mid_channels(stage), spec.out_channels(stage)
    convs = [(mid, 3, stride, 1), (out, 3, 1, 1)]
    if spec.block.bottleneck:
        convs = [(mid, 1, 1, 1), (mid, 3, stride, spec.groups), (out, 1, 1, 1)]
    for n, conv in enumerate(convs, start=1):
        if spec.block.preact:
            walk.norm(f"{name}.bn{n}")
            walk.act(f"{name}.relu{n}")
        walk.conv(f"{name}.conv{n}", *conv)
        if not spec.block.preact:
            walk.norm(f"{name}.bn{n}")
            if n < len(convs):
                walk.act(f"{name}.relu{n}")


def memory_need(spec: NetSpec, image_size: int, batch: int, training: bool = True) -> int:
    """Bytes that one pass takes at the most: weights, and with `training` their gradients and every activation twice."""
    table = layer_table(spec, image_size)
    if training:
        return 4 * table.params * 2 + table.memory * batch * 2
    return 4 * table.params + 3 * batch * max(row.memory for row in table.rows)


def memory_limit() -> int:
    """Bytes one computation may take: RESVIZ_MEMORY_GB, or half of what this machine or its container has."""
    if given := os.environ.get("RESVIZ_MEMORY_GB"):
        return int(float(given) * 2**30)
    return memory() // 2


def check_memory(spec: NetSpec, image_size: int, batch: int, training: bool = True) -> None:
    """Refuse beforehand what would not fit, or could not train; raises `SpecError` with the need, the limit and the remedy."""
    if training:
        _check_batch(spec, image_size, batch)
    need, limit = memory_need(spec, image_size, batch, training), memory_limit()
    if need > limit:
        raise SpecError(
            f"this network needs about {need / 2**30:.1f} GiB for {batch} images of {image_size} px and the limit is "
            f"{limit / 2**30:.1f} GiB; lower the depth, the width, the image size or the batch"
        )


def _check_batch(spec: NetSpec, image_size: int, batch: int) -> None:
    """Refuse a training pass in which a batch norm has one value a channel, whose variance is none; raises `SpecError`."""
    smallest = min(
        (row for row in layer_table(spec, image_size).rows if row.kind == "batch norm"),
        key=lambda row: row.out_shape[1],
        default=None,
    )
    if smallest is not None and batch * smallest.out_shape[1] * smallest.out_shape[2] == 1:
        raise SpecError(
            f"one image of {image_size} px leaves {smallest.name} a single value in each channel, too few for a batch norm; use a batch of 2 or a larger image"
        )
