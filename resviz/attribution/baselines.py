"""Pictures without evidence, which a map is measured against."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

__all__ = ["BASELINES", "baseline"]

BASELINES: Final = ("mean", "black", "blur", "noise")


def baseline(x: Tensor, kind: str, black: Tensor | None = None) -> Tensor:
    """One of `BASELINES` for the normalised input `x`: (1, C, H, W); `black` is a black pixel, (1, C, 1, 1)."""
    if kind == "mean":
        return torch.zeros_like(x)
    if kind == "black":
        return torch.zeros_like(x) + (x.amin((0, 2, 3), keepdim=True) if black is None else black)
    if kind == "blur":
        from torchvision.transforms.v2 import functional as v2

        sigma = x.shape[-1] / 16
        blurred: Tensor = v2.gaussian_blur(x, [2 * round(2 * sigma) + 1] * 2, [sigma, sigma])
        return blurred.contiguous(memory_format=torch.channels_last)
    if kind == "noise":
        drawn = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).to(x.device)
        return drawn.contiguous(memory_format=torch.channels_last)
    raise ValueError(f"{kind!r} is no baseline; choose one of {', '.join(BASELINES)}")
