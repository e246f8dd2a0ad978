"""A race of shortcuts from a link, as a visitor runs it, and on a phone."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from resviz.figures.captions import race_note
from resviz.zoo.first import read_first
from tests.e2e.conftest import Server, ready


def test_contenders_from_a_link_are_raced_live(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/shortcuts?who=identity.half&layers=20&last=60")
    ready(page)
    lines = page.locator(".st-key-stage path.line")
    expect(lines).to_have_count(2)
    recorded = lines.first.get_attribute("d")
    page.get_by_role("button", name="Run it live").click()
    expect(page.get_by_text("After 60 steps at depth 20")).to_be_visible()
    ready(page)
    expect(lines).to_have_count(2)
    assert lines.first.get_attribute("d") != recorded
    assert re.search(r"who=identity\.half&layers=20&last=60$", page.url)
    page.get_by_role("button", name="Go on in the Lab").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What happens to every layer while it learns?")


def test_a_phone_shows_the_race_and_its_table(server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(f"{server.url}/shortcuts")
    ready(page)
    expect(page.locator(".race tbody tr")).to_have_count(len(read_first("shortcuts").values["skip"].kinds))
    first_words = race_note(read_first("shortcuts").values["skip"]).split("**")[1]
    expect(page.get_by_text(first_words).filter(visible=True).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
