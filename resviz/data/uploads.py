"""Safe decoding of uploads: the right picture and what was done to get it, or one clear sentence."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, JpegImagePlugin, TiffImagePlugin, UnidentifiedImageError

from resviz.budget import budget
from resviz.data.damage import (
    JPEG_PIXELS,
    MAX_PIXELS,
    SIDE,
    SIGNATURES,
    ImageError,
    broken_frames,
    check_shape,
    check_whole,
    mended,
    not_an_image,
)
from resviz.guard import door
from resviz.process import guard_pictures
from resviz.progress import Tick, quiet

__all__ = ["MAX_BYTES", "MAX_PIXELS", "Decoded", "ImageError", "decode", "quick", "sample_photographs"]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
MAX_BYTES = 20 * 2**20
_MOST_MEMORY = 512 * 2**20  # bytes for one picture
_QUICK, _QUICK_JPEG = 2_000_000, 16_000_000  # pixels decoded in a tenth of a second

_DAMAGED = "The file is cut off or damaged ({}); save it again or choose another one."


@dataclass(frozen=True)
class Decoded:
    """An upright RGB picture of at most 1024 px a side, and what was done to get it."""

    image: Image.Image
    width: int
    height: int
    notes: tuple[str, ...] = ()


def decode(data: bytes, tick: Tick = quiet) -> Decoded:
    """Decode one image file held in memory; raises `ImageError`. `tick` hears of it while others have the memory."""
    guard_pictures(JPEG_PIXELS // 2)
    if not data:
        raise ImageError("The file is empty; choose another one.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"The file has {len(data) / 2**20:.0f} MB and the limit is {MAX_BYTES >> 20} MB; save it smaller.")
    with door(ImageError, _DAMAGED):
        try:
            return _decode(data, tick)
        except ImageError:
            raise
        except Exception:  # damage that leaves the pixels whole can be mended
            whole, note = mended(data)
            if whole is None:
                raise
            found = _decode(whole, tick)
            return replace(found, notes=(note, *found.notes))


def quick(data: bytes) -> bool:
    """Whether a picture is small enough, by its header, to be decoded before anyone has noticed."""
    guard_pictures(JPEG_PIXELS // 2)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as file:
            jpeg = isinstance(file, JpegImagePlugin.JpegImageFile) and not file.info.get("progressive")
            return file.width * file.height <= (_QUICK_JPEG if jpeg else _QUICK)
    except Exception:  # what is no picture is refused as fast
        return True


def _decode(data: bytes, tick: Tick) -> Decoded:
    try:
        file = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise ImageError(
            f"The picture has more than {JPEG_PIXELS // 10**6} million pixels and the limit is {MAX_PIXELS // 10**6} million; "
            "make it smaller first."
        ) from None
    except UnidentifiedImageError:
        if data.startswith(SIGNATURES):
            raise
        raise ImageError(not_an_image(data)) from None
    with file:
        width, height = file.size
        check_shape(file)
        if isinstance(file, JpegImagePlugin.JpegImageFile):
            file.draft(None, (SIDE, SIDE))
        with budget().take(_memory(file, width * height) + len(data), ImageError, tick):
            notes = broken_frames(data, file)
            picture, more = _pixels(file, data)
            turn, trouble = _turn(file)
    if turn is not None:
        picture = picture.transpose(turn)
        width, height = (height, width) if turn in _SIDEWAYS else (width, height)
    return Decoded(picture, width, height, (*notes, *more, *trouble))


def _memory(file: Image.Image, pixels: int) -> int:
    """Bytes that reading it will hold, as measured with each format; raises `ImageError` where that is too much."""
    each = {"1": 1, "L": 1, "P": 9, "I;16": 6, "I;16B": 6}.get(file.mode, 4)
    each += 4 * file.has_transparency_data + {"WEBP": 14, "AVIF": 6}.get(file.format or "", 0)
    need = file.width * file.height * each + (6 * pixels if file.info.get("progressive") else 0)
    if need > _MOST_MEMORY:
        raise ImageError(
            f"The picture has {file.width}×{file.height} pixels and takes {need >> 20} MB to read as {file.format}; "
            f"the limit is {_MOST_MEMORY >> 20} MB, so make it smaller first."
        )
    return need


# ------------------------------------------------------------------------------------------ pixels

_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def _pixels(file: Image.Image, data: bytes) -> tuple[Image.Image, tuple[str, ...]]:
    """RGB, at most 1024 px a side, transparent parts on white, not yet turned upright; and what was done to its values."""
    if (planes := _deep_colours(file, data)) is not None:
        values, note = _eight_bits(planes)
        return _small(Image.fromarray(values)), (note,)
    file.load()
    if file.format == "PNG" and not np.asarray(file.crop((0, file.height - 1, file.width, file.height))).any():
        check_whole(data)
    if file.mode not in _DEEP:
        return _small(file), ()
    values, note = _eight_bits(np.asarray(file))
    if isinstance(file, TiffImagePlugin.TiffImageFile) and file.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0:
        values, note = 255 - values, f"{note} Low values are white, as the file says."
    grey = Image.fromarray(values)
    if isinstance(clear := file.info.get("transparency"), int):
        grey.putalpha(Image.fromarray(np.where(np.asarray(file) == clear, 0, 255).astype(np.uint8)))
    return _small(grey), (note,)


def _small(image: Image.Image) -> Image.Image:
    if image.mode in ("1", "P", "PA") or (image.mode in ("L", "RGB") and image.has_transparency_data):
        image = image.convert("RGBA" if image.has_transparency_data else "L" if image.mode == "1" else "RGB")
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return _opaque(image)


def _opaque(image: Image.Image) -> Image.Image:
    """RGB, transparent parts on white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _deep_colours(file: Image.Image, data: bytes) -> np.ndarray | None:
    """(H, W, 3) of 16 bits where a TIFF has them, of which Pillow reads only the upper byte, and planes not at all."""
    if not isinstance(file, TiffImagePlugin.TiffImageFile) or file.mode != "RGB" or file.tag_v2.get(258, (8,))[0] != 16:
        return None
    planar = file.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2
    if not planar and file.tag_v2.get(TiffImagePlugin.COMPRESSION, 1) not in (1, 8, 32946):
        return None  # the upper byte will do
    import tifffile

    unreadable = "This kind of 16-bit TIFF cannot be read here ({}); save it with 8 bits or as PNG."
    with door(ImageError, unreadable), tifffile.TiffFile(io.BytesIO(data)) as deep:
        values = deep.pages[0].asarray()
    return np.moveaxis(values, 0, -1) if planar else values


def _eight_bits(values: np.ndarray) -> tuple[np.ndarray, str]:
    """Deep values as uint8, and in words which of them became black and white."""
    low, high, note = _span(values)
    scaled = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), 256):  # in strips, so that the floats stay few
        strip = (values[start : start + 256].astype(np.float64) - low) * (255 / (high - low))
        scaled[start : start + 256] = np.rint(np.nan_to_num(strip.clip(0, 255)))
    if values.dtype.kind == "f" and (lost := values.size - np.count_nonzero(np.isfinite(values))):
        note += f" {lost:,} pixels without a finite value are black or white."
    return scaled, note


def _span(values: np.ndarray) -> tuple[float, float, str]:
    """The values to show as black and as white, and the sentence that says so; raises `ImageError` where no value is finite."""
    step = max(1, round((values.size / 2**20) ** 0.5))
    sample = values[::step, ::step].astype(np.float64).ravel()
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        raise ImageError("No pixel of the picture has a finite value; choose another one.")
    sample, left_out = _without_no_data(sample)
    low, high = np.percentile(sample, (0.1, 99.9)).tolist()
    sixteen = values.dtype.kind in "iu" and low >= 0 and sample.max() <= 65535
    if sixteen and (high >= 32768 or low == high):
        return 0.0, 65535.0, "Its 16 bits were reduced to 8."
    if low == high:
        low, high = low - 1, high + 1
    return (
        low,
        high,
        f"Its values from {low:.6g} to {high:.6g} are shown as black to white (0.1st and 99.9th percentile).{left_out}",
    )


def _without_no_data(sample: np.ndarray) -> tuple[np.ndarray, str]:
    """Without a lowest or highest value that is farther from all others than they are from each other: it marks missing data."""
    note = ""
    for extreme in (sample.min(), sample.max()):
        rest = sample[sample != extreme]
        if rest.size and (spread := np.ptp(rest)) and np.abs(rest - extreme).min() > spread:
            sample, note = rest, f"{note} The value {extreme:.6g} was taken for missing data."
    return sample, note


# ------------------------------------------------------------------------------------------ what comes beside the pixels

_TURNS: Final = dict(
    zip(
        range(2, 9),
        (
            Image.Transpose.FLIP_LEFT_RIGHT,
            Image.Transpose.ROTATE_180,
            Image.Transpose.FLIP_TOP_BOTTOM,
            Image.Transpose.TRANSPOSE,
            Image.Transpose.ROTATE_270,
            Image.Transpose.TRANSVERSE,
            Image.Transpose.ROTATE_90,
        ),
        strict=True,
    )
)
_SIDEWAYS = {turn for orientation, turn in _TURNS.items() if orientation >= 5}


def _turn(file: Image.Image) -> tuple[Image.Transpose | None, tuple[str, ...]]:
    """What turns the picture upright by its EXIF orientation, and a note where that cannot be read."""
    try:
        return _TURNS.get(int(file.getexif().get(0x0112, 1))), ()
    except Exception:  # junk in the EXIF data, which are no part of the picture
        return None, ("Its EXIF data are damaged, so it may lie on its side.",)


# ------------------------------------------------------------------------------------------ what can be mended


def sample_photographs() -> dict[str, Image.Image]:
    """Photographs that scikit-image and scikit-learn carry, by name (their licences are with those packages)."""
    import skimage
    import sklearn.datasets

    folders = Path(skimage.__file__).parent / "data", Path(sklearn.datasets.__file__).parent / "images"
    wanted = {"Temple": "china.jpg", "Cat": "chelsea.png", "Rocket": "rocket.jpg", "Motorcycle": "motorcycle_left.png"}
    wanted |= {"Coffee": "coffee.png", "Astronaut": "astronaut.png", "Flower": "flower.jpg"}
    found = {title: next((f / name for f in folders if (f / name).exists()), None) for title, name in wanted.items()}
    return {title: decode(path.read_bytes()).image for title, path in found.items() if path is not None}
