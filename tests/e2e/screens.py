"""`make screens`: a screenshot of each page, light and dark, on a desktop, a phone and a projector, under screens/; README's in docs/."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from resviz.ui.pages import PAGES
from tests.e2e.browser import FLAGS, find
from tests.e2e.conftest import ROOT, Server, ready

PROJECTOR: Final = 1920
SIZES: Final = ((1440, 900), (390, 844), (PROJECTOR, 1080))


def _nine_skips(page: Page) -> None:
    expect(page.locator(".stage .at")).to_have_text("step 150 of 150")
    page.locator(".stage .hit[data-skip='9']").click()


def _hundred_steps(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Replay to")).click()
    expect(page.get_by_text("Step 100.")).to_be_visible()


def _nothing(page: Page) -> None:
    pass


def _measured(page: Page) -> None:
    """Networks that did not come along are trained first."""
    expect(page.get_by_text("17×17 points")).to_have_count(2, timeout=900_000)


# a picture of README's: the address, and what is done there first
README: Final[Mapping[str, tuple[str, Callable[[Page], None]]]] = {
    "home": ("", _nine_skips),
    "gradients": ("gradients?norm=none&init=pytorch", _nothing),
    "lab": (
        "lab?a=blocks%3D4-4-4%26in_channels%3D1&b=blocks%3D4-4-4%26in_channels%3D1%26residual%3D0&steps=100&edits=50:cut:a:2.0",
        _hundred_steps,
    ),
    "degradation": ("degradation", _nothing),
    "explain": ("explain", _nothing),
    "inside": ("inside", _nothing),
    "anatomy": ("anatomy", _nothing),
    "landscape": ("landscape?weights=trained", _measured),
    "shortcuts": ("shortcuts", _nothing),
}


def _settled(page: Page) -> None:
    for waiting in ("As measured on", "Loading PyTorch"):  # a fresh server's recorded figure, or its word
        expect(page.get_by_text(waiting)).to_have_count(0)
    ready(page)
    page.wait_for_timeout(2500)
    ready(page)


def _kept(screenshot: bytes, path: Path) -> None:
    """In 256 colours, which are enough for a page and make a photograph's half as large."""
    with Image.open(io.BytesIO(screenshot)) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def _for_readme(browser: Browser, server: Server) -> None:
    for name, (address, act) in README.items():
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{server.url}/{address}")
        _settled(page)
        act(page)
        _settled(page)
        page.mouse.move(0, 0)
        _kept(page.screenshot(), ROOT / "docs" / f"{name}.png")
        page.close()


def main() -> None:
    out = ROOT / "screens"
    out.mkdir(exist_ok=True)
    server = Server(Path(tempfile.mkdtemp()) / "log")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
            for scheme in ("light", "dark"):
                for width, height in SIZES:
                    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                    page = context.new_page()
                    for each in PAGES:
                        page.goto(f"{server.url}/{each.path}{'?present=1' if width == PROJECTOR else ''}")
                        _settled(page)
                        content = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
                        page.set_viewport_size({"width": width, "height": min(int(content) + 20, 4000)})
                        page.wait_for_timeout(600)
                        page.screenshot(path=out / f"{each.title.lower()}-{scheme}-{width}.png")
                        page.set_viewport_size({"width": width, "height": height})
                    context.close()
            _for_readme(browser, server)
            browser.close()
    finally:
        server.stop()
    print(f"{len(list(out.glob('*.png')))} screenshots in {out}")


if __name__ == "__main__":
    main()
