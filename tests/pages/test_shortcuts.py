"""The Shortcuts page: its link, its recorded races, and a live one that ends."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from resviz.figures.captions import race_note
from resviz.spec.shortcuts import RACES
from resviz.zoo.first import read_first
from tests.pages.test_pages import button, left_out, opened

PAGE = "pages/shortcuts.py"


def asked(at: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()}


def said(at: AppTest) -> str:
    return "\n".join(each.value for each in (*at.markdown, *at.caption, *at.info))


@pytest.mark.parametrize("race", RACES)
def test_a_recorded_race_is_told_as_it_was(race: str) -> None:
    at = opened(PAGE, **({} if race == "skip" else {"race": race}))
    assert not at.exception
    assert race_note(read_first("shortcuts").values[race]) in said(at)
    assert asked(at) == ({} if race == "skip" else {"race": race})


def test_contenders_of_a_link_run_live_and_the_link_stays() -> None:
    link = {"who": "identity.half", "layers": "20", "last": "60", "draw": "3"}
    at = opened(PAGE, **link)
    assert at.multiselect(key="ways.kinds").value == ["identity", "half"]
    assert "20 layers, 60 steps and seed 3" in said(at)
    button(at, "Run it live").click().run()
    for _ in range(600):
        if "After 60 steps" in said(at):
            break
        time.sleep(0.2)
        at.run()
    assert not at.exception
    assert not at.error
    assert "After 60 steps at depth 20" in said(at)
    assert asked(at) == link


def test_the_chips_choose_a_race_and_nonsense_is_said() -> None:
    at = opened(PAGE, race="no such", who="nobody.half", layers="57", last="9999999999", draw="x")
    assert not at.exception
    assert left_out(at) == ["layers 57, last 9999999999, draw x, race no such, who nobody"]
    assert asked(at) == {"who": "half"}
    button(at, RACES["branch"].title).click().run()
    assert asked(at) == {"race": "branch"}
    at.selectbox(key="ways.race").set_value("noise").run()
    assert not at.exception
    assert asked(at) == {"race": "noise"}
    assert at.multiselect(key="ways.kinds").value == list(RACES["noise"].kinds)
