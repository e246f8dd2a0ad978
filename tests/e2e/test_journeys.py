"""What a visitor is promised, in a real browser."""

from __future__ import annotations

import io

import pytest
from playwright.sync_api import Page, expect

from resviz.images import sample_photographs
from tests.e2e.conftest import Server, ready


def photograph() -> bytes:
    buffer = io.BytesIO()
    sample_photographs()["Cat"].save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("path", "title"),
    [("", "Why do skip"), ("build", "What is a ResNet"), ("gradients", "What does a skip"), ("explain", "Which pixels")],
)
def test_deep_link_shows_the_whole_frame(server: Server, page: Page, path: str, title: str) -> None:
    page.goto(f"{server.url}/{path}")
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    for label in ("Home", "Build", "Gradients", "Explain"):
        expect(page.get_by_role("link", name=label, exact=True).first).to_be_visible()


def test_clicking_an_arc_cuts_the_skip_and_changes_the_gradients(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/gradients?blocks=2-2-2")
    figure = page.locator(".js-plotly-plot").first
    expect(figure).to_be_visible()
    ready(page)
    before = page.evaluate("JSON.stringify(document.querySelector('.js-plotly-plot').data[0].y)")
    page.locator("[data-action='cut:layer2.1']").first.dispatch_event("click")
    expect(page.locator("[data-action='cut:layer2.1']").first).to_have_attribute("aria-checked", "false")
    ready(page)
    after = page.evaluate("JSON.stringify(document.querySelector('.js-plotly-plot').data[0].y)")
    assert before != after
    assert "cut=2.1" in page.url


def test_permalink_shows_the_same_network_in_a_fresh_browser(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/build?blocks=2-2-2&cut=1.1")
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
    expect(page.locator("[data-action='cut:layer1.1']").first).to_have_attribute("aria-checked", "false")


def test_uploaded_photograph_is_predicted_and_explained(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/explain")
    ready(page)
    page.locator("input[type=file]").first.set_input_files({"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photograph()})
    expect(page.get_by_text("Entropy").first).to_be_visible()
    expect(page.get_by_text("Saliency").first).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(5)


def test_truncated_jpeg_is_one_clear_sentence(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/explain")
    ready(page)
    data = photograph()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": data[: len(data) // 2]}
    )
    expect(page.get_by_text("cut off or damaged").first).to_be_visible()
