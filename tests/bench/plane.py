"""How fast points are learned and their boundaries drawn, measured in the page itself."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.browser import FLAGS, find
from tests.e2e.conftest import Server, ready

__all__ = ["plane_pace"]

DEEP = "lab?a=family%3Dplane%26blocks%3D14&b=family%3Dplane%26blocks%3D14%26residual%3D0&data=plane-spirals"  # two of 30 layers
_WARM, _LONG = 2_000, 8_000  # milliseconds before the first drawing that counts, and of those that do

# resolves with the milliseconds and the step of every drawing
_DRAWN = """([warm, long]) => new Promise(done => {
    const find = (root) => {
        for (const node of root.querySelectorAll('*')) {
            if (node.matches('.planes')) return node;
            const inner = node.shadowRoot && find(node.shadowRoot);
            if (inner) return inner;
        }
    };
    const view = find(document), drawn = [], start = performance.now();
    new MutationObserver(() => {
        const now = performance.now() - start;
        if (now > warm) drawn.push([now, Number(view.dataset.step)]);
    }).observe(view, {attributes: true, attributeFilter: ['data-step']});
    setTimeout(() => done(drawn), warm + long);
})"""


def plane_pace() -> tuple[float, float]:
    """Milliseconds between two steps of two MLP-30, and between two drawings of both boundaries, while both go on."""
    server = Server(Path(tempfile.mkdtemp()) / "log")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{server.url}/{DEEP}")
        page.get_by_text("Step 1. MLP-30 calls").wait_for()
        ready(page)
        page.get_by_role("button", name="Start", exact=True).click()
        drawn = page.evaluate(_DRAWN, [_WARM, _LONG])
        page.goto("about:blank")
        browser.close()
    server.stop()
    (began, first), (ended, last) = drawn[0], drawn[-1]
    return (ended - began) / (last - first), (ended - began) / (len(drawn) - 1)
