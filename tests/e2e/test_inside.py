"""The page about blocks as a visitor uses it: sample, block, channel, one number taken apart, and a branch taken away."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Server, ready


def chosen(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()
    ready(page)


def test_from_a_sample_to_one_number_and_to_another_answer(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/inside?photo=Cat")  # of ResNet-20, as every link that names no network
    ready(page)
    chosen(page, "Sample", "Temple")
    assert "photo=Temple" in page.url
    answers = page.locator(".answers")
    page.locator("[data-action='look:layer2.1']").last.dispatch_event("click")
    rows = page.locator(".rows[data-unit='layer2.1']")
    expect(rows).to_be_visible()
    ready(page)
    assert "unit=layer2.1" in page.url
    before = answers.inner_text()

    # one position is read in all rows, and the numbers add up
    cell = rows.locator(".cell[data-nth='2']").nth(1)
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.6 * box["height"])
    expect(rows.locator(".cell.at")).to_have_count(4)
    x, added, total, after = (float(text.replace("−", "-")) for text in rows.locator(".read b").all_inner_texts())
    assert abs(x + added - total) < 2e-3 * max(1, abs(total))
    assert after == pytest.approx(max(0, total), abs=1e-9)
    channel = re.search(r"channel (\d+), row (\d+), column (\d+)", rows.locator(".read").inner_text())
    assert channel is not None

    # a click takes it apart
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.6 * box["height"])
    expect(page.get_by_role("heading", name=f"channel {channel[1]}, row {channel[2]}, column {channel[3]}")).to_be_visible()
    ready(page)
    assert f"channel={channel[1]}&pixel={channel[2]}.{channel[3]}" in page.url
    ledger = page.locator(".ledger")
    last = float(ledger.locator("td").last.inner_text().replace("−", "-"))
    assert last == pytest.approx(after, abs=2e-3)
    expect(page.get_by_text("This number can see")).to_be_visible()

    # without F the answer is another one, and the rows say so
    handle = page.get_by_role("slider", name=re.compile(r"F\(x\)"))
    handle.focus()
    page.keyboard.press("Home")
    expect(page.get_by_text("With F(x) × 0 in this block alone")).to_be_visible()
    ready(page)
    assert answers.inner_text() != before
    expect(page.get_by_text("it adds nothing")).to_be_visible()
    rows.locator(".cell[data-nth='0']").nth(1).hover()
    assert float(rows.locator(".read b").nth(1).inner_text()) == 0
    page.get_by_role("button", name="As it was").click()
    expect(page.get_by_text("with this block as it is")).to_be_visible()
    ready(page)

    # the browser's Back leads to the factor before, then to the place before
    page.go_back()
    expect(page.get_by_text("With F(x) × 0 in this block alone")).to_be_visible()
    ready(page)
    page.go_back()
    expect(page.get_by_text("with this block as it is")).to_be_visible()
    ready(page)
    page.go_back()
    expect(page.get_by_role("heading", name=f"channel {channel[1]}, row {channel[2]}, column {channel[3]}")).to_have_count(0)


def test_the_rows_are_read_with_the_keyboard(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/inside?unit=layer3.1&channel=5&pixel=2.3")
    ready(page)
    board = page.locator(".board")
    board.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".rows .read")).to_contain_text("channel 5, row 3, column 4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="channel 5, row 3, column 4")).to_be_visible()
    ready(page)
    assert "pixel=3.4" in page.url
    page.get_by_role("button", name="Channels after these").click()
    expect(page.locator(".place")).not_to_contain_text("1–10 of")


def test_a_finger_reads_and_takes_apart(server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(f"{server.url}/inside?unit=layer1.1")
    ready(page)
    cell = page.locator(".cell[data-nth='1']").first
    cell.scroll_into_view_if_needed()
    cell.tap()
    ready(page)
    assert re.search(r"channel=\d+&pixel=\d+\.\d+", page.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
