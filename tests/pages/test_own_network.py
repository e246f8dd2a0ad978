"""The visitor's own checkpoint on the Explain page, good and bad, and ImageNet's weights without a network."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from resviz.nets.build import build
from resviz.spec.net import Block, NetSpec, Norm, Shortcut
from resviz.zoo.bundled import bundled_file
from tests.foreign import trained

APP = str(Path(__file__).resolve().parents[2] / "app.py")
SPEC = NetSpec(blocks=(1, 1), width=8, classes=4)


def checkpoint(spec: NetSpec = SPEC, **more: object) -> bytes:
    buffer = io.BytesIO()
    torch.save({"state_dict": trained(build(spec)).state_dict()} | more, buffer)
    return buffer.getvalue()


def explain() -> AppTest:
    at = AppTest.from_file(APP, default_timeout=120)
    at = at.switch_page("pages/explain.py").run()
    at.multiselect(key="explain.methods").set_value(["saliency"])
    return at.run()


def settled(at: AppTest) -> AppTest:
    for _ in range(300):
        if not any(job.live for job in at.session_state.get("jobs", {}).values()):
            return at.run()
        time.sleep(0.1)
    raise AssertionError("a job did not end")


def give(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    if at.selectbox(key="explain.network").value != "your own checkpoint":
        at.selectbox(key="explain.network").set_value("your own checkpoint").run()
    at.file_uploader(key="explain.checkpoint").set_value([(name, data, "") for name, data in files])
    return settled(settled(at.run()))


def captions(at: AppTest) -> str:
    return " ".join(caption.value for caption in at.caption).replace("\\", "")


def errors(at: AppTest) -> str:
    return " ".join(error.value for error in at.error).replace("\\", "")


def classes(at: AppTest) -> list[str]:
    return sorted(next(box for box in at.selectbox if box.label == "Class to explain").options)


def test_what_the_file_does_not_say_is_said_and_asked_for() -> None:
    at = give(explain(), ("net.pth", checkpoint()))
    assert not at.exception
    assert not at.error
    assert "net.pth" in captions(at)
    assert "Not in the file" in captions(at)
    assert classes(at) == ["class 0", "class 1", "class 2", "class 3"]
    by_label = {box.label: box for box in [*at.text_area, *at.text_input, *at.number_input, *at.checkbox]}
    by_label["Class names, one a line"].set_value("ant\nbee\ncow\ndog")
    at = settled(at.run())
    assert classes(at) == ["ant", "bee", "cow", "dog"]
    before = at.session_state["explain.answering"].key
    next(box for box in at.checkbox if box.label == "It was trained without skips").set_value(True)
    at = settled(at.run())
    assert "Plain" in captions(at)
    assert at.session_state["explain.answering"].key != before
    next(box for box in at.text_input if box.label == "Mean by channel").set_value("red")
    at = settled(at.run())
    assert "no row of numbers" in errors(at)
    next(box for box in at.text_input if box.label == "Mean by channel").set_value("0.5")  # of one channel, for three
    at = settled(settled(at.run()))
    assert "3 numbers" in errors(at)
    assert "Plain" in captions(at)
    next(box for box in at.text_input if box.label == "Mean by channel").set_value("0.5, 0.4, 0.3")
    at = settled(settled(at.run()))
    assert not at.error
    assert not at.exception


def test_a_card_says_it() -> None:
    at = give(explain(), ("own.safetensors", bundled_file("plain20-cifar10")))
    assert "Not in the file" not in captions(at)
    assert "Plain-20" in captions(at)
    assert "airplane" in classes(at)
    assert not at.exception


BAD = {
    "grey": (checkpoint(replace(SPEC, in_channels=1)), ""),
    "four channels": (checkpoint(replace(SPEC, in_channels=4)), "4 channels"),
    "one class": (checkpoint(replace(SPEC, classes=1)), "1 output"),
    "no file of weights": (b"hello", "cannot be read as weights"),
    "a live link": (b"hello", "cannot be read as weights"),
}


@pytest.mark.parametrize("kind", BAD)
def test_after_a_bad_file_a_good_one_is_read(kind: str) -> None:
    data, words = BAD[kind]
    name = "[click](https://example.org).pth" if kind == "a live link" else "bad.pth"
    at = give(explain(), (name, data))
    assert not at.exception
    assert words in errors(at)
    assert not any("[click](" in error.value for error in at.error)
    assert classes(at)  # somebody answers
    at = give(at, ("good.pth", checkpoint(classes=["ant", "bee", "cow", "dog"])))
    assert not at.exception
    assert not at.error
    assert classes(at) == ["ant", "bee", "cow", "dog"]


def test_it_is_kept_while_other_pages_are_visited() -> None:
    at = give(explain(), ("net.pth", checkpoint(classes=["ant", "bee", "cow", "dog"])))
    at.switch_page("pages/build.py").run()
    at = settled(at.switch_page("pages/explain.py").run())
    assert not at.exception
    assert at.selectbox(key="explain.network").value == "your own checkpoint"
    assert classes(at) == ["ant", "bee", "cow", "dog"]
    assert "still here" in captions(at)
    at.selectbox(key="explain.network").set_value("resnet20-cifar10")
    at = settled(at.run())
    assert "airplane" in classes(at)


@pytest.mark.parametrize("spec", [replace(SPEC, blocks=(1,), shortcut=Shortcut.C), replace(SPEC, blocks=(1,), norm=Norm.GROUP),
                                  replace(SPEC, blocks=(1,), block=Block.PREACT_BOTTLENECK)], ids=["basic", "group norm", "pre-activation"])  # fmt: skip
def test_every_view_of_a_network_of_one_block(spec: NetSpec) -> None:
    at = give(explain(), ("net.pth", checkpoint(spec)))
    for view in ("Through the depth", "Change the network", "Two paths", "Compare"):
        at.segmented_control(key="explain.view").set_value(view)
        at = settled(settled(at.run()))
        assert not at.exception, view
        assert not at.error, view


def test_imagenet_without_a_network_keeps_the_last_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    at = explain()
    at.selectbox(key="explain.network").set_value("resnet20-cifar10")
    at = settled(at.run())
    at.selectbox(key="explain.network").set_value("resnet18.V1")
    at = settled(at.run())
    told = " ".join(info.value for info in at.info)
    assert "45 MB" in told
    assert "about 4 s" in told
    assert "airplane" in classes(at)  # the last answer stays
    next(button for button in at.button if button.label == "Download").click()
    at = settled(settled(at.run()))
    assert not at.exception
    assert "could not be downloaded" in errors(at)
    assert "rrno" not in errors(at)
    assert "airplane" in classes(at)
    assert any(button.label == "Try again" for button in at.button)
    assert not list(tmp_path.rglob("*.part"))


def test_imagenets_names_are_offered_beside_the_first_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    at = explain()
    offer = next(button for button in at.button if "1,000 names" in button.label)
    assert "98 MB" in offer.label
    offer.click()
    at = settled(settled(at.run()))
    assert not at.exception
    assert at.selectbox(key="explain.network").value == "resnet50.V2"
    assert "could not be downloaded" in errors(at)
    assert not any("1,000 names" in button.label for button in at.button)
    at.selectbox(key="explain.network").set_value("resnet20-cifar10")
    at = settled(at.run())
    assert any("1,000 names" in button.label for button in at.button)


def test_damaged_weights_on_disk_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "resnet18-f37072fd.pth").write_bytes(b"half a file")
    at = explain()
    at.selectbox(key="explain.network").set_value("resnet18.V1")
    at = settled(settled(at.run()))
    assert not at.exception
    assert any("damaged" in info.value for info in at.info)
    assert classes(at)
