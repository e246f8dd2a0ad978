"""The first figure of each page as it was measured, to be shown before PyTorch is there to measure it again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from resviz.place import asset
from resviz.results import (
    Attribution,
    BlockSignal,
    GradientProfile,
    LabRecord,
    LabTrack,
    Landscape,
    Prediction,
    Probe,
    RaceRecord,
    Stage,
)
from resviz.spec.lab import LabPlan, plan_from_query, plan_to_query

__all__ = ["FIRST", "First", "first_names", "read_first", "write_first"]

FIRST: Final = asset("first")
_KINDS: Final[Mapping[str, Callable[..., object]]] = {
    kind.__name__: kind
    for kind in (Attribution, BlockSignal, GradientProfile, LabRecord, LabTrack, Landscape, Prediction, Probe, RaceRecord, Stage)
}


@dataclass(frozen=True)
class First:
    """What a page opens with, by name, and the card that says where and when it was measured."""

    values: Mapping[str, Any]
    card: Mapping[str, object]


def first_names() -> tuple[str, ...]:
    """The pages that have one."""
    return tuple(sorted(path.stem for path in FIRST.glob("*.npz")))


def write_first(name: str, first: First, folder: Path = FIRST) -> Path:
    """Write FOLDER/NAME.npz: the results' arrays, and in the entry `about` the rest as JSON."""
    arrays: dict[str, np.ndarray] = {}
    about = json.dumps({"card": dict(first.card), "values": _packed(dict(first.values), arrays)}, ensure_ascii=False)
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, about=np.array(about), **arrays)  # type: ignore[arg-type]
    path = folder / f"{name}.npz"
    path.write_bytes(buffer.getvalue())
    return path


def read_first(name: str) -> First:
    """Raises ValueError where the file is missing or damaged."""
    path = FIRST / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as held:
            about = json.loads(str(held["about"]))
            return First(_unpacked(about["values"], held), about["card"])
    except Exception as error:  # numpy, zip and JSON each have their own
        raise ValueError(f"{path.name} cannot be read ({type(error).__name__}); get that file of the project again") from error


def _packed(value: object, arrays: dict[str, np.ndarray]) -> object:
    """A value as JSON, its arrays put aside."""
    if isinstance(value, LabPlan):
        return {"plan": plan_to_query(value)}
    if is_dataclass(value):
        own = {field.name: _packed(getattr(value, field.name), arrays) for field in fields(value)}
        return {"kind": type(value).__name__, "fields": own}
    if isinstance(value, np.ndarray):
        arrays[key := f"array{len(arrays)}"] = value
        return {"array": key}
    if isinstance(value, Mapping):
        return {"mapping": {key: _packed(item, arrays) for key, item in value.items()}}
    if isinstance(value, tuple):
        return {"tuple": [_packed(item, arrays) for item in value]}
    return value.item() if isinstance(value, np.generic) else value


def _unpacked(value: object, arrays: Mapping[str, np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    ((what, held),) = [(key, item) for key, item in value.items() if key != "fields"]
    if what == "array":
        return arrays[held]
    if what == "plan":
        return plan_from_query(held)[0]
    if what == "mapping":
        return {key: _unpacked(item, arrays) for key, item in held.items()}
    if what == "tuple":
        return tuple(_unpacked(item, arrays) for item in held)
    return _KINDS[held](**{name: _unpacked(item, arrays) for name, item in value["fields"].items()})
