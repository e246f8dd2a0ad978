"""The controls of a unit's kind and of the order of its layers."""

from __future__ import annotations

from resviz.spec.net import Order
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
