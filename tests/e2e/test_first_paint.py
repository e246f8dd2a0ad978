"""On a fresh server each page shows its first figure at once, as it was measured, and then measures it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from resviz.ui.pages import PAGES
from resviz.ui.pages import Page as PageOfTheApp
from tests.e2e.conftest import Server, ready
from tests.e2e.test_accessibility import FIGURES

# the browser's own measure of how far what is seen was pushed about, but for what a visitor's hand did
SHIFTED: Final = """window.moved = [];
new PerformanceObserver((list) => { for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifted = (window.shifted ?? 0) + entry.value;
    window.moved.push([entry.value, ...entry.sources.map((source) => source.node?.className ?? source.node?.nodeName)].join(' '));
} }).observe({ type: 'layout-shift', buffered: true })"""
MOST: Final = 0.05


def still(page: Page) -> None:
    """Nothing was pushed about on this page since it was opened."""
    assert page.evaluate("window.shifted ?? 0") < MOST, "\n".join(page.evaluate("window.moved"))


@pytest.mark.parametrize("about", PAGES, ids=lambda about: about.title)
def test_a_fresh_server_shows_the_page_before_pytorch(page: Page, browser: Browser, tmp_path: Path, about: PageOfTheApp) -> None:
    fresh, figure = Server(tmp_path / "log"), FIGURES[about.title]
    phone = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    for each in (page, phone):
        each.add_init_script(SHIFTED)
        each.goto(f"{fresh.url}/{about.path}", wait_until="commit")
    for each in (page, phone):
        expect(each.get_by_role("heading", name=about.question)).to_be_visible()
        if about.first:  # the shipped one
            expect(each.get_by_text("As measured on")).to_be_visible()
    for each in (page, phone):
        expect(each.locator(figure).filter(visible=True).first).to_be_visible()
    for each in (page, phone):
        expect(each.get_by_text("As measured on")).to_have_count(0, timeout=90_000)
        expect(each.locator(figure).filter(visible=True).first).to_be_visible(timeout=90_000)
        ready(each)
        still(each)
    for other in PAGES:
        expect(page.get_by_role("link", name=other.title, exact=True).first).to_be_visible()
    for each in (page, phone):
        each.goto("about:blank")  # a page whose server goes away would say so in its console
    phone.context.close()
    fresh.stop()


@pytest.mark.parametrize("width", [1440, 390])
def test_what_comes_late_of_the_frontend_pushes_nothing_about(page: Page, server: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.route("**/static/js/Button.*.js", hold)
    page.add_init_script(SHIFTED)
    page.goto(f"{server.url}/sweeps")
    expect(page.locator(".st-key-sweep-map .main-svg").first).to_be_attached()
    page.wait_for_timeout(7_000)  # longer than the page waits for anything else
    for each in late:
        each.continue_()
    expect(page.get_by_role("button", name="Norm and skips")).to_be_visible()
    expect(page.locator(FIGURES["Sweeps"]).filter(visible=True).first).to_be_visible()
    ready(page)
    assert late
    still(page)
