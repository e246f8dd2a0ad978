"""From a zip of photographs to a network that is asked, taken along, and brought back in another browser."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, FilePayload, Page, expect

from resviz.data.album import example
from resviz.data.images import data_root
from tests.e2e.conftest import Server, ready, unfold
from tests.test_transfer import packed

PHOTOGRAPHED = ("church", "french horn", "parachute")  # of Imagenette, none of which the network of two hundred classes knows


def pictures() -> tuple[bytes, str]:
    """Twelve of each of three classes as a zip, and the classes' names: photographs where they lie on this machine, or the page's textures."""
    folder = data_root() / "imagenette160" / "train"
    if folder.is_dir():
        own = {name: sorted((folder / name.replace(" ", "_")).iterdir())[:12] for name in PHOTOGRAPHED}
        found = {f"{name}/{file.name}": file.read_bytes() for name, files in own.items() for file in files}
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
    unfold(page, "Start from")
    page.get_by_role("option", name=re.compile("Tiny ImageNet")).click()
    ready(page)
    page.get_by_role("radio", name="Your own").click()
    page.locator(".st-key-transfer-zip input").set_input_files(payload)
    page.locator(".st-key-transfer-modes").get_by_text("From scratch").click()
    told = page.get_by_text(
        re.compile(r"^Of 12 held-out pictures, named right: head only \d+, from scratch \d+; a linear head on raw pixels \d+")
    )
    expect(told).to_be_visible()
    head, scratch, pixels = map(int, re.findall(r"(?:head only|from scratch|raw pixels) (\d+)", told.inner_text()))
    print(f"of 12: head only {head}, from scratch {scratch}, raw pixels {pixels}")
    assert head > pixels
    assert head > scratch or (head == scratch and not classes.startswith(PHOTOGRAPHED[0]))  # textures are easy for both
    for row in ("Head only", "From scratch", "Linear head on raw pixels"):
        expect(page.get_by_role("row", name=re.compile(f"^{row}"))).to_be_visible()
    expect(page.get_by_text("Rows: what is shown; columns: the answer")).to_have_count(2)
    ready(page)
    page.get_by_role("button", name="Explain with it").click()  # which puts it on the shelf
    page.wait_for_url("**/explain**")
    expect(page.get_by_text(re.compile(r"^A held-out picture, labelled .* is still here\."))).to_be_visible()
    held_out = said(page, classes)
    expect(page.get_by_text("Grad-CAM").filter(visible=True).first).to_be_visible()
    expect(page.locator("canvas").filter(visible=True).first).to_be_visible()
    page.get_by_role("button", name="My networks (1)").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    download.value.save_as(file := tmp_path / "mine.safetensors")
    first, second = (
        bring_back(context.new_page(), server, file, classes) for context in (browser.new_context(), browser.new_context())
    )
    assert first == second != held_out
