"""The pages that know every family show a DenseNet, and what is cut there is what its link says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from resviz.spec.dense import DENSE_PRESETS, DenseSpec
from resviz.spec.net import NetSpec
from resviz.ui.components import diagram

ROOT = Path(__file__).resolve().parents[2]
LAYER = "features.denseblock1.denselayer2"


def opened(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for key, value in query.items():
        at.query_params[key] = value
    return at.switch_page(f"pages/{page}.py").run()


def measured(at: AppTest) -> AppTest:
    for _ in range(300):
        if not any(job.live for job in at.session_state.get("jobs", {}).values()):
            return at.run()
        time.sleep(0.1)
        at.run()
    raise AssertionError("a job did not end")


def words(at: AppTest) -> str:
    return " ".join(each.value for each in (*at.markdown, *at.caption))


def test_build_goes_from_family_to_family() -> None:
    at = opened("build")
    at.button_group(key="family").set_value("densenet").run()
    assert at.session_state["spec"] == DenseSpec()
    assert at.query_params["family"] == "densenet"
    assert "**DenseNet-40 · k=12 · BN · Kaiming**" in words(at)
    assert "reads 16 channels of 1 source side by side and puts 12 beside them: 28 go on" in words(at)
    at.number_input(key="spec.growth").set_value(8).run()
    assert at.session_state["spec"] == DenseSpec(growth=8)
    at.multiselect(key="drops").set_value([LAYER]).run()
    assert at.session_state["spec"].dropped == {LAYER}
    at.button_group(key="family").set_value("resnet").run()
    at.selectbox(key="preset").set_value("resnet20").run()
    assert isinstance(at.session_state["spec"], NetSpec)
    assert "family" not in at.query_params
    assert not at.exception
    assert not at.error


@pytest.mark.parametrize("name", ["densenet121", "densenet_bc100_k12", "plain_densenet40_k12"])
def test_build_opens_a_network_of_the_paper(name: str) -> None:
    at = opened("build", net=name)
    assert at.session_state["spec"] == DENSE_PRESETS[name]
    assert at.selectbox(key="preset").value == name.removeprefix("plain_")
    assert not at.exception
    assert not at.error


def test_a_click_cuts_one_connection_all_of_them_or_the_arc(monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened("build", family="densenet", blocks="3-2")
    state = at.session_state
    monkeypatch.setattr("streamlit.session_state", state)
    third = "features.denseblock1.denselayer3"
    for action, cut, severed in (
        (f"sever:{third}<1", set(), {(third, 1)}),
        (f"sever:{third}<all", set(), {(third, 0), (third, 1)}),
        (f"sever:{third}<2", set(), {(third, 0), (third, 1)}),  # the last source stays
        (f"sever:{third}<9", set(), {(third, 0), (third, 1)}),
        ("sever:nothing<1", set(), {(third, 0), (third, 1)}),
        (f"sever:{third}<all", set(), set()),
        (f"cut:{LAYER}", {LAYER}, set()),
    ):
        diagram.handle(action)
        assert (state["spec"].cut, state["spec"].severed) == (cut, severed), action


def test_gradients_of_a_dense_network_and_its_chain() -> None:
    at = measured(opened("gradients", family="densenet", blocks="2-2", growth="4", severed="1.2-0"))
    assert "**With all 4 skips, 1 connection cut** the gradient stays level" in words(at)
    assert "**Without skips** the gradient" in words(at)
    assert "implicit deep supervision" in words(at)
    assert not at.exception
    assert not at.error


def test_the_lab_takes_dense_contenders() -> None:
    at = opened("lab", a="family=densenet&blocks=1-1&growth=4&in_channels=1", b="net=resnet20&in_channels=1")
    assert not at.exception
    assert not at.error
    at.selectbox(key="lab.compare").set_value("DenseNet or plain").run()
    at = measured(at)
    assert not at.exception
    assert [spec.title for spec in at.session_state["lab"].plan.contenders] == ["DenseNet-40", "Plain DenseNet-40"]
