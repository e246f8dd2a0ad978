"""Checkpoints of runs that are not over: written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch

from resviz.guard import door

__all__ = ["write_checkpoint"]


def write_checkpoint(path: Path, state: Mapping[str, object]) -> None:
    """In place of what was there, once it is whole. Raises ValueError where it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with door(ValueError, f"{path} cannot be written ({{}}); make room there or name another --out"):
            torch.save(state, part)
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
