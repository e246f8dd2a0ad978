"""Pictures: every format and mode that Pillow writes here, damaged, and headers that lie with a good checksum."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from random import Random

import numpy as np
from PIL import Image

from resviz.data.uploads import ImageError, decode, quick
from tests.fuzz.mutate import NUMBERS, damaged

__all__ = ["KINDS", "Own", "ask", "make"]

Own, KINDS = ImageError, 1
_LARGE = 50_000  # bytes: an Apple icon holds the picture in many sizes
_MODES = ("RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "YCbCr", "I", "I;16", "F")
_SAVED: dict[str, tuple[dict[str, object], ...]] = {
    "PNG": ({}, {"bits": 4}, {"exif": b"Exif\0\0junk"}),
    "JPEG": ({}, {"progressive": True}, {"quality": 5, "subsampling": 0}),
    "GIF": ({}, {"animation": 3}),
    "WEBP": ({}, {"lossless": True}, {"animation": 3}),
    "AVIF": ({"speed": 10}, {"speed": 10, "animation": 2}),
    "TIFF": (
        {},
        *({"compression": c} for c in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4")),
        {"animation": 3},
    ),
}


@cache
def seeds() -> dict[str, bytes]:
    """A small picture in every format, mode and way of packing that can be written here."""
    Image.init()
    noise = np.random.default_rng(0).integers(0, 255, (18, 24, 3), dtype=np.uint8)
    noise[4:12, 4:20] = 200
    found = {}
    for kind in sorted(Image.SAVE):
        for mode in _MODES:
            for number, options in enumerate(_SAVED.get(kind, ({},))):
                if (data := _encoded(Image.fromarray(noise), kind, mode, dict(options))) is not None and len(data) < _LARGE:
                    found[f"{kind} {mode} {number}"] = data
    return found


def _encoded(image: Image.Image, kind: str, mode: str, options: dict[str, object]) -> bytes | None:
    buffer = io.BytesIO()
    if (frames := options.pop("animation", 0)) and isinstance(frames, int):
        options |= {"save_all": True, "append_images": [image.rotate(90 * n).convert(mode) for n in range(1, frames)]}
    try:
        grey = image.convert("L") if mode[0] in "IF" else image
        grey.convert(mode).save(buffer, kind, **options)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):  # what this format cannot hold
        return None
    return buffer.getvalue()


def make(rng: Random, index: int) -> tuple[str, bytes]:
    """One damaged picture, every seed in its turn."""
    names = list(seeds())
    name = names[index % len(names)]
    data = seeds()[name]
    if rng.random() < 0.3 and name.split()[0] in _LIES:
        way, data = "a header that lies", _LIES[name.split()[0]](bytearray(data), rng)
        if rng.random() < 0.7:
            return f"{name}, {way}", data
    way, data = damaged(data, rng)
    if rng.random() < 0.05:
        data += damaged(seeds()[rng.choice(names)], rng)[1]
    return f"{name}, {way}", data


def ask(data: bytes) -> str:
    quick(data)
    found = decode(data)
    if found.image.mode != "RGB" or not 0 < max(found.image.size) <= 1024 or not all(found.notes):
        raise AssertionError(f"a picture of {found.image.mode} {found.image.size} with the notes {found.notes}")
    return "read"


# ------------------------------------------------------------------------------------------ headers

_SIDES = (
    (7000, 7000),
    (7000, 7000),
    (4096, 4096),
    (12000, 4000),
    (20000, 20000),
    (65535, 65535),
    (1, 1),
    (1000, 90000),
    (2**31 - 1, 2**31 - 1),
)


def _png(data: bytearray, rng: Random) -> bytes:
    """A field of a chunk changed, its checksum made good again."""
    if rng.random() < 0.4:
        struct.pack_into(">II", data, 16, *rng.choice(_SIDES))
        struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))
        return bytes(data)
    chunks, at = [], 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        chunks.append(at)
        at += 12 + size
    at = rng.choice((chunks[0], chunks[0], rng.choice(chunks)))
    (size,) = struct.unpack_from(">I", data, at)
    if size:
        place = at + 8 + rng.randrange(min(size, 13))
        value = struct.pack(rng.choice((">I", ">H", ">B")), 0) if rng.random() < 0.1 else struct.pack(">I", rng.choice(NUMBERS))
        value = value[-rng.choice((1, 2, 4)) :][: at + 8 + size - place]
        data[place : place + len(value)] = value
    struct.pack_into(">I", data, at + 8 + size, zlib.crc32(data[at + 4 : at + 8 + size]))
    return bytes(data)


def _jpeg(data: bytearray, rng: Random) -> bytes:
    """Sides, depth, components or a table's length changed."""
    frames = [
        at for at in range(len(data) - 10) if data[at] == 0xFF and data[at + 1] in (0xC0, 0xC2, 0xC4, 0xDA, 0xDB, 0xE0, 0xE1)
    ]
    at = rng.choice(frames)
    if data[at + 1] in (0xC0, 0xC2):
        struct.pack_into(">HH", data, at + 5, *(side % 65536 for side in rng.choice(_SIDES)))
    place = at + rng.choice((2, 4, 5, 7, 9, 10, 11))
    struct.pack_into(">H", data, place, rng.choice(NUMBERS) & 0xFFFF)
    return bytes(data)


def _gif(data: bytearray, rng: Random) -> bytes:
    images = [at for at in range(len(data) - 10) if data[at] == 0x2C]
    if rng.random() < 0.4:
        at = rng.choice((6, rng.choice(images) + 5))
        struct.pack_into("<HH", data, at, *(side % 65536 for side in rng.choice(_SIDES)))
        return bytes(data)
    at = rng.choice((6, 8, rng.choice(images) + rng.choice((1, 3, 5, 7))))
    struct.pack_into("<H", data, at, rng.choice(NUMBERS) & 0xFFFF)
    return bytes(data)


def _bmp(data: bytearray, rng: Random) -> bytes:
    if rng.random() < 0.4:
        struct.pack_into("<ii", data, 18, *rng.choice(_SIDES))
        return bytes(data)
    struct.pack_into("<I", data, rng.choice((2, 10, 14, 18, 22, 26, 28, 30, 34, 46, 50)), rng.choice(NUMBERS))
    return bytes(data)


def _tiff(data: bytearray, rng: Random) -> bytes:
    """A tag's number, type, count or value changed, or the way to the next directory."""
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    if rng.random() < 0.4:  # width and height stand first
        for entry, side in zip((at + 2, at + 14), rng.choice(_SIDES), strict=True):
            struct.pack_into(f"{order}HI", data, entry + 2, 4, 1)
            struct.pack_into(f"{order}I", data, entry + 8, side)
        return bytes(data)
    for _ in range(rng.choice((1, 1, 3))):
        entry = at + 2 + 12 * rng.randrange(count)
        field = rng.choice(("tag", "type", "count", "value", "value", "value", "next"))
        if field in ("tag", "type"):
            struct.pack_into(
                f"{order}H", data, entry + 2 * (field == "type"), rng.choice((*range(20), 256, 258, 277, 284, 317, 339))
            )
        elif field == "next":
            struct.pack_into(f"{order}I", data, at + 2 + 12 * count, rng.choice((at, 8, *NUMBERS)))
        else:
            struct.pack_into(f"{order}I", data, entry + (4 if field == "count" else 8), rng.choice(NUMBERS))
    return bytes(data)


def _riff(data: bytearray, rng: Random) -> bytes:
    struct.pack_into("<I", data, rng.choice((4, 16, 20, 24, 26, 27)), rng.choice(NUMBERS))
    return bytes(data)


def _avif(data: bytearray, rng: Random) -> bytes:
    """The picture's sides, or the size of a box."""
    at = data.find(rng.choice((b"ispe", b"iloc", b"mdat", b"meta", b"iprp")))
    struct.pack_into(">I", data, max(0, at + rng.choice((-4, 4, 8, 12))), rng.choice(NUMBERS))
    return bytes(data)


_LIES = {
    "PNG": _png,
    "JPEG": _jpeg,
    "MPO": _jpeg,
    "GIF": _gif,
    "BMP": _bmp,
    "DIB": _bmp,
    "TIFF": _tiff,
    "WEBP": _riff,
    "AVIF": _avif,
}
