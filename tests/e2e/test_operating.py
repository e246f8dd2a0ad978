"""A served app's numbers after a real visit, and the operator's page on a phone."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Server
from tests.load.visitor import Visitor

TOKEN = "a-token-of-this-test"


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESVIZ_OPERATOR_TOKEN", TOKEN)
        patch.setenv("RESVIZ_LOG", "json")
        options = ("--server.address", "127.0.0.1")
        started = Server(tmp_path_factory.mktemp("operated") / "log", app=Path("server.py"), options=options)
    yield started
    started.stop()


def numbers(server: Server) -> dict[str, float]:
    request = urllib.request.Request(f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def status(url: str) -> int:
    try:
        return int(urllib.request.urlopen(url).status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_visit_is_counted_and_told(operated: Server) -> None:
    done = 'resviz_computations_ended_total{kind="probe",state="done"}'
    assert numbers(operated)["resviz_sessions_open"] == 0
    visitor = Visitor(operated.port, "gradients", "cut=1.1,2.4")
    visitor.open()
    until = time.monotonic() + 150
    while numbers(operated).get(done, 0) < 2 and time.monotonic() < until:
        time.sleep(0.5)
        visitor.poll()
        if not visitor.polls:
            visitor.rerun()
    now = numbers(operated)
    assert now["resviz_sessions_open"] == 1
    assert now[done] == 2
    assert now['resviz_computing_seconds_total{kind="probe"}'] > 0
    assert now["resviz_resident_memory_bytes"] > 2**26
    visitor.close()
    while numbers(operated)["resviz_sessions_open"] and time.monotonic() < until:
        time.sleep(0.2)
    assert numbers(operated)["resviz_sessions_open"] == 0
    log = operated.log.read_text(encoding="utf-8")
    told = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line["state"] for line in told if line.get("kind") == "probe"].count("done") == 2
    assert "INFO:" not in log  # what was asked for, and by whom, stays unsaid
    assert TOKEN not in log
    assert "cut=" not in log


def test_nobody_else_is_told(operated: Server, server: Server) -> None:
    assert {status(f"{operated.url}/{path}") for path in ("metrics", "operator", "operator?token=x")} == {401}
    assert status(f"{server.url}/operator") == 200  # of `streamlit run app.py`, which has no such place: Home, which says so


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_read_on_a_phone(operated: Server, browser: Browser, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{operated.url}/operator?token={TOKEN}")
    expect(page.get_by_role("heading", name="How this server stands")).to_be_visible()
    expect(page.get_by_text("of memory")).to_be_visible()
    wide, smallest, ground = page.evaluate(
        """() => [document.documentElement.scrollWidth,
        Math.min(...[...document.querySelectorAll("body *")].map(e => parseFloat(getComputedStyle(e).fontSize))),
        getComputedStyle(document.body).backgroundColor]"""
    )
    assert wide <= 390
    assert smallest >= 14
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 29)"}[scheme]
    before = page.evaluate("performance.timeOrigin")
    page.wait_for_function(f"performance.timeOrigin > {before}", timeout=30_000)  # it was drawn anew
    context.close()
