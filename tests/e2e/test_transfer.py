"""From a zip of photographs to a network that is asked, taken along, and brought back in another browser."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, FilePayload, Page, expect

from resviz.data.album import example
from resviz.data.images import data_root
from tests.e2e.conftest import Server, ready
from tests.test_transfer import packed

PHOTOGRAPHED = ("African elephant", "espresso", "obelisk")  # none of which the network of ten classes knows


def pictures() -> tuple[bytes, str]:
    """Twelve of each of three classes as a zip, and the classes' names: photographs where they lie on this machine, or the page's textures."""
    folder = data_root() / "tinyimagenet64" / "train"
    if folder.is_dir():
        found = {
            f"{name}/{file.name}": file.read_bytes() for name in PHOTOGRAPHED for file in sorted((folder / name).iterdir())[:12]
        }
        return packed(found), ", ".join(PHOTOGRAPHED)
    textures = example().classes
    return packed({f"{name}/{n}.png": each.image for name, own in textures.items() for n, each in enumerate(own)}), ", ".join(
        textures
    )


def bring_back(page: Page, server: Server, file: Path, classes: str) -> str:
    """What Explain says of its sample with the network that a file holds."""
    page.goto(f"{server.url}/explain")
    ready(page)
    page.get_by_role("button", name=re.compile("^My networks")).click()
    page.locator(".st-key-shelf\\.file input, .st-key-shelf-file input").first.set_input_files(file)
    expect(page.get_by_role("button", name="My networks (1)")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Network", exact=True).click()
    page.get_by_role("option", name=re.compile("on your shelf")).click()
    return said(page, classes)


def said(page: Page, classes: str) -> str:
    expect(page.get_by_text(f"It knows 3 names: {classes}.")).to_be_visible()
    ready(page)
    return page.locator(".st-key-stage p", has_text="Entropy").first.inner_text()


def test_a_dozen_photographs_a_class_become_a_network(page: Page, browser: Browser, server: Server, tmp_path: Path) -> None:
    packed_pictures, classes = pictures()
    payload: FilePayload = {"name": "mine.zip", "mimeType": "application/zip", "buffer": packed_pictures}
    page.goto(f"{server.url}/transfer")
    ready(page)
    page.get_by_role("radio", name="Your own").click()
    page.locator(".st-key-transfer-zip input").set_input_files(payload)
    told = page.get_by_text(re.compile(r"^Of 12 held-out pictures, named right: head only \d+; a linear head on raw pixels \d+"))
    expect(told).to_be_visible()
    head, pixels = map(int, re.findall(r"(?:head only|raw pixels) (\d+)", told.inner_text()))
    assert head > pixels
    ready(page)
    page.get_by_role("button", name="Put it on the shelf").click()
    page.get_by_role("button", name="My networks (1)").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    download.value.save_as(file := tmp_path / "mine.safetensors")
    first, second = (
        bring_back(context.new_page(), server, file, classes) for context in (browser.new_context(), browser.new_context())
    )
    assert first == second
