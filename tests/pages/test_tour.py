"""The tour's stops on their pages: what is asked, what is held back, what is to be done, and what that shows."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torchvision.models  # noqa: F401 - the pages wait for it on a fresh server
from streamlit.testing.v1 import AppTest

import resviz.attribution.question  # noqa: F401 - likewise
from resviz.spec.net import NetSpec
from resviz.ui.pages import PAGES
from resviz.ui.tour.stops import STOPS, Stop
from tests.pages.test_pages import button, left_out, opened

QUESTIONS = {page.title: page.question for page in PAGES}


def words(at: AppTest) -> str:
    return " ".join(str(each.value) for each in (*at.title, *at.header, *at.markdown, *at.caption))


def address(at: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()}


def until(at: AppTest, done: Callable[[AppTest], bool]) -> AppTest:
    for _ in range(600):
        if done(at):
            return at
        time.sleep(0.1)
        at.run()
    raise AssertionError(words(at))


@pytest.mark.parametrize(("n", "stop"), list(enumerate(STOPS, 1)), ids=lambda each: getattr(each, "title", ""))
def test_a_stop(n: int, stop: Stop) -> None:
    at = opened(stop.file, tour=str(n))
    assert not at.exception
    assert [title.value for title in at.title] == [stop.question]
    assert [each.label for each in at.button if each.label in stop.choices] == list(stop.choices)
    assert stop.why not in words(at)
    assert "**See**" not in words(at)
    assert QUESTIONS[stop.page] not in words(at)  # nor anything else of the page
    assert not at.expander
    button(at, stop.choices[0]).click().run()
    assert not at.exception
    assert [title.value for title in at.title] == [QUESTIONS[stop.page]]
    assert f"**You predict**: {stop.choices[0]}." in words(at)
    assert f"**Run**: {stop.action}" in words(at)
    assert stop.why not in words(at)
    assert address(at)["said"] == "-" * (n - 1) + "a"
    until(at, lambda at: "explain" not in stop.file or bool(at.multiselect))
    button(at, "Do it for me").click().run()
    at = until(at, lambda at: "**See**" in words(at))
    assert not at.exception
    seen = stop.seen() if stop.page in ("Degradation", "Explain") else None
    assert seen is None or seen.words in words(at)
    held = "Your prediction held" in words(at)
    assert held != ("You predicted otherwise" in words(at))
    if seen is not None:
        assert held == (seen.right == 0)
    assert f"{stop.why} ([{stop.source[0]}]({stop.source[1]}))" in words(at)
    if n < len(STOPS):
        assert button(at, f"Next: {STOPS[n].title}")
    else:
        assert "of 1 predictions held" in words(at)


def test_the_next_stop_is_asked_with_all_that_was_said() -> None:
    at = opened(STOPS[0].file, tour="1", said="c")
    at.slider(key="epoch").set_value(1).run()
    at.slider(key="epoch").set_value(30).run()
    button(at, f"Next: {STOPS[1].title}").click().run()
    assert [title.value for title in at.title] == [STOPS[1].question]
    button(at, STOPS[1].choices[1]).click().run()
    assert address(at)["said"] == "cb"
    assert {name: address(at)[name] for name in STOPS[1].setting} == STOPS[1].setting


def test_elsewhere_the_card_leads_back_and_the_page_is_whole() -> None:
    at = opened("pages/build.py", tour="2", said="b", blocks="2-2-2")
    assert [title.value for title in at.title] == [QUESTIONS["Build"]]
    assert any(link.proto.label == "Back to stop 2, on Gradients" for link in at.get("page_link"))
    assert address(at) == {
        "tour": "2",
        "said": "b",
        "blocks": "2-2-2",
    }
    button(at, "Leave the tour").click().run()
    assert address(at) == {"blocks": "2-2-2"}
    assert at.session_state["spec"] == NetSpec(blocks=(2, 2, 2))


@pytest.mark.parametrize("query", [{"tour": "7"}, {"tour": "<b>"}, {"said": "abc"}])
def test_nonsense_is_no_tour_and_said(query: dict[str, str]) -> None:
    at = opened("pages/degradation.py", **query)
    assert not at.exception
    assert left_out(at) == [f"{name}={text!r} cannot be read" for name, text in query.items()]
    assert [title.value for title in at.title] == [QUESTIONS["Degradation"]]
    assert not set(query) & set(at.query_params)


def test_home_invites() -> None:
    links = {link.proto.label: link.proto for link in opened("app.py").get("page_link")}
    invitation = next(proto for label, proto in links.items() if "five-minute tour" in label)
    assert "tour=1" in invitation.query_string
    assert "Tour" in links
