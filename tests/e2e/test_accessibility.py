"""What axe-core finds on each page in both themes, landmarks, targets that a finger hits, and pages that are not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from resviz.ui.pages import PAGES
from resviz.ui.pages import Page as PageOfTheApp
from tests.e2e.conftest import Server, ready

# what each page draws first
FIGURES = {
    "Home": ".stage rect.bar",
    "Build": "path.arc",
    "Gradients": "path.line",
    "Degradation": "path.line",
    "Lab": "path.point",
    "Shortcuts": "path.line",
    "Explain": "canvas",
    "Transfer": "path.line",
    "Inside": ".board canvas",
    "Anatomy": "path.arc",
    "Recordings": "image.heat",
    "Sweeps": "path.line",
    "Landscape": ".js-plotly-plot .heatmaplayer image, .first-map img",
}


SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


def settled(page: Page, title: str) -> None:
    """The page with its first figure drawn."""
    ready(page)
    page.locator(FIGURES[title]).filter(visible=True).first.wait_for()
    ready(page)


# of all words that can be seen: what is smaller than it may be, and lines of prose that are too long
WORDS = """(least) => {
    const found = [];
    const walk = (root) => {
        for (const node of root.querySelectorAll("*")) {
            if (node.shadowRoot) walk(node.shadowRoot);
            const words = [...node.childNodes].filter((child) => child.nodeType === 3 && child.textContent.trim());
            if (node.closest(".katex")) continue; // a formula's indices are small by nature
            if (!words.length || !node.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
            const { width, height } = node.getBoundingClientRect();
            const style = getComputedStyle(node);
            if (width < 2 || height < 2 || /Material/.test(style.fontFamily)) continue;
            const matrix = node instanceof SVGElement ? node.getScreenCTM() : null;
            const size = parseFloat(style.fontSize) * (matrix ? Math.hypot(matrix.a, matrix.b) : 1);
            if (size < least - 0.05) found.push([size, words[0].textContent.trim().slice(0, 40)]);
            if (!node.matches("p, li") || node.querySelector(".katex")) continue;
            const lines = new Map();
            const range = document.createRange();
            const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
            for (let text = texts.nextNode(); text; text = texts.nextNode())
                for (let i = 0; i < text.length; i++) {
                    range.setStart(text, i);
                    range.setEnd(text, i + 1);
                    const box = range.getClientRects()[0];
                    if (box) lines.set(Math.round(box.bottom / 12), 1 + (lines.get(Math.round(box.bottom / 12)) ?? 0));
                }
            if (Math.max(0, ...lines.values()) > 68) found.push(["long", node.textContent.slice(0, 60)]);
        }
    };
    walk(document);
    return found;
}"""


@pytest.fixture(scope="module")
def walker(browser: Browser) -> Iterator[Page]:
    """One browser for all pages, whose colours and width change under the page that is open."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(90_000)
    yield page
    context.close()


@pytest.mark.parametrize("about", PAGES, ids=lambda about: about.title)
def test_axe_finds_nothing_serious_and_words_are_large_and_lines_short_enough(
    walker: Page, server: Server, about: PageOfTheApp
) -> None:
    found = []
    walker.emulate_media(color_scheme="light")
    walker.set_viewport_size({"width": 1440, "height": 900})
    walker.goto(f"{server.url}/{about.path}")
    for scheme in SCHEMES:
        walker.emulate_media(color_scheme=scheme)
        settled(walker, about.title)
        ground = walker.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground)[:3])) > 382) == (scheme == "light")
        for violation in Axe().run(walker).response["violations"]:
            if violation["impact"] in ("serious", "critical") or violation["id"] == "heading-order":
                found += [(scheme, violation["id"], node["html"][:120]) for node in violation["nodes"]]
    for width, least in ((1440, 14), (390, 14), (1920, 16)):
        walker.set_viewport_size({"width": width, "height": 900})
        settled(walker, about.title)
        found += [(width, *what) for what in walker.evaluate(WORDS, least)]
    assert not found


def test_the_keyboard_s_ring_is_seen_and_nothing_moves_for_who_wants_no_motion(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{server.url}/build?blocks=2-2-2")
    settled(page, "Build")
    inner = "let e = document.activeElement; while (e.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;"
    ringed = f"() => {{ {inner} const box = e.closest('[data-baseweb=select] > div') ?? e; const s = getComputedStyle(box); return [e.tagName, s.outlineStyle, s.outlineWidth]; }}"
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(ringed))
    assert {tag for tag, *_ in stops} >= {"A", "BUTTON", "path"}
    assert [stop for stop in stops if stop[1:] != ["solid", "3px"]] == []
    moving = (
        "() => [...document.querySelectorAll('*')].filter((e) => parseFloat(getComputedStyle(e).transitionDuration) > 0).length"
    )
    assert page.evaluate(moving) == 0
    context.close()


def test_colours_that_the_system_forces_leave_figures_theirs(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, forced_colors="active")
    page = context.new_page()
    page.goto(f"{server.url}/build?blocks=2-2-2")
    settled(page, "Build")
    arc = page.locator("path.arc").first
    assert arc.evaluate("(arc) => getComputedStyle(arc).stroke") == "rgb(0, 158, 115)"
    assert page.locator("[data-selected=true]").first.evaluate("(each) => getComputedStyle(each).outlineStyle") == "solid"
    context.close()


def test_the_sign_is_the_page_s_icon_and_stands_before_its_name(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/build")
    ready(page)
    icon = page.locator("link[rel*=icon]").first.get_attribute("href") or ""
    assert ".svg" in icon or "image/svg" in icon
    assert page.locator("img.mark").evaluate("(mark) => mark.complete && mark.naturalWidth > 0")


def test_the_navigation_is_one_and_says_where_it_is(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/build")
    settled(page, "Build")
    bar = page.get_by_role("navigation", name="Pages")
    expect(bar.get_by_role("link")).to_have_count(len(PAGES) + 1)  # and the tour
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
    page.goto(f"{server.url}/gradeints?blocks=2-2-2")
    ready(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no page /gradeints")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[aria-current=page]")).to_have_count(0)
    assert not [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
    ways = page.get_by_test_id("stMain").get_by_test_id("stPageLink")
    assert "Gradients" in ways.nth(len(PAGES) + 1).inner_text()  # after the navigation and the tour, what was probably meant
    assert ways.count() == 2 * len(PAGES) + 2
    ways.nth(len(PAGES) + 1).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[2].question)
    assert "blocks=2-2-2" in page.url
    page.goto(f"{server.url}/nosuch")
    ready(page)
    page.get_by_role("navigation").get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[0].question)
    page.close()
