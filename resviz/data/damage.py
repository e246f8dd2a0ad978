"""What is wrong with a picture file, and how much of it can be saved."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, JpegImagePlugin

__all__ = [
    "JPEG_PIXELS",
    "MAX_PIXELS",
    "SIDE",
    "SIGNATURES",
    "ImageError",
    "broken_frames",
    "check_shape",
    "check_whole",
    "mended",
    "not_an_image",
]

MAX_PIXELS = 50_000_000
JPEG_PIXELS = 250_000_000  # JPEG is reduced while it is read
SIDE = 1024  # no network here looks at more
_NARROW = 100  # times as long as wide: a network's square of it would show nothing


class ImageError(ValueError):
    """An upload that is no usable picture; the message names what it is and what to do."""


def check_shape(file: Image.Image) -> None:
    """Refuse by the header what could not be read in bounded time and memory; raises `ImageError`."""
    width, height = file.size
    most = JPEG_PIXELS if isinstance(file, JpegImagePlugin.JpegImageFile) else MAX_PIXELS
    if width * height > most:
        raise ImageError(
            f"The picture has {width}×{height} pixels and the limit is {most // 10**6} million; make it smaller first."
        )
    if max(width, height) > _NARROW * min(width, height):
        raise ImageError(f"The picture has {width}×{height} pixels, too narrow a strip to look at; cut a part out of it first.")


_FRAMES = 100  # are counted


def broken_frames(data: bytes, file: Image.Image) -> tuple[str, ...]:
    """A note where the file holds more than the picture that is shown."""
    if file.format in ("PNG", "WEBP", "AVIF"):  # their headers say it
        count = getattr(file, "n_frames", 1)
        return (f"The first of {count} frames is shown.",) if count > 1 else ()
    if file.format not in ("GIF", "TIFF"):
        return ()
    count = 0
    try:
        for count, _ in enumerate(_gif_frames(data) if file.format == "GIF" else _tiff_frames(data), 1):
            if count > _FRAMES:
                return (f"The first of more than {_FRAMES} frames is shown.",)
    except Exception:  # whatever a damaged later frame makes the reader raise
        return ("A later frame of the file is damaged; the first one is shown.",) if count > 1 else ()
    return (f"The first of {count} frames is shown.",) if count > 1 else ()


def _gif_frames(data: bytes) -> Iterator[None]:
    """Every frame of a GIF, passed over block by block: Pillow would decode each, and take the memory that it claims."""
    at = 13 + _palette(data[10])
    while at < len(data) and (kind := data[at]) != 0x3B:  # the end
        if kind == 0x2C:
            yield
            at += 11 + _palette(data[at + 9])
        elif kind == 0x21:  # an extension
            at += 2
        else:
            return  # no block begins so: what lies behind the frames
        while size := data[at]:
            at += 1 + size
        at += 1


def _palette(flags: int) -> int:
    """Bytes of the palette that follows."""
    return 3 << (flags & 7) + 1 if flags & 128 else 0


def _tiff_frames(data: bytes) -> Iterator[None]:
    """Every directory of a TIFF; one that comes again is damage."""
    with Image.open(io.BytesIO(data), formats=("TIFF",)) as file:
        yield
        while file.tag_v2.next:  # type: ignore[attr-defined]
            yield
            file.seek(file.tell() + 1)


_PNG = b"\x89PNG\r\n\x1a\n"


_JPEG = b"\xff\xd8"


SIGNATURES = (_PNG, _JPEG, b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")


_END = b"\xff\xd9"


def mended(data: bytes) -> tuple[bytes | None, str]:
    """The file without the damage that leaves its pixels whole, and what that was; None where there is no such damage."""
    if data.startswith(_PNG):
        kept = [chunk for kind, chunk in _chunks(data) if kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")]
        return _PNG + b"".join(kept), "Damaged data beside the picture, such as a text or a colour profile, were left out."
    if data.startswith(_JPEG):
        ended, other = (data.rstrip(b"\xff") + fill + _END for fill in (b"", b"\x55\xa9" * 32))
        # where pixels are missing, what follows would be read as some of them
        if _thumb(ended) == _thumb(other):
            return ended, "The file lacks its end mark; the picture is whole."
    return None, ""


def _thumb(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as file:
        check_shape(file)
        file.draft(None, (SIDE, SIDE))
        return file.tobytes()


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, whole chunk) of a PNG as far as it goes."""
    at = len(_PNG)
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at : at + 12 + size]
        at += 12 + size


def check_whole(data: bytes) -> None:
    """Refuse a PNG whose pixels end early, the rest of which would be drawn as if it were black; raises `ImageError`."""
    inflate, length = zlib.decompressobj(), 0
    for kind, chunk in _chunks(data):
        rest = chunk[8:-4] if kind == b"IDAT" else b""
        while rest and not inflate.eof:
            length += len(inflate.decompress(rest, 2**20))
            rest = inflate.unconsumed_tail
    if length < (most := _raw_length(data)):
        raise ImageError(f"The file ends after {100 * length / most:.0f} % of the picture; save it again or choose another one.")


def _raw_length(data: bytes) -> int:
    """Bytes of a PNG's pixels before compression: each row has one byte more, and an interlaced picture is seven small ones."""
    width, height, bits, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    depth = bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    sides = [(-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in passes]
    return sum(h * (1 + (w * depth + 7) // 8) for w, h in (sides if interlaced else [(width, height)]) if w > 0 and h > 0)


def not_an_image(data: bytes) -> str:
    """What to say of bytes that none of the readers takes: what they are, where their beginning tells, and what to give instead."""
    accepted = "PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF"
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
        return f"This is a HEIC picture, which cannot be read here; export it as {accepted}."
    if b"<svg" in data[:1024].lower():
        return f"This is an SVG drawing; export it as {accepted}."
    return f"The file is no picture that can be read; choose a {accepted} file."
