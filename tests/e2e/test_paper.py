"""A figure of the page for a paper, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, ready


def test_a_figure_leaves_as_a_paper_prints_it(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/gradients?blocks=2-2-2")
    ready(page)
    page.get_by_role("button", name="For a paper").click()
    sheet = page.get_by_test_id("stPopoverBody")
    expect(sheet.get_by_text("he2016deep")).to_be_visible()
    sheet.get_by_text("both columns").click()
    expect(sheet.get_by_text("6.75 inches wide")).to_be_visible()
    sizes = {}
    for form in ("SVG", "PDF", "Data (CSV)"):
        with page.expect_download() as taken:
            sheet.get_by_role("button", name=form, exact=True).click()
        sizes[form] = Path(taken.value.path()).read_bytes()
    assert b'width="486pt"' in sizes["SVG"]
    assert sizes["PDF"].startswith(b"%PDF")
    assert sizes["Data (CSV)"].count(b"residual,") == 14
