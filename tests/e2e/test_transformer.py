"""A Transformer in a real browser: each sub-layer's arc, the link of it, and what its tokens have left in common."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, ready

FIRST = "encoder.layers.encoder_layer_0.attention"


def test_an_arc_around_attention_its_link_and_the_tokens_that_become_one(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/gradients?family=transformer&num_layers=2&dim=16&heads=2&mlp=0")
    ready(page)
    arc = page.locator(f"[data-action='cut:{FIRST}']").first
    arc.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
    expect(page.locator(f"[data-action='cut:{FIRST}']").first).to_have_attribute("aria-checked", "false")
    ready(page)
    assert "cut=0.attention" in page.url
    page.reload()
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
    ready(page)
    page.get_by_text("Compare the tokens", exact=True).click()
    expect(page.get_by_text("one token, many times").first).to_be_visible()
    expect(page.get_by_text("as cut").first).to_be_visible()
