"""The browser's Back, and what comes from outside, in a real browser."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Request, expect

from tests.e2e.conftest import Server, ready, unfold


def cuts(page: Page) -> str:
    return page.locator(".st-key-strip").inner_text()


def test_back_and_forward_restore_the_network(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/build?blocks=2-2-2")
    ready(page)
    for name in ("layer1.1", "layer2.1"):
        page.locator(f"[data-action='cut:{name}']").first.dispatch_event("click")
        expect(page.locator(f"[data-action='cut:{name}']").first).to_have_attribute("aria-checked", "false")
        ready(page)
    assert "2 skips cut" in cuts(page)
    for move, words, address in (
        (page.go_back, "1 skip cut", "cut=1.1"),
        (page.go_back, "ResNet", "blocks=2-2-2"),
        (page.go_forward, "1 skip cut", "cut=1.1"),
        (page.go_forward, "2 skips cut", "cut=1.1"),
    ):
        move()
        expect(page.locator(".st-key-strip")).to_contain_text(words)
        ready(page)
        assert address in page.url
        assert ("cut" in cuts(page)) == ("cut" in words)


def test_back_restores_what_explain_asked(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/explain?model=resnet20-cifar10&photo=Cat&methods=saliency")
    ready(page)
    page.get_by_role("radio", name="Trust").or_(page.get_by_role("button", name="Trust")).first.click()
    ready(page)
    assert "view=Trust" in page.url
    page.go_back()
    ready(page)
    assert "view=" not in page.url
    expect(page.get_by_text("Measure the faithfulness")).to_have_count(0)


def test_back_restores_each_thing_that_explain_asks(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/explain?model=resnet20-cifar10&photo=Cat&methods=saliency")
    ready(page)
    for label, choice in (("Class to explain", "dog"), ("Sample", "Rocket"), ("Network", "ResNet-56 · CIFAR-10")):
        box = page.get_by_role("combobox", name=label, exact=True)
        before, address = box.input_value(), page.url
        box.click()
        page.get_by_role("option", name=choice).first.click()
        expect(page).not_to_have_url(address)
        ready(page)
        page.go_back()
        expect(page).to_have_url(address)
        expect(page.get_by_role("combobox", name=label, exact=True)).to_have_value(before)
        ready(page)


def test_back_undoes_a_choice_on_the_gradients_page(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/gradients?blocks=2-2-2")
    page.get_by_role("radio", name="none").first.wait_for()
    ready(page)
    address = page.url
    page.get_by_role("radiogroup", name="Normalisation").get_by_role("radio", name="none").click()
    expect(page.locator(".st-key-strip")).to_contain_text("no norm")
    ready(page)
    page.go_back()
    expect(page.locator(".st-key-strip")).not_to_contain_text("no norm")
    expect(page).to_have_url(address)


def test_back_leaves_a_lab_that_has_learned_for_the_plan_before(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/lab?a=blocks=1-1-1%26in_channels=1&batch=8")
    expect(page.get_by_text("Step 1.")).to_be_visible()
    ready(page)
    for n in (2, 3):
        page.get_by_role("button", name="Step", exact=True).click()
        expect(page.get_by_text(f"Step {n}.")).to_be_visible()
        ready(page)
    unfold(page, "Learning rate")
    page.get_by_role("option", name="0.1", exact=True).click()
    expect(page).to_have_url(re.compile("edits="))
    ready(page)
    page.go_back()
    expect(page).not_to_have_url(re.compile("edits="))
    expect(page.get_by_text("Back at an earlier plan")).to_be_visible()
    expect(page.get_by_role("combobox", name="Learning rate")).to_have_value("0.02")


@pytest.mark.parametrize("path", ["build", "lab"])
def test_a_link_loads_no_foreign_picture_and_makes_no_link(path: str, server: Server, page: Page) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    texts = ["![i](http://e.x/p.png)", "[Log in](https://e.x)", "https://e.x www.e.x :red[x] <b>"]
    for text in texts:
        page.goto(f"{server.url}/{path}?net={quote(text)}&a={quote('net=' + quote(text))}")
        ready(page)
        notice = page.get_by_test_id("stAlert").first
        assert text in notice.inner_text().replace("\u2060", "")
        assert notice.locator("a, img, b").count() == 0
    assert not [url for url in asked if "e.x" in url.split("?")[0]]
