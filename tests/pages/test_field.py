"""The effective receptive field on the Gradients page."""

from __future__ import annotations

import json

from tests.pages.test_inside import texts
from tests.pages.test_landscape import settled
from tests.pages.test_pages import opened


def test_both_fields_are_drawn_where_they_are_asked_for() -> None:
    at = settled(opened("pages/gradients.py", blocks="1-1", width="4"))
    assert "(Luo et al. 2016" not in texts(at)
    next(toggle for toggle in at.toggle if toggle.label == "See how far it sees").set_value(True).run()
    at = settled(at)
    assert not at.exception
    assert not at.error
    assert "of 13 pixels wide" in texts(at)
    assert "(Luo et al. 2016" in texts(at)
    maps = json.loads(at.get("plotly_chart")[-1].proto.spec)["data"]
    assert [each["type"] for each in maps] == ["heatmap", "heatmap"]


def test_a_field_that_would_take_too_long_is_refused_in_words() -> None:
    at = settled(opened("pages/gradients.py", blocks="60-60-60", width="1"))
    next(toggle for toggle in at.toggle if toggle.label == "See how far it sees").set_value(True).run()
    assert not at.exception
    assert any("more than the 640 that are walked; choose fewer blocks" in info.value for info in at.info)
