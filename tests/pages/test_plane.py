"""The pages that know every family show an MLP for points, and the Lab what it makes of the plane."""

from __future__ import annotations

import json

from resviz.spec.plane import Feature, PlaneSpec
from tests.pages.test_dense import measured, opened, words


def test_build_chooses_what_is_read_of_a_point_and_how_deep() -> None:
    at = opened("build", family="plane")
    assert "**MLP-20 · no norm · PyTorch init**" in words(at)
    assert "two fully connected layers of 16 units, 512 weights" in words(at)
    assert "4.67 kMACs a point" in words(at)
    at.button_group(key="spec.features").set_value([Feature.Y, Feature.XY]).run()
    at.number_input(key="blocks.0").set_value(14).run()
    assert at.session_state["spec"] == PlaneSpec((14,), features=(Feature.Y, Feature.XY))
    assert at.query_params["features"] == "y-xy"
    assert not at.exception


def test_gradients_of_points() -> None:
    at = measured(opened("gradients", family="plane", cut="1.3"))
    assert "**With 8 of 9 skips** the gradient stays level" in words(at)
    assert "**Without skips** the gradient vanishes" in words(at)
    assert not [box for box in at.selectbox if box.key == "batch"]  # of pictures
    assert not at.exception


def test_the_lab_maps_the_plane_of_each_contender() -> None:
    at = opened("lab", a="family=plane&blocks=2", b="family=plane&blocks=2&residual=0", data="plane-circle", noise="10")
    for _ in range(20):
        at = measured(at)
        if "of the plane amber" in words(at) or "tells no point from another" in words(at):
            break
    assert not at.exception
    sent = [json.loads(each.proto.json) for each in at.get("bidi_component") if "contenders" in each.proto.json]
    assert [[each["label"], len(each["units"])] for each in sent[0]["contenders"]] == [["MLP-6", 16], ["Plain MLP-6", 16]]
    assert len(sent[0]["points"]) == 200
    assert "64 points a batch" in words(at)
    assert set(at.selectbox(key="lab.data").options) == {
        f"Points: {n}" for n in ("circle", "exclusive or", "gaussians", "spirals")
    }
    at.slider(key="lab.noise").set_value(30).run()
    assert at.session_state["lab"].plan.noise == 30
    assert at.query_params["noise"] == "30"
    at.button_group(key="lab.family").set_value("resnet").run()
    assert at.session_state["lab"].plan.data == "digits"
    at.button_group(key="lab.family").set_value("plane").run()
    assert at.session_state["lab"].plan.data == "plane-spirals"
    assert not at.exception
