"""Pictures whose frames claim more than a picture may take, and what is said of them."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tempfile

import pytest
from PIL import Image

from resviz.data.uploads import ImageError, decode


def gif(*frames: tuple[int, int], dispose: int = 2) -> bytes:
    """A GIF of 4×4 whose frames claim these sides; each has the pixels of one dot."""
    parts = [b"GIF89a", struct.pack("<HHBBB", 4, 4, 0x80, 0, 0), b"\0\0\0\xff\xff\xff"]
    for width, height in frames:
        parts.append(b"!\xf9\x04" + struct.pack("<BHBB", dispose << 2 | 1, 0, 1, 0))
        parts.append(b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\0")
    return b"".join(parts) + b";"


def peak(data: bytes) -> int:
    """MB that reading takes beyond a process that read a small picture."""
    code = """
import resource, sys
from resviz.data.uploads import ImageError, decode, quick
def ask(data):
    quick(data)
    try:
        decode(data)
    except ImageError:
        pass
good, bad = (open(path, "rb").read() for path in sys.argv[1:])
ask(good)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ask(bad)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    with tempfile.NamedTemporaryFile() as good, tempfile.NamedTemporaryFile() as bad:
        for file, content in ((good, gif((1, 1))), (bad, data)):
            file.write(content)
            file.flush()
        return int(
            subprocess.run([sys.executable, "-c", code, good.name, bad.name], capture_output=True, text=True, check=True).stdout
        )


@pytest.mark.parametrize("dispose", [2, 3])
@pytest.mark.parametrize("frames", [((30000, 30000),), ((1, 1), (30000, 30000)), ((1, 1), (1, 1), (30000, 30000), (1, 1))])
def test_a_frame_takes_no_memory_for_what_it_claims(frames: tuple[tuple[int, int], ...], dispose: int) -> None:
    assert peak(gif(*frames, dispose=dispose)) < 300


def test_a_first_frame_larger_than_anything_is_one_sentence() -> None:
    with pytest.raises(ImageError, match=r"million pixels.*smaller"):
        decode(gif((30000, 30000)))


def stack(count: int, kind: str) -> bytes:
    buffer = io.BytesIO()
    pictures = [Image.new("P", (6, 5), n) for n in range(count)]
    pictures[0].putpalette([n for each in range(256) for n in (each, 7, 9)])
    for picture in pictures[1:]:
        picture.putpalette([n for each in range(256) for n in (each, 7, 9)])
    pictures[0].save(buffer, kind, save_all=True, append_images=pictures[1:])
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
@pytest.mark.parametrize(
    ("count", "said"), [(1, ()), (2, ("first of 2 frames",)), (7, ("first of 7 frames",)), (120, ("more than 100",))]
)
def test_frames_are_counted(kind: str, count: int, said: tuple[str, ...]) -> None:
    notes = decode(stack(count, kind)).notes
    assert len(notes) == len(said)
    assert all(words in note for note, words in zip(notes, said, strict=True))


def test_what_follows_the_only_frame_is_no_frame() -> None:
    whole = stack(1, "GIF")
    for data in (whole[:-1], whole + b"junk", whole[:-1] + b"\x77junk"):
        assert not decode(data).notes
    assert "later frame" in decode(stack(2, "GIF")[:-6]).notes[0]


@pytest.mark.parametrize("data", [b"GIF89a" + b"\xff" * 9, b"RIFF\0\0\0\0WEBPxx", b"II*\0" + b"\xff" * 40, b"\x89PNG\r\n\x1a\n"])
def test_a_sentence_shows_no_innards(data: bytes) -> None:
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert " at 0x" not in str(caught.value)
    assert "<" not in str(caught.value)
