"""What holds on every page: the stage first, its controls near, why and the next question after it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from resviz.ui.pages import PAGES
from resviz.ui.pages import Page as About
from tests.e2e.conftest import Server, ready
from tests.e2e.test_first_paint import MOST, SHIFTED, still

STAGED = [about for about in PAGES if about.path]
# the share of the first screen, from top to bottom, that the stage's figures cover
_SEEN = """() => {
    const spans = [];
    const walk = (root, staged) => {
        for (const node of root.querySelectorAll('*')) {
            const inside = staged || Boolean(node.closest('.st-key-stage'));
            if (node.shadowRoot) walk(node.shadowRoot, inside);
            const { top, bottom, width, height } = node.getBoundingClientRect();
            if (inside && node.matches('svg, canvas') && width > 90 && height > 70) spans.push([top, Math.min(bottom, innerHeight)]);
        }
    };
    walk(document, false);
    let [covered, at] = [0, 0];
    for (const [top, bottom] of spans.sort((a, b) => a[0] - b[0])) {
        covered += Math.max(0, bottom - Math.max(top, at));
        at = Math.max(at, bottom);
    }
    return covered / innerHeight;
}"""


def opened(server: Server, page: Page, about: About) -> None:
    page.goto(f"{server.url}/{about.path}")
    ready(page)
    page.wait_for_selector(".st-key-drawer [data-testid=stElementContainer]")  # the page's own, no longer the first figure
    ready(page)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
@pytest.mark.parametrize("about", STAGED, ids=lambda about: about.path)
def test_a_figure_is_seen_without_scrolling_and_nothing_moves(
    about: About, width: int, height: int, server: Server, page: Page
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.add_init_script(SHIFTED)
    opened(server, page, about)
    page.wait_for_function(f"({_SEEN})() >= 0.2")
    # what takes longer than a page waits for is shown as progress, and then moves
    if page.evaluate("window.shifted ?? 0") >= MOST:
        expect(page.get_by_test_id("stProgress")).to_have_count(0)
        opened(server, page, about)
    still(page)


@pytest.mark.parametrize("about", [STAGED[0], STAGED[-1]], ids=lambda about: about.path)
def test_a_phones_navigation_shows_where_one_is(about: About, server: Server, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opened(server, page, about)
    seen = page.locator(".st-key-navigation a[aria-current=page]").evaluate(
        "link => { const [a, b] = [link, link.closest('.st-key-navigation')].map(each => each.getBoundingClientRect());"
        " return a.left >= b.left - 1 && a.right <= b.right + 1; }"
    )
    assert seen


@pytest.mark.parametrize("about", STAGED, ids=lambda about: about.path)
def test_the_controls_are_two_keys_away(about: About, server: Server, page: Page) -> None:
    opened(server, page, about)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to the controls")).to_be_focused()
    assert page.evaluate("document.activeElement.getBoundingClientRect().width") > 90
    page.keyboard.press("Enter")
    assert page.evaluate("Boolean(document.activeElement.closest('.st-key-drawer'))")


def test_why_is_open_at_the_first_visit_only_and_the_path_goes_on(server: Server, page: Page) -> None:
    opened(server, page, STAGED[0])
    why = page.locator("details", has=page.locator("summary", has_text="Why"))
    assert why.get_attribute("open") is not None
    page.locator(".st-key-next a").first.click()
    page.wait_for_url(f"**/{STAGED[1].path}*")
    page.locator(".st-key-navigation a", has_text=STAGED[0].title).click()
    page.wait_for_url(f"**/{STAGED[0].path}*")
    ready(page)
    assert why.get_attribute("open") is None


def test_a_figure_is_presented_with_the_keyboard(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/degradation?present=1")
    ready(page)
    slider = page.locator(".st-key-stage").get_by_role("slider")
    expect(slider).to_have_value("30")
    expect(page.locator(".st-key-navigation")).to_be_hidden()
    expect(page.locator(".st-key-drawer")).to_be_hidden()
    small = page.evaluate(
        "[...document.querySelectorAll('.st-key-stage p')].filter(p => p.offsetParent && parseFloat(getComputedStyle(p).fontSize) < 19.9).length"
    )
    assert small == 0
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_value("29")
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_value("28")
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-navigation")).to_be_visible()
    expect(page).not_to_have_url(re.compile("present"))
