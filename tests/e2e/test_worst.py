"""Twelve of the worst things a visitor can bring, one after another, to one page; then a good photograph is explained."""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from resviz.data.uploads import sample_photographs
from resviz.nets.build import build
from resviz.spec.net import NetSpec
from tests.e2e.conftest import Server, ready
from tests.foreign import trained
from tests.fuzz.zips import packed
from tests.test_pictures_bounds import gif

__all__ = ["checkpoints", "feed", "pictures", "zips"]


class _Runs:
    """What pickles as a call of the shell."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(bytes(4000))) + _chunk(b"IEND", b"")


def pictures() -> dict[str, bytes]:
    """A frame of a billion pixels, a strip, sixteen bits of 50 million, half a file, and a page that calls itself a picture."""
    whole = io.BytesIO()
    sample_photographs()["Cat"].save(whole, "JPEG")
    return {
        "a frame of a billion.gif": gif((30000, 30000)),
        "one by 50 million.png": _png(1, 50_000_000),
        "deep.png": _png(10_000, 10_000),
        "half.jpg": whole.getvalue()[:9000],
        "![i](http://e.x) <b>page.png": b"<html><body>no picture</body></html>",
    }


def checkpoints(canary: Path) -> dict[str, bytes]:
    """One that runs a command, two gigabytes by one number, a bomb, a network of nan, a gap of hundreds of blocks, and no network."""
    state = trained(build(NetSpec(blocks=(1, 1), width=8, classes=4))).state_dict()

    def saved(thing: object) -> bytes:
        buffer = io.BytesIO()
        torch.save(thing, buffer)
        return buffer.getvalue()

    def zipped(code: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("archive/data.pkl", code, method)
        return buffer.getvalue()

    return {
        "runs a command.pth": saved({"state_dict": _Runs(f"touch {canary}")}),
        "two gigabytes.pth": zipped(b"\x80\x05\x96" + struct.pack("<Q", 2**31) + b"."),
        "deflated.pth": zipped(bytes(60_000_000), zipfile.ZIP_DEFLATED),
        "nan.pth": saved({**state, "layer1.0.conv1.weight": state["layer1.0.conv1.weight"] * float("nan")}),
        "a gap.pth": saved({**state, "layer1.511.conv1.weight": torch.zeros(8, 8, 3, 3)}),
    }


def zips() -> dict[str, bytes]:
    """A lying one with a bomb in it, and one that is cut off."""
    photograph = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(photograph, "PNG")
    whole = packed([("bomb.png", bytes(40 * 2**20)), ("../../out.png", photograph.getvalue())], zipfile.ZIP_DEFLATED)
    at = whole.rfind(b"PK\x01\x02", 0, whole.rfind(b"PK\x01\x02"))
    lying = whole[: at + 24] + struct.pack("<I", 1000) + whole[at + 28 :]
    return {"says 1,000 bytes.zip": lying, "cut.zip": whole[:-30]}


def _upload(page: Page, place: int, name: str, data: bytes) -> None:
    page.locator("input[type=file]").nth(place).set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def _one_sentence(page: Page, name: str, words: str) -> None:
    """One box with one sentence, nothing of it live, and the page answers."""
    box = page.locator("[data-testid=stAlert]").filter(has_text=re.compile(words))
    expect(box, name).to_have_count(1)
    ready(page)
    said = box.inner_text().strip()
    assert "\n" not in said, said
    assert len(said) < 700, said
    assert "Traceback" not in said, said
    assert box.locator("a, img, b").count() == 0, said
    assert page.get_by_test_id("stException").all_inner_texts() == [], name
    expect(page.get_by_text("Entropy").first).to_be_visible()


_SAID = {
    "a frame of a billion.gif": "million pixels",
    "one by 50 million.png": "narrow",
    "deep.png": "million",
    "half.jpg": "cut off or damaged",
    "![i](http://e.x) <b>page.png": "no picture",
    "runs a command.pth": "no network|holds no|cannot be read",
    "two gigabytes.pth": "cannot be read as weights",
    "deflated.pth": "compressed",
    "nan.pth": "not finite",
    "a gap.pth": "is missing",
}


def feed(page: Page, url: str, canary: Path) -> None:
    """All twelve, then a good photograph; fails where one of them leaves more than a sentence."""
    page.goto(f"{url}/explain?model=resnet20-cifar10&methods=saliency")
    ready(page)
    page.get_by_role("radio", name="Upload").click()
    for name, data in pictures().items():
        _upload(page, 0, name, data)
        _one_sentence(page, name, _SAID[name])
    page.get_by_role("radio", name="Sample").click()
    ready(page)
    page.get_by_role("combobox", name="Network", exact=True).click()
    page.get_by_role("option", name="your own checkpoint").click()
    ready(page)
    for name, data in checkpoints(canary).items():
        _upload(page, 0, name, data)
        _one_sentence(page, name, _SAID[name])
    assert not canary.exists()
    page.goto(f"{url}/explain?model=resnet20-cifar10&methods=saliency&view=Many+pictures")
    ready(page)
    given = zips()
    page.locator("input[type=file]").last.set_input_files(
        [{"name": name, "mimeType": "application/zip", "buffer": data} for name, data in given.items()]
    )
    expect(page.get_by_text("1 answer, 2 rows with a problem")).to_be_visible()
    ready(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.get_by_role("radio", name="Compare").click()
    ready(page)
    photograph = io.BytesIO()
    sample_photographs()["Cat"].save(photograph, "JPEG")
    page.get_by_role("radio", name="Upload").click()
    _upload(page, 0, "cat.jpg", photograph.getvalue())
    expect(page.locator("[data-drawn^='map-saliency']")).to_have_count(1)
    ready(page)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    expect(page.get_by_text("cat.jpg").first).to_be_visible()


def test_twelve_of_the_worst_leave_a_living_page(browser: Browser, tmp_path: Path) -> None:
    """On a server of its own, whose log and console may speak of what they were given."""
    own = Server(tmp_path / "log")
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    try:
        feed(page, own.url, tmp_path / "canary")
    finally:
        page.close()
        own.process.terminate()
        own.process.wait(20)
