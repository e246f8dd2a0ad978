"""What visitors bring to a page: files, links, and what stays when the page is left."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.pages.test_pages import button, opened


def picture(seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


Enter = Callable[..., AppTest]


@pytest.fixture
def enter() -> Iterator[Enter]:
    """Opens a page; what it still computes is ended with the test."""
    visits: list[AppTest] = []

    def visit(page: str, **query: Any) -> AppTest:
        visits.append(opened(page, **query))
        return visits[-1]

    yield visit
    for at in visits:
        running = at.session_state["jobs"].values() if "jobs" in at.session_state else ()
        for job in running:
            job.cancel()
            job.wait(20)
        if "lab" in at.session_state:
            at.session_state["lab"].stop()


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
        {"methods": "saliency,saliency,saliency", "model": "resnet20-cifar10"},
        {
            "methods": ",".join(
                ["saliency", "grad-cam", "occlusion", "deeplift", "input-x-gradient", "guided-backprop", "lrp"] * 60
            )
        },
        {"methods": "grad-cam", "layers": ",".join(f"layer{s}.{b}" for s in (1, 2, 3) for b in (0, 1, 2))},
        {"methods": "grad-cam", "layers": "layer3.1,layer3.1"},
        {"methods": "", "layers": "", "view": "", "class": "", "photo": "", "model": ""},
        {"model": ["resnet20-cifar10", "resnet56-cifar10"], "view": ["Compare", "Trust"]},
    ],
    ids=["repeated", "too many", "too many layers", "repeated layers", "empty", "twice"],
)
def test_no_list_in_a_link_takes_explain_down(query: dict[str, Any], enter: Enter) -> None:
    at = enter("pages/explain.py", **query)
    assert not at.exception


@pytest.mark.parametrize("page", ["pages/build.py", "pages/lab.py"])
def test_a_link_cannot_speak_in_our_notices(page: str, enter: Enter) -> None:
    evil = "![i](http://e.x)[Log in](https://e.x)"
    at = enter(page, net=evil, a=f"net={evil}")
    assert not at.exception
    notice = at.warning[0].value
    assert "Log in" in notice
    assert not re.search(r"(?<!\\)[\[\]!]", notice)
    assert "://" not in notice


def test_an_upload_and_a_crop_stay_when_the_page_is_left(enter: Enter) -> None:
    at = enter("pages/explain.py", model="resnet20-cifar10", methods="saliency")
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
def test_a_damaged_upload_is_a_sentence_and_a_good_one_follows(data: bytes, enter: Enter) -> None:
    at = enter("pages/explain.py", model="resnet20-cifar10", methods="saliency")
    at.session_state["explain.source"] = "Upload"
    at.run()
    at.file_uploader(key="explain.file").upload("bad.png", data, "image/png").run()
    assert not at.exception
    assert len(at.error) == 1
    at.file_uploader(key="explain.file").upload("good.png", picture(), "image/png").run()
    assert not at.exception
    assert not at.error


def test_a_batch_answers_what_it_can_and_says_what_it_cannot(enter: Enter) -> None:
    at = enter("pages/explain.py", model="resnet20-cifar10", methods="saliency", view="Many pictures")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("good.png", picture(1))
        archive.writestr("cut.png", picture(2)[:90])
    files = [("a.png", picture(3), "image/png"), ("photo.heic", b"\0\0\0\x18ftypheic" + bytes(40), "image/heic")]
    files += [("more.zip", buffer.getvalue(), "application/zip"), ("broken.zip", b"PK no zip", "application/zip")]
    at.file_uploader(key="batch.files").set_value(files).run()
    until(at, "2 answers")
    assert any("3 rows with a problem" in text for text in shown(at))
    table = next(each.value for each in at.dataframe if "problem" in each.value)
    assert (table["answer"] != "").sum() == 2
    problems = table[table["problem"] != ""]
    assert sorted(problems["file"]) == ["broken.zip", "cut.png", "photo.heic"]
    assert any("HEIC" in text for text in problems["problem"])


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
def test_the_labs_smallest_sets_train_and_say_what_was_left_out(count: int, enter: Enter) -> None:
    at = enter("pages/lab.py", a="blocks=1-1-1", data="own")
    at.file_uploader(key="lab.zip").upload("mine.zip", lab_zip(count), "application/zip").run()
    at = until(at, "images of 2 classes")
    assert any("2 left out" in each.label for each in at.expander)
    at = until(at, "Step 1.")
    assert not at.error
    assert any(f"{2 * count - 2 * (count // 5)} images" in text for text in shown(at))


def test_a_lab_zip_that_cannot_be_used_is_one_sentence(enter: Enter) -> None:
    at = enter("pages/lab.py", a="blocks=1-1-1", data="own")
    at.file_uploader(key="lab.zip").upload("mine.zip", b"no zip", "application/zip").run()
    until(at, "no zip")
    assert len(at.error) == 1
