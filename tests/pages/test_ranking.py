"""Explain ranks methods over a visitor's own pictures, when it is asked to and as the command line does."""

from __future__ import annotations

import io

import pandas as pd
from streamlit.testing.v1 import AppTest

from resviz.attribution.question import Asked
from resviz.attribution.trust.many import rank_methods
from resviz.data.uploads import sample_photographs
from resviz.figures.captions import trust_ranking_note
from resviz.zoo.bundled import load_bundled
from tests.pages.test_pages import button, finished, opened


def upload(name: str) -> tuple[str, bytes, str]:
    """A sample photograph, small, as a file."""
    buffer = io.BytesIO()
    sample_photographs()[name].resize((96, 96)).save(buffer, "PNG")
    return f"{name}.png", buffer.getvalue(), "image/png"


def asked(at: AppTest) -> bool:
    return any(each.label == "Rank the methods" for each in at.button)


def test_methods_are_ranked_when_the_button_is_pressed() -> None:
    at = finished(opened("pages/explain.py", model="resnet20-cifar10", methods="saliency,grad-cam", view="Rank methods"))
    assert not at.exception
    assert any("7 pictures, 2 methods: about " in caption.value for caption in at.caption)
    assert at.query_params["view"] == "Rank methods"
    assert at.query_params["methods"] == "saliency,grad-cam"
    at.file_uploader(key="rank.files").set_value([upload("Cat"), upload("Temple")]).run()
    assert any("2 files, 2 methods: about " in caption.value for caption in at.caption)
    at = finished(button(at, "Rank the methods").click().run())
    assert not at.exception
    assert not asked(at)
    table: pd.DataFrame = next(frame.value for frame in at.dataframe if "mean rank" in frame.value)
    network, names = load_bundled("resnet20-cifar10"), ("Cat", "Temple")
    given = [(f"{name}.png", sample_photographs()[name].resize((96, 96))) for name in names]
    expected = rank_methods(network, given, [Asked("saliency"), Asked("grad-cam")])
    assert trust_ranking_note(expected) in [each.value for each in at.markdown]
    assert list(table["method"]) == [expected.methods[i] for i in expected.order]
    at.multiselect(key="explain.methods").set_value(["saliency"]).run()
    assert asked(at)  # it is another question
