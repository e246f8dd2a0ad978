"""How alike are what two layers make of the same pictures?

Linear centred kernel alignment (Kornblith et al. 2019, arXiv 1905.00414): 1 where one is the other turned, mirrored or scaled.
"""

from __future__ import annotations

import torch
from torch import Tensor

from resviz.nets.unit import Net
from resviz.probes.inside import hooked
from resviz.progress import Tick, quiet
from resviz.results import Similarity

__all__ = ["similarity"]

_MOST = 512  # pictures: as many rows has every kernel


@torch.inference_mode()
def similarity(net: Net, images: Tensor, other: Net | None = None, tick: Tick = quiet) -> Similarity:
    """The alignment of what each unit returns with what each one of `other`, or of the same network, does; images: (N, C, H, W).

    Both in eval mode; exact over all pictures together, of which there may be from 3 to 512. Raises ValueError for another number.
    """
    if not 3 <= len(images) <= _MOST:
        raise ValueError(f"similarity compares what layers make of 3 to {_MOST} pictures, got {len(images)}")
    tick(0.0, "one pass through each network")
    rows = _returned(net, images)
    columns = rows if other is None else _returned(other, images)
    tick(0.4, f"{len(rows)} × {len(columns)} layers")
    left = list(rows.values())
    values = _aligned(left, left if other is None else list(columns.values()), len(images))
    return Similarity(tuple(rows), tuple(columns), values.cpu().double().numpy(), len(images))


def _returned(net: Net, images: Tensor) -> dict[str, Tensor]:
    """What each unit returns, (N, features), every feature's mean taken off."""
    if any(module.training for module in net.modules()):
        raise ValueError("layers are compared in eval mode, where no picture depends on the others; call net.eval() first")
    found: dict[str, Tensor] = {}

    def keep(name: str, output: Tensor) -> None:
        flat = output.flatten(1).float()
        found[name] = flat - flat.mean(0)

    with hooked(
        *(unit.register_forward_hook(lambda _unit, _x, output, name=name: keep(name, output)) for name, unit in net.units())
    ):
        net(images.to(next(net.parameters()).device))
    return found


def _aligned(rows: list[Tensor], columns: list[Tensor], count: int) -> Tensor:
    """(rows, columns) of alignments, by the N × N kernels or by products of features, whichever multiplies less."""
    wide, across = ([each.shape[1] for each in layers] for layers in (rows, columns))
    kernels = count**2 * (sum(wide) + sum(across) + len(wide) * len(across))
    features = count * (sum(wide) * sum(across) + sum(n**2 for n in (*wide, *across)))
    if features < kernels:
        lengths = [torch.stack([(each.T @ each).norm() for each in layers]) for layers in (rows, columns)]
        products = torch.stack([torch.stack([(a.T @ b).square().sum() for b in columns]) for a in rows])
    else:
        left = _kernels(rows)
        right = left if columns is rows else _kernels(columns)
        lengths, products = [each.norm(dim=1) for each in (left, right)], left @ right.T
    return products / lengths[0][:, None] / lengths[1]


def _kernels(layers: list[Tensor]) -> Tensor:
    """Every layer's kernel as a row: (layers, N²)."""
    count = len(layers[0])
    found = layers[0].new_empty(
        len(layers), count, count
    )  # written in place: fresh memory for each would take longer than the products
    for each, kernel in zip(layers, found, strict=True):
        torch.mm(each, each.T, out=kernel)
    return found.flatten(1)
