"""Somebody's own networks by name: checkpoints with their cards, in memory, or in a folder that outlives the process."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from resviz.guard import door, quoted
from resviz.progress import Tick, quiet
from resviz.zoo.checkpoint import load, plain_name
from resviz.zoo.classifier import Classifier
from resviz.zoo.read import contents

__all__ = ["CAPACITY", "Shelf", "ShelfError", "home"]

CAPACITY: Final = 400 * 2**20  # bytes of all networks together
_MOST: Final = 30  # networks
_ENDING: Final = ".safetensors"


class ShelfError(ValueError):
    """A network that cannot be put there, found or renamed; the message says why and what to do."""


def home() -> Path | None:
    """Where networks are kept beyond the process: RESVIZ_HOME/networks; None where that is not set."""
    return Path(named).expanduser() / "networks" if (named := os.environ.get("RESVIZ_HOME")) else None


class Shelf:
    """Networks by name, the newest last. With a `folder` each is a file there, written whole or not at all."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._held: dict[str, bytes] = {}
        self._marks: dict[str, str] = {}  # of what is held: equal for equal bytes alone, whoever's they are
        self._loaded: dict[str, tuple[object, Classifier]] = {}  # the last one asked
        self._cards: dict[str, tuple[object, Mapping[str, object], bool]] = {}  # of which file, card, whether it was recorded

    def names(self) -> tuple[str, ...]:
        """In the order they were put there."""
        if self.folder is None:
            return tuple(self._held)
        files = self.folder.glob(f"*{_ENDING}") if self.folder.is_dir() else ()
        return tuple(
            file.name.removesuffix(_ENDING) for file in sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name))
        )

    def put(self, name: str, data: bytes, tick: Tick = quiet) -> str:
        """A checkpoint file under a name of its own, which is returned. Raises ShelfError; CheckpointError where it is no network."""
        load(data, f"{name}{_ENDING}", tick=tick)
        there = self.names()
        held = sum(len(self.data(other)) for other in there) if self.folder is None else self._on_disk()
        if len(there) >= _MOST or held + len(data) > CAPACITY:
            raise ShelfError(
                f"the shelf holds {len(there)} networks and {held / 2**20:.0f} MB, and {quoted(name)} would go beyond {_MOST} or "
                f"{CAPACITY >> 20} MB; delete one first"
            )
        own = _free(name, there)
        self._write(own, data)
        return own

    def data(self, name: str) -> bytes:
        """The checkpoint file, its card inside. Raises ShelfError."""
        if name not in self.names():
            raise ShelfError(f"there is no network {quoted(name)} on the shelf; it may have been deleted")
        if self.folder is None:
            return self._held[name]
        with door(ShelfError, f"{quoted(name)} cannot be read ({{}}); delete it and put it there again"):
            return self._file(name).read_bytes()

    def card(self, name: str) -> Mapping[str, object]:
        """What its file says of it, read once while it is the same file; empty where it says nothing."""
        return self._said(name)[1]

    def recorded(self, name: str) -> bool:
        """Whether its file says how it was trained."""
        return self._said(name)[2]

    def _said(self, name: str) -> tuple[object, Mapping[str, object], bool]:
        version = self._version(name)
        if self._cards.get(name, (None,))[0] != version:
            card, recorded = {}, False
            with suppress(ValueError):
                held = contents(self.data(name), name)
                recorded = bool(held.recording)
                card = json.loads(held.metadata.get("card", "{}"))
            self._cards[name] = version, card if isinstance(card, dict) else {}, recorded
        return self._cards[name]

    def recording(self, name: str) -> bytes:
        """How it was trained, as a Parquet file that the page Recordings opens; empty where its file has none. Raises ShelfError."""
        return contents(self.data(name), name).recording

    def load(self, name: str) -> Classifier:
        """The network, read once while it is the one that is asked. Raises ShelfError, and CheckpointError for a damaged file."""
        version = self._version(name)
        if self._loaded.get(name, (None,))[0] != version:
            self._loaded = {name: (version, load(self.data(name), f"{name}{_ENDING}"))}
        return self._loaded[name][1]

    def key(self, name: str) -> str:
        """What tells this network's file from every other one."""
        return f"shelf {name} {self._version(name)}"

    def rename(self, name: str, other: str) -> str:
        """Under another name, which is returned. Raises ShelfError."""
        own, data = plain_name(other), self.data(name)
        if own == name:
            return name
        own = _free(own, self.names())
        self._write(own, data)
        self.delete(name)
        return own

    def delete(self, name: str) -> None:
        """Away with it; nothing happens where it is not there."""
        self._loaded.pop(name, None)
        self._cards.pop(name, None)
        self._held.pop(name, None)
        self._marks.pop(name, None)
        if self.folder is not None and name in self.names():
            self._file(name).unlink(missing_ok=True)

    def _version(self, name: str) -> object:
        if self.folder is None:
            return self._marks.get(name, "")
        return self._file(name).stat().st_mtime_ns if name in self.names() else 0

    def _file(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{name}{_ENDING}"

    def _on_disk(self) -> int:
        return sum(self._file(name).stat().st_size for name in self.names())

    def _write(self, name: str, data: bytes) -> None:
        if self.folder is None:
            self._held[name], self._marks[name] = data, hashlib.blake2b(data, digest_size=16).hexdigest()
            return
        with door(
            ShelfError, f"{quoted(name)} cannot be written to {self.folder} ({{}}); make room there, or name another RESVIZ_HOME"
        ):
            self.folder.mkdir(parents=True, exist_ok=True)
            part = self.folder / f".{name}.{os.getpid()}.part"
            try:
                part.write_bytes(data)
                os.replace(part, self._file(name))
            finally:
                part.unlink(missing_ok=True)


def _free(name: str, there: tuple[str, ...]) -> str:
    """The name as a file may have it, with a number where it is taken."""
    own = plain_name(name.removesuffix(_ENDING))
    numbered = (own if n == 1 else f"{own} ({n})" for n in range(1, len(there) + 2))
    return next(each for each in numbered if each not in there)
