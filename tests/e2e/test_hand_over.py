"""What was built is trained, and what was trained is explained: from Build to the Lab, and on to Explain."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Server, ready


@pytest.mark.parametrize(
    ("query", "contenders"), [("blocks=1-1-1", ["ResNet-8", "Plain-8"]), ("blocks=1-1-1&residual=0", ["ResNet-8", "Plain-8"])]
)
def test_what_was_built_is_trained_against_its_counterpart(page: Page, server: Server, query: str, contenders: list[str]) -> None:
    page.goto(f"{server.url}/build?{query}")
    ready(page)
    page.get_by_role("button", name=re.compile("^Train this against")).click()
    page.wait_for_url("**/lab**")
    for name in contenders:
        expect(page.get_by_text(re.compile(rf"{name}.*the gradient, step by step")).first).to_be_visible()
    ready(page)
    found = parse_qs(urlsplit(page.url).query)
    assert set(found) <= {"a", "b", "lr", "steps", "data", "lab_seed"}
    assert "blocks=1-1-1" in found["a"][0]
    assert "residual=0" in found["b"][0]


def test_what_was_trained_is_explained(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/build?blocks=1-1-1")
    ready(page)
    page.get_by_role("button", name=re.compile("^Train this against")).click()
    page.wait_for_url("**/lab**")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text(re.compile(r"Step \d\d+\."))).to_be_visible()
    page.get_by_role("button", name="Pause", exact=True).click()
    ready(page)
    page.get_by_role("button", name="Explain with ResNet-8").click()
    page.wait_for_url("**/explain**")
    expect(page.get_by_text(re.compile(r"^ResNet-8, step \d+\.safetensors is still here"))).to_be_visible()
    expect(page.get_by_text(re.compile("^A held-out picture, labelled . is still here."))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^ResNet-8, step .*10 classes")).first).to_be_visible()
    expect(page.locator("canvas").filter(visible=True).first).to_be_visible()


def test_leaving_a_lab_that_has_learned_is_asked_first(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    page.goto(f"{server.url}/lab?a=blocks%3D1-1-1%26in_channels%3D1&steps=3")
    ready(page)
    page.get_by_role("button", name=re.compile("^(Start|Replay)")).first.click()
    expect(page.get_by_text(re.compile(r"Step ([3-9]|\d\d+)\."))).to_be_visible()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_have_count(0)
    ready(page)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"]
    page.close()
