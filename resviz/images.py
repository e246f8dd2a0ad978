"""Safe decoding of uploads: the right picture, or one clear sentence."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

__all__ = ["MAX_BYTES", "MAX_PIXELS", "Decoded", "ImageError", "decode", "sample_photographs"]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
MAX_BYTES = 20 * 2**20
MAX_PIXELS = 50_000_000
_SIDE = 1024  # no network here looks at more

# our own cap below is lower and refuses, where Pillow's would first only warn
Image.MAX_IMAGE_PIXELS = None


class ImageError(ValueError):
    """An upload that is no usable picture; the message names what it is and what to do."""


@dataclass(frozen=True)
class Decoded:
    """An upright RGB picture of at most 1024 px a side, and what was done to get it."""

    image: Image.Image
    width: int
    height: int
    notes: tuple[str, ...] = ()


def decode(data: bytes) -> Decoded:
    """Decode one image file held in memory; raises `ImageError`."""
    if not data:
        raise ImageError("The file is empty; choose another one.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"The file has {len(data) / 2**20:.0f} MB and the limit is {MAX_BYTES >> 20} MB; save it smaller.")
    try:
        file = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise ImageError(_not_an_image(data)) from None
    except Exception as error:  # a decoder met a broken header in its own way
        raise ImageError(f"The file is damaged ({_brief(error)}); save it again or choose another one.") from error
    with file:
        return _decode(file)


def _decode(file: Image.Image) -> Decoded:
    width, height = file.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"The picture has {width}×{height} pixels and the limit is {MAX_PIXELS // 10**6} million; make it smaller first."
        )
    notes = []
    if getattr(file, "n_frames", 1) > 1:
        notes.append(f"The first of {file.n_frames} frames is shown.")  # type: ignore[attr-defined]
    try:
        if file.format == "JPEG":
            file.draft(None, (_SIDE, _SIDE))
        file.load()
        upright = ImageOps.exif_transpose(file)
        if upright.mode.startswith("I") or upright.mode == "F":
            upright = _to_eight_bits(upright)
            notes.append("Its brightness was rescaled to 8 bits.")
        picture = _opaque(upright)
        picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    except Exception as error:  # truncation and corruption surface here, as a different exception in each decoder
        raise ImageError(f"The file is cut off or damaged ({_brief(error)}); save it again or choose another one.") from error
    if upright.size != file.size and file.size == (height, width)[::-1]:
        width, height = height, width
    return Decoded(picture, width, height, tuple(notes))


def _to_eight_bits(image: Image.Image) -> Image.Image:
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    low, high = (0.0, 65535.0) if image.mode.startswith("I") else (float(values.min()), float(values.max()))
    scaled = (values - low) / (high - low if high > low else 1.0)
    return Image.fromarray(np.rint(scaled.clip(0, 1) * 255).astype(np.uint8))


def _opaque(image: Image.Image) -> Image.Image:
    """RGB, transparent parts on white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _not_an_image(data: bytes) -> str:
    accepted = "PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF"
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
        return f"This is a HEIC picture, which cannot be read here; export it as {accepted}."
    if b"<svg" in data[:1024].lower():
        return f"This is an SVG drawing; export it as {accepted}."
    return f"The file is no picture that can be read; choose a {accepted} file."


def _brief(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:80]


def sample_photographs() -> dict[str, Image.Image]:
    """Photographs that scikit-image and scikit-learn carry, by name (their licences are with those packages)."""
    import skimage
    import sklearn.datasets

    folders = Path(skimage.__file__).parent / "data", Path(sklearn.datasets.__file__).parent / "images"
    wanted = {"Temple": "china.jpg", "Cat": "chelsea.png", "Rocket": "rocket.jpg", "Motorcycle": "motorcycle_left.png"}
    wanted |= {"Coffee": "coffee.png", "Astronaut": "astronaut.png", "Flower": "flower.jpg"}
    found = {title: next((f / name for f in folders if (f / name).exists()), None) for title, name in wanted.items()}
    return {title: decode(path.read_bytes()).image for title, path in found.items() if path is not None}
