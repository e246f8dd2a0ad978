"""On a fresh server each page shows its first figure at once, as it was measured, and then measures it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server


@pytest.mark.parametrize(
    ("path", "figure"), [("", "path.line"), ("gradients", "path.line"), ("lab", "path.point"), ("explain", "canvas")]
)
def test_the_first_figure_is_there_before_pytorch(page: Page, tmp_path: Path, path: str, figure: str) -> None:
    fresh = Server(tmp_path / "log")
    page.goto(f"{fresh.url}/{path}")
    expect(page.locator(figure).filter(visible=True).first).to_be_visible()
    expect(page.get_by_text("As measured on")).to_be_visible(timeout=3000)  # still the shipped one
    expect(page.get_by_text("As measured on")).to_have_count(0, timeout=90_000)
    expect(page.locator(figure).filter(visible=True).first).to_be_visible(timeout=90_000)
    page.goto("about:blank")
    fresh.stop()
