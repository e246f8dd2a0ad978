"""One figure by itself: what the link asks for, what the address keeps, and what is said of a name that is none."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from resviz.ui.embed import FIGURES, code, style
from resviz.ui.pages import PAGES

ROOT = Path(__file__).resolve().parents[2]
FILES = {page.title: page.file for page in PAGES}


def opened(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    at.run()
    for name, text in query.items():
        at.query_params[name] = text
    at.switch_page(FILES[page]).run()
    assert not at.exception
    return at


def test_a_figure_is_a_pages_and_leads_back_to_it() -> None:
    at = opened("Build", show="build.diagram")
    assert at.query_params["show"] == "build.diagram"
    said = " ".join(each.value for each in at.markdown)
    back = re.search(r"\[\*\*ResViz · Build\*\*.*?\]\((.*?)\)", said)
    assert back is not None
    assert "show=" not in back[1]
    assert not any("Next:" in each.value for each in at.markdown)


@pytest.mark.parametrize("name", ["gradients.profile", "nonsense", "<b>"])
def test_another_name_is_told_and_leaves_the_page(name: str) -> None:
    at = opened("Build", show=name)
    (warning,) = at.warning
    assert "is no figure of this page" in warning.value
    assert "build.diagram, build.block" in warning.value
    assert "show" not in at.query_params


def test_every_figure_stands_on_a_page() -> None:
    assert {figure.page for figure in FIGURES.values()} <= set(FILES)
    for figure in FIGURES.values():
        assert all(f".st-key-{key}" in style(figure) for key in figure.keys)


def test_the_frame_holds_its_address_whatever_is_in_it() -> None:
    frame = code('https://here/gradients?a=1&b="><script>', 'x, F(x) & "their" sum', 480)
    source = re.search(r'src="([^"]*)"', frame)
    assert source is not None
    assert unescape(source[1]) == 'https://here/gradients?a=1&b="><script>'
    assert "<script>" not in frame
    assert 'height="480"' in frame
