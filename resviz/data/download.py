"""Downloads that report, can be stopped, and are kept only once their hash agrees."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import queue
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from functools import lru_cache
from pathlib import Path

from resviz.guard import brief, door

__all__ = ["DownloadError", "fetch", "intact"]

_CHUNK = 1 << 16
_BEAT = 0.2  # seconds between two chances to stop
_SLOW = 1024  # bytes a second on average; slower is no download
_PATIENCE = 60.0  # seconds before a download is judged slow
_ABANDONED = 600.0  # seconds after which a part that nobody writes to is from a process that was killed
_LARGEST = 1 << 31


class DownloadError(ValueError):
    """Something could not be fetched; the message names the cause and what works offline."""


def fetch(
    url: str, path: Path, algorithm: str, expected: str, instead: str, timeout: float = 10.0, largest: int = _LARGEST
) -> Generator[float, None, None]:
    """Fetch `url` to `path`, yielding the fraction done some times a second, whether anything arrives or not.

    `expected` is how the file's hash begins. Closing the iterator ends the download and leaves nothing on disk. Raises
    `DownloadError`, which names what to use `instead`, also where nothing arrives for `timeout` seconds, less than a kilobyte a
    second, or more than `largest` bytes.
    """
    with door(DownloadError, f"{path.name} could not be downloaded ({{}}); check the disk, or use {instead}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidy(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".part")
        part, line = Path(name), _Line(url, timeout)
        try:
            with os.fdopen(handle, "wb") as file:
                digest = hashlib.new(algorithm)
                for chunk, fraction in line.chunks(largest):
                    file.write(chunk)
                    digest.update(chunk)
                    yield fraction
            if not digest.hexdigest().startswith(expected):
                raise DownloadError(f"{path.name} arrived damaged (its hash is not {expected}…); try again, or use {instead}")
            os.replace(part, path)
        except _LineError as error:
            raise DownloadError(
                f"{path.name} could not be downloaded ({error}); check the connection, or use {instead}"
            ) from error
        finally:
            line.hang_up()
            part.unlink(missing_ok=True)


def _tidy(path: Path) -> None:
    """Parts of this file that a killed process left behind."""
    for part in path.parent.glob(f"{path.name}.*.part"):
        if time.time() - part.stat().st_mtime > _ABANDONED:
            part.unlink(missing_ok=True)


class _LineError(Exception):
    """What went wrong on the line, in words."""


class _Line:
    """A connection that is read in a thread of its own: nobody who waits for it is deaf meanwhile."""

    def __init__(self, url: str, timeout: float) -> None:
        self.url, self.timeout, self.total = url, timeout, 0
        self._arrived: queue.Queue[bytes | Exception] = queue.Queue(maxsize=16)
        self._left = threading.Event()
        threading.Thread(target=self._read, daemon=True, name="download").start()

    def hang_up(self) -> None:
        self._left.set()

    def _read(self) -> None:
        try:
            with urllib.request.build_opener().open(self.url, timeout=self.timeout) as reply:
                self.total = int(reply.headers.get("Content-Length") or 0)
                while not self._left.is_set() and (chunk := reply.read1(_CHUNK)):
                    self._hand_on(chunk)
            self._hand_on(b"")
        except Exception as error:  # every protocol has its own; whoever waits says it in words
            self._hand_on(error)

    def _hand_on(self, what: bytes | Exception) -> None:
        while not self._left.is_set():
            with contextlib.suppress(queue.Full):
                self._arrived.put(what, timeout=_BEAT)
                return

    def chunks(self, largest: int) -> Iterator[tuple[bytes, float]]:
        """What has arrived and the fraction done, again and again; empty while nothing arrives."""
        done, began = 0, time.monotonic()
        last = began
        while True:
            try:
                chunk = self._arrived.get(timeout=_BEAT)
            except queue.Empty:
                self._still_worth_it(done, time.monotonic() - began, time.monotonic() - last)
                yield b"", self._fraction(done)
                continue
            if isinstance(chunk, Exception):
                raise _LineError(_worded(chunk, self.timeout)) from chunk
            if not chunk:
                if done < self.total:
                    raise _LineError(f"it ended after {done / 1e6:.1f} of {self.total / 1e6:.1f} MB")
                return
            done, last = done + len(chunk), time.monotonic()
            if max(done, self.total) > largest:
                raise _LineError(f"the server sends more than the {largest / 1e6:.0f} MB that it should")
            self._still_worth_it(done, last - began, 0.0)
            yield chunk, self._fraction(done)

    def _fraction(self, done: int) -> float:
        return min(1.0, done / self.total) if self.total > 0 else 0.5

    def _still_worth_it(self, done: int, seconds: float, silent: float) -> None:
        if silent > self.timeout:
            raise _LineError(f"nothing arrived for {self.timeout:g} s")
        if seconds > _PATIENCE and done < _SLOW * seconds:
            raise _LineError(f"only {done / seconds:.0f} bytes a second arrive")


def _worded(error: Exception, timeout: float) -> str:
    """An exception of the network without its numbers and names."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {http.client.responses.get(error.code, '')}".strip()
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(reason, http.client.HTTPException):
        return "the server's answer is not HTTP, or was cut off"
    if isinstance(reason, OSError) and reason.strerror and not hasattr(reason, "verify_message"):
        return reason.strerror[0].lower() + reason.strerror[1:]
    return brief(reason) if isinstance(reason, BaseException) else str(reason)


def intact(path: Path, algorithm: str, expected: str) -> bool:
    """Whether a file is there and its hash begins like that; measured once for each of the file's versions."""
    try:
        about = path.stat()
    except OSError:
        return False
    return _hash(path, algorithm, about.st_mtime_ns, about.st_size).startswith(expected)


@lru_cache(maxsize=64)
def _hash(path: Path, algorithm: str, changed: int, size: int) -> str:
    """The file's hash; `changed` and `size` tell its versions apart."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
