"""A figure of the page for a paper, in a real browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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


def test_what_opened_a_sheet_can_be_read_in_the_dark(server: Server, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{server.url}/gradients?blocks=2-2-2")
    ready(page)
    button = page.get_by_role("button", name="For a paper")
    button.click()
    expect(page.get_by_test_id("stPopoverBody").get_by_text("he2016deep")).to_be_visible()
    expect(button).to_have_css("color", "rgb(232, 237, 242)")  # Streamlit's own is rgb(20, 52, 77), 1.4 to 1 on this ground


def test_maps_of_evidence_leave_as_a_paper_prints_them(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/explain?methods=saliency,grad-cam")
    expect(page.get_by_role("img", name="Grad-CAM · layer3.2: evidence for cat")).to_be_visible()
    ready(page)
    page.get_by_role("button", name="For a paper").click()
    sheet = page.get_by_test_id("stPopoverBody")
    sheet.get_by_role("combobox", name="Figure").click()
    page.get_by_role("option", name="Evidence for").click()
    files = {}
    for form in ("SVG", "PDF", "Data (NPZ)"):
        with page.expect_download() as taken:
            sheet.get_by_role("button", name=form, exact=True).click()
        files[form] = Path(taken.value.path())
    svg = files["SVG"].read_text(encoding="utf-8")
    assert all(f">{word}</text>" in svg for word in ("Photograph", "Saliency", "against", "for"))
    assert files["PDF"].read_bytes().startswith(b"%PDF")
    with np.load(files["Data (NPZ)"]) as held:
        assert len(held.files) == 3
