"""A U-Net in a real browser: a long skip's arc and its link, and the masks that two of them draw while they learn."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, ready


def test_a_long_arc_is_cut_and_the_lab_shows_masks_beside_the_true_ones(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/build?family=unet&blocks=1-1-1&width=4")
    ready(page)
    page.locator("[data-action='cut:up1.long']").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
    ready(page)
    assert "cut=up1.long" in page.url
    page.get_by_role("button", name="Train this against plain in the Lab").click()
    expect(page.get_by_text("The true mask: disc is white")).to_be_visible(timeout=30_000)
    ready(page)
    assert "data=discs" in page.url
    page.get_by_role("button", name="Step", exact=True).click()
    expect(page.get_by_text("Held-out pictures, step 2")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("on held-out masks").first).to_be_visible()
    expect(page.get_by_test_id("stImage")).to_have_count(4)  # the pictures, their masks, and each network's
