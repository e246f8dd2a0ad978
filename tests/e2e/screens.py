"""`make screens`: a screenshot of each page, light and dark, desktop and phone, under screens/."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from resviz.ui.page import PAGES
from tests.e2e.browser import FLAGS, find
from tests.e2e.conftest import ROOT, Server, ready


def main() -> None:
    out = ROOT / "screens"
    out.mkdir(exist_ok=True)
    server = Server(Path(tempfile.mkdtemp()) / "log")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
            for scheme in ("light", "dark"):
                for width, height in ((1440, 900), (390, 844)):
                    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                    page = context.new_page()
                    for each in PAGES:
                        page.goto(f"{server.url}/{each.path}")
                        ready(page)
                        page.wait_for_timeout(2500)
                        ready(page)
                        content = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
                        page.set_viewport_size({"width": width, "height": min(int(content) + 20, 4000)})
                        page.wait_for_timeout(600)
                        page.screenshot(path=out / f"{each.title.lower()}-{scheme}-{width}.png")
                        page.set_viewport_size({"width": width, "height": height})
                    context.close()
            browser.close()
    finally:
        server.stop()
    print(f"{len(list(out.glob('*.png')))} screenshots in {out}")


if __name__ == "__main__":
    main()
