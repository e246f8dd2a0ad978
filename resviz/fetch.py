"""Downloads that report, can be stopped, and are kept only once their hash agrees."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

__all__ = ["DownloadError", "fetch"]

_CHUNK = 1 << 18


class DownloadError(ValueError):
    """Something could not be fetched; the message names the cause and what works offline."""


def fetch(url: str, path: Path, algorithm: str, expected: str, instead: str, timeout: float = 10.0) -> Iterator[float]:
    """Fetch `url` to `path`, yielding the fraction done; raises `DownloadError`, which names what to use `instead`.

    `expected` is how the file's hash begins.
    """
    digest, done = hashlib.new(algorithm), 0
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkstemp(dir=path.parent, suffix=".part")[1])
    try:
        with urllib.request.urlopen(url, timeout=timeout) as reply, part.open("wb") as file:
            total = int(reply.headers.get("Content-Length") or 0)
            while chunk := reply.read(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                yield min(1.0, done / total) if total else 0.5
        if not digest.hexdigest().startswith(expected):
            raise DownloadError(f"{path.name} arrived damaged (its hash is not {expected}…); try again")
        os.replace(part, path)
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise DownloadError(f"{path.name} could not be downloaded ({reason}); check the connection, or use {instead}") from error
    finally:
        part.unlink(missing_ok=True)
