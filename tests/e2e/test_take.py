"""What a visitor built leaves as code and as a graph, in a real browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from resviz.figures.theme import count
from tests.e2e.conftest import Server, ready

_RUN = "import runpy, sys; print(sum(p.numel() for p in runpy.run_path(sys.argv[1])['build']().parameters()))"


def test_the_code_of_the_network_on_the_page_builds_it_without_us(server: Server, page: Page, tmp_path: Path) -> None:
    page.goto(f"{server.url}/build?blocks=1-2-1&cut=2.1")
    ready(page)
    page.get_by_role("button", name="Code", exact=True).click()
    sheet = page.get_by_test_id("stPopoverBody")
    expect(sheet.get_by_text("PyTorch alone")).to_be_visible()
    with page.expect_download() as taken:
        sheet.get_by_role("button", name="Download").click()
    (file := tmp_path / "net.py").write_bytes(Path(taken.value.path()).read_bytes())
    assert 'CUT = "2.1"' in file.read_text(encoding="utf-8")
    command = [sys.executable, "-I", "-c", _RUN, str(file)]
    counted = int(subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout)
    page.keyboard.press("Escape")
    expect(page.get_by_text(f"{count(counted)} parameters and")).to_be_visible()


def test_an_imagenet_network_is_also_a_library_s_call(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/build?net=resnet50")
    ready(page)
    page.get_by_role("button", name="Code", exact=True).click()
    expect(page.get_by_test_id("stPopoverBody").get_by_text("torchvision.models.resnet50(")).to_be_visible()


def test_the_graph_of_the_network_on_the_page_has_its_skips(server: Server, page: Page) -> None:
    onnx = pytest.importorskip("onnx")
    page.goto(f"{server.url}/build?blocks=1-2-1&cut=2.1")
    ready(page)
    with page.expect_download(timeout=120_000) as taken:
        page.get_by_role("button", name="ONNX", exact=True).click()
    graph = onnx.load_from_string(Path(taken.value.path()).read_bytes()).graph
    assert sum(node.op_type == "Add" for node in graph.node) == 3
