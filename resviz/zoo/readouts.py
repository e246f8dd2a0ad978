"""What the end of each earlier stage already tells: linear read-outs beside a bundled network's own head."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resviz.guard import door
from resviz.zoo.bundled import CHECKPOINTS, bundled_names, card
from resviz.zoo.read import CheckpointError

__all__ = ["LinearReadout", "readouts_of", "readouts_problems", "write_readouts"]

# weights (classes, channels) and biases (classes,), for what a unit returns, averaged over places
LinearReadout = tuple[NDArray[np.float32], NDArray[np.float32]]


def write_readouts(name: str, readouts: Mapping[str, LinearReadout], folder: Path = CHECKPOINTS) -> Path:
    """Beside the network's checkpoint, in 16 bits."""
    path = folder / f"{name}.readouts.npz"
    arrays = {
        f"{unit}.{what}": part for unit, pair in readouts.items() for what, part in zip(("weight", "bias"), pair, strict=True)
    }
    np.savez_compressed(path, **{key: values.astype(np.float16) for key, values in arrays.items()})  # type: ignore[arg-type]
    return path


def readouts_of(name: str) -> Mapping[str, LinearReadout]:
    """A bundled network's, by unit in forward order; none where none were fitted or their file is damaged."""
    found = _known(name)
    return {} if isinstance(found, str) else found


def readouts_problems() -> tuple[str, ...]:
    """What is missing or damaged, a sentence each."""
    return tuple(found for name in bundled_names() if isinstance(found := _known(name), str))


def _known(name: str) -> Mapping[str, LinearReadout] | str:
    """A network's read-outs, or what is wrong with their file."""
    path = CHECKPOINTS / f"{name}.readouts.npz"
    if not path.exists():
        return f"assets/checkpoints/{path.name} is missing; copy it from the project again" if "readouts" in card(name) else {}
    return _looked_at(path, os.stat(path)[6:9])


@lru_cache(maxsize=32)
def _looked_at(path: Path, version: tuple[object, ...]) -> Mapping[str, LinearReadout] | str:
    """`version` is the file's size and times, so that each version is read once."""
    damaged = f"assets/checkpoints/{path.name} is damaged ({{}}); copy it from the project again"
    try:
        with door(CheckpointError, damaged), np.load(path, allow_pickle=False) as file:
            units = [key.removesuffix(".weight") for key in file.files if key.endswith(".weight")]
            return {unit: (file[f"{unit}.weight"].astype(np.float32), file[f"{unit}.bias"].astype(np.float32)) for unit in units}
    except CheckpointError as error:
        return str(error)
