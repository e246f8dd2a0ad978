"""The lab in a real browser."""

from __future__ import annotations

import re
import time

import pandas as pd
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Server, ready, unfold


def status(page: Page) -> str:
    return page.locator(".st-key-lab-status p").first.inner_text()


def step(page: Page) -> int:
    return int(re.search(r"Step ([\d,]+)\.", status(page)).group(1).replace(",", ""))


def start(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def pause(page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    ready(page)


def profile(page: Page) -> Locator:
    """The plain network's line in the gradient figure."""
    return page.locator(".st-key-lab-profile path.line[data-series='Plain-56']")


def recorded(page: Page) -> pd.DataFrame:
    page.get_by_role("button", name="Export and link").click()
    with page.expect_download() as given:
        page.get_by_role("button", name="Parquet").click()
    return pd.read_parquet(given.value.path())


def series(frame: pd.DataFrame, contender: str, quantity: str, name: str = "") -> pd.Series:
    chosen = frame[(frame.contender == contender) & (frame.quantity == quantity) & (frame.name == name)]
    return chosen.set_index("step")["value"]


def test_watch_reach_in_scrub_export_and_replay(server: Server, page: Page, browser: Browser) -> None:
    page.goto(f"{server.url}/lab")
    expect(page.get_by_text("Step 1.")).to_be_visible()
    start(page)
    began = time.monotonic()
    # the residual network's loss falls, while the plain one's first layer gets next to nothing
    expect(page.get_by_text(re.compile("ResNet-56: loss falls"))).to_be_visible(timeout=20_000)
    assert time.monotonic() - began < 20
    heights = [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", profile(page).get_attribute("d"))]
    assert heights[0] > heights[-1] + 150  # pixels: the first layer is drawn at the bottom, the last one at the top
    arc = page.locator("[data-action='cut:layer2.1']").first
    arc.dispatch_event("click")
    expect(page.locator("[data-action='cut:layer2.1']").first).to_have_attribute("aria-checked", "false")
    expect(page.locator("text.mark").first).to_be_attached()
    pause(page)
    marked = int(page.locator("text.mark").first.get_attribute("data-mark"))
    last = step(page)
    assert marked <= last + 1
    shown = profile(page).get_attribute("d")
    page.get_by_role("slider", name="Look at step").focus()
    page.keyboard.press("Home")
    expect(page.get_by_text("Step 1. ")).to_be_visible()
    expect(profile(page)).not_to_have_attribute("d", shown)
    ready(page)
    frame = recorded(page)
    gradient = series(frame, "Plain-56", "weight_gradient", "conv1")
    assert gradient.max() < 1e-15
    assert series(frame, "ResNet-56", "weight_gradient", "conv1").iloc[0] > 1e-4
    cut = frame[frame.quantity == "cut"]
    assert list(cut["name"]) == ["layer2.1"]
    assert list(cut["step"]) == [marked]
    with page.expect_download() as given:
        page.get_by_role("button", name="Report (HTML)").click()
    page_of_report = given.value.path().read_text()
    assert "layer2.1" in page_of_report
    link = f"{server.url}/lab?{page.get_by_role('textbox', name='Link').input_value().partition('?')[2]}"
    assert "edits=" in link

    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    offline = context.new_page()
    offline.set_content(page_of_report)
    offline.wait_for_selector(".main-svg")
    context.close()

    context = browser.new_context(viewport={"width": 1440, "height": 900})
    other = context.new_page()
    other.set_default_timeout(60_000)
    other.goto(link)
    other.get_by_role("button", name=f"Replay to {last}").click()
    expect(other.get_by_text(f"Step {last}. ")).to_be_visible(timeout=120_000)
    expect(other.get_by_role("button", name="Continue")).to_be_visible()
    ready(other)
    replayed = recorded(other)
    context.close()
    for contender in ("ResNet-56", "Plain-56"):
        for of in (("loss",), ("weight_gradient", "fc")):
            pd.testing.assert_series_equal(series(replayed, contender, *of), series(frame, contender, *of), check_exact=True)


def test_rate_and_clipping_change_in_flight_and_a_zoom_stays(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/lab?a=blocks%3D1-1-1%26in_channels%3D1&b=blocks%3D1-1-1%26residual%3D0%26in_channels%3D1")
    expect(page.get_by_text("Step 1.")).to_be_visible()
    ready(page)
    start(page)
    chart = page.locator(".st-key-lab-profile .chart svg")
    chart.drag_to(chart, source_position={"x": 150, "y": 100}, target_position={"x": 350, "y": 120})
    ticks = page.locator(".st-key-lab-profile .chart svg").locator("text").all_inner_texts()
    page.wait_for_timeout(1500)
    assert page.locator(".st-key-lab-profile .chart svg").locator("text").all_inner_texts()[-4:] == ticks[-4:]
    page.get_by_role("heading", level=1).scroll_into_view_if_needed()  # a list does not open at the screen's edge
    unfold(page, "Learning rate")
    page.get_by_role("option", name="0.1", exact=True).click()
    expect(page.locator("text.mark").filter(has_text="lr 0.1").first).to_be_attached()
    unfold(page, "Clip gradient at")
    page.get_by_role("option", name="0.5", exact=True).click()
    expect(page.locator("text.mark").filter(has_text="clip 0.5").first).to_be_attached()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("ended").first).to_be_visible()
    expect(page.get_by_role("button", name="Continue")).to_have_count(0)
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.get_by_text("Step 1.")).to_be_visible()
    expect(page.locator("text.mark")).to_have_count(0)


def test_divergence_pauses_and_explains(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/lab?a=norm%3Dnone%26in_channels%3D1&lr=0.1")
    expect(page.get_by_text("Step 1.")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Paused. ResNet-56 diverged")).to_be_visible()
    expect(page.get_by_role("button", name="Reset", exact=True)).to_be_visible()
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.get_by_text("Step 1.")).to_be_visible()


def test_own_images_can_be_trained_on(server: Server, page: Page) -> None:
    from tests.test_lab import packed, picture

    page.goto(f"{server.url}/lab")
    expect(page.get_by_text("Step 1.")).to_be_visible()
    ready(page)
    unfold(page, "Images")
    page.get_by_role("option", name="Your own images").click()
    expect(page.get_by_text("One folder a class")).to_be_visible()
    page.get_by_role("combobox", name="Depth").fill("20")
    page.keyboard.press("Enter")
    ready(page)
    zipped = packed({f"{c}/{i}.png": picture(c) for c in ("red", "blue") for i in range(50)})
    page.locator("input[type=file]").first.set_input_files({"name": "mine.zip", "mimeType": "application/zip", "buffer": zipped})
    expect(page.get_by_text("Step 1.")).to_be_visible()
    page.get_by_role("button", name="Step", exact=True).click()
    expect(page.get_by_text("Step 2.")).to_be_visible()
