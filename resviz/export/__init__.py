"""What leaves: a network in forms that need no ResViz, each a writer in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from resviz.export.code import code
from resviz.spec.families import Network

__all__ = ["WRITERS", "Writer"]


@dataclass(frozen=True)
class Writer:
    """One form: what it is in words, the endings of its files, and what makes a file's bytes of a spec; text may be printed too."""

    says: str
    endings: tuple[str, ...]
    write: Callable[[Network], bytes]
    text: bool = False


WRITERS: Final[Mapping[str, Writer]] = {
    "code": Writer(
        "one file of PyTorch that draws the same weights", (".py",), lambda spec: code(spec).encode("utf-8"), text=True
    ),
}
