from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.e2e.browser import FLAGS, find
from tests.installed import ENVIRONMENT

expect.set_options(timeout=150_000)  # a busy machine is slow, and no promise here is one of speed

ROOT = Path(__file__).resolve().parents[2]
READY = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"


_TALKATIVE = "import logging; logging.basicConfig(level=logging.INFO); from streamlit.web.cli import main; main()"


# two threads of one session that forget old widgets at once, inside Streamlit: seen once in some thousand visits
_STREAMLITS_OWN = re.compile(
    r"Exception in thread ScriptRunner\.scriptThread:\nTraceback [^\n]*\n(?:  [^\n]*\n)*?[^\n]*_remove_stale_widgets\n(?:  [^\n]*\n)*"
    r"RuntimeError: dictionary changed size during iteration\n"
)


class Server:
    """The real app on a free port, with its log; a talkative one also logs what it computes.

    Of an `installed` package, whose programs lie there, what `resviz serve` starts in the log's folder; of another checkout, its `root`.
    """

    def __init__(
        self,
        log: Path,
        app: Path = Path("app.py"),
        talkative: bool = False,
        options: Sequence[str] = (),
        installed: Path | None = None,
        root: Path = ROOT,
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = log
        command = [
            sys.executable,
            *(("-c", _TALKATIVE) if talkative else ("-m", "streamlit")),
            "run",
            str(app),
            "--server.headless",
            "true",
            "--server.port",
            str(self.port),
            *options,
        ]
        if installed:
            command = [str(installed / "resviz"), "serve", "--host", "127.0.0.1", "--port", str(self.port)]
        place, environment = (log.parent, ENVIRONMENT) if installed else (root, None)
        with log.open("w", encoding="utf-8") as out:
            self.process = subprocess.Popen(command, cwd=place, env=environment, stdout=out, stderr=subprocess.STDOUT)
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1)
                return
            except OSError:
                time.sleep(0.25)
        raise RuntimeError(f"the server did not start: {log.read_text(encoding='utf-8')}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End the server; anything that looks like an error in its log is one."""
        self.process.terminate()
        self.process.wait(20)
        log = _STREAMLITS_OWN.sub("", self.log.read_text())
        lines = [line for line in log.splitlines() if re.search(r"Traceback|Error|Exception|WARNING", line)]
        assert not lines, lines


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("server") / "log")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        yield chromium
        chromium.close()


# Streamlit's client looks for its server under the page's own path first, and under the root when that is not found
_PROBES = ("/_stcore/health", "/_stcore/host-config")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh browser; a test in which any page logs an error to the console fails."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened, errors = context.new_page(), []

    def listen(message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        # a picture that a newer answer took the place of before it was fetched is gone from the server too
        if message.type == "error" and not url.endswith(_PROBES) and "/media/" not in url:
            errors.append(f"{message.text} ({message.location.get('url')})")

    opened.on("console", listen)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.set_default_timeout(60_000)
    yield opened
    context.close()
    assert not errors


def unfold(page: Page, name: str) -> None:
    """Open a list of choices; one that is scrolled to as it opens would close again."""
    box = page.get_by_role("combobox", name=name)
    box.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box.click()


def ready(page: Page) -> None:
    page.wait_for_selector(READY)
    page.wait_for_timeout(400)
    page.wait_for_selector(READY)
    page.wait_for_function("!document.querySelector('.st-key-landmarks') || document.documentElement.dataset.settled")
