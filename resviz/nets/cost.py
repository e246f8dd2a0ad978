"""What a network costs: every layer's shapes, parameters, multiply-accumulates and memory, by arithmetic alone."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from resviz.machine import memory, variable
from resviz.nets.families import family_of
from resviz.results import LayerTable
from resviz.spec.base import Spec
from resviz.spec.net import SpecError

__all__ = ["check_memory", "layer_table", "memory_limit", "memory_need"]


_LARGEST: Final = 4096  # pixels


@lru_cache(maxsize=64)
def layer_table(spec: Spec, image_size: int = 224) -> LayerTable:
    """Every layer in forward order for square images of `image_size` pixels.

    A block's own row is where branch and skip join (kind "add"): `skip_from` names the layer its skip starts at, `cut` tells that the
    skip does not arrive. A cut projection keeps its parameters but costs no MACs, and so does a dropped branch.
    Published totals count the same: convolutions and the classifier make MACs, everything trainable makes params. Raises `SpecError`
    for images of which some layer would leave nothing.
    """
    if not 1 <= image_size <= _LARGEST:
        raise SpecError(f"image_size must be from 1 to {_LARGEST} pixels, got {image_size}; try 224")
    table = _rows(spec, image_size)
    if (gone := next((row for row in table.rows if 0 in row.out_shape), None)) is not None:
        enough = next(
            side for side in range(image_size, _LARGEST + 1) if all(0 not in row.out_shape for row in _rows(spec, side).rows)
        )
        raise SpecError(
            f"images of {image_size} px are too small: {gone.name} would leave nothing of them; take {enough} px or more, or fewer stages"
        )
    return table


def _rows(spec: Spec, image_size: int) -> LayerTable:
    return family_of(spec).rows(spec, image_size)


def memory_need(spec: Spec, image_size: int, batch: int, training: bool = True) -> int:
    """Bytes that one pass takes at the most: weights, and with `training` their gradients and every activation twice."""
    table = layer_table(spec, image_size)
    if training:
        return 4 * table.params * 2 + table.memory * batch * 2
    return 4 * table.params + 3 * batch * max(row.memory for row in table.rows)


def memory_limit() -> int:
    """Bytes one computation may take: RESVIZ_MEMORY_GB, or half of what this machine or its container has; raises `ValueError` where that is no number."""
    given = variable("RESVIZ_MEMORY_GB")
    return memory() // 2 if given is None else int(given * 2**30)


def check_memory(spec: Spec, image_size: int, batch: int, training: bool = True) -> None:
    """Refuse beforehand what would not fit, or could not train; raises `SpecError` with the need, the limit and the remedy."""
    if training:
        _check_batch(spec, image_size, batch)
    need, limit = memory_need(spec, image_size, batch, training), memory_limit()
    if need > limit:
        raise SpecError(
            f"this network needs about {need / 2**30:.1f} GiB for {batch} images of {image_size} px and the limit is "
            f"{limit / 2**30:.1f} GiB; lower the depth, the width, the image size or the batch"
        )


def _check_batch(spec: Spec, image_size: int, batch: int) -> None:
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
