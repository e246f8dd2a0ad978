"""Many pictures at once: zips and folders that are damaged, lying or full of odd names."""

from __future__ import annotations

import bz2
import csv
import io
import resource
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resviz.attribution.folders import explain_all
from resviz.attribution.question import Asked
from resviz.cli import main
from resviz.data.datasets import files_sets
from resviz.data.unpack import Entry, UnpackError, folder, unzip
from resviz.data.uploads import ImageError
from resviz.figures.reports.gallery import Gallery, cell
from resviz.progress import Cancelled
from resviz.zoo.bundled import load_bundled


def picture(seed: int = 0, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (24, 24, 3), dtype=np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def packed(files: dict[str, bytes] | list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return buffer.getvalue()


def contents(data: bytes) -> dict[str, bytes | str]:
    """Every entry's content, or the sentence why there is none; what is no ImageError fails the test."""
    found: dict[str, bytes | str] = {}
    for entry in unzip(data):
        try:
            found[entry.name] = entry.read()
        except ImageError as error:
            found[entry.name] = str(error)
    return found


def flipped(data: bytes, name: str) -> bytes:
    """The zip with one entry's packed bytes damaged."""
    entry = zipfile.ZipFile(io.BytesIO(data)).getinfo(name)
    damaged, at = bytearray(data), entry.header_offset + 30 + len(name) + 9
    damaged[at : at + entry.compress_size // 2] = b"\xa5" * (entry.compress_size // 2)
    return bytes(damaged)


def patched(data: bytes, name: str, at: int, value: bytes) -> bytes:
    """The zip with a field of one entry's line in the central directory overwritten."""
    changed = bytearray(data)
    line = data.index(b"PK\x01\x02", 0)
    while data[line + 46 : line + 46 + len(name)] != name.encode():
        line = data.index(b"PK\x01\x02", line + 4)
    changed[line + at : line + at + len(value)] = value
    return bytes(changed)


GOOD = {f"{n}.png": picture(n) for n in range(3)}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_entry_leaves_the_others(method: int) -> None:
    whole = packed(GOOD, method)
    assert contents(whole) == GOOD
    found = contents(flipped(whole, "1.png"))
    assert {name: found[name] for name in ("0.png", "2.png")} == {name: GOOD[name] for name in ("0.png", "2.png")}
    assert isinstance(said := found["1.png"], str)
    assert "damaged" in said
    assert "<" not in said


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (8, b"\1\0", "encrypted"),
        (10, b"\x09\0", "Deflate64"),
        (20, struct.pack("<I", 2**31), "ends before"),
        (24, struct.pack("<I", 48 * 2**20), "MB"),
        (24, struct.pack("<I", 10), "something else"),
        (16, b"\0\0\0\0", "something else"),
        (42, struct.pack("<I", 7), "not where"),
    ],
    ids=["encrypted", "Deflate64", "longer than the zip", "says more", "says less", "checksum", "elsewhere"],
)
def test_an_entry_that_cannot_be_taken_out_is_one_sentence(at: int, value: bytes, words: str) -> None:
    found = contents(patched(packed(GOOD), "1.png", at, value))
    assert found["0.png"] == GOOD["0.png"]
    assert isinstance(said := found["1.png"], str)
    assert words in said
    assert "ZipInfo" not in said


def test_a_name_that_cannot_be_decoded_is_read_all_the_same() -> None:
    whole = packed({"é/0.png": GOOD["0.png"], "1.png": GOOD["1.png"]})
    found = contents(whole.replace("é/0.png".encode(), b"\xff\xfe/0.png"))
    assert list(found.values()) == [GOOD["0.png"], GOOD["1.png"]]


@pytest.mark.parametrize(
    ("method", "pack"),
    [
        (zipfile.ZIP_DEFLATED, lambda data: zlib.compress(data, 9, wbits=-15)),
        (zipfile.ZIP_BZIP2, bz2.compress),
    ],
    ids=["deflate", "bzip2"],
)
def test_an_entry_that_says_a_thousand_bytes_and_holds_a_gigabyte_is_never_unpacked(
    method: int, pack: Callable[[bytes], bytes]
) -> None:
    raw = pack(bytes(2**30))
    name = b"bomb.png"
    fields = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 0x21, 0, len(raw), 1000, len(name), 0)
    local = b"PK\x03\x04" + fields + name + raw
    central = b"PK\x01\x02" + b"\x14\0" + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "something else" in str(contents(local + central + end)["bomb.png"])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + b"\xff" * 18, packed(GOOD)[:-30]])
def test_what_is_no_zip_is_one_sentence(data: bytes) -> None:
    with pytest.raises(UnpackError, match="no zip"):
        list(unzip(data))


def test_a_zip_without_its_beginning_keeps_what_is_whole() -> None:
    found = contents(packed(GOOD)[40:])
    assert isinstance(found["0.png"], str)
    assert found["2.png"] == GOOD["2.png"]


def test_a_table_of_too_many_files_is_refused_before_it_is_read() -> None:
    with pytest.raises(UnpackError, match="files"):
        unzip(packed({f"{n}": b"" for n in range(11_000)}))


# ------------------------------------------------------------------------------------------ batches


def explained(
    entries: list[Entry] | Iterator[Entry], methods: tuple[str, ...] = ("saliency",)
) -> tuple[Gallery, dict[str, bytes]]:
    written: dict[str, bytes] = {}

    def write(path: str, content: bytes) -> None:
        assert path.casefold() not in {other.casefold() for other in written}, f"{path} is overwritten"
        written[path] = content

    with Gallery(write) as gallery:
        for found in explain_all(entries, [load_bundled("resnet20-cifar10")], [*map(Asked.of, methods)]):
            gallery.add(found.name, found.network, found.window, found.prediction, found.maps, found.problem, found.notes)
    return gallery, written


def table(written: dict[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written["predictions.csv"].decode())))


def test_every_input_has_a_row(tmp_path: Path) -> None:
    (tmp_path / "a.jfif").write_bytes(picture(1, "JPEG"))
    (tmp_path / "b.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(30))
    (tmp_path / "c").write_bytes(picture(2))
    (tmp_path / "d.png").write_bytes(picture(3)[:200])
    (tmp_path / "e.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "f.png").write_bytes(b"")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "a.png").write_bytes(picture())
    rows = table(explained(folder(tmp_path))[1])
    assert [row["file"] for row in rows] == ["a.jfif", "b.heic", "c", "d.png", "e.png", "f.png"]
    assert [bool(row["class"]) for row in rows] == [True, False, True, False, False, False]
    for row, words in zip(rows, ("", "HEIC", "", "damaged", "link", "empty"), strict=True):
        assert words in row["problem"]


def test_a_damaged_zip_is_explained_as_far_as_it_goes() -> None:
    rows = table(explained(unzip(flipped(packed(GOOD), "1.png")))[1])
    assert [(row["file"], bool(row["problem"])) for row in rows] == [("0.png", False), ("1.png", True), ("2.png", False)]


def test_names_that_fall_together_keep_their_maps() -> None:
    names = [
        "IMG_1.png",
        "IMG_1.png",
        "img_1.PNG",
        "a:b.png",
        "a_b.png",
        "../x.png",
        "x.png",
        "/abs/../y.png",
        "n" * 300 + ".png",
    ]
    _, written = explained([Entry(name, lambda n=n: picture(n)) for n, name in enumerate(names)])
    maps = [path for path in written if path.endswith(".npy")]
    assert len(maps) == len(names)
    assert len({row["file"] for row in table(written)}) == len(names)
    for path in maps:
        assert ".." not in path.split("/")
        assert max(len(part.encode()) for part in path.split("/")) <= 255


def test_a_zip_with_one_path_twice_has_two_answers() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = packed([("a.png", picture(1)), ("a.png", picture(2))])
    rows = table(explained(unzip(data))[1])
    assert len({row["file"] for row in rows}) == 2
    assert rows[0]["probability"] != rows[1]["probability"]


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x","y").png', "+1.png", "-1.png", "@a.png", "\tb.png"])
def test_no_name_starts_a_formula(name: str) -> None:
    row = table(explained([Entry(name, picture)])[1])[0]
    assert row["file"] == f"'{name}"
    assert cell("plain.png") == "plain.png"


def test_a_method_that_fails_is_a_problem_and_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from resviz.attribution import folders

    real = folders.attribute

    def sometimes(*given: object, **more: object) -> object:
        if given[1] == Asked("grad-cam"):
            raise RuntimeError("no memory")
        return real(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(folders, "attribute", sometimes)
    rows = table(explained([Entry("a", picture), Entry("b", picture)], ("grad-cam", "saliency"))[1])
    assert ["no memory" in row["problem"] for row in rows] == [True, True]


def test_a_run_that_is_ended_leaves_its_index() -> None:
    written: dict[str, bytes] = {}
    done: list[str] = []

    def tick(*_: object, **__: object) -> bool:
        if len(done) == 2:
            raise Cancelled
        return False

    def run() -> None:
        with Gallery(written.__setitem__) as gallery:
            for found in explain_all(
                [Entry(f"{n}.png", picture) for n in range(9)], [load_bundled("resnet20-cifar10")], [Asked("saliency")], tick
            ):
                gallery.add(found.name, found.network, found.window, found.prediction, found.maps, found.problem)
                done.append(found.name)

    with pytest.raises(Cancelled):
        run()
    assert [row["file"] for row in table(written)] == ["0.png", "1.png"]
    assert b"1.png" in written["index.html"]


def test_the_command_line_says_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(packed(GOOD)[:-40])
    assert main(["explain", str(broken), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert "no zip that can be read" in said[-1]
    assert not any("Traceback" in line for line in said)


# ------------------------------------------------------------------------------------------ the lab's own images


def test_what_is_left_out_of_a_set_is_named_and_reading_can_be_ended() -> None:
    files = {f"{name}/{n}.png": picture(n) for name in ("a", "b") for n in range(10)}
    (train, held_out), said = files_sets(unzip(flipped(packed(files), "a/3.png")))
    assert (len(train), len(held_out)) == (16, 3)
    assert len(said) == 1
    assert said[0].startswith("a/3.png")

    def end(*_: object, **__: object) -> bool:
        raise Cancelled

    with pytest.raises(Cancelled):
        files_sets(unzip(packed(files)), tick=end)
