from __future__ import annotations

import time
from pathlib import Path

import pytest
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
        for _ in range(300):
            if at.dataframe:
                break
            time.sleep(0.1)
            at.run()
        assert len(at.dataframe[0].value) == 2
        assert not at.exception


def test_a_cropped_and_turned_photograph_has_its_own_answer() -> None:
    at = opened("pages/explain.py")
    before = at.markdown[2].value
    next(box for box in at.slider if box.label == "Crop").set_value(3.0)
    at.run()
    assert not at.exception
    assert any(box.label == "Left to right" for box in at.slider)
    at.run()
    assert [m.value for m in at.markdown][2] != before or "Entropy" not in before
    at.multiselect(key="explain.others").set_value(["resnet20-cifar10"]).run()
    assert not at.exception
    assert any("CIFAR-10" in markdown.value for markdown in at.markdown)


def test_a_comparison_starts_over_and_a_bad_link_says_what_was_left_out() -> None:
    at = settled(opened("pages/lab.py", a="blocks=1-1-1&in_channels=1", edits="5:cut:a:9.9"))
    assert any("layer9.9" in warning.value for warning in at.warning)
    next(box for box in at.selectbox if box.label == "Depth").set_value(20)
    at = settled(at.run())
    assert at.session_state["lab"].plan.contenders[0].depth == 20
    assert at.session_state["lab"].step == 1
