"""Arrays that lie beside a bundled network's checkpoint: linear read-outs of its stages, means of its classes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resviz.guard import door
from resviz.zoo.read import CheckpointError

__all__ = ["Arrays", "read_arrays", "write_arrays"]

Arrays = Mapping[str, NDArray[np.float32]]


def write_arrays(path: Path, arrays: Arrays) -> Path:
    """In 16 bits, compressed."""
    np.savez_compressed(path, **{key: values.astype(np.float16) for key, values in arrays.items()})  # type: ignore[arg-type]
    return path


def read_arrays(path: Path) -> Arrays | str:
    """Every array of the file by its name, or what is wrong with the file; each version of it is read once."""
    if not path.exists():
        return f"assets/checkpoints/{path.name} is missing; copy it from the project again"
    return _read(path, os.stat(path)[6:9])


@lru_cache(maxsize=32)
def _read(path: Path, version: tuple[object, ...]) -> Arrays | str:
    """`version` is the file's size and times."""
    damaged = f"assets/checkpoints/{path.name} is damaged ({{}}); copy it from the project again"
    try:
        with door(CheckpointError, damaged), np.load(path, allow_pickle=False) as file:
            return {key: file[key].astype(np.float32) for key in file.files}
    except CheckpointError as error:
        return str(error)
