"""What the end of each earlier stage already tells: linear read-outs beside a bundled network's own head."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resviz.zoo.arrays import Arrays, read_arrays, write_arrays
from resviz.zoo.bundled import CHECKPOINTS, bundled_names, card

__all__ = ["LinearReadout", "readouts_of", "readouts_problems", "write_readouts"]

# weights (classes, channels) and biases (classes,), for what a unit returns, averaged over places
LinearReadout = tuple[NDArray[np.float32], NDArray[np.float32]]


def write_readouts(name: str, readouts: Mapping[str, LinearReadout], folder: Path = CHECKPOINTS) -> Path:
    """Beside the network's checkpoint, in 16 bits."""
    parts = {
        f"{unit}.{what}": part for unit, pair in readouts.items() for what, part in zip(("weight", "bias"), pair, strict=True)
    }
    return write_arrays(folder / f"{name}.readouts.npz", parts)


def readouts_of(name: str) -> Mapping[str, LinearReadout]:
    """A bundled network's, by unit in forward order; none where none were fitted or their file is damaged."""
    found = _known(name)
    if isinstance(found, str):
        return {}
    units = [key.removesuffix(".weight") for key in found if key.endswith(".weight")]
    return {unit: (found[f"{unit}.weight"], found[f"{unit}.bias"]) for unit in units}


def readouts_problems() -> tuple[str, ...]:
    """What is missing or damaged, a sentence each."""
    return tuple(found for name in bundled_names() if isinstance(found := _known(name), str))


def _known(name: str) -> Arrays | str:
    """A network's read-outs, or what is wrong with their file."""
    return read_arrays(CHECKPOINTS / f"{name}.readouts.npz") if "readouts" in card(name) else {}
