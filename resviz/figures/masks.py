"""Pictures, what they show, and what networks mark in them, side by side as pixels."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["strip"]

_TIMES: Final = 4  # a pixel's own side
_BETWEEN: Final = 1  # pixels between two pictures


def strip(values: NDArray[np.float32] | NDArray[np.bool_] | NDArray[np.uint8]) -> Image.Image:
    """Pictures (N, side, side) in a row, with nothing between them: chances and masks from black for 0 to white for 1, bytes as they are."""
    grey = values if values.dtype == np.uint8 else np.rint(255 * values.astype(np.float32)).astype(np.uint8)
    side = grey.shape[-1]
    row = np.zeros((side, len(grey), side + _BETWEEN, 2), np.uint8)
    row[:, :, :side, 0] = grey.transpose(1, 0, 2)
    row[:, :, :side, 1] = 255
    flat = row.reshape(side, -1, 2)[:, :-_BETWEEN]
    return Image.fromarray(flat.repeat(_TIMES, 0).repeat(_TIMES, 1))
