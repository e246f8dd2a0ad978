"""Two replicas of the app behind `deploy/nginx.conf`, a third that never came up, and a visitor whose replica dies."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import ROOT, Server, ready
from tests.nginx import NGINX, WHY, Proxy, free_port

TOKEN = "a-token-of-this-test"


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[list[Server]]:
    if NGINX is None:
        pytest.skip(WHY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESVIZ_OPERATOR_TOKEN", TOKEN)
        patch.setenv("STREAMLIT_SERVER_COOKIE_SECRET", "one for both")
        two = [Server(tmp_path / f"log{n}", app=Path("server.py")) for n in range(2)]
    yield two
    for each in two:
        if each.process.poll() is None:
            each.stop()


@pytest.fixture
def proxy(tmp_path: Path, replicas: list[Server]) -> Iterator[Proxy]:
    started = Proxy(tmp_path, [*(each.port for each in replicas), free_port()])
    started.start()
    yield started
    started.stop()


def sessions(replica: Server) -> int:
    request = urllib.request.Request(f"{replica.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request) as answer:
        return next(
            int(line.split()[1]) for line in answer.read().decode().splitlines() if line.startswith("resviz_sessions_open ")
        )


def test_a_visitor_keeps_a_replica_uploads_to_it_and_outlives_it(proxy: Proxy, replicas: list[Server], browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{proxy.url}/recordings")
    ready(page)
    expect(page.get_by_text("Plain-56: the gradient of every layer, epoch by epoch")).to_be_visible()
    page.locator("input[type=file]").set_input_files(ROOT / "assets" / "runs" / "resnet20-cifar10.parquet")
    expect(page.get_by_text("ResNet-20: the gradient of every layer, epoch by epoch")).to_be_visible()
    page.goto(f"{proxy.url}/build?blocks=2-2-2&cut=1.0")
    ready(page)
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
    assert sorted(sessions(each) for each in replicas) == [0, 1]
    dies, stays = sorted(replicas, key=sessions, reverse=True)
    dies.process.kill()
    dies.process.wait(20)
    until = time.monotonic() + 120
    while not sessions(stays) and time.monotonic() < until:
        time.sleep(0.5)
    ready(page)  # by itself, without being loaded anew
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
    assert "cut=1.0" in page.url
    page.get_by_role("link", name="Gradients", exact=True).click()
    expect(page.get_by_role("heading", name="What does a skip connection do to the gradient?")).to_be_visible()
    assert sessions(stays) == 1
    context.close()
