"""Many files from one place, a folder or a zip: each by its name, read when its turn comes, within bounds."""

from __future__ import annotations

import bz2
import io
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from resviz.data.uploads import MAX_BYTES, ImageError
from resviz.guard import door, quoted

__all__ = ["Entry", "UnpackError", "files_of", "folder", "hidden", "unzip"]

_MOST_FILES, _MOST_BYTES = 5_000, 400 * 2**20
_HEADER, _CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
_AGAIN = "pack the folder again"


class UnpackError(ImageError):
    """A folder, a zip or one file in it that cannot be read; the message says which and what to do."""


@dataclass(frozen=True)
class Entry:
    """A file by its name; `read` gives its content or raises `ImageError`."""

    name: str
    read: Callable[[], bytes]


def files_of(path: Path) -> Iterator[Entry]:
    """Every file of a folder or a zip, or one file by itself; raises `UnpackError` where there is none to read."""
    if not path.exists():
        raise UnpackError(f"{quoted(path)} is not there; name a picture, a folder of them or a zip.")
    if path.is_dir():
        return folder(path)
    if path.suffix.lower() == ".zip":
        with door(UnpackError, "The zip cannot be read ({})."):
            return unzip(path.read_bytes())
    return iter([Entry(path.name, partial(_read, path))])


def folder(path: Path) -> Iterator[Entry]:
    """Every file below a folder, in order, without those that a system or an editor hides there."""
    for file in sorted(path.rglob("*")):
        name = str(file.relative_to(path))
        if not hidden(name) and not file.is_dir():
            yield Entry(os.fsencode(name).decode(errors="replace"), partial(_read, file))


def hidden(path: str) -> bool:
    """Whether a path is what systems and editors leave in a folder: `.DS_Store`, `.ipynb_checkpoints`, `__MACOSX`, `Thumbs.db`."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts) or parts[-1:] in (
        ("Thumbs.db",),
        ("desktop.ini",),
    )


def _read(file: Path) -> bytes:
    with door(UnpackError, "The file cannot be read ({}); check that it is there and may be read."):
        if not file.is_file():
            raise UnpackError("The file is a link to nothing, or no ordinary file; put the picture itself there.")
        if (size := file.stat().st_size) > MAX_BYTES:
            raise UnpackError(_too_large(size))
        return file.read_bytes()


def _too_large(size: int) -> str:
    return f"The file has {size / 2**20:.0f} MB and the limit is {MAX_BYTES >> 20} MB; save it smaller."


# ------------------------------------------------------------------------------------------ zip


def unzip(data: bytes) -> Iterator[Entry]:
    """Every file in a zip; raises `UnpackError` where it is none, or holds more than would be read.

    A damaged, encrypted or lying entry raises when it is read; the others are as they were.
    """
    with door(UnpackError, f"The file is no zip that can be read ({{}}); {_AGAIN}."):
        if data.count(_CENTRAL) > 2 * _MOST_FILES:  # each costs time and memory before its name is known
            raise UnpackError(f"The zip holds more than {_MOST_FILES:,} files; leave some out.")
        try:
            packed = zipfile.ZipFile(io.BytesIO(data))
        except UnicodeDecodeError:
            packed = zipfile.ZipFile(io.BytesIO(_with_readable_names(data)))
        entries = [entry for entry in packed.infolist() if not entry.is_dir() and not hidden(entry.filename)]
    size = sum(entry.file_size for entry in entries)
    if len(entries) > _MOST_FILES or size > _MOST_BYTES:
        raise UnpackError(
            f"The zip holds {len(entries):,} files and {size >> 20:,} MB; "
            f"at most {_MOST_FILES:,} files and {_MOST_BYTES >> 20} MB are read, so leave some out."
        )
    return (Entry(entry.filename, partial(_unpacked, data, entry)) for entry in entries)


def _unpacked(data: bytes, entry: zipfile.ZipInfo) -> bytes:
    """One entry's content, never more than it says or than the limit: `zipfile` asks bzip2 and LZMA for all that there is."""
    with door(UnpackError, f"The file is damaged in the zip ({{}}); {_AGAIN}."):
        if entry.flag_bits & 1:
            raise UnpackError("The file is encrypted in the zip; pack it without a password.")
        if entry.compress_type not in _METHODS:
            kind = {9: "Deflate64", 93: "Zstandard"}.get(entry.compress_type, f"method {entry.compress_type}")
            raise UnpackError(
                f"The file is packed with {kind}, which cannot be read here; pack the folder with the ordinary method."
            )
        if entry.file_size > MAX_BYTES:
            raise UnpackError(_too_large(entry.file_size))
        content = _METHODS[entry.compress_type](_raw(data, entry), entry.file_size)
        if len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
            raise UnpackError(
                f"The file is damaged in the zip: it holds something else than its size and checksum say; {_AGAIN}."
            )
        return content


def _raw(data: bytes, entry: zipfile.ZipInfo) -> bytes:
    """The packed bytes of an entry."""
    at = entry.header_offset
    if data[at : at + 4] != _HEADER:
        raise UnpackError(f"The file is not where the zip's table says; {_AGAIN}.")
    name, extra = struct.unpack_from("<HH", data, at + 26)
    start = at + 30 + name + extra
    if start + entry.compress_size > len(data):
        raise UnpackError(f"The zip ends before this file does; {_AGAIN}.")
    return data[start : start + entry.compress_size]


def _lzma(raw: bytes, size: int) -> bytes:
    # a zip's LZMA entry is the old .lzma format with two numbers of two bytes in place of the size
    head = raw[4:9] + struct.pack("<q", size)
    return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=2**28).decompress(head + raw[9:], size + 1)


_METHODS: dict[int, Callable[[bytes, int], bytes]] = {
    zipfile.ZIP_STORED: lambda raw, size: raw[: size + 1],
    zipfile.ZIP_DEFLATED: lambda raw, size: zlib.decompressobj(-15).decompress(raw, size + 1),
    zipfile.ZIP_BZIP2: lambda raw, size: bz2.BZ2Decompressor().decompress(raw, size + 1),
    zipfile.ZIP_LZMA: _lzma,
}


def _with_readable_names(data: bytes) -> bytes:
    """The same zip without the promise of UTF-8 for the names that do not keep it, which `zipfile` then reads as code page 437."""
    mended, at = bytearray(data), data.find(_CENTRAL, struct.unpack_from("<I", data, data.rfind(b"PK\x05\x06") + 16)[0])
    while data[at : at + 4] == _CENTRAL:
        flags, name, extra, comment = struct.unpack_from("<H18xHHH", data, at + 8)
        try:
            data[at + 46 : at + 46 + name].decode()
        except UnicodeDecodeError:
            struct.pack_into("<H", mended, at + 8, flags & ~0x800)
        at += 46 + name + extra + comment
    return bytes(mended)
