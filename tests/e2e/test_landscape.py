"""The loss around two networks as a visitor sees it: a first picture, which sharpens, can be cancelled, and is gone on with."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Server, ready

_FINER = r"""at => {
    const found = document.querySelector('.st-key-stage')?.innerText.match(/(\d+)×\1 points/);
    return found && Number(found[1]) > at ? Number(found[1]) : false;
}"""


def finer(page: Page, at: int) -> int:
    """The points along a side of what is drawn, once they are more than so many."""
    return int(page.wait_for_function(_FINER, arg=at, timeout=150_000).json_value())


def test_the_landscape_sharpens_and_can_be_cancelled(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/landscape?depth=20&weights=start&grid=33&plane=5")
    maps = page.locator(".st-key-stage .js-plotly-plot")
    first = finer(page, 0)
    expect(maps).to_have_count(2)
    expect(page.get_by_text("of 2,178 points")).to_be_visible()
    assert finer(page, first) > first
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("cancelled")).to_be_visible()
    ready(page)
    expect(maps).to_have_count(2)  # what was measured stays
    before = page.get_by_text("the loss is").first.inner_text()
    page.get_by_role("button", name="Another plane").click()
    expect(page).to_have_url(re.compile("plane=6"))
    expect(page.get_by_text("of 2,178 points")).to_be_visible()
    expect(page.get_by_text("The first points are under way")).to_have_count(0)
    finer(page, 0)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("cancelled")).to_be_visible()
    expect(page.get_by_text("the loss is").first).not_to_have_text(before)


def test_a_phone_shows_both_maps_without_scrolling_sideways(server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(f"{server.url}/landscape?depth=20&weights=start&grid=5")
    expect(page.locator(".st-key-stage .js-plotly-plot")).to_have_count(2)
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
