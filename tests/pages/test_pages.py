from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

APP = str(Path(__file__).resolve().parents[2] / "app.py")


def opened(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=120)
    for key, value in query.items():
        at.query_params[key] = value
    return at.switch_page(page).run() if page != "app.py" else at.run()


@pytest.mark.parametrize(
    "page", ["app.py", "pages/build.py", "pages/gradients.py", "pages/degradation.py", "pages/lab.py", "pages/explain.py"]
)
def test_page_runs(page: str) -> None:
    at = opened(page)
    assert not at.exception
    assert not at.error


def test_a_hostile_query_gives_the_default_and_one_notice() -> None:
    at = opened("pages/build.py", blocks="9999999-1", evil="<script>")
    assert not at.exception
    assert len(at.warning) == 1
    assert "ResNet-56" in at.markdown[2].value


def test_a_link_rebuilds_the_network() -> None:
    at = opened("pages/build.py", blocks="2-2-2", cut="1.1")
    assert any("1 skip cut" in markdown.value for markdown in at.markdown)


def settled(at: AppTest) -> AppTest:
    """Rerun until the lab's job has ended, as the page's own polling would."""
    for _ in range(300):
        held = at.session_state["lab"]
        if held.job is not None and not held.running:  # the first job waits for an estimate
            return at.run()
        time.sleep(0.1)
        at.run()
    raise AssertionError("the lab's job did not end")


def button(at: AppTest, label: str) -> Button:
    return next(b for b in at.button if b.label == label)


def test_an_error_in_a_running_lab_leaves_a_message_no_hooks_and_a_usable_page() -> None:
    at = settled(opened("pages/lab.py", a="blocks=1-1-1&in_channels=1", b="blocks=1-1-1&residual=0&in_channels=1"))
    assert any("Step 1." in markdown.value for markdown in at.markdown)
    lab = at.session_state["lab"].lab
    net = lab._contenders[1].net

    def broken(*_: object) -> None:
        raise RuntimeError("injected")

    handle = net.layer2[0].register_forward_pre_hook(broken)
    button(at, "Step").click().run()
    at = settled(at)
    handle.remove()
    assert not at.exception
    assert any("injected" in error.value and "reset" in error.value for error in at.error)
    assert all(not m._forward_hooks and not m._backward_hooks for c in lab._contenders for m in c.net.modules())
    assert any("Step 1." in markdown.value for markdown in at.markdown)  # what was recorded is still there
    button(at, "Reset").click().run()
    at = settled(at)
    assert not at.error
    button(at, "Step").click().run()
    at = settled(at)
    assert any("Step 2." in markdown.value for markdown in at.markdown)


def ranked(at: AppTest) -> pd.DataFrame:
    """The Trust view's table."""
    return next(frame.value for frame in at.dataframe if "deletion AUC ↓" in frame.value)


@pytest.mark.parametrize("view", ["Trust", "Through the depth", "Change the network", "Two paths", "Many pictures"])
@pytest.mark.parametrize("network", ["resnet20-cifar10", "plain20-cifar10"])
def test_each_view_of_the_explanation(view: str, network: str) -> None:
    at = opened("pages/explain.py")
    at.selectbox(key="explain.network").set_value(network)
    at.multiselect(key="explain.methods").set_value(["saliency", "grad-cam"])
    at.session_state["explain.view"] = view
    at.run()
    for _ in range(100):
        if not any(job.live for job in at.session_state["jobs"].values()):
            break
        time.sleep(0.1)
    at.run()
    assert not at.exception
    assert not at.error
    if view == "Trust":
        button(at, "Measure the faithfulness").click().run()
        assert len(ranked(finished(at))) == 2
        assert not at.exception


def test_a_cropped_and_turned_photograph_has_its_own_answer() -> None:
    at = opened("pages/explain.py")
    before = answer(at)
    next(box for box in at.slider if box.label == "Crop").set_value(3.0)
    at.run()
    assert not at.exception
    assert any(box.label == "Left to right" for box in at.slider)
    at.run()
    assert answer(at) != before
    at.multiselect(key="explain.others").set_value(["resnet18-imagenette"]).run()
    assert not at.exception
    assert any("Imagenette" in markdown.value for markdown in at.markdown)


def answer(at: AppTest) -> str:
    """The sentence on what the network says."""
    return next(markdown.value for markdown in at.markdown if "Entropy" in markdown.value)


def test_a_comparison_starts_over_and_a_bad_link_says_what_was_left_out() -> None:
    at = settled(opened("pages/lab.py", a="blocks=1-1-1&in_channels=1", edits="5:cut:a:9.9"))
    assert any("layer9.9" in warning.value for warning in at.warning)
    next(box for box in at.selectbox if box.label == "Depth").set_value(20)
    at = settled(at.run())
    assert at.session_state["lab"].plan.contenders[0].depth == 20
    assert at.session_state["lab"].step == 1


def finished(at: AppTest) -> AppTest:
    """Rerun until every job of the page has ended."""
    for _ in range(300):
        jobs = at.session_state.get("jobs", {})
        if not any(job.live for job in jobs.values()):
            return at.run()
        time.sleep(0.1)
        at.run()
    raise AssertionError("a job did not end")


def panels(at: AppTest) -> list[str]:
    """The titles of the pictures on the page."""
    return [data["title"] for element in at.get("bidi_component") if "photo" in (data := json.loads(element.proto.json))]


def test_a_link_sets_the_explanation_and_the_page_remembers_it() -> None:
    query = {"model": "resnet20-cifar10", "photo": "Cat", "class": "cat", "against": "dog",
             "methods": "saliency,grad-cam,nonsense", "layers": "layer1.0,layer3.2,layer9.9", "view": "Compare"}  # fmt: skip
    at = finished(opened("pages/explain.py", **query))
    assert not at.exception
    assert not at.warning
    assert panels(at) == ["Photograph", "Saliency", "Grad-CAM · layer1.0", "Grad-CAM · layer3.2"]
    assert at.selectbox(key="class.resnet20-cifar10.sample Cat").value == "cat"
    for name, text in (("class", "cat"), ("against", "dog"), ("layers", "layer1.0,layer3.2"), ("methods", "saliency,grad-cam")):
        assert at.query_params[name] in (text, [text])
    at.switch_page("pages/build.py").run()
    at = finished(at.switch_page("pages/explain.py").run())
    assert panels(at) == ["Photograph", "Saliency", "Grad-CAM · layer1.0", "Grad-CAM · layer3.2"]


def test_the_link_of_the_usual_explanation_is_short_and_a_crop_is_not_in_it() -> None:
    at = finished(opened("pages/explain.py"))
    assert dict(at.query_params) == {}
    next(box for box in at.slider if box.label == "Crop").set_value(3.0)
    at = finished(at.run())
    asked = next(box for box in at.selectbox if box.label == "Class to explain")
    asked.set_value(asked.options[1])
    at = finished(at.run())
    assert not {"photo", "class"} & set(at.query_params)
    assert not at.exception


@pytest.mark.parametrize("name", ["model", "photo", "class", "against", "methods", "layers", "view"])
def test_a_link_may_name_what_does_not_exist(name: str) -> None:
    at = finished(opened("pages/explain.py", **{"model": "resnet20-cifar10", "class": "cat", name: "<nonsense>,"}))
    assert not at.exception
    assert not at.error
    assert len(panels(at)) == 5  # the photograph and the methods one begins with


def test_a_parameter_is_kept_while_its_control_is_away() -> None:
    at = finished(opened("pages/explain.py", methods="occlusion", model="resnet20-cifar10", photo="Rocket"))
    before = at.session_state["jobs"]["map.occlusion"].key
    next(box for box in at.slider if box.label == "Window").set_value(8)
    at = finished(at.run())
    changed = at.session_state["jobs"]["map.occlusion"].key
    assert changed != before
    at.segmented_control(key="explain.view").set_value("Two paths")
    at = finished(at.run())
    assert not any(box.label == "Window" for box in at.slider)
    at.segmented_control(key="explain.view").set_value("Compare")
    at = finished(at.run())
    assert next(box for box in at.slider if box.label == "Window").value == 8
    assert at.session_state["jobs"]["map.occlusion"].key == changed
    assert not at.exception


def test_what_the_browser_says_of_the_look_is_checked() -> None:
    from resviz.figures.overlay import Look, OverlayStyle
    from resviz.ui.components.evidence import _look

    assert _look({"style": "heat", "opacity": 0.5, "percentile": 80, "wipe": 0.2}) == Look(0.5, OverlayStyle.HEAT, 80, 0.2)
    for nonsense in (None, [], {"style": "<b>", "opacity": "1", "percentile": 1e9, "wipe": True}):
        assert _look(nonsense) == Look()


@pytest.mark.parametrize("size", [(600, 400), (300, 500)])
@pytest.mark.parametrize("seen", [1.0, 0.875])
def test_a_crop_shows_what_the_view_showed(size: tuple[int, int], seen: float) -> None:
    image = Image.linear_gradient("L").resize(size).convert("RGB")

    def page() -> None:
        import streamlit as st

        from resviz.ui.widgets import pickers

        photograph = pickers.Photograph("p", "p", st.session_state.image)
        for x, y, zoom in st.session_state.views:
            pickers.crop_to(photograph, "crop", st.session_state.seen, x, y, zoom)
        st.session_state.views = []
        st.session_state.part = pickers.crop(photograph, "crop").image

    at = AppTest.from_function(page)
    at.session_state.image, at.session_state.seen, at.session_state.views = image, seen, [(0.5, 0.3, 2.0)]
    at.run()
    assert not at.exception
    part = at.session_state.part
    assert part.size == (size[0] // 2, size[1] // 2)
    # the middle of the crop is the middle of the view
    expected = size[1] / 2 + (0.3 - 0.5) * seen * min(size)
    expected = min(max(expected, size[1] / 4), 3 * size[1] / 4)
    assert np.asarray(part)[..., 0].mean() == pytest.approx(255 * expected / size[1], abs=4)
