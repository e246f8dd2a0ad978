"""On a fresh server each page shows its first figure at once, as it was measured, and then measures it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from resviz.ui.page import PAGES
from resviz.ui.page import Page as PageOfTheApp
from tests.e2e.conftest import Server
from tests.e2e.test_accessibility import FIGURES


@pytest.mark.parametrize("about", [each for each in PAGES if each.first], ids=lambda about: about.title)
def test_the_first_figure_is_there_before_pytorch(page: Page, tmp_path: Path, about: PageOfTheApp) -> None:
    fresh, figure = Server(tmp_path / "log"), FIGURES[about.title]
    page.goto(f"{fresh.url}/{about.path}")
    expect(page.locator(figure).filter(visible=True).first).to_be_visible()
    expect(page.get_by_text("As measured on")).to_be_visible(timeout=3000)  # still the shipped one
    expect(page.get_by_text("As measured on")).to_have_count(0, timeout=90_000)
    expect(page.locator(figure).filter(visible=True).first).to_be_visible(timeout=90_000)
    page.goto("about:blank")
    fresh.stop()
