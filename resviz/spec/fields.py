"""What a spec's field says of itself, once: how a link writes and reads it, how a description words it, what its widget shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from typing import Any

__all__ = ["Field", "choice", "counts", "fields_of", "flag", "names", "number"]


@dataclass(frozen=True)
class Field:
    """`read` raises ValueError or KeyError for a text that is none; `says` is this field's part of a description, or nothing."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]
    label: str = ""
    help: str = ""
    says: Callable[[Any], str] | None = None  # of the whole spec
    choices: tuple[StrEnum, ...] = ()
    low: int = 0
    high: int = 0
    step: int = 1


def fields_of(kind: type) -> Mapping[str, Field]:
    """The fields of a spec's class by name, in order; what a link cannot hold is not among them."""
    return _fields_of(kind)


@cache
def _fields_of(kind: type) -> Mapping[str, Field]:
    return {each.name: each.metadata["field"] for each in fields(kind) if "field" in each.metadata}


def choice(kind: type[StrEnum], label: str, help: str, says: Callable[[Any], str] | None = None) -> Mapping[str, Field]:
    """Metadata of a field that holds one of an enum's members."""
    return {"field": Field(kind, str, label, help, says, choices=tuple(kind))}


def number(
    low: int, high: int, label: str, help: str, step: int = 1, says: Callable[[Any], str] | None = None
) -> Mapping[str, Field]:
    """Metadata of a whole number from `low` to `high`."""
    return {"field": Field(_whole, str, label, help, says, low=low, high=high, step=step)}


def flag() -> Mapping[str, Field]:
    """Metadata of yes or no: 1 or 0."""
    return {"field": Field(lambda text: {"1": True, "0": False}[text], lambda on: "1" if on else "0")}


def counts() -> Mapping[str, Field]:
    """Metadata of whole numbers: 3-4-6-3."""
    return {"field": Field(lambda text: tuple(map(_whole, text.split("-"))), lambda each: "-".join(map(str, each)))}


def names(says: Callable[[Any], str]) -> Mapping[str, Field]:
    """Metadata of block names, without the `layer` that all begin with: 1.0,2.3."""
    return {"field": Field(_names, _in_order, says=says)}


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII):
        raise ValueError("a whole number")
    return int(text)


_BLOCK_NAME = re.compile(r"layer([1-9]\d*)\.(0|[1-9]\d*)")


def _names(text: str) -> frozenset[str]:
    found = frozenset(f"layer{part}" for part in text.split(",") if part)
    if len(found) > 512 or any(not _BLOCK_NAME.fullmatch(name) for name in found):
        raise ValueError("block names look like 1.0,2.3")
    return found


def _in_order(names: frozenset[str]) -> str:
    keyed = sorted(tuple(int(part) for part in name.removeprefix("layer").split(".")) for name in names)
    return ",".join(f"{stage}.{index}" for stage, index in keyed)
