"""Pictures from outside: damaged, foreign, deep and hostile ones."""

from __future__ import annotations

import io
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from resviz.data.images import image_folder, split_folder
from resviz.data.uploads import ImageError, decode

NOISE = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)
SMOOTH = Image.fromarray(NOISE[:8, :8]).resize((96, 64), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(values: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


def grey(data: bytes) -> np.ndarray:
    return np.asarray(decode(data).image)[..., 0].astype(int)


def chunk(kind: bytes, content: bytes, good: bool = True) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content) ^ (not good))


def png(width: int, height: int, bits: int, colour: int, raw: bytes, *more: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"".join([b"\x89PNG\r\n\x1a\n", head, *more, chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b"")])


RAMP = np.linspace(0, 4095, 64 * 96).reshape(64, 96)


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.fromarray(RAMP.astype(np.uint16)), "PNG"),
        tiff(RAMP.astype(np.uint16)),
        tiff(RAMP.astype(np.uint16), byteorder=">"),
        tiff((RAMP - 1024).astype(np.int16)),
        tiff(RAMP.astype(np.float32)),
        tiff(np.stack([RAMP.astype(np.uint16)] * 3, -1), photometric="rgb"),
        tiff(np.stack([RAMP.astype(np.uint16)] * 3), photometric="rgb", planarconfig="separate"),
        tiff(np.stack([RAMP.astype(np.uint16)] * 3), photometric="rgb", planarconfig="separate", byteorder=">"),
    ],
    ids=["png", "tiff", "big-endian", "signed", "float", "colours", "planes", "big-endian planes"],
)
def test_twelve_bits_in_sixteen_are_shown_from_black_to_white_and_it_is_said(data: bytes) -> None:
    pixels = grey(data)
    assert np.abs(pixels - np.rint(RAMP / 4095 * 255)).max() <= 2
    note = " ".join(decode(data).notes)
    assert "black to white" in note
    assert "percentile" in note


def test_sixteen_bits_that_are_used_keep_their_scale() -> None:
    values = (np.asarray(SMOOTH.convert("L")).astype(np.uint16)) * 257
    values[0, 0], values[0, :2] = 65535, 65535
    assert np.abs(grey(encoded(Image.fromarray(values), "PNG")) - values // 257).max() <= 1


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan, -9999.0, 3.4e38, -3.4e38])
def test_values_that_mean_nothing_do_not_black_the_others_out(odd: float) -> None:
    values = (RAMP / 4095).astype(np.float32)
    values[10:20, 10:20] = odd
    decoded = decode(tiff(values))
    shown, right = np.asarray(decoded.image)[..., 0].astype(int), np.rint(RAMP / 4095 * 255)
    away = np.ones_like(shown, bool)
    away[10:20, 10:20] = False
    assert np.abs(shown - right)[away].max() <= 4
    assert any("finite" in note or "missing data" in note for note in decoded.notes)


def test_a_picture_without_one_finite_value_is_refused() -> None:
    with pytest.raises(ImageError, match="finite"):
        decode(tiff(np.full((8, 8), np.nan, np.float32)))


def test_white_is_zero_where_the_file_says_so() -> None:
    values = RAMP.astype(np.uint16)
    shown = grey(tiff(values, photometric="miniswhite"))
    assert shown[0, 0] == 255
    assert shown[-1, -1] == 0


def test_sixteen_bits_keep_their_transparent_value() -> None:
    values = np.full((4, 4), 50000, ">u2")
    values[:, :2] = 40000
    raw = b"".join(b"\0" + row.tobytes() for row in values)
    shown = grey(png(4, 4, 16, 0, raw, chunk(b"tRNS", struct.pack(">H", 40000))))
    assert shown[:, :2].tolist() == [[255, 255]] * 4
    assert np.abs(shown[:, 2:] - 195).max() <= 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (encoded(SMOOTH, "JPEG")[:-2], "end mark"),
        (encoded(SMOOTH, "JPEG", progressive=True)[:-2], "end mark"),
        (encoded(SMOOTH, "JPEG")[:-1], "end mark"),
        (encoded(SMOOTH, "PNG", exif=b"Exif\0\0junk that is no EXIF"), "EXIF"),
        (encoded(SMOOTH, "PNG")[:33] + chunk(b"tEXt", b"a\0b", good=False) + encoded(SMOOTH, "PNG")[33:], "beside the picture"),
    ],
    ids=["no end mark", "no end mark, progressive", "half an end mark", "junk EXIF", "damaged text"],
)
def test_what_can_be_read_is_shown_with_what_was_wrong(data: bytes, words: str) -> None:
    decoded = decode(data)
    assert np.abs(np.asarray(decoded.image).astype(int) - np.asarray(SMOOTH)).mean() < 6
    assert any(words in note for note in decoded.notes)


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_a_broken_later_frame_leaves_the_first(kind: str) -> None:
    frames = [Image.fromarray(NOISE).convert("P")] + [Image.fromarray(np.roll(NOISE, n, 1)).convert("P") for n in range(3)]
    whole = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    first = np.asarray(decode(whole).image)
    for share in (0.5, 0.7, 0.9):
        try:
            cut = decode(whole[: int(len(whole) * share)])
        except ImageError:
            assert kind == "TIFF"  # its table of contents may lie at the end
            continue
        assert np.array_equal(np.asarray(cut.image), first)
        assert cut.notes


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.97])
def test_pixels_that_are_missing_are_never_invented(kept: float, progressive: bool) -> None:
    for data in (encoded(Image.fromarray(NOISE), "JPEG", progressive=progressive), encoded(Image.fromarray(NOISE), "PNG")):
        with pytest.raises(ImageError, match=r"damaged|ends after"):
            decode(data[: int(len(data) * kept)])


@pytest.mark.parametrize("colour", [0, 2])
def test_a_png_whose_data_end_early_is_no_black_picture(colour: int) -> None:
    row = b"\0" + bytes([90]) * (64 if colour == 0 else 192)
    assert decode(png(64, 64, 8, colour, row * 64)).width == 64
    black = b"\0" + bytes(len(row) - 1)
    assert decode(png(64, 64, 8, colour, row * 32 + black * 32)).width == 64
    with pytest.raises(ImageError, match="ends after 50 %"):
        decode(png(64, 64, 8, colour, row * 32))
    assert decode(encoded(Image.new("RGB", (37, 21)), "PNG")).width == 37  # all black and whole


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (png(1, 50_000_000, 1, 0, b"\0"), "narrow"),
        (png(12_000, 12_000, 1, 0, b"\0"), "million"),
        (png(2**31 - 1, 2**31 - 1, 16, 6, b"\0"), "million"),
        (png(7000, 7000, 16, 6, b"\0"), "ends after|damaged"),
    ],
    ids=["strip", "large", "enormous", "a lie"],
)
def test_what_claims_more_than_it_holds_is_refused_in_little_memory(data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "claim.png").write_bytes(data)
    code = f"""
import resource
from pathlib import Path
from resviz.data.uploads import ImageError, decode
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode(Path({str(tmp_path / "claim.png")!r}).read_bytes())
except ImageError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    said, grown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert any(word in said for word in words.split("|"))
    assert int(grown) < 600


def test_a_large_jpeg_is_reduced_while_it_is_read() -> None:
    wide = Image.new("L", (12_000, 6_000), 120)
    decoded = decode(encoded(wide, "JPEG"))
    assert (decoded.width, decoded.height) == (12_000, 6_000)
    assert max(decoded.image.size) <= 1024
    with pytest.raises(ImageError, match="million"):
        decode(encoded(wide, "PNG"))


def test_counting_frames_is_bounded() -> None:
    one = tiff(np.zeros((4, 4), np.uint8))
    start = struct.unpack("<I", one[4:8])[0]
    count = struct.unpack_from("<H", one, start)[0]
    directory = one[start : start + 2 + 12 * count]
    stack = bytearray(one)
    for _ in range(30_000):
        link = start + 2 + 12 * count
        start = len(stack)
        stack[link : link + 4] = struct.pack("<I", start)
        stack += directory + b"\0\0\0\0"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    assert any("more than 100 frames" in note for note in decode(bytes(stack)).notes)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 1


def laid_out(root: Path, classes: dict[str, int], picture: bytes = encoded(SMOOTH, "PNG")) -> Path:
    for name, count in classes.items():
        (root / name).mkdir(parents=True)
        for n in range(count):
            (root / name / f"{n}.png").write_bytes(picture)
    return root


@pytest.mark.parametrize(
    ("train", "test", "missing"),
    [
        ({"a": 2, "b": 2, "c": 2}, {"b": 1, "c": 1}, "a"),
        ({"a": 2, "b": 2}, {"a": 1, "b": 1, "z": 1}, "z"),
        ({"a": 1}, {"b": 1}, "a"),
    ],
    ids=["one less", "one more", "others"],
)
def test_classes_are_matched_by_name(tmp_path: Path, train: dict[str, int], test: dict[str, int], missing: str) -> None:
    laid_out(tmp_path / "train", train)
    laid_out(tmp_path / "val", test)
    with pytest.raises(ValueError, match=f"no images of {missing}"):
        split_folder(tmp_path, 16)


def test_what_lies_beside_the_images_is_ignored_or_named(tmp_path: Path) -> None:
    root = laid_out(tmp_path, {"cat": 3, "dog": 2, "empty": 0, ".ipynb_checkpoints": 1})
    (root / "cat" / "1.png").write_bytes(encoded(Image.fromarray(NOISE), "PNG")[:900])
    (root / "cat" / "Thumbs.db").write_bytes(b"x")
    found = image_folder(root, 16)
    assert found.categories == ("cat", "dog")
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert sorted(text.split(":")[0] for text in found.left_out) == ["cat/1.png", "empty"]


def test_training_reads_a_picture_as_explaining_does(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    clear = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    deep = Image.fromarray(np.full((32, 32), 40000, np.uint16))
    turned = Image.fromarray(NOISE[:32, :32])
    for n, data in enumerate((encoded(turned, "PNG", exif=exif), encoded(clear, "PNG"), encoded(deep, "PNG"))):
        root = tmp_path / str(n)
        (root / "a").mkdir(parents=True)
        (root / "a" / "0.png").write_bytes(data)
        shown = torch.from_numpy(np.array(decode(data).image)).permute(2, 0, 1)
        assert torch.equal(image_folder(root).images[0], shown)
