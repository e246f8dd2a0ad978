"""Zips of pictures: every compression, damaged, lying, encrypted by their flags, with odd names, doubled, nested, and bombs."""

from __future__ import annotations

import bz2
import io
import struct
import warnings
import zipfile
import zlib
from functools import cache
from random import Random

import numpy as np
from PIL import Image

from resviz.data.unpack import unzip
from resviz.data.uploads import MAX_BYTES, ImageError, decode
from tests.fuzz.mutate import NAMES, NUMBERS, damaged

__all__ = ["KINDS", "Own", "ask", "make"]

Own, KINDS = ImageError, 4
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@cache
def _picture(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (12, 12, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def packed(files: list[tuple[str, bytes]], method: int) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore")  # of doubled names
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def make(rng: Random, index: int) -> tuple[str, bytes]:
    method = _METHODS[index % 4]
    names = [*rng.choices(NAMES, k=rng.randrange(1, 6)), "good.png"]
    data = packed([(name, _picture(n)) for n, name in enumerate(names)], method)
    way = rng.choice(("bytes", "bytes", "table", "table", "table", "names", "bomb", "nested", "many", "pictures"))
    if way == "bytes":
        how, data = damaged(data, rng)
        return f"method {method}, {how}", data
    if way == "bomb":
        return _bomb(rng)
    if way == "nested":
        for _ in range(rng.choice((1, 2, 40))):
            data = packed([("inner.zip", data), ("a.png", _picture(0))], method)
    elif way == "many":
        data = packed([(f"{n}.png", b"") for n in range(rng.choice((500, 4999, 5001)))], zipfile.ZIP_STORED)
    elif way == "pictures":
        data = packed([(f"{n}.png", damaged(_picture(n), rng)[1]) for n in range(4)], method)
    return f"method {method}, {way}", _listed(data, rng) if way in ("table", "names", "nested") else data


def _listed(data: bytes, rng: Random) -> bytes:
    """Fields of the table, or of an entry's own header, that lie."""
    changed = bytearray(data)
    signature, fields = rng.choice(
        ((b"PK\x01\x02", _TABLE), (b"PK\x01\x02", _TABLE), (b"PK\x03\x04", _ENTRY), (b"PK\x05\x06", _END))
    )
    places = [at for at in range(len(data) - 46) if data.startswith(signature, at)] or [data.rfind(signature)]
    for _ in range(rng.choice((1, 1, 2, 5))):
        at, size = rng.choice(fields)
        value = rng.choice((*NUMBERS, *range(1, 13), 93, 97, 99)) % 256**size
        struct.pack_into("<H" if size == 2 else "<I", changed, rng.choice(places) + at, value)
    return bytes(changed)


_TABLE = (
    (8, 2),
    (8, 2),
    (10, 2),
    (10, 2),
    (16, 4),
    (20, 4),
    (24, 4),
    (24, 4),
    (28, 2),
    (30, 2),
    (32, 2),
    (34, 2),
    (42, 4),
    (42, 4),
)
_ENTRY = ((0, 4), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2))
_END = ((4, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2))


@cache
def _zeros(method: int) -> bytes:
    """Two gigabytes of nothing, packed."""
    if method == zipfile.ZIP_BZIP2:
        return bz2.compress(bytes(45_000_000))  # a block holds as much
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflate.compress(bytes(2**20))
    again = deflate.compress(bytes(2**20)) + deflate.flush(zlib.Z_FULL_FLUSH)  # stands by itself
    return again * 2048 + deflate.flush()


def _bomb(rng: Random) -> tuple[str, bytes]:
    """Entries that say as much as is allowed, more or less, and hold gigabytes."""
    method = rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    raw, said = _zeros(method), rng.choice((0, 1000, MAX_BYTES, MAX_BYTES + 1, 2**32 - 1))
    name, count = b"bomb.png", rng.choice((1, 3, 12))
    fields = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 0x21, 0, len(raw), said, len(name), 0)
    local = b"PK\x03\x04" + fields + name + raw
    central = b"PK\x01\x02\x14\0" + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(central) * count, len(local), 0)
    return f"method {method}, {count} entries that say {said:,} bytes and hold gigabytes", local + central * count + end


def ask(data: bytes) -> str:
    outcomes = set()
    for entry in unzip(data):
        try:
            content = entry.read()
            if len(content) > MAX_BYTES:
                raise AssertionError(f"{len(content):,} bytes came out of an entry")
            decode(content)
            outcomes.add("read")
        except ImageError as error:
            outcomes.add(str(error))
    return "read" if "read" in outcomes else next(iter(outcomes), "read")
