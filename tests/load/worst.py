"""Two visitors switch a cheap toggle while a third one, in a real browser, brings twelve of the worst inputs."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.browser import FLAGS, find
from tests.e2e.conftest import Server
from tests.e2e.test_worst import feed
from tests.load.visitor import Visitor

__all__ = ["beside_the_worst"]


def _switch(visitor: Visitor, done: threading.Event, times: list[float]) -> None:
    visitor.open()
    on = False
    while not done.is_set():
        on = not on
        times.append(visitor.toggle("Logarithmic error", on))
        time.sleep(0.5)


def beside_the_worst(server: Server) -> tuple[str, str, str, bool]:
    """A row of the table: how long the toggles took meanwhile."""
    done, times = threading.Event(), list[float]()
    visitors = [Visitor(server.port, "degradation") for _ in range(2)]
    threads = [threading.Thread(target=_switch, args=(visitor, done, times)) for visitor in visitors]
    for thread in threads:
        thread.start()
    try:
        with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
            browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(60_000)
            feed(page, server.url, Path(folder) / "canary")
            browser.close()
    finally:
        done.set()
        for thread in threads:
            thread.join(60)
        for visitor in visitors:
            visitor.close()
    p95 = sorted(times)[int(0.95 * len(times))]
    name = f"cheap toggle beside twelve of the worst inputs, p95 of {len(times)} (median {statistics.median(times):.2f} s)"
    return name, f"{p95:.2f} s", "1.50 s", p95 <= 1.5
