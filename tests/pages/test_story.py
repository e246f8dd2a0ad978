"""The map of the story on the pages: where each of them is on it."""

from __future__ import annotations

import json
import re

import pytest
import torchvision.models  # noqa: F401 - the pages wait for it on a fresh server
from streamlit.testing.v1 import AppTest

import resviz.attribution.question  # noqa: F401 - likewise
from tests.pages.test_pages import opened


def here(at: AppTest) -> list[str]:
    """What the map says that the page is, one for each map on it."""
    drawn = [data["markup"] for each in at.get("bidi_component") if "markup" in (data := json.loads(each.proto.json))]
    return [" ".join(re.findall(r"<figcaption>([^<]+)<b class=\"badge\">", markup)) for markup in drawn]


@pytest.mark.parametrize(
    ("page", "query", "chapter"),
    [
        ("app.py", {}, ""),
        ("pages/gradients.py", {}, "At the start, on digits"),
        ("pages/gradients.py", {"norm": "none", "init": "pytorch"}, "At the start, on digits"),
        ("pages/degradation.py", {}, "After 30 epochs of CIFAR-10"),
        ("pages/lab.py", {}, "At the start, on digits"),
    ],
)
def test_a_page_is_marked_on_the_map(page: str, query: dict[str, str], chapter: str) -> None:
    at = opened(page, **query)
    for _ in range(100):  # what it measures first
        if here(at):
            break
        at.run()
    assert not at.exception
    assert here(at) == [chapter]
    assert [each.label for each in at.expander if "story" in each.label] == (
        ["Where am I in the story?"] if page != "app.py" else []
    )


def test_a_page_that_is_none_of_the_four_says_in_what_it_differs() -> None:
    at = opened("pages/degradation.py")
    at.slider(key="epoch").set_value(7).run()
    assert here(at) == [""]
    assert any("it differs in **epoch 7 of 30**" in each.value for each in at.markdown)
