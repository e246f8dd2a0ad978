"""What a visitor waits for, measured in the page itself."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from resviz.data.images import probe_batch
from resviz.machine import fitting_threads
from resviz.nets.build import build
from resviz.probes.gradients import gradient_probe
from resviz.spec.presets import PRESETS
from tests.e2e.browser import FLAGS, find
from tests.e2e.conftest import Server, ready

# resolves with the milliseconds from the click to the frame in which the first figure's line has changed
_CLICK = """name => new Promise(done => {
    const find = (root, wanted) => {
        for (const node of root.querySelectorAll('*')) {
            if (wanted(node)) return node;
            const inner = node.shadowRoot && find(node.shadowRoot, wanted);
            if (inner) return inner;
        }
    };
    const view = find(document, node => node.dataset?.series === 'residual').getRootNode(); // searched once: looking must cost nothing
    const line = () => view.querySelector('[data-series=residual]')?.getAttribute('d');
    const before = line(), arc = find(document, node => node.dataset?.action === name), start = performance.now();
    arc.dispatchEvent(new MouseEvent('click', {bubbles: true, composed: true}));
    const look = () => {
        const now = line();
        if (now && now !== before) requestAnimationFrame(() => done(performance.now() - start));
        else requestAnimationFrame(look);
    };
    look();
})"""


def cut_latency(clicks: int = 15) -> tuple[float, float]:
    """Milliseconds, medians: click on an arc of ResNet-56 until the figure is redrawn, and the computation in it."""
    spec = PRESETS["resnet56"]
    names = list(spec.block_names())[:clicks]
    images, targets = probe_batch(64, 3, 8, 10)
    gradient_probe(build(spec).train(), images, targets)
    server = Server(Path(tempfile.mkdtemp()) / "log")
    waits, computing = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{server.url}/gradients")
        ready(page)
        page.wait_for_selector(f"[data-action='cut:{names[0]}']")  # the figure that is shown while PyTorch loads has none
        cut: frozenset[str] = frozenset()
        for name in names:
            page.wait_for_timeout(600)
            waits.append(page.evaluate(_CLICK, f"cut:{name}"))
            ready(page)
            cut |= {name}
            start = time.perf_counter()
            with fitting_threads(8):  # as the page computes it
                gradient_probe(build(replace(spec, cut=cut)).train(), images, targets)
            computing.append(1000 * (time.perf_counter() - start))
        page.goto("about:blank")
        browser.close()
    server.stop()
    return statistics.median(waits[1:]), statistics.median(computing[1:])


# the same for a page of one widget: the milliseconds from the click until its text has changed
_TOGGLE = """() => new Promise(done => {
    const text = () => document.querySelector('[data-testid=stMarkdownContainer] strong')?.textContent;
    const before = text(), start = performance.now();
    document.querySelector('[data-testid=stCheckbox] input').click();
    const look = () => {
        if (text() !== before) requestAnimationFrame(() => done(performance.now() - start));
        else requestAnimationFrame(look);
    };
    look();
})"""


def widget_latency(clicks: int = 15) -> float:
    """Milliseconds, median: a Streamlit page of one toggle and one text, from the click until the text is drawn anew."""
    folder = Path(tempfile.mkdtemp())
    (folder / "one.py").write_text('import streamlit as st\non = st.toggle("One")\nst.markdown(f"**{on}**")\n', encoding="utf-8")
    server, waits = Server(folder / "log", folder / "one.py"), []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(server.url)
        ready(page)
        for _ in range(clicks):
            page.wait_for_timeout(600)
            waits.append(page.evaluate(_TOGGLE))
        page.goto("about:blank")
        browser.close()
    server.stop()
    return statistics.median(waits[1:])


# a locator's own retries come in steps of half a second
_SEEN = """const find = (root, what) => {
    for (const node of root.querySelectorAll('*')) {
        if (node.matches(what)) return node;
        const inner = node.shadowRoot && find(node.shadowRoot, what);
        if (inner) return inner;
    }
};
const look = (what, name) => {
    if (find(document, what)) requestAnimationFrame(() => { window[name] = performance.now(); });
    else requestAnimationFrame(() => look(what, name));
};
look('h1', 'title');
look('.stage .hit[data-skip]', 'stage');"""


def _first_page(browser: Browser, app: Path, what: str = "title") -> tuple[float, float]:
    """Milliseconds from opening the first page of a server that has answered nothing yet until its title, and `what`, are painted."""
    server = Server(Path(tempfile.mkdtemp()) / "log", app)
    page = browser.new_page()
    page.add_init_script(_SEEN)
    page.goto(server.url, wait_until="commit")
    page.wait_for_function(f"window.title && window.{what}")
    took: tuple[float, float] = page.evaluate(f"[window.title, window.{what}]")
    page.close()
    server.stop()
    return took


def first_pages(rounds: int = 5) -> tuple[float, float, float]:
    """Milliseconds, medians: our home page's title, its stage with skips to click, and a one-line Streamlit app's title."""
    line = Path(tempfile.mkdtemp()) / "line.py"
    line.write_text('import streamlit as st; st.title("One line")\n')
    ours, theirs = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        for _ in range(rounds):
            theirs.append(_first_page(browser, line)[0])
            ours.append(_first_page(browser, Path("app.py"), "stage"))
        browser.close()
    titles, stages = zip(*ours, strict=True)
    return statistics.median(titles), statistics.median(stages), statistics.median(theirs)
