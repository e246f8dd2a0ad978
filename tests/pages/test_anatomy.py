"""The page about lesions: its link, its numbers, its controls."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from resviz.nets.build import build
from resviz.probes.accuracy import evaluate
from resviz.ui import cache
from resviz.ui.anatomy.view import networks
from resviz.zoo.labelled import labelled_for
from tests.pages.test_pages import button, left_out, opened, opened_next

PAGE = "pages/anatomy.py"
SMALL = "resnet20-digits-0"


def asked(at: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()}


def error(at: AppTest) -> str:
    """Once its job has ended, which a busy machine takes longer for."""
    for _ in range(300):
        if at.metric and at.metric[0].value != "…":
            return str(at.metric[0].value)
        time.sleep(0.1)
        at.run()
    raise AssertionError("the error was not measured")


def modes(at: AppTest) -> list[object]:
    return [each.value for each in at.get("button_group")]


def counted(name: str, **changes: frozenset[str]) -> str:
    """The error of a network that is built with these blocks cut or dropped, in an independent loop."""
    classifier = cache.bundled(name)
    net = build(replace(classifier.spec, **changes))
    net.load_state_dict(classifier.net.state_dict())
    return f"{evaluate(net.eval(), labelled_for(classifier))[0]:.1f} %"


def test_a_link_restores_network_lesions_and_mode() -> None:
    link = {"model": SMALL, "drop": "1.1,3.0", "sever": "2.1", "mode": "cut"}
    at = opened(PAGE, **link)
    assert not at.exception
    assert asked(at) == link
    dropped, cut = frozenset({"layer1.1", "layer3.0"}), frozenset({"layer2.1"})
    assert error(at) == counted(SMALL, dropped=dropped, cut=cut) != counted(SMALL)
    assert any("With 2 branches dropped and 1 skip cut" in each.value for each in at.markdown)
    assert modes(at) == ["cut"]


@pytest.mark.parametrize(
    ("given", "left", "named"),
    [
        ({"model": "no such", "mode": "burn", "pictures": "-1"}, {}, "model no such, mode burn, pictures -1"),
        ({"drop": "", "again": "yes"}, {}, "again yes, drop without a value"),
        (
            {"model": SMALL, "drop": "9.9,1.1,zz,1.0.conv1", "bypass": "1.0.conv1"},
            {"model": SMALL, "drop": "1.1"},
            "drop zz, drop 1.0.conv1,9.9, bypass 1.0.conv1",
        ),
        ({"model": SMALL, "drop": "1.0", "sever": "1.0"}, {"model": SMALL, "drop": "1.0"}, "sever 1.0"),
        (
            {"model": "plain20-digits-0", "drop": "1.0", "bypass": "1.0.conv2"},
            {"model": "plain20-digits-0", "bypass": "1.0.conv2"},
            "drop 1.0",
        ),
    ],
)
def test_what_a_link_names_in_vain_is_said(given: dict[str, str], left: dict[str, str], named: str) -> None:
    at = opened(PAGE, **given)
    assert not at.exception
    assert left_out(at) == [named]
    assert asked(at) == left
    at = opened_next(at, PAGE)
    assert left_out(at) == [named]  # as long as one stays
    at = opened_next(opened_next(at, "pages/build.py"), PAGE)
    assert left_out(at) == []


def test_controls_change_the_error_and_the_link() -> None:
    at = opened(PAGE, model=SMALL)
    assert error(at) == counted(SMALL)
    button(at, "Cut one skip").click().run()
    block = asked(at)["sever"]
    assert error(at) == counted(SMALL, cut=frozenset({f"layer{block}"}))
    button(at, "Put everything back").click().run()
    assert error(at) == counted(SMALL)
    assert asked(at) == {"model": SMALL, "mode": "cut"}
    at.selectbox[0].select("plain20-digits-0").run()
    assert not at.exception
    assert error(at) == counted("plain20-digits-0")
    assert not modes(at)  # nothing but layers to replace
    button(at, "The identity in one layer's place").click().run()
    assert "bypass" in asked(at)
    button(at, "The network with skips").click().run()
    assert asked(at) == {"model": SMALL, "mode": "cut"}


def test_it_begins_with_resnet_56_and_cifar_needs_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resviz.ui.anatomy.view.cifar10_there", lambda: False)
    names = networks()
    assert names[0] == "resnet56-digits-0"
    assert len(names) == 18
    assert all("-digits-" in name for name in names)
    monkeypatch.setattr("resviz.ui.anatomy.view.cifar10_there", lambda: True)
    assert [name for name in networks() if "-digits-" not in name] == [
        "resnet20-cifar10", "resnet56-cifar10", "plain20-cifar10", "plain56-cifar10",
    ]  # fmt: skip


def test_statistics_can_be_estimated_again_and_the_page_and_its_link_say_so() -> None:
    at = opened(PAGE, model=SMALL, sever="2.1", again="1")
    assert not at.exception
    estimated = error(at)
    assert estimated != counted(SMALL, cut=frozenset({"layer2.1"}))
    assert asked(at) == {"model": SMALL, "sever": "2.1", "again": "1"}
    assert any("estimated again, each time, on 512 pictures" in each.value for each in at.markdown)
    assert any("estimated again after each lesion" in each.value for each in at.caption)
    at.toggle(key="anatomy.again").set_value(False).run()
    assert error(at) == counted(SMALL, cut=frozenset({"layer2.1"}))
    assert asked(at) == {"model": SMALL, "sever": "2.1"}
    assert any("keep the statistics of training" in each.value for each in at.caption)
