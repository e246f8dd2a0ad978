"""What networks make of the plane, for the page's own view."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from resviz.figures.theme import number
from resviz.results import PlaneMap

__all__ = ["plane_data"]


def plane_data(maps: Sequence[PlaneMap]) -> dict[str, object]:
    """JSON-able: every map as bytes. 128 is neither class, or a unit's 0; 1 and 255 are certainty, or a unit's own largest size."""
    return {
        "step": maps[0].step,
        "layer": maps[0].layer,
        "points": [
            [round(float(x), 2), round(float(y), 2), int(label)]
            for (x, y), label in zip(maps[0].held_out, maps[0].labels, strict=True)
        ],
        "contenders": [
            {
                "label": each.label,
                "said": f"held-out loss {number(each.loss)}, {each.right:.0f} % right",
                "map": _bytes(2 * each.chance - 1),
                "side": each.chance.shape[0],
                "units": [_bytes(unit / _size(unit)) for unit in each.units],
                "small": each.units.shape[-1],
            }
            for each in maps
        ],
    }


def _size(unit: NDArray[np.float32]) -> float:
    """A unit's largest finite value, whatever its sign; 1 where there is none."""
    return float(np.abs(np.nan_to_num(unit, posinf=0, neginf=0)).max()) or 1.0


def _bytes(signed: NDArray[np.float32]) -> str:
    """From −1 to 1 as base64; what is no number is 0."""
    held = np.clip(np.nan_to_num(signed, nan=0.0), -1, 1)
    return base64.b64encode(np.rint(128 + 127 * held).astype(np.uint8).tobytes()).decode()
