"""A link that is handed on: copied, photographed, and opened by others, in a real browser."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from resviz.ui.components.link import code_of
from tests.e2e.conftest import Server, ready


def opened(page: Page, server: Server, path: str) -> str:
    """The page with its link shown; the link."""
    page.goto(f"{server.url}/{path}")
    button = page.get_by_test_id("stPopoverButton").filter(has_text="ink", visible=True).last
    button.wait_for()
    ready(page)
    button.click()
    url = page.get_by_role("textbox", name="Link")
    expect(url).to_be_visible()
    return str(url.input_value())


LINKS = {
    "build?blocks=2-2-2": "blocks=2-2-2",
    "gradients?blocks=2-2-2": "blocks=2-2-2",
    "lab?a=blocks%3D1-1-1%26in_channels%3D1": "blocks",
    "explain?model=resnet20-cifar10&photo=Cat&methods=saliency": "methods=saliency",
}


@pytest.mark.parametrize("path", LINKS)
def test_a_link_can_be_copied_and_photographed(path: str, server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    url = opened(page, server, path)
    assert LINKS[path] in url
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == url
    code = page.locator("img.code")
    expect(code).to_have_attribute("src", code_of(url)[0])
    assert (code.get_attribute("alt") or "").startswith("QR code of the link to ")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_code_is_dark_on_light_in_both_themes(scheme: str, server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    opened(page, server, "build?blocks=2-2-2")
    with Image.open(io.BytesIO(page.locator("img.code").screenshot())) as shot:
        shown = shot.convert("L")
    edge = shown.width // 40
    assert min(shown.getpixel((edge, y)) for y in range(edge, shown.height - edge)) > 240
    assert shown.getextrema()[0] < 60
    box = page.locator("img.code").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    context.close()


def test_a_link_that_no_code_holds_says_so(server: Server, page: Page) -> None:
    contender = "blocks%3D9-9-9%26in_channels%3D1%26cut%3D" + "%2C".join(
        f"{stage}.{block}" for stage in (1, 2, 3) for block in range(9)
    )
    edits = ",".join(f"{n}:lr:{n / 1000 + 0.0123456789}" for n in range(2, 160))
    url = opened(page, server, f"lab?a={contender}&edits={edits}")
    assert len(url) > 2953
    expect(page.get_by_text("a QR code holds")).to_be_visible()
    expect(page.locator("img.code")).to_be_hidden()
