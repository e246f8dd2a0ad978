"""What axe-core finds on each page in both themes, landmarks, targets that a finger hits, and pages that are not there."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from resviz.ui.page import PAGES
from tests.e2e.conftest import Server, ready

# what each page draws first
FIGURES = {
    "Home": "path.line",
    "Build": "path.arc",
    "Gradients": "path.line",
    "Degradation": "path.line",
    "Lab": "path.point",
    "Explain": "canvas",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(browser: Browser, server: Server, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(90_000)
    found = []
    for each in PAGES:
        page.goto(f"{server.url}/{each.path}")
        settled(page, each.title)
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical") or violation["id"] == "heading-order":
                found += [(each.title, violation["id"], node["html"][:120]) for node in violation["nodes"]]
    context.close()
    assert not found


def settled(page: Page, title: str) -> None:
    """The page with its first figure drawn."""
    ready(page)
    page.locator(FIGURES[title]).filter(visible=True).first.wait_for()
    ready(page)


def test_the_navigation_is_one_and_says_where_it_is(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/build")
    settled(page, "Build")
    bar = page.get_by_role("navigation", name="Pages")
    expect(bar.get_by_role("link")).to_have_count(len(PAGES))
    expect(bar.locator("[aria-current=page]")).to_have_text("Build")
    bar.get_by_role("link", name="Degradation").click()
    expect(page.locator("[aria-current=page]")).to_have_text("Degradation")


def test_on_a_phone_no_link_lies_under_the_menu(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(f"{server.url}/build")
    settled(page, "Build")
    link = page.get_by_role("link", name="Explain", exact=True)
    link.scroll_into_view_if_needed()
    box, menu = link.bounding_box(), page.get_by_test_id("stMainMenu").bounding_box()
    assert box is not None
    assert menu is not None
    assert box["x"] + box["width"] <= menu["x"] + 2
    assert "tap" in page.locator(".tip").first.inner_text().lower()
    assert "hover" not in page.locator(".tip").first.inner_text().lower()
    context.close()


def test_the_middle_of_an_addition_opens_its_block(page: Page, server: Server) -> None:
    """The plus is drawn over it, and must not swallow the click."""
    page.goto(f"{server.url}/build?blocks=2-2-2")
    settled(page, "Build")
    place = page.evaluate("""() => {
        const find = (root) => { for (const n of root.querySelectorAll('*')) { if (n.dataset?.action === 'open:layer2.1') return n;
            const inner = n.shadowRoot && find(n.shadowRoot); if (inner) return inner; } };
        const box = find(document).getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2, box.width, box.height];
    }""")
    assert min(place[2:]) >= 24
    page.mouse.click(place[0], place[1])
    expect(page.get_by_text("layer2.1", exact=True).first).to_be_visible()
    ready(page)
    expect(page.get_by_role("combobox", name="Zoom into a block")).to_have_value("layer2.1")


def test_a_page_that_is_not_there_says_so(browser: Browser, server: Server) -> None:
    page = browser.new_page()  # Streamlit's own client writes of it to the console
    page.goto(f"{server.url}/nosuch?blocks=2-2-2")
    ready(page)
    expect(page.get_by_text("There is no page")).to_contain_text("/nosuch")
    page.close()
