"""What visitors bring to a page: files, links, and what stays when the page is left."""

from __future__ import annotations

import io
import re
import time
import zipfile

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.pages.test_pages import button, opened


def picture(seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def shown(at: AppTest) -> list[str]:
    return [each.value.replace("\u2060", "") for each in (*at.markdown, *at.caption, *at.info, *at.warning, *at.error)]


def until(at: AppTest, words: str, seconds: float = 60) -> AppTest:
    """Run again, as the page's own polling would, until the words are there."""
    end = time.monotonic() + seconds
    while not any(words in text for text in shown(at)):
        assert time.monotonic() < end, shown(at)
        time.sleep(0.2)
        at.run()
    assert not at.exception
    return at


@pytest.mark.parametrize(
    "query",
    [
        {"methods": "saliency,saliency,saliency"},
        {
            "methods": ",".join(
                ["saliency", "grad-cam", "occlusion", "deeplift", "input-x-gradient", "guided-backprop", "lrp"] * 60
            )
        },
        {"methods": "grad-cam", "layers": ",".join(f"layer{s}.{b}" for s in (1, 2, 3, 4) for b in (0, 1))},
        {"methods": "grad-cam", "layers": "layer4.1,layer4.1"},
        {"methods": "", "layers": "", "view": "", "class": "", "photo": "", "model": ""},
        {"model": ["resnet20-cifar10", "resnet56-cifar10"], "view": ["Compare", "Trust"]},
    ],
    ids=["repeated", "too many", "too many layers", "repeated layers", "empty", "twice"],
)
def test_no_list_in_a_link_takes_explain_down(query: dict[str, str]) -> None:
    at = opened("pages/explain.py", **query)
    assert not at.exception


@pytest.mark.parametrize("page", ["pages/build.py", "pages/lab.py"])
def test_a_link_cannot_speak_in_our_notices(page: str) -> None:
    evil = "![i](http://e.x)[Log in](https://e.x)"
    at = opened(page, net=evil, a=f"net={evil}")
    assert not at.exception
    notice = at.warning[0].value
    assert "Log in" in notice
    assert not re.search(r"(?<!\\)[\[\]!]", notice)
    assert "://" not in notice


def test_an_upload_and_a_crop_stay_when_the_page_is_left() -> None:
    at = opened("pages/explain.py")
    at.session_state["explain.source"] = "Upload"
    at.run()
    at.file_uploader(key="explain.file").upload("mine.png", picture(), "image/png").run()
    assert not at.error
    next(each for each in at.slider if each.label == "Crop").set_value(2.0).run()
    at.switch_page("pages/build.py").run()
    at.switch_page("pages/explain.py").run()
    assert not at.exception
    until(at, "mine.png")
    assert next(each for each in at.slider if each.label == "Crop").value == 2.0
    button(at, "Forget it").click().run()
    assert not any("mine.png" in text for text in shown(at))


@pytest.mark.parametrize("data", [b"", b"hello", picture()[:100], b"\x89PNG\r\n\x1a\n" + b"\xff" * 50, b"II*\0" + b"\xff" * 9])
def test_a_damaged_upload_is_a_sentence_and_a_good_one_follows(data: bytes) -> None:
    at = opened("pages/explain.py")
    at.session_state["explain.source"] = "Upload"
    at.run()
    at.file_uploader(key="explain.file").upload("bad.png", data, "image/png").run()
    assert not at.exception
    assert len(at.error) == 1
    at.file_uploader(key="explain.file").upload("good.png", picture(), "image/png").run()
    assert not at.exception
    assert not at.error


def lab_zip(count: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("left", "right"):
            for n in range(count):
                archive.writestr(f"{name}/{n}.png", picture(n))
        archive.writestr("left/notes.txt", b"hello")
        archive.writestr("left/broken.png", picture()[:90])
    return buffer.getvalue()


@pytest.mark.parametrize("count", [5, 10])
def test_the_labs_smallest_sets_train_and_say_what_was_left_out(count: int) -> None:
    at = opened("pages/lab.py", a="blocks=1-1-1", data="own")
    at.file_uploader(key="lab.zip").upload("mine.zip", lab_zip(count), "application/zip").run()
    at = until(at, "images of 2 classes")
    assert any("2 left out" in each.label for each in at.expander)
    at = until(at, "Step 1.")
    assert not at.error
    assert any(f"{2 * count - 2 * (count // 5)} images" in text for text in shown(at))


def test_a_lab_zip_that_cannot_be_used_is_one_sentence() -> None:
    at = opened("pages/lab.py", a="blocks=1-1-1", data="own")
    at.file_uploader(key="lab.zip").upload("mine.zip", b"no zip", "application/zip").run()
    until(at, "no zip")
    assert len(at.error) == 1
