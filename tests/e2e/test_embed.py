"""A figure in somebody else's page: another origin, its controls, an upload, and the way back, in a real browser."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Page, expect

from resviz.ui.embed import FIGURES, code
from resviz.ui.pages import PAGES
from tests.e2e.conftest import Server, ready


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With what docs/embedding.md says that uploads in another site's page need."""
    log = tmp_path_factory.mktemp("embed") / "log"
    started = Server(log, options=("--server.enableXsrfProtection", "false"))
    yield started
    started.stop()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A site of another host and port than the app's, and the folder that it shows."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(tmp_path)))
    threading.Thread(target=site.serve_forever, daemon=True).start()
    yield f"http://localhost:{site.server_port}", tmp_path
    site.shutdown()


def framed(page: Page, elsewhere: tuple[str, Path], url: str, name: str) -> FrameLocator:
    """The embedding page with the frame, which has answered."""
    address, folder = elsewhere
    title = FIGURES[name].title
    around = f"<!doctype html><link rel='icon' href='data:,'><title>A lesson</title><h1>A lesson</h1>{code(url, title, FIGURES[name].height)}"
    (folder / "lesson.html").write_text(around, encoding="utf-8")
    page.goto(f"{address}/lesson.html")
    frame = page.frame_locator("iframe")
    frame.get_by_text("ResViz ·").wait_for()
    return frame


def test_a_figure_answers_in_another_sites_page(page: Page, server: Server, elsewhere: tuple[str, Path]) -> None:
    frame = framed(page, elsewhere, f"{server.url}/gradients?blocks=2-2-2&embed=true&show=gradients.profile", "gradients.profile")
    expect(frame.get_by_text("With all 6 skips")).to_be_visible()
    for text in ("What does a skip connection do to the gradient?", "Link", "Download"):
        expect(frame.get_by_role("heading", name=text).or_(frame.get_by_role("button", name=text))).to_be_hidden()
    expect(frame.locator(".st-key-navigation")).to_be_hidden()
    frame.get_by_role("button", name="none").or_(frame.get_by_role("radio", name="none")).first.click()
    expect(frame.get_by_text("With all 6 skips")).to_have_count(0)
    back = frame.get_by_role("link", name="ResViz · Gradients")
    href = back.get_attribute("href") or ""
    assert href.startswith(f"{server.url}/gradients?")
    assert "show=" not in href
    assert "blocks=2-2-2" in href
    assert back.get_attribute("target") == "_blank"


def test_an_upload_works_in_another_sites_page(
    page: Page, open_server: Server, elsewhere: tuple[str, Path], tmp_path: Path
) -> None:
    frame = framed(page, elsewhere, f"{open_server.url}/explain?embed=true&show=explain.compare", "explain.compare")
    of_the_sample = frame.get_by_label("evidence for espresso laid over")
    expect(of_the_sample.first).to_be_visible()
    frame.get_by_text("Upload", exact=True).click()
    picture = tmp_path / "shades.png"
    Image.linear_gradient("L").convert("RGB").save(picture)
    with page.expect_response(lambda response: "/upload_file/" in response.url) as taken:
        frame.locator("input[type=file]").set_input_files(picture)
    assert taken.value.ok
    expect(frame.get_by_label("evidence for ").first).to_be_visible()
    expect(of_the_sample).to_have_count(0)


def test_the_page_hands_out_the_frame(server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{server.url}/build?blocks=2-2-2")
    ready(page)
    page.get_by_role("button", name="Embed").click()
    said = page.get_by_test_id("stCode").filter(has_text="<iframe")
    expect(said).to_contain_text("show=build.diagram")
    expect(said).to_contain_text("blocks=2-2-2&amp;embed=true")
    context.close()


def test_every_figure_stands_alone(server: Server, page: Page) -> None:
    paths = {each.title: each.path for each in PAGES}
    page.set_viewport_size({"width": 900, "height": 900})
    for name, figure in FIGURES.items():
        page.goto(f"{server.url}/{paths[figure.page]}?embed=true&show={name}")
        page.get_by_text(f"ResViz · {figure.page}").wait_for()
        expect(page.locator(f".st-key-{figure.keys[0]}")).to_be_visible()
        expect(page.locator(".st-key-navigation")).to_be_hidden()
        expect(page.locator("h1")).to_be_hidden()
