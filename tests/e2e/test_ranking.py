"""Methods are ranked in a browser: asked for, watched, cancelled, asked again, read."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, ready


def test_methods_are_ranked_cancelled_and_ranked_again(server: Server, page: Page) -> None:
    address = f"{server.url}/explain?model=resnet20-cifar10&view=Rank+methods&methods="
    page.goto(f"{address}integrated-gradients,grad-cam")
    ready(page)
    expect(page.get_by_text(re.compile(r"7 pictures, 2 methods: about \d+ (s|min) on this machine"))).to_be_visible()
    page.get_by_role("button", name="Rank the methods").click()
    expect(page.get_by_text(re.compile("Ranking 2 methods: picture 1 of 7")).first).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Ranking 2 methods: cancelled.")).to_be_visible()
    page.goto(f"{address}saliency,grad-cam")
    ready(page)
    page.get_by_role("button", name="Rank the methods").click()
    expect(page.get_by_text("has the best mean rank")).to_be_visible()
    ready(page)
    shown = page.locator(".js-plotly-plot:visible .scatterlayer .trace")
    expect(shown).to_have_count(2 * (1 + 6))  # the rank and the six metrics that make it, two methods each
    assert "view=Rank+methods" in page.url
    with page.expect_download() as saved:
        page.get_by_role("button", name="Intervals (CSV)").click()
    assert saved.value.path().read_text(encoding="utf-8").startswith("method,metric,median,low,high,pictures")
