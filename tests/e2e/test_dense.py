"""A DenseNet in a real browser: its arcs and, under an opened layer, each source that it reads."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, ready

LAYER = "features.denseblock1.denselayer3"


def test_one_connection_an_arc_and_the_link_of_both(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/build?family=densenet&blocks=3-2&growth=4")
    ready(page)
    page.locator(f"[data-action='open:{LAYER}']").first.dispatch_event("click")
    piece = page.locator(f"[data-action='sever:{LAYER}<1']").first
    expect(piece).to_be_visible()
    piece.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 connection cut").first).to_be_visible()
    expect(page.get_by_text("of them as zeros").first).to_be_visible()
    expect(page.locator(f"[data-action='sever:{LAYER}<1']").first).to_have_attribute("aria-checked", "false")
    page.locator(f"[data-action='cut:{LAYER}']").first.dispatch_event("click")
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
    ready(page)
    assert "family=densenet" in page.url
    assert "cut=1.3" in page.url
    assert "severed=1.3-1" in page.url
    page.reload()
    expect(page.get_by_text("1 skip cut · 1 connection cut").first).to_be_visible()
