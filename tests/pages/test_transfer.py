"""The page Transfer and the shelf: from a zip to a network that Explain asks, and nobody else's."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from resviz.ui.shelf import at_the_server, shelved
from resviz.zoo.bundled import CHECKPOINTS
from resviz.zoo.shelf import Shelf
from tests.test_transfer import packed, pictures

APP = str(Path(__file__).resolve().parents[2] / "app.py")
SMALL = "resnet20-cifar10"


def opened() -> AppTest:
    at = AppTest.from_file(APP, default_timeout=120)
    at.session_state["transfer.from"] = SMALL
    return at.switch_page("pages/transfer.py").run()


def until(at: AppTest, there: Callable[[AppTest], bool]) -> None:
    for _ in range(60):
        assert not at.exception
        if there(at):
            return
        time.sleep(0.3)
        at.run()
    raise AssertionError("it never came")


def buttons(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def press(at: AppTest, label: str) -> None:
    next(button for button in at.button if button.label == label).click().run()


def zipped() -> bytes:
    """Dark and bright noise, and a class with one picture."""
    kinds = {"dark": [each.point(lambda v: v // 3) for each in pictures(7, 0)], "bright": pictures(7, 1), "lone": pictures(1, 2)}
    return packed({f"{name}/{n}.png": each for name, each_class in kinds.items() for n, each in enumerate(each_class)})


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The head of a small network taught two classes of a zip."""
    monkeypatch.delenv("RESVIZ_HOME", raising=False)
    at = opened()
    at.segmented_control(key="transfer.source").set_value("Your own").run()
    assert any("Give a zip" in info.value for info in at.info)
    at.file_uploader(key="transfer.zip").upload("mine.zip", zipped(), "application/zip").run()
    until(at, lambda at: "Put it on the shelf" in buttons(at))
    return at


def test_a_zip_becomes_a_network_that_is_asked(taught: AppTest) -> None:
    at = taught
    assert any("is left out: it has 1 picture" in warning.value.replace("\\", "") for warning in at.warning)
    assert any("**dark**: 7, of which 2 held out" in markdown.value for markdown in at.markdown)
    assert any("Of 4 held-out pictures, named right: **head only" in markdown.value for markdown in at.markdown)
    press(at, "Put it on the shelf")
    assert at.session_state["shelf"].names() == ("bright dark head",)
    press(at, "Put it on the shelf")  # again is another one
    assert at.session_state["shelf"].names() == ("bright dark head", "bright dark head (2)")
    at.session_state["shelf"].delete("bright dark head (2)")
    at.run()
    own = shelved("bright dark head")
    assert "bright dark head · on your shelf" in at.selectbox(key="transfer.from").options
    at.session_state["own.shelved"] = "bright dark head"
    at.switch_page("pages/explain.py").run()
    until(at, lambda at: any(box.label == "Class to explain" for box in at.selectbox))
    assert at.selectbox(key="explain.network").value == own
    ranked = next(box for box in at.selectbox if box.label == "Class to explain").options
    assert sorted(ranked) == ["bright", "dark"]


def test_two_visitors_have_two_shelves(taught: AppTest) -> None:
    press(taught, "Put it on the shelf")
    assert taught.session_state["shelf"].names()
    other = opened()
    assert other.session_state["shelf"].names() == ()
    assert not any("shelf" in option for option in other.selectbox(key="transfer.from").options)


def test_a_picture_that_was_there_already_is_kept_once(taught: AppTest) -> None:
    held = taught.session_state["transfer"]
    again = {f"dark/{n}.png": picture.image for n, picture in enumerate(held.own.classes["dark"])} | {
        "loose.png": pictures(1, 9)[0]
    }
    taught.file_uploader(key="transfer.zip").upload("again.zip", packed(again), "application/zip").run()
    until(taught, lambda at: bool(at.error))
    taught.run()  # it stays while the page goes on
    assert [each.value for each in taught.error] == [
        "7 pictures were there already and are kept once.",
        "1 picture lies in no folder and is left out: pack a folder for each class, which names it.",
    ]
    assert len(held.own.classes["dark"]) == 7
    assert any("**dark**: 7, of which 2 held out" in markdown.value for markdown in taught.markdown)
    taught.button(key="transfer.class.bright").click().run()
    assert not taught.error


def test_a_wrong_picture_is_taken_out_and_a_class_too(taught: AppTest) -> None:
    held = taught.session_state["transfer"]
    wrong = next(box for box in taught.multiselect if box.key.startswith("transfer.wrong.dark"))
    wrong.set_value([1]).run()
    taught.button(key="transfer.out.dark").click().run()
    assert len(held.own.classes["dark"]) == 6
    taught.button(key="transfer.class.bright").click().run()
    assert "bright" not in held.own.classes
    assert any("Two classes of at least 5 pictures" in warning.value for warning in taught.warning)


def test_junk_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened()
    at.segmented_control(key="transfer.source").set_value("Your own").run()
    at.file_uploader(key="transfer.zip").upload("junk.zip", b"PK no zip at all", "application/zip").run()
    until(at, lambda at: bool(at.error))
    assert "no zip that can be read" in at.error[0].value


def test_a_zip_without_pictures_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESVIZ_HOME", raising=False)
    at = opened()
    at.segmented_control(key="transfer.source").set_value("Your own").run()
    at.file_uploader(key="transfer.zip").upload("bare.zip", packed({}), "application/zip").run()
    until(at, lambda at: bool(at.error))
    assert at.error[0].value == "bare.zip has no picture in it; pack a folder for each class, CLASS/NAME.jpg."


def test_only_at_the_server_itself_the_shelf_lies_on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert at_the_server(None, ["Host"])
    assert at_the_server("::1", [])
    assert not at_the_server("10.0.0.7", ["Host"])
    assert not at_the_server(None, ["Host", "X-Forwarded-For"])
    monkeypatch.setenv("RESVIZ_HOME", str(tmp_path))
    monkeypatch.setattr("resviz.ui.shelf.at_the_server", lambda *_: True)
    assert opened().session_state["shelf"].folder == tmp_path / "networks"
    monkeypatch.setattr("resviz.ui.shelf.at_the_server", lambda *_: False)
    assert opened().session_state["shelf"].folder is None


def test_another_network_under_the_name_of_one_that_was_deleted_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESVIZ_HOME", raising=False)
    at, shelf, said = opened(), Shelf(), []
    at.session_state["shelf"] = shelf
    for bundled in ("resnet20-digits-0", "plain56-digits-0"):
        shelf.delete("mine")
        shelf.put("mine", (CHECKPOINTS / "digits" / f"{bundled}.safetensors").read_bytes())
        at.run()
        at.selectbox(key="transfer.from").select("mine · on your shelf").run()
        until(at, lambda at: any("named right: **head only" in each.value for each in at.markdown))
        said.append([each.value for each in at.markdown if "named right" in each.value or "Raw pixels reach" in each.value])
    assert said[0] != said[1]
