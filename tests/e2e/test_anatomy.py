"""The page about lesions as a visitor uses it: a branch dropped by a click, a skip cut by another, and Back."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from tests.e2e.conftest import Server, ready


def wrong(page: Tab) -> float:
    shown = page.get_by_test_id("stMetricValue")
    expect(shown).to_contain_text("%")  # no longer asking
    return float((shown.text_content() or "").strip().removesuffix(" %"))


def test_a_dropped_branch_moves_the_error_and_a_cut_skip_moves_it_more(server: Server, page: Tab, browser: Browser) -> None:
    page.goto(f"{server.url}/anatomy?model=resnet20-digits-0")
    ready(page)
    block = page.locator("[data-action='part:layer1.0']")
    expect(block.last).to_be_attached()
    whole = wrong(page)
    block.last.dispatch_event("click")
    expect(page.get_by_text("With 1 branch dropped")).to_be_visible()
    ready(page)
    dropped = wrong(page)
    assert dropped > whole
    assert "drop=1.0" in page.url
    expect(page.locator("rect.hollow")).to_have_count(2)  # both convolutions of the block

    page.get_by_role("radio", name="Cut its skip").click()
    ready(page)
    page.locator("[data-action='part:layer1.1']").last.dispatch_event("click")
    expect(page.get_by_text("With 1 branch dropped and 1 skip cut")).to_be_visible()
    ready(page)
    assert wrong(page) > dropped
    assert re.search(r"sever=1\.1", page.url)

    page.go_back()
    expect(page.get_by_text("With 1 branch dropped,")).to_be_visible()
    page.get_by_role("button", name="Put everything back").click()
    expect(page.get_by_text("As it is, the network answers")).to_be_visible()
    ready(page)
    assert wrong(page) == whole

    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    phone = context.new_page()
    phone.goto(f"{server.url}/anatomy?model=resnet20-digits-0&drop=1.0")
    ready(phone)
    expect(phone.get_by_text("With 1 branch dropped")).to_be_visible()
    assert wrong(phone) == dropped
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
