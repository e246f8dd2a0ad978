"""The controls of a unit's kind and of the order of its layers."""

from __future__ import annotations

from resviz.spec.net import Order, Shortcut, Stem
from tests.pages.test_inside import asked
from tests.pages.test_pages import opened


def test_order_and_unit_are_chosen_apart_and_the_address_holds_both() -> None:
    at = opened("pages/build.py", block="relu-before-bottleneck", blocks="1-1")
    assert not at.exception
    order = next(box for box in at.selectbox if box.label == "Norm, activation and addition")
    assert order.value == Order.RELU_BEFORE
    order.set_value(Order.PREACT).run()
    assert asked(at)["block"] == "preact-bottleneck"
    order = next(box for box in at.selectbox if box.label == "Norm, activation and addition")
    order.set_value(Order.ORIGINAL).run()
    assert asked(at)["block"] == "bottleneck"


def test_the_deep_stem_and_the_averaging_skip_are_chosen_like_the_others() -> None:
    at = opened("pages/build.py", net="resnet50d")
    assert not at.exception
    assert "ResNet-50-D · bottleneck · deep stem · option D · BN · Kaiming" in " ".join(each.value for each in at.markdown)
    shortcut = next(box for box in at.selectbox if box.label == "Shortcut")
    assert (shortcut.value, at.button_group(key="spec.stem").value) == (Shortcut.D, Stem.DEEP)
    shortcut.set_value(Shortcut.B).run()
    at.button_group(key="spec.stem").set_value(Stem.IMAGENET).run()
    assert not at.exception
    assert (asked(at)["stem"], asked(at)["shortcut"]) == ("imagenet", "B")
    at.button_group(key="spec.stem").set_value(Stem.DEEP).run()
    at.button_group(key="family").set_value("densenet").run()
    assert list(at.button_group(key="spec.stem").options) == ["3×3", "7×7 + pool"]
