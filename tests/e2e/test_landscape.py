"""The loss around two networks as a visitor sees it: a first picture, which sharpens, can be cancelled, and is gone on with."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Server, ready


def points(page: Page) -> int:
    """Along a side of the first map: what its description says."""
    text = page.locator(".st-key-stage [data-testid=stPlotlyChart]").first.get_attribute("aria-label") or ""
    return int(text.split("×")[0].split()[-1])


def test_the_landscape_sharpens_and_can_be_cancelled(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/landscape?depth=56&weights=start&grid=33&plane=5")
    maps = page.locator(".st-key-stage .js-plotly-plot")
    expect(maps).to_have_count(2)
    expect(page.get_by_text("of 2,178 points")).to_be_visible()
    expect(page.get_by_text("5×5 lie").or_(page.get_by_text("5×5 lies")).first).to_be_visible()
    expect(page.get_by_text("9×9 lie").or_(page.get_by_text("9×9 lies")).first).to_be_visible()  # it has sharpened
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("cancelled")).to_be_visible()
    ready(page)
    expect(maps).to_have_count(2)  # what was measured stays
    page.get_by_role("button", name="Another plane").click()
    expect(page.get_by_text("of 2,178 points")).to_be_visible()
    assert "plane=6" in page.url or page.wait_for_url("**plane=6*") is None
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("cancelled")).to_be_visible()


def test_a_phone_shows_both_maps_without_scrolling_sideways(server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(f"{server.url}/landscape?depth=20&weights=start&grid=5")
    expect(page.locator(".st-key-stage .js-plotly-plot")).to_have_count(2)
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
