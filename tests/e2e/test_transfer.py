"""From a zip of photographs to a network that is asked, taken along, and brought back in another browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from resviz.data.images import data_root
from tests.e2e.conftest import Server, ready
from tests.test_transfer import packed

CLASSES = ("African elephant", "espresso", "obelisk")  # none of which the network of ten classes knows


def photographs() -> bytes:
    """Twelve of each class as a zip."""
    folder = data_root() / "tinyimagenet64" / "train"
    if not folder.is_dir():
        pytest.skip(f"no photographs under {folder}")
    files: dict[str, Path] = {f"{name}/{file.name}": file for name in CLASSES for file in sorted((folder / name).iterdir())[:12]}
    return packed({name: file.read_bytes() for name, file in files.items()})


def bring_back(page: Page, server: Server, file: Path) -> str:
    """What Explain says of its sample with the network that a file holds."""
    page.goto(f"{server.url}/explain")
    ready(page)
    page.get_by_role("button", name=re.compile("^My networks")).click()
    page.locator(".st-key-shelf\\.file input, .st-key-shelf-file input").first.set_input_files(file)
    expect(page.get_by_role("button", name="My networks (1)")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Network", exact=True).click()
    page.get_by_role("option", name=re.compile("on your shelf")).click()
    return said(page)


def said(page: Page) -> str:
    expect(page.get_by_text("It knows 3 names: African elephant, espresso, obelisk.")).to_be_visible()
    ready(page)
    return page.locator(".st-key-stage p", has_text="Entropy").first.inner_text()


def test_a_dozen_photographs_a_class_become_a_network(page: Page, browser: Browser, server: Server, tmp_path: Path) -> None:
    payload: FilePayload = {"name": "mine.zip", "mimeType": "application/zip", "buffer": photographs()}
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
    first, second = (bring_back(context.new_page(), server, file) for context in (browser.new_context(), browser.new_context()))
    assert first == second
