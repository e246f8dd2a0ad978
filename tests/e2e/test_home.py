"""Home's stage in a real browser: drawn without PyTorch, answering without the server, by mouse, finger and keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from resviz.recordings import RUNS, read_run
from resviz.results import Stage
from resviz.spec.lab import plan_from_query
from resviz.zoo.first import read_first
from tests.e2e.conftest import ROOT, Server, ready
from tests.e2e.test_first_paint import SHIFTED, still

SCREENS: Final = {"desktop": (1440, 900), "phone": (390, 844)}
VALUE: Final = ".stage .residual b"
# the app, in a process in which whoever imports PyTorch waits for ever
WITHOUT_TORCH: Final = """
import sys, threading
from importlib.machinery import ModuleSpec
class Never:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name == "torch" else None
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        threading.Event().wait()
if not any(type(each).__name__ == "Never" for each in sys.meta_path):
    assert "torch" not in sys.modules
    sys.meta_path.insert(0, Never())
exec(compile(open({app!r}, encoding="utf-8").read(), "app.py", "exec"))
"""
# the click of a skip and what it changed, before the browser does anything else; then how long that took
TIMED: Final = """(skip) => {
    const find = (root) => { for (const n of root.querySelectorAll('*')) { if (n.matches('.stage')) return n;
        const inner = n.shadowRoot && find(n.shadowRoot); if (inner) return inner; } };
    const stage = find(document);
    const seen = () => [stage.querySelector('.residual b').textContent,
        [...stage.querySelectorAll('.residual .bar')].map((bar) => bar.getAttribute('height')).join()];
    stage.querySelector('.restore').click();
    const before = seen();
    const began = performance.now();
    stage.querySelector(`[data-skip="${skip}"]`).dispatchEvent(new MouseEvent('click', { bubbles: true }));
    stage.getBoundingClientRect();
    const took = performance.now() - began;
    return { took, changed: seen().every((each, i) => each !== before[i]) };
}"""


@pytest.fixture(scope="module")
def stage() -> Stage:
    return read_first("home").values["stage"]


@pytest.fixture
def contexts(browser: Browser) -> Iterator[dict[str, BrowserContext]]:
    opened = {
        name: browser.new_context(
            viewport={"width": width, "height": height},
            is_mobile=name == "phone",
            has_touch=name == "phone",
            reduced_motion="reduce",
        )
        for name, (width, height) in SCREENS.items()
    }
    yield opened
    for context in opened.values():
        context.close()


def home(context: BrowserContext, server: Server) -> Page:
    """Home with its stage drawn; it shows the end at once, since these contexts ask for little motion."""
    page = context.new_page()
    page.goto(server.url)
    page.locator(".stage rect.bar").first.wait_for()
    ready(page)
    return page


def after(stage: Stage, pattern: str) -> str:
    return f"{stage.cut_accuracy[stage.cuts.index(pattern)]:.1f} %"


def test_the_stage_answers_while_pytorch_was_never_imported(page: Page, tmp_path: Path, stage: Stage) -> None:
    (tmp_path / "pages").symlink_to(ROOT / "pages")
    app = tmp_path / "app.py"
    app.write_text(WITHOUT_TORCH.replace("{app!r}", repr(str(ROOT / "app.py"))), encoding="utf-8")
    fresh = Server(tmp_path / "log", app)
    page.goto(fresh.url)
    page.locator(".stage .hit[data-skip='9']").click()
    expect(page.locator(VALUE)).to_have_text(after(stage, "first:9"))
    ready(page)  # the whole page needs none
    page.goto("about:blank")
    fresh.stop()


def test_a_cut_is_answered_at_once_without_the_server(contexts: dict[str, BrowserContext], server: Server, stage: Stage) -> None:
    page = home(contexts["desktop"], server)
    contexts["desktop"].set_offline(True)
    took = []
    for skip in (9, 20, 3, 14, 26):
        found = page.evaluate(TIMED, skip)
        assert found["changed"], skip
        took.append(found["took"])
    assert sorted(took)[2] <= 50, took
    page.locator(".hit[data-skip='9']").click()
    expect(page.locator(VALUE)).to_have_text(after(stage, "first:9"))
    expect(page.locator(".stage .answer")).to_contain_text("without the 9 skips nearest the image")
    expect(page.locator(".hit[aria-checked=false]")).to_have_count(9)


def test_every_way_of_choosing_leads_to_what_was_recorded(
    contexts: dict[str, BrowserContext], server: Server, stage: Stage
) -> None:
    page = home(contexts["desktop"], server)
    whole, none = (f"{accuracy:.1f} %" for accuracy in stage.accuracy[:, -1])
    for chip, pattern, cut in (("it alone", "one:9", 1), ("from the answer", "last:19", 19), ("every second", "odd", 14)):
        page.locator("fieldset label").filter(has_text=chip).click()
        page.locator(".hit[data-skip='9']").click()
        expect(page.locator(VALUE)).to_have_text(after(stage, pattern))
        expect(page.locator(".hit[aria-checked=false]")).to_have_count(cut)
        page.get_by_role("button", name="Restore").click()
        expect(page.locator(VALUE)).to_have_text(whole)
    page.get_by_role("button", name="Cut every skip").click()
    expect(page.locator(VALUE)).to_have_text(none)
    expect(page.locator(".hit[aria-checked=false]")).to_have_count(len(stage.blocks))


def test_the_skips_are_one_stop_for_the_keyboard(contexts: dict[str, BrowserContext], server: Server, stage: Stage) -> None:
    page = home(contexts["desktop"], server)
    page.get_by_role("radio", name="from the image").focus()
    page.keyboard.press("Tab")
    skips = page.get_by_role("switch")
    expect(skips.nth(0)).to_be_focused()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(skips.nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(VALUE)).to_have_text(after(stage, "first:3"))
    expect(skips.nth(2)).to_have_attribute("aria-checked", "false")
    page.keyboard.press("Space")
    expect(page.locator(VALUE)).to_have_text(after(stage, "first:2"))
    ring = skips.nth(2).evaluate("(node) => getComputedStyle(node).strokeWidth")
    assert ring == "3px"
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Replay")).to_be_focused()


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_moves_and_the_stage_fills_the_first_screen(browser: Browser, server: Server, screen: str) -> None:
    width, height = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height}, is_mobile=screen == "phone", has_touch=screen == "phone"
    )
    page = context.new_page()
    page.add_init_script(SHIFTED)
    page.goto(server.url)
    expect(page.locator(".stage .at")).to_have_text("step 150 of 150")
    ready(page)
    still(page)
    box = page.locator(".stage").bounding_box()
    assert box is not None
    assert (min(box["y"] + box["height"], height) - box["y"]) / height >= 0.55
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_the_replay_runs_once_can_be_paused_and_scrubbed(page: Page, server: Server, stage: Stage) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    assert page.locator(".stage .at").inner_text() != "step 150 of 150"
    page.get_by_role("slider", name="Step").fill("40")
    expect(page.locator(VALUE)).to_have_text(f"{stage.accuracy[0, 39]:.1f} %")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".stage .at")).to_have_text("step 150 of 150")
    expect(page.get_by_role("button", name="Replay the 150 steps")).to_be_visible()


def test_with_batch_norm_the_recorded_runs_are_shown(contexts: dict[str, BrowserContext], server: Server) -> None:
    page = home(contexts["desktop"], server)
    page.get_by_role("button", name="With batch norm?").click()
    for row, name in (("plain", "plain56-cifar10"), ("residual", "resnet56-cifar10")):
        error = read_run(RUNS / f"{name}.parquet").epochs[-1].train_error
        expect(page.locator(f".stage .{row} b")).to_have_text(f"{error:.1f} %")
        expect(page.locator(".stage .answer")).to_contain_text(f"{error:.1f} %")
    page.get_by_role("link", name="Why did deeper networks train worse?").click()
    expect(page).to_have_url(re.compile("/degradation"))


def test_what_is_cut_is_what_the_lab_runs(contexts: dict[str, BrowserContext], server: Server, stage: Stage) -> None:
    page = home(contexts["desktop"], server)
    page.locator(".hit[data-skip='2']").click()
    link = page.get_by_role("link", name="Run it live")
    given = plan_from_query(dict(parse_qsl(urlsplit(link.get_attribute("href") or "").query)))[0]
    assert given is not None
    cut = frozenset(stage.blocks[:2])
    assert given == replace(stage.plan, contenders=(replace(stage.plan.contenders[0], cut=cut), stage.plan.contenders[1]))
    link.click()
    expect(page).to_have_url(re.compile(r"/lab\?a="), timeout=60_000)  # the lab writes what it runs
    assert plan_from_query(dict(parse_qsl(urlsplit(page.url).query)))[0] == given


def test_a_finger_cuts_by_the_slider(contexts: dict[str, BrowserContext], server: Server, stage: Stage) -> None:
    page = home(contexts["phone"], server)
    page.get_by_role("slider", name="Skips cut").fill("9")
    expect(page.locator(VALUE)).to_have_text(after(stage, "first:9"))
    page.locator("fieldset label").filter(has_text="from the answer").tap()
    expect(page.locator(VALUE)).to_have_text(after(stage, "last:9"))
    for target in page.locator(".stage :is(button, a, fieldset label, .count input, .steps input)").filter(visible=True).all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44, target.inner_text()


def test_on_a_tall_screen_nothing_is_empty_below_the_stage(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 2000}, reduced_motion="reduce")
    page = home(context, server)
    stage, note = page.locator(".stage").bounding_box(), page.get_by_text("Recorded, one training").bounding_box()
    assert stage is not None
    assert note is not None
    assert 0 <= note["y"] - stage["y"] - stage["height"] < 60
    context.close()


def test_the_stage_can_be_presented_alone(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{server.url}/?present=1")
    page.locator(".stage rect.bar").first.wait_for()
    expect(page.locator(".st-key-doors")).to_be_hidden()
    expect(page.locator(".st-key-navigation")).to_be_hidden()
    page.locator(".hit[data-skip='9']").click()
    expect(page.locator(".hit[aria-checked=false]")).to_have_count(9)
    context.close()
