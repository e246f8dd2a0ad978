"""Build beside another network: chosen, kept, exchanged and linked."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from resviz.spec.families import ALL_PRESETS
from resviz.spec.net import NetSpec
from resviz.spec.presets import PRESETS
from resviz.ui.widgets.spec_controls import titles_of
from tests.pages.test_pages import left_out

ROOT = Path(__file__).resolve().parents[2]


def opened(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for key, value in query.items():
        at.query_params[key] = value
    return at.switch_page("pages/build.py").run()


def words(at: AppTest) -> str:
    return " ".join(each.value for each in (*at.markdown, *at.caption, *at.info, *at.warning))


def press(at: AppTest, label: str) -> AppTest:
    return next(each for each in at.button if each.label == label).click().run()


def test_nothing_is_compared_until_it_is_asked_for() -> None:
    at = opened(net="resnet20")
    assert "Choose a network under **Compare with**" in words(at)
    assert "with" not in at.query_params
    assert not [each for each in at.button if each.label == "Swap"]


def test_a_network_of_the_papers_stands_beside_and_is_in_the_link() -> None:
    at = opened(net="resnet18")
    at.selectbox(key="with").set_value("resnet34").run()
    assert "56 layers only in ResNet-34" in words(at)
    assert parse_qs(at.query_params["with"])["blocks"] == ["3-4-6-3"]
    again = opened(net="resnet18", **{"with": at.query_params["with"]})
    assert "56 layers only in ResNet-34" in words(again)
    assert again.selectbox(key="with").value == "resnet34"
    assert not at.exception


def test_what_is_kept_is_compared_with_what_is_changed() -> None:
    at = press(opened(net="resnet20"), "Keep this one")
    assert "No layer differs" in words(at)
    at.button_group(key="skips").set_value("none").run()
    assert "9 layers cut or dropped in one of them" in words(at)
    swapped = press(at, "Swap")
    assert swapped.session_state["spec"] == PRESETS["resnet20"]
    assert "9 layers cut or dropped in one of them" in words(swapped)
    swapped.selectbox(key="with").set_value(None).run()
    assert "with" not in swapped.query_params


def test_the_default_network_can_stand_beside() -> None:
    at = opened(net="resnet20", **{"with": "family=resnet"})
    assert at.session_state["other"] == NetSpec()
    assert at.query_params["with"] == "family=resnet"


def test_a_link_that_cannot_be_read_says_so() -> None:
    at = opened(net="resnet20", **{"with": "blocks=x&net=resnet32"})
    assert "Part of what the link compares with was not understood and is left out: blocks='x' cannot be read." in words(at)
    assert at.session_state["other"] == PRESETS["resnet32"]


@pytest.mark.parametrize(
    ("given", "named", "other"),
    [
        ("aaaa", "'aaaa' is not a parameter", NetSpec()),
        ("blocks=1-1-1&width=", "width is empty", NetSpec(blocks=(1, 1, 1))),
        (
            "blocks=1-1-1&blocks=2-2-2&zz=1",
            "'zz' is not a parameter; blocks='1-1-1' is followed by blocks='2-2-2'",
            NetSpec(blocks=(2, 2, 2)),
        ),
        ("", "with is empty", None),
    ],
)
def test_all_that_is_left_out_of_the_other_network_is_named(given: str, named: str, other: NetSpec | None) -> None:
    at = opened(net="resnet20", **{"with": given})
    assert left_out(at, "what the link compares with") == left_out(at.run(), "what the link compares with") == [named]
    assert at.session_state["other"] == other


def test_no_two_networks_are_called_alike() -> None:
    """A list of choices is told apart by what is read: of two that read alike the browser would choose another than was shown."""
    for plain in (False, True):
        titles = titles_of([name for name, spec in ALL_PRESETS.items() if spec.residual], plain)
        assert len(set(titles.values())) == len(titles)


def test_undo_takes_back_what_became_of_either_network() -> None:
    whole = PRESETS["resnet20"]
    at = press(opened(net="resnet20"), "Keep this one")
    at.button_group(key="skips").set_value("none").run()
    bare = at.session_state["spec"]
    at = press(at, "Swap")
    assert (at.session_state["spec"], at.session_state["other"]) == (whole, bare)
    at = press(at, "Undo")
    assert (at.session_state["spec"], at.session_state["other"]) == (bare, whole)
    at.selectbox(key="with").set_value("resnet34").run()
    at = press(at, "Undo")
    assert at.session_state["other"] == whole
    at = press(press(at, "Undo"), "Undo")
    assert (at.session_state["spec"], at.session_state["other"]) == (whole, None)
    assert "with" not in at.query_params
    assert next(each for each in at.button if each.label == "Undo").disabled
    assert not at.exception
