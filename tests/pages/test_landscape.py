"""The page about the loss around networks: its link, its chips, what it keeps, and its other measurements."""

from __future__ import annotations

import json
import time
from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from resviz.nets.build import build
from resviz.spec.landscape import LandscapePlan
from resviz.training.descent import descent
from resviz.ui.landscape import body, more
from tests.pages.test_inside import asked, texts
from tests.pages.test_pages import button, finished, left_out, opened

PAGE = "pages/landscape.py"
SMALL = {"depth": "20", "grid": "5", "weights": "start"}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page does with its pictures does not depend on how many there are."""
    for place in (body, more):
        monkeypatch.setattr(place, "PICTURES", 96)


def settled(at: AppTest) -> AppTest:
    """Every job has ended, and those that it led to."""
    at = finished(at)
    while any(job.live for job in at.session_state["jobs"].values()):
        at = finished(at)
    return at


def figures(at: AppTest) -> list[dict[str, object]]:
    """The Plotly figures on the page."""
    return [json.loads(each.proto.spec) for each in at.get("plotly_chart")]


def test_both_maps_stand_on_one_scale_with_what_they_say() -> None:
    at = settled(opened(PAGE, **SMALL))
    assert not at.exception
    assert not at.error
    maps = figures(at)
    assert len(maps) == 2
    scales = {(trace["zmin"], trace["zmax"]) for each in maps for trace in each["data"] if trace["type"] == "heatmap"}
    assert len(scales) == 1
    assert "**With skips** the loss is" in texts(at)
    assert "**The paper says** (Li et al. 2018" in texts(at)


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (SMALL | {"plane": "3", "extent": "0.3", "run": "2"}, SMALL | {"plane": "3", "extent": "0.3", "run": "2"}),
        (SMALL | {"plane": "-1", "extent": "inf", "run": "x"}, SMALL),
        (SMALL | {"nonsense": "<b>"}, SMALL),
    ],
)
def test_the_link_holds_networks_plane_extent_and_grid(given: dict[str, str], left: dict[str, str]) -> None:
    at = settled(opened(PAGE, **given))
    assert not at.exception
    usual = body._usual(LandscapePlan(20))
    assert asked(at) == {name: text for name, text in left.items() if (name, text) != ("weights", usual)}


def test_what_a_link_names_in_vain_is_said() -> None:
    at = settled(opened(PAGE, depth="57", extent="9e9", grid="4", weights="zz", plane="", run="2"))
    assert left_out(at) == ["depth 57, extent 9e9, grid 4, plane without a value, weights zz"]
    assert asked(at) == {"run": "2"}


def test_the_chips_lead_to_another_plane_and_a_finer_map_keeps_the_points() -> None:
    at = settled(opened(PAGE, **SMALL))
    before = texts(at)
    button(at, "Another plane").click().run()
    at = settled(at)
    assert asked(at)["plane"] == "1"
    assert texts(at) != before
    kept = body._measured()
    plane = LandscapePlan(20, "start", plane=1, grid=5)
    coarse = kept[plane]["residual"].losses
    next(slider for slider in at.select_slider if slider.label == "Points along a side").set_value(9).run()
    at = settled(at)
    assert not at.exception
    assert asked(at)["grid"] == "9"
    fine = kept[plane]["residual"].losses
    assert fine.shape == (9, 9)
    assert np.array_equal(fine[::2, ::2], coarse)


def test_what_was_measured_when_it_was_cancelled_stays_and_is_gone_on_with() -> None:
    at = opened(PAGE, **SMALL | {"grid": "33", "plane": "77"})
    job = at.session_state["jobs"]["landscape"]
    for _ in range(200):
        if job.partial and all(each.complete() is not None for each in job.partial.values()) and len(job.partial) == 2:
            break
        time.sleep(0.05)
    job.cancel()
    job.wait(20)
    at.run()
    assert not at.exception
    assert any("cancelled" in info.value for info in at.info)
    assert len(figures(at)) == 2
    plane = LandscapePlan(20, "start", plane=77, grid=5)
    kept = {key: each.measured for key, each in body._measured()[plane].items()}
    assert 0 < sum(kept.values()) < 2 * 33**2
    next(slider for slider in at.select_slider if slider.label == "Points along a side").set_value(9).run()
    at = settled(at)
    assert not at.exception
    assert len(figures(at)) == 2


def test_curvature_and_layers_are_measured_where_they_are_asked_for() -> None:
    at = settled(opened(PAGE, **SMALL))
    assert "λ_max of the loss" not in texts(at)
    for label in ("Measure the largest curvature", "Compare the layers"):
        next(toggle for toggle in at.toggle if toggle.label == label).set_value(True).run()
        at = settled(at)
        assert not at.exception
        assert not at.error
    assert "λ_max of the loss" in texts(at)
    assert "least alike are" in texts(at)
    assert len(figures(at)) == 3


def test_the_training_is_followed_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resviz.ui.landscape.path.descent", partial(descent, steps=6, every=2))  # the whole takes half a minute
    at = settled(opened(PAGE, **SMALL))
    next(toggle for toggle in at.toggle if toggle.label == "Follow the training").set_value(True).run()
    at = settled(at)
    assert not at.exception
    assert not at.error
    assert "kept at 4 moments of 6 steps" in texts(at)
    assert "40 to 90 % of the variation" in texts(at)
    assert len(figures(at)) == 4


def test_nothing_is_hung_on_a_shared_network_or_trained() -> None:
    settled(opened(PAGE, **SMALL))
    spec = LandscapePlan(20, "start").specs["residual"]
    fresh = build(spec).state_dict()
    nets = body.waiting.manager().remembered(("landscape.nets", 20, "start", 0))
    assert all(np.array_equal(value, fresh[name]) for name, value in nets["residual"].net.state_dict().items())


def test_the_gradient_shatters_on_the_gradients_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resviz.probes.shatter.depths_of", lambda spec: (8, 14))  # the others take seconds
    at = opened("pages/gradients.py", blocks="1-1-1", width="4")
    next(toggle for toggle in at.toggle if toggle.label == "Shatter the gradient").set_value(True).run()
    at = settled(at)
    assert not at.exception
    assert not at.error
    assert "Near 1 the gradient turns smoothly" in texts(at)
    assert "(Balduzzi et al. 2017" in texts(at)
