"""The app as a server serves it: what a posted link shows of itself, and that the pages are the same."""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, ready


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "meta" and (name := said.get("property") or said.get("name")):
            self.found[name] = said.get("content") or ""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("served") / "log", app=Path("server.py"))
    yield started
    started.stop()


def fetched(url: str, **headers: str) -> tuple[bytes, str]:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return answer.read(), answer.headers["Content-Type"]


def test_a_link_shows_its_own_network(served: Server) -> None:
    seen = {}
    for query in ("blocks=2-2-2", "blocks=3-3-3&cut=1.0", "family=unet"):
        html, _ = fetched(f"{served.url}/gradients?{query}", **{"Accept-Encoding": "gzip", "X-Forwarded-Proto": "https"})
        tags = _Tags(html.decode()).found
        assert tags["og:title"] == "What does a skip connection do to the gradient?"
        assert tags["og:image"].startswith(f"https://127.0.0.1:{served.port}/preview.png?")
        picture, kind = fetched(tags["og:image"].replace("https://", "http://"))
        with Image.open(io.BytesIO(picture)) as image:
            assert (kind, image.size) == ("image/png", (1200, 630))
        seen[picture] = tags["og:description"]
    assert len(seen) == 3
    assert "1 skip cut" in " ".join(seen.values())
    svg, kind = fetched(f"{served.url}/preview.svg?blocks=2-2-2")
    assert kind.startswith("image/svg+xml")
    assert b"layer3" in svg


def test_words_from_outside_stay_words(served: Server) -> None:
    html, _ = fetched(f"{served.url}/build?blocks=%22%3E%3Cscript%3Ex%3C/script%3E", Host='a"><b>')
    assert b"<script>x" not in html
    assert b'"><b>' not in html


def test_the_pages_are_the_same(served: Server, page: Page) -> None:
    page.goto(f"{served.url}/build?blocks=2-2-2&cut=1.0")
    ready(page)
    expect(page.get_by_text("ResNet-14").first).to_be_visible()
    page.get_by_role("link", name="Gradients", exact=True).click()
    expect(page.get_by_role("heading", name="What does a skip connection do to the gradient?")).to_be_visible()
    expect(page.get_by_text("1 skip cut").first).to_be_visible()
