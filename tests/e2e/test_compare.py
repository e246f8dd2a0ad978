"""Two networks under each other: a layer chosen in one is chosen in both, and the link brings both back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, ready


def test_two_networks_in_sync_and_in_the_link(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/build?net=resnet20")
    ready(page)
    box = page.get_by_role("combobox", name="Compare with")
    box.click()
    box.press_sequentially("ResNet-32")  # the list is long, and only what is seen of it is there
    page.get_by_role("option", name="ResNet-32", exact=True).click()
    expect(page.get_by_text("only in ResNet-32").first).to_be_visible()
    ready(page)
    assert "with=" in page.url
    mine, other = (
        page.locator("[data-action='select:layer1.1.conv1']").nth(0),
        page.locator("[data-action='select:layer1.1.conv1']").last,
    )
    for shape in (mine, other):
        expect(shape).to_be_attached()
    mine.dispatch_event("click")
    expect(page.get_by_text("layer1.1.conv1 · conv 3×3").first).to_be_visible()
    ready(page)
    expect(page.locator(".selected[data-name='layer1.1.conv1']").filter(visible=True)).to_have_count(2)
    page.reload()
    expect(page.get_by_text("only in ResNet-32").first).to_be_visible()
