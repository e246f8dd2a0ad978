"""Every page runs, links restore what they say, and what a visitor does is what the page shows."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button
from torch import nn

from resviz.recordings import RUNS, read_run
from resviz.spec.names import describe
from resviz.spec.net import NetSpec
from resviz.ui import first
from resviz.ui.components.stage import read_stage
from resviz.ui.home import body, doors
from resviz.ui.pages import PAGES, Page
from resviz.zoo.first import read_first

ROOT = Path(__file__).resolve().parents[2]
APP = str(ROOT / "app.py")


def opened(page: str, **query: str | list[str]) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=120)
    for key, value in query.items():
        at.query_params[key] = value
    return at.switch_page(page).run() if page != "app.py" else at.run()


def opened_next(at: AppTest, page: str) -> AppTest:
    """A page that the visitor goes on to, or stays on."""
    at.query_params.clear()
    return at.switch_page(page).run()


def left_out(at: AppTest, what: str = "the link") -> list[str]:
    """What the page says that it did not understand of its link."""
    begin = f"Part of {what} was not understood and is left out: "
    said = [warning.value.replace("\\", "").replace("\u2060", "") for warning in at.warning]
    return [text.removeprefix(begin).removesuffix(".") for text in said if text.startswith(begin)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_page_runs(page: Page) -> None:
    at = opened(page.file)
    assert not at.exception
    assert not at.error
    assert [title.value for title in at.title] == [page.question]
    assert page.lead in [markdown.value for markdown in at.markdown]


def test_the_table_of_pages_is_the_pages_there_are() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("pages/*.py") if path.name != "__init__.py"}
    assert {page.file for page in PAGES} == files | {"app.py"}
    assert [page.path for page in PAGES if page.path == ""] == [""]
    for page in PAGES:
        source = (ROOT / page.file).read_text(encoding="utf-8")
        assert f'with page("{page.title}")' in source
        assert len(source.splitlines()) <= 18  # what is drawn lies under resviz/ui


def test_home_has_three_doors_beside_the_navigation() -> None:
    at = opened("app.py")
    ways = [link.proto.label for link in at.get("page_link")]
    assert ways[: len(PAGES)] == [page.title for page in PAGES]
    assert ways[len(PAGES)] == "Tour"
    assert "five-minute tour" in ways[len(PAGES) + 1]
    said = {page.title: page.invitation for page in PAGES}
    doors = {"Build": "Build", "Train": "Lab", "Explain a photo": "Explain"}
    rest = ways[len(PAGES) + 2 :]
    assert rest[:3] == [f"**{name}**: {said[title]}" for name, title in doors.items()]
    assert [way.split("**")[1] for way in rest[3:]] == ["DenseNet-40", "U-Net-18", "ViT-6/2", "RepVGG-20"]
    assert [expander.label for expander in at.expander] == ["Why"]


def test_home_hands_its_stage_what_was_recorded() -> None:
    at = opened("app.py")
    handed = json.loads(next(each for each in at.get("bidi_component") if "cuts" in each.proto.json).proto.json)[0]
    stage = read_first("home").values["stage"]
    assert handed["blocks"] == list(stage.blocks)
    assert np.allclose(handed["plain"]["accuracy"], stage.accuracy[1], atol=0.05)
    assert handed["norm"]["plain"]["error"] == read_run(RUNS / "plain56-cifar10.parquet").epochs[-1].train_error
    assert any("python -m resviz first home" in caption.value for caption in at.caption)


def test_home_without_its_recording_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("resviz.zoo.first.FIRST", tmp_path)
    monkeypatch.setattr(body, "_read", lambda: read_stage(tmp_path / "home.json"))
    for kept in (first.reading, doors._curves, doors._evidence):
        kept.cache_clear()
    try:
        at = opened("app.py")
        assert not at.exception
        assert any("home.json cannot be read" in warning.value.replace("\\", "") for warning in at.warning)
        assert len(at.get("page_link")) == len(PAGES) + 9
    finally:
        for kept in (first.reading, doors._curves, doors._evidence):
            kept.cache_clear()


@pytest.mark.parametrize("where", ["", "explain", "https://elsewhere/lab?a=x", "lab?a=blocks%3D0", "lab", "javascript:alert(1)"])
def test_what_is_no_link_of_the_stage_leads_to_no_page(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {}
    monkeypatch.setattr(body.st, "session_state", state)
    body._go(where)
    assert "home.go" not in state or state["lab.next"].contenders


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_the_address_names_the_network_where_the_page_is_about_it(page: Page) -> None:
    at = opened(page.file, blocks="2-2-2")
    assert not at.exception
    assert ("blocks" in at.query_params) == page.network


LINKS = {
    "gradients": {"blocks": "2-2-2"},
    "lab": {"a": "blocks=1-1-1"},
    "explain": {"model": "resnet56-cifar10", "photo": "Cat"},
    "inside": {"model": "resnet56-cifar10", "unit": "layer2.1", "channel": "3"},
    "anatomy": {"model": "resnet20-digits-1", "drop": "2.1"},
    "landscape": {"depth": "20", "grid": "33"},
}


@pytest.mark.parametrize("page", [page for page in PAGES if page.path and page.first], ids=lambda page: page.title)
def test_a_link_stays_in_the_address_while_pytorch_loads(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    loading = threading.Thread()
    monkeypatch.setattr(loading, "is_alive", lambda: True)
    monkeypatch.setattr("resviz.ui.first.warm_up", lambda: loading)
    at = opened(page.file, **LINKS[page.path])
    assert not at.exception
    assert any("Loading PyTorch" in info.value for info in at.info)
    assert {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()} == LINKS[page.path]


def test_a_hostile_query_gives_the_default_and_one_notice() -> None:
    at = opened("pages/build.py", blocks="9999999-1", evil="<script>")
    assert not at.exception
    assert len(at.warning) == 1
    assert f"**{describe(NetSpec())}**" in [markdown.value for markdown in at.markdown]


def test_a_link_rebuilds_the_network() -> None:
    at = opened("pages/build.py", blocks="2-2-2", cut="1.1")
    assert any("1 skip cut" in markdown.value for markdown in at.markdown)


def settled(at: AppTest) -> AppTest:
    """Rerun until the lab's job has ended, as the page's own polling would."""
    for _ in range(300):
        held = at.session_state["lab"]
        if held.job is not None and not held.running:  # the first job waits for an estimate
            return at.run()
        time.sleep(0.1)
        at.run()
    raise AssertionError("the lab's job did not end")


def button(at: AppTest, label: str) -> Button:
    return next(b for b in at.button if b.label == label)


def test_an_error_in_a_running_lab_leaves_a_message_no_hooks_and_a_usable_page() -> None:
    at = settled(opened("pages/lab.py", a="blocks=1-1-1&in_channels=1", b="blocks=1-1-1&residual=0&in_channels=1"))
    assert any("Step 1." in markdown.value for markdown in at.markdown)
    asked: dict[int, nn.Module] = {}

    def broken(module: nn.Module, _: object) -> None:
        if threading.current_thread().name.startswith("job-worker"):
            asked[id(module)] = module
            if len(asked) > 40:  # in the midst of the second network
                raise RuntimeError("injected")

    handle = nn.modules.module.register_module_forward_pre_hook(broken)
    try:
        button(at, "Step").click().run()
        at = settled(at)
    finally:
        handle.remove()
    assert not at.exception
    assert any("injected" in error.value and "reset" in error.value for error in at.error)
    assert len(asked) > 40
    assert all(not module._forward_hooks and not module._backward_hooks for module in asked.values())
    assert any("Step 1." in markdown.value for markdown in at.markdown)  # what was recorded is still there
    button(at, "Reset").click().run()
    at = settled(at)
    assert not at.error
    button(at, "Step").click().run()
    at = settled(at)
    assert any("Step 2." in markdown.value for markdown in at.markdown)


def ranked(at: AppTest) -> pd.DataFrame:
    """The Trust view's table."""
    return next(frame.value for frame in at.dataframe if "deletion AUC ↓" in frame.value)


@pytest.mark.parametrize(
    "view", ["Trust", "Rank methods", "Through the depth", "Change the network", "Two paths", "Many pictures"]
)
@pytest.mark.parametrize("network", ["resnet20-cifar10", "plain20-cifar10"])
def test_each_view_of_the_explanation(view: str, network: str) -> None:
    at = opened("pages/explain.py")
    at.selectbox(key="explain.network").set_value(network)
    at.multiselect(key="explain.methods").set_value(["saliency", "grad-cam"])
    at.session_state["explain.view"] = view
    at.run()
    for _ in range(100):
        if not any(job.live for job in at.session_state["jobs"].values()):
            break
        time.sleep(0.1)
    at.run()
    assert not at.exception
    assert not at.error
    if view == "Trust":
        button(at, "Measure the faithfulness").click().run()
        assert len(ranked(finished(at))) == 2
        assert not at.exception


def test_a_cropped_and_turned_photograph_has_its_own_answer() -> None:
    at = opened("pages/explain.py")
    before = answer(at)
    next(box for box in at.slider if box.label == "Crop").set_value(3.0)
    at.run()
    assert not at.exception
    assert any(box.label == "Left to right" for box in at.slider)
    at.run()
    assert answer(at) != before
    at.multiselect(key="explain.others").set_value(["resnet18-imagenette"]).run()
    assert not at.exception
    assert any("Imagenette" in markdown.value for markdown in at.markdown)


def answer(at: AppTest) -> str:
    """The sentence on what the network says."""
    return next(markdown.value for markdown in at.markdown if "Entropy" in markdown.value)


def test_a_comparison_starts_over_and_a_bad_link_says_what_was_left_out() -> None:
    at = settled(opened("pages/lab.py", a="blocks=1-1-1&in_channels=1", edits="5:cut:a:9.9"))
    assert any("layer9.9" in warning.value for warning in at.warning)
    next(box for box in at.selectbox if box.label == "Depth").set_value(20)
    at = settled(at.run())
    assert at.session_state["lab"].plan.contenders[0].depth == 20
    assert at.session_state["lab"].step == 1


def finished(at: AppTest) -> AppTest:
    """Rerun until every job of the page has ended."""
    for _ in range(300):
        jobs = at.session_state.get("jobs", {})
        if not any(job.live for job in jobs.values()):
            return at.run()
        time.sleep(0.1)
        at.run()
    raise AssertionError("a job did not end")


def panels(at: AppTest) -> list[str]:
    """The titles of the pictures on the page."""
    return [data["title"] for element in at.get("bidi_component") if "photo" in (data := json.loads(element.proto.json))]


def test_a_link_sets_the_explanation_and_the_page_remembers_it() -> None:
    query = {"model": "resnet20-cifar10", "photo": "Cat", "class": "cat", "against": "dog",
             "methods": "saliency,grad-cam,nonsense", "layers": "layer1.0,layer3.2,layer9.9", "view": "Compare"}  # fmt: skip
    at = finished(opened("pages/explain.py", **query))
    assert not at.exception
    assert [("nonsense" in warning.value, "layer9.9" in warning.value) for warning in at.warning] == [(True, True)]
    assert panels(at) == ["Saliency", "Photograph", "Grad-CAM · layer1.0", "Grad-CAM · layer3.2"]
    assert at.selectbox(key="class.resnet20-cifar10.sample Cat").value == "cat"
    for name, text in (("class", "cat"), ("against", "dog"), ("layers", "layer1.0,layer3.2"), ("methods", "saliency,grad-cam")):
        assert at.query_params[name] in (text, [text])
    at.switch_page("pages/build.py").run()
    at = finished(at.switch_page("pages/explain.py").run())
    assert panels(at) == ["Saliency", "Photograph", "Grad-CAM · layer1.0", "Grad-CAM · layer3.2"]


def test_a_link_that_names_what_is_not_there_says_so_and_the_rest_holds() -> None:
    query = {
        "model": "resnet18-imagenette",
        "photo": "Nowhere",
        "methods": "grad-cam,magic",
        "view": "sideways",
        "class": "dragon",
    }
    at = finished(opened("pages/explain.py", **query))
    (said,) = [warning.value for warning in at.warning if "not understood" in warning.value]
    assert all(word in said for word in ("Nowhere", "magic", "dragon"))
    assert at.session_state["explain.network"] == "resnet18-imagenette"
    assert at.multiselect(key="explain.methods").value == ["grad-cam"]
    at.selectbox(key="explain.network").set_value("resnet20-cifar10").run()  # whose classes are others
    assert not any("tench" in warning.value for warning in at.warning)
    assert not any("not understood" in w.value for w in finished(opened("pages/explain.py", photo="Cat")).warning)


@pytest.mark.parametrize(
    ("page", "query", "named"),
    [
        ("app.py", {"tour": "99"}, "tour='99' cannot be read"),
        ("pages/lab.py", {"lr": "0.7777", "edits": "zz"}, "edits, lr without a network, which a link names as a=net=resnet20"),
        ("pages/lab.py", {"a": ""}, "a is empty, so that it is the usual ResNet-56"),
        ("pages/build.py", {"cut": ""}, "cut is empty"),
        ("pages/build.py", {"width": ["16", "32"]}, "width='16' is followed by width='32'"),
        ("pages/gradients.py", {"present": "2"}, "present='2' cannot be read"),
        (
            "pages/build.py",
            {"width": "2000", "blocks": "3-3-3", "seed": "7", "zz": "1"},
            "width must be from 1 to 1024, got 2000; choose a value in that range; 'zz' is not a parameter",
        ),
        (
            "pages/build.py",
            {f"z{n}": "1" for n in range(7)},
            "; ".join(f"'z{n}' is not a parameter" for n in range(5)) + " and 2 more",
        ),
    ],
)
def test_every_page_names_all_that_it_leaves_out_of_its_link(page: str, query: dict[str, str | list[str]], named: str) -> None:
    at = opened(page, **query)
    assert left_out(at) == left_out(at.run()) == [named]
    assert all(isinstance(text, str) or len(text) == 1 for text in at.query_params.values())
    at = opened_next(at, "pages/sweeps.py")
    assert left_out(at) == []
    assert not at.exception


def test_the_link_of_the_usual_explanation_is_short_and_a_crop_is_not_in_it() -> None:
    begun = finished(opened("pages/explain.py"))
    assert set(begun.query_params) == {
        "model",
        "photo",
    }  # a link that names neither means what it meant before there was this network
    at = finished(opened("pages/explain.py", model="resnet20-cifar10", photo="Cat"))
    assert dict(at.query_params) == {}
    next(box for box in at.slider if box.label == "Crop").set_value(3.0)
    at = finished(at.run())
    asked = next(box for box in at.selectbox if box.label == "Class to explain")
    asked.set_value(asked.options[1])
    at = finished(at.run())
    assert not {"photo", "class"} & set(at.query_params)
    assert not at.exception


@pytest.mark.parametrize("name", ["model", "photo", "class", "against", "methods", "layers", "view"])
def test_a_link_may_name_what_does_not_exist(name: str) -> None:
    at = finished(opened("pages/explain.py", **{"model": "resnet20-cifar10", "class": "cat", name: "<nonsense>,"}))
    assert not at.exception
    assert not at.error
    assert len(panels(at)) == 5  # the photograph and the methods one begins with


def passes(at: AppTest) -> str:
    """What the Details of the one map say of its cost."""
    return next(caption.value for caption in at.caption if "through the network" in caption.value).split(" through")[0]


def test_a_parameter_is_kept_while_its_control_is_away() -> None:
    at = finished(opened("pages/explain.py", methods="occlusion", model="resnet20-cifar10", photo="Rocket"))
    assert passes(at) == "226 pictures"  # squares of 4 pixels on 32, 2 apart, and the whole photograph
    next(box for box in at.slider if box.label == "Window").set_value(8)
    at = finished(at.run())
    assert passes(at) == "50 pictures"
    assert any("sliding_window_shapes=(3, 8, 8)" in code.value for code in at.code)
    at.segmented_control(key="explain.view").set_value("Two paths")
    at = finished(at.run())
    assert not any(box.label == "Window" for box in at.slider)
    at.segmented_control(key="explain.view").set_value("Compare")
    at = finished(at.run())
    assert next(box for box in at.slider if box.label == "Window").value == 8
    assert passes(at) == "50 pictures"
    assert not at.exception


def test_what_the_browser_says_of_the_look_is_checked() -> None:
    from resviz.figures.overlay import Look, OverlayStyle
    from resviz.ui.components.evidence import _look

    assert _look({"style": "heat", "opacity": 0.5, "percentile": 80, "wipe": 0.2}) == Look(0.5, OverlayStyle.HEAT, 80, 0.2)
    for nonsense in (None, [], {"style": "<b>", "opacity": "1", "percentile": 1e9, "wipe": True}):
        assert _look(nonsense) == Look()


@pytest.mark.parametrize("size", [(600, 400), (300, 500)])
@pytest.mark.parametrize("seen", [1.0, 0.875])
def test_a_crop_shows_what_the_view_showed(size: tuple[int, int], seen: float) -> None:
    image = Image.linear_gradient("L").resize(size).convert("RGB")

    def page() -> None:
        import streamlit as st

        from resviz.ui.widgets import pickers

        photograph = pickers.Photograph("p", "p", st.session_state.image)
        for x, y, zoom in st.session_state.views:
            pickers.crop_to(photograph, "crop", st.session_state.seen, x, y, zoom)
        st.session_state.views = []
        st.session_state.part = pickers.crop(photograph, "crop").image

    at = AppTest.from_function(page)
    at.session_state.image, at.session_state.seen, at.session_state.views = image, seen, [(0.5, 0.3, 2.0)]
    at.run()
    assert not at.exception
    part = at.session_state.part
    assert part.size == (size[0] // 2, size[1] // 2)
    # the middle of the crop is the middle of the view
    expected = size[1] / 2 + (0.3 - 0.5) * seen * min(size)
    expected = min(max(expected, size[1] / 4), 3 * size[1] / 4)
    assert np.asarray(part)[..., 0].mean() == pytest.approx(255 * expected / size[1], abs=4)
