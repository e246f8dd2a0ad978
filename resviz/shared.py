"""Results that several servers share, by what was asked: files in the folder that RESVIZ_CACHE names.

Only what is asked with a `Public` key goes there: its result holds nothing of a visitor's. A key's name is a digest of its values and of
the project's own code, so another version never answers with these results.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import pickle
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

from filelock import FileLock, Timeout

from resviz.jobs import AGAIN
from resviz.machine import variable
from resviz.place import asset
from resviz.progress import Tick

__all__ = ["Public", "Shared", "shared"]

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_USUAL: Final = 512  # megabytes
_POLL: Final = 0.1  # seconds between looks at what another server computes
# what a stored result may consist of: values of this project and NumPy's arrays; anything else in a file is not read
_OURS: Final = ("resviz.results", "resviz.spec")
_THEIRS: Final = {
    ("builtins", "frozenset"),
    ("builtins", "set"),
    ("collections", "OrderedDict"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}


class Public(tuple[Hashable, ...]):
    """A question whose answer holds nothing of a visitor's: specs, numbers, and names of what is bundled."""

    __slots__ = ()


class _Values(pickle.Unpickler):
    """Reads values alone: no file can make it call anything else."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) in _THEIRS or any(module == each or module.startswith(f"{each}.") for each in _OURS):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no value")


@cache
def shared() -> Shared | None:
    """The folder that RESVIZ_CACHE names, of at most RESVIZ_CACHE_MB megabytes; None where it names none, or none that can be written."""
    if not (named := os.environ.get("RESVIZ_CACHE")):
        return None
    try:
        most = int(variable("RESVIZ_CACHE_MB") or _USUAL)
        return Shared(Path(named).expanduser(), most * 2**20)
    except OSError as error:
        _LOG.warning("RESVIZ_CACHE=%s is not used (%s); name a folder that can be written", named, error)
    except ValueError as error:
        _LOG.warning("RESVIZ_CACHE=%s is not used: %s", named, error)
    return None


class Shared:
    """Results by their questions in a folder, the longest unused leaving first where it is full. Raises `OSError` where it cannot be written."""

    def __init__(self, folder: Path, most: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / f".{os.getpid()}").touch()
        (folder / f".{os.getpid()}").unlink()
        self.folder, self.most = folder, most

    def once(self, key: Public, work: Callable[[Tick], T]) -> Callable[[Tick], T | object]:
        """The same work, which no two servers do at a time: it waits for whoever does it, and keeps what it made."""

        def run(tick: Tick) -> T | object:
            name = _name(key)
            while (result := self.get(name)) is None:
                with self._claimed(name) as mine:
                    if mine:
                        result = self.get(name)
                        if result is None:
                            result = work(tick)
                            self.put(name, result)
                        return result
                if tick(0.0, "another server computes it") is True:
                    return AGAIN
                time.sleep(_POLL)
            return result

        return run

    @contextlib.contextmanager
    def _claimed(self, name: str) -> Iterator[bool]:
        """Whether it is this thread's to compute; a server that dies leaves its claim to the others."""
        lock = FileLock(self.folder / f"{name}.lock", mode=0o600, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        except OSError:  # a folder that is gone or full: everybody computes
            yield True
            return
        try:
            yield True
        finally:
            lock.release()

    def get(self, name: str) -> object | None:
        """What is kept under a name; None where there is nothing, or nothing that can be read."""
        path = self.folder / f"{name}.pickle"
        try:
            data = path.read_bytes()
            os.utime(path)
            return _Values(io.BytesIO(data)).load()
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged pickle fails in a dozen ways
            _LOG.warning("%s cannot be read (%s) and is computed again", path.name, type(error).__name__)
            with contextlib.suppress(OSError):
                path.unlink()
            return None

    def put(self, name: str, result: object) -> None:
        """Keep a result, where it is made of values and there is room; a folder that is full or gone costs nothing but the result."""
        if result is None or result is AGAIN:
            return
        try:
            data = pickle.dumps(result, protocol=5)
            _Values(io.BytesIO(data)).load()
            part = self.folder / f"{name}.{os.getpid()}.part"
            part.write_bytes(data)
            part.replace(self.folder / f"{name}.pickle")
            self._make_room()
        except Exception as error:  # whatever cannot be kept is still this visitor's result
            _LOG.warning("a result is not shared: %s", type(error).__name__)

    def _make_room(self) -> None:
        kept = []
        for path in self.folder.glob("*.pickle"):
            with contextlib.suppress(FileNotFoundError):
                about = path.stat()
                kept.append((about.st_mtime, about.st_size, path))
        size = sum(each for _, each, _ in kept)
        for _, each, path in sorted(kept):
            if size <= self.most:
                break
            path.unlink(missing_ok=True)
            path.with_suffix(".lock").unlink(missing_ok=True)
            size -= each


def _name(key: Public) -> str:
    return blake2b(f"{_code()} {_text(key)}".encode(), digest_size=20).hexdigest()


def _text(value: object) -> str:
    """The same for equal values in every process, and only for them. Raises `TypeError` for what is no value."""
    if value is None or (isinstance(value, bool | int | float | str | bytes) and not isinstance(value, Enum)):
        return f"{type(value).__name__}:{value!r}"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if is_dataclass(value) and not isinstance(value, type):
        inner = ",".join(f"{each.name}={_text(getattr(value, each.name))}" for each in fields(value))
        return f"{type(value).__name__}({inner})"
    if isinstance(value, tuple | list):
        return f"({','.join(map(_text, value))})"
    if isinstance(value, frozenset | set):
        return f"{{{','.join(sorted(map(_text, value)))}}}"
    if isinstance(value, Mapping):
        return f"{{{','.join(sorted(f'{_text(k)}:{_text(v)}' for k, v in value.items()))}}}"
    raise TypeError(f"{type(value).__name__} in a public question")


@cache
def _code() -> str:
    """A digest of what else a result depends on: the project's modules, the names and sizes of what is bundled, and PyTorch's version."""
    digest = blake2b(version("torch").encode(), digest_size=16)
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    for path in sorted(each for each in asset().rglob("*") if each.is_file()):
        digest.update(f"{path.name} {path.stat().st_size}".encode())
    return digest.hexdigest()
