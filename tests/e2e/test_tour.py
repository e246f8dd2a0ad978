"""The five-minute tour in a real browser, from Home to its end: nothing gives an answer away before it is predicted."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from resviz.ui.tour.stops import STOPS, Stop
from tests.e2e.conftest import Server, ready

# all that is on the page, whatever is folded or hidden, our views' own trees too
TEXT = """() => {
    const texts = [];
    const walk = (root) => {
        for (const node of root.childNodes) {
            if (node.nodeType === 3) texts.push(node.textContent);
            if (node.nodeType !== 1 || node.matches("script, style")) continue;
            texts.push(node.getAttribute("aria-label") ?? "", node.getAttribute("title") ?? "");
            if (node.shadowRoot) walk(node.shadowRoot);
            walk(node);
        }
    };
    walk(document.body);
    return texts.join(" ");
}"""


def answers(stop: Stop) -> list[str]:
    """The numbers of what was seen, and why; a number of one or two digits may stand anywhere."""
    seen = stop.seen() if stop.page in ("Degradation", "Explain") else None
    numbers = re.findall(r"\d+\.\d+ %|\d+ %", seen.words) if seen else []
    return [
        *numbers,
        stop.why[:60],
        "Your prediction held",
        "You predicted otherwise",
        "×10⁻",
        "explodes",
        "vanishes",
        "level within a factor of 100",
    ]


def said(page: Page) -> str:
    return str(page.evaluate(TEXT))


def accessible(page: Page) -> None:
    """What axe-core finds wrong with the card."""
    found = Axe().run(page, context=".st-key-tour").response["violations"]
    assert not [
        (each["id"], [node["html"] for node in each["nodes"]]) for each in found if each["impact"] in ("serious", "critical")
    ]


def do(page: Page, stop: Stop, n: int) -> None:
    """What the card asks for, by the control that it points at."""
    if n == 1:
        page.locator(".st-key-play button").click()
    elif n == 2:
        page.locator(".st-key-skips button").filter(has_text=re.compile("^all$")).first.click()
    elif n == 3:
        page.locator(".st-key-spec-norm").get_by_text("BN").click()
    else:
        page.get_by_role("button", name="Do it for me").click()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_from_home_to_the_end(browser: Browser, server: Server, width: int, height: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=width < 500)
    page = context.new_page()
    page.set_default_timeout(90_000)
    page.goto(server.url)
    ready(page)
    page.get_by_role("link", name="Take the five-minute tour").click()
    predicted = ""
    for n, stop in enumerate(STOPS, 1):
        expect(page.get_by_text(f"Stop {n} of 5: {stop.title}")).to_be_visible()
        ready(page)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_role("button", name=stop.choices[2])).to_be_visible()
        before = said(page)
        assert not [answer for answer in answers(stop) if answer in before]
        accessible(page)
        assert f"tour={n}" in page.url
        page.get_by_role("button", name=stop.choices[2]).click()
        predicted += "c"
        expect(page.get_by_text("You predict:")).to_be_visible()
        ready(page)
        mark = page.locator(", ".join(f".st-key-{key}" for key in stop.mark)).first
        expect(mark).to_be_visible()
        assert mark.evaluate("(node) => getComputedStyle(node).outlineStyle") == "dashed"
        page.get_by_role("button", name="Show me where").click()
        expect(mark).to_be_in_viewport()
        do(page, stop, n)
        expect(page.get_by_text("See:")).to_be_visible()
        assert stop.why[:60] in said(page)
        accessible(page)
        assert f"said={predicted}" in page.url
        if n == 2:  # an address that is loaded anew goes on from there
            page.reload()
            expect(page.get_by_text("You predict:")).to_be_visible()
            expect(page.get_by_text("See:")).to_be_visible()
        if n < len(STOPS):
            page.get_by_role("button", name="Next:").click()
    expect(page.get_by_text("That was the tour.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"\d of \d predictions held"))).to_be_visible()
    page.get_by_role("button", name="Leave the tour").click()
    expect(page.get_by_text("That was the tour.")).to_have_count(0)
    ready(page)
    assert "tour=" not in page.url
    context.close()


def test_back_takes_a_prediction_back_and_a_link_passes_it_on(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/degradation?tour=1")
    ready(page)
    page.get_by_role("button", name=STOPS[0].choices[0]).click()
    expect(page.get_by_text("You predict:")).to_be_visible()
    ready(page)
    link = page.url
    page.go_back()
    expect(page.get_by_role("button", name=STOPS[0].choices[0])).to_be_visible()
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_text("You predict:")).to_be_visible()
    expect(page.get_by_text(STOPS[0].choices[0])).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Build").click()
    expect(page.get_by_role("link", name="Back to stop 1")).to_be_visible()
    page.get_by_role("link", name="Back to stop 1").click()
    expect(page.get_by_text("You predict:")).to_be_visible()
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_role("button", name=STOPS[0].choices[2])).to_be_visible()
