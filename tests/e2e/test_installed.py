"""The wheel in an environment of its own, away from the checkout: `resviz serve`, and every page in a browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from resviz.ui.pages import PAGES
from tests.e2e.conftest import Server, ready
from tests.e2e.test_accessibility import FIGURES
from tests.installed import build, install


def test_an_installed_package_serves_every_page(page: Page, tmp_path: Path) -> None:
    """Its dependencies are those of the running environment: see `tests.installed`."""
    programs = install(build(tmp_path), tmp_path / "environment")
    empty = tmp_path / "elsewhere"
    empty.mkdir()
    server = Server(empty / "log", installed=programs)
    for about in PAGES:
        page.goto(f"{server.url}/{about.path}", wait_until="commit")
        expect(page.get_by_role("heading", name=about.question)).to_be_visible()
        expect(page.get_by_text("As measured on")).to_have_count(0, timeout=90_000)
        expect(page.locator(FIGURES[about.title]).filter(visible=True).first).to_be_visible(timeout=90_000)
        ready(page)
        expect(page.get_by_text("missing or damaged")).to_have_count(0)
        expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)  # Streamlit's own, which the project's options switch off
    for path in ("_stcore/health", "preview.png"):
        assert page.request.get(f"{server.url}/{path}").ok
    page.goto("about:blank")
    server.stop()
    assert [path.name for path in empty.iterdir()] == ["log"]  # nothing is written where one stands
