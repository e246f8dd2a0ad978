"""The pages that know every family show a U-Net, and what is cut there is what its link says."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from resviz.spec.choices import Span
from resviz.spec.unet import UNetSpec
from resviz.ui.components import diagram
from tests.pages.test_dense import measured, opened, words


def until(at: AppTest, said: str) -> AppTest:
    for _ in range(20):
        at = measured(at)
        if said in words(at):
            break
    assert said in words(at)
    return at


def test_build_shows_a_unet_and_both_kinds_of_its_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened("build")
    at.button_group(key="family").set_value("unet").run()
    assert at.session_state["spec"] == UNetSpec()
    assert at.query_params["family"] == "unet"
    assert "**U-Net-18 · BN · Kaiming**" in words(at)
    assert "where the paper's are not" in words(at)
    at.segmented_control(key="spec.span").set_value(Span.LONG).run()
    assert "long skips alone" in words(at)
    assert at.selectbox(key="preset").value == "unet_small_long"
    assert at.segmented_control(key="skips").value == "all"  # of the long ones
    at.segmented_control(key="skips").set_value("none").run()
    assert at.session_state["spec"].cut == {"up3.long", "up2.long", "up1.long"}
    at.segmented_control(key="skips").set_value("all").run()
    at.segmented_control(key="spec.span").set_value(Span.BOTH).run()
    assert at.session_state["spec"] == UNetSpec()
    at.selectbox(key="block").set_value("up1.long").run()
    assert "`up1.long` puts the 8 channels of `down1.0.relu2` beside 8" in words(at)
    at.number_input(key="blocks.1").set_value(2).run()
    assert at.session_state["spec"].blocks == (1, 2, 1, 1)
    assert not at.exception
    assert not at.error
    monkeypatch.setattr("streamlit.session_state", at.session_state)
    for action, cut in (
        ("cut:up1.long", {"up1.long"}),
        ("cut:down2.1", {"up1.long", "down2.1"}),
        ("cut:up9.long", {"up1.long", "down2.1"}),
    ):
        diagram.handle(action)
        assert at.session_state["spec"].cut == cut


def test_gradients_of_a_unet() -> None:
    at = measured(opened("gradients", family="unet", blocks="1-1", width="4", cut="up1.long"))
    assert "**With 3 of 4 skips** the gradient" in words(at)
    assert "carries what a level made on its way down" in words(at)
    assert not at.exception
    assert not at.error


def test_the_lab_marks_pixels_with_unets_and_says_iou() -> None:
    one = "family=unet&blocks=1-1&width=2"
    at = until(opened("lab", a=one, b=f"{one}&span=short", data="discs", batch="4"), "The true mask: **disc** is white")
    assert "IoU" in words(at)
    assert "the middle's weights move" in words(at)
    assert set(at.selectbox(key="lab.data").options) == {"Discs, pixel by pixel", "Noisy digits, pixel by pixel"}
    at.selectbox(key="lab.data").set_value("noisy-digits").run()
    at = until(at, "The true mask: **ink** is white")
    at.button_group(key="lab.family").set_value("resnet").run()
    assert at.session_state["lab"].plan.data == "digits"
    assert not at.exception
    assert not at.error


def test_the_labs_contenders_take_one_kind_of_skips() -> None:
    at = opened("lab", a="family=unet&blocks=1-1&width=2", b="family=unet&blocks=1-1&width=2", data="discs", batch="4")
    at.selectbox(key="lab.1.span").set_value(Span.SHORT).run()
    assert [spec.span for spec in at.session_state["lab"].plan.contenders] == [Span.BOTH, Span.SHORT]
    assert at.query_params["b"].endswith("span=short")
    assert not at.exception
