"""What the pages claim: counts, what a network knows, numbers beside the paper's."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from torchvision.models import get_model_weights

from resviz.figures.captions import percent
from resviz.figures.training import error_curves, highest
from resviz.recordings import RUNS, read_run, run_names
from resviz.spec.presets import PRESETS
from resviz.zoo.bundled import card
from resviz.zoo.scope import scope_of
from tests.pages.test_pages import button, finished, opened, ranked

NAMES = list(PRESETS["resnet56"].block_names())


def spoken(at: AppTest) -> str:
    return "\n".join(markdown.value for markdown in at.markdown)


@pytest.mark.parametrize(("cut", "said"), [(14, "**With 13 of 27 skips**"), (27, "the two lines are the same"), (0, "**With all 27 skips**")])  # fmt: skip
def test_cut_skips_are_counted(cut: int, said: str) -> None:
    query = {"cut": ",".join(name.removeprefix("layer") for name in NAMES[:cut])} if cut else {}
    text = spoken(finished(opened("pages/gradients.py", **query)))
    assert said in text
    assert "With skips" not in text


def test_explaining_begins_with_a_sample_that_the_network_knows_and_lists_what_it_knows() -> None:
    at = finished(opened("pages/explain.py"))
    name, sample = at.selectbox(key="explain.network").value, at.selectbox(key="explain.sample").value
    assert (name, sample) == ("resnet10-tinyimagenet", "Coffee")
    assert not at.warning
    assert "**espresso**" in spoken(at)
    assert any("It knows 200 names" in caption.value for caption in at.caption)
    assert f"{percent(scope_of(name).caught)} of pictures of other classes" in spoken(at)


@pytest.mark.parametrize("page", ["explain", "inside"])
def test_a_link_that_names_no_network_means_the_one_it_always_meant(page: str) -> None:
    at = finished(opened(f"pages/{page}.py", photo="Rocket"))
    assert at.selectbox(key="explain.network").value == "resnet20-cifar10"
    assert at.selectbox(key="explain.sample").value == "Rocket"


@pytest.mark.parametrize("sample", ["Rocket", "Flower"])
def test_a_sample_that_the_network_does_not_know_comes_with_a_warning(sample: str) -> None:
    at = finished(opened("pages/explain.py", model="resnet18-imagenette", photo=sample))
    assert any(sample in warning.value and "10 names" in warning.value for warning in at.warning)


def test_deletion_is_measured_again_with_the_chosen_baseline() -> None:
    at = finished(opened("pages/explain.py", model="resnet18-imagenette", photo="Cat", methods="saliency", view="Trust"))
    areas = []
    for empty in ("mean", "black"):
        next(box for box in at.selectbox if box.label == "A pixel taken away becomes").set_value(empty)
        at.run()
        button(at, "Measure the faithfulness").click().run()
        at = finished(at)
        areas.append(float(ranked(at)["deletion AUC ↓"][0]))
        assert not at.exception
        # to this network a picture of one colour is a golf ball, which the cat is taken for
        assert f"deletion cannot judge this class**, since the {empty} picture" in spoken(at)
    assert areas[0] != areas[1]


def test_the_recorded_runs_say_how_far_the_paper_is() -> None:
    at = opened("pages/degradation.py")
    caption = next(caption.value for caption in at.caption if "Table 6" in caption.value)
    for name, paper in (("resnet20", 8.75), ("resnet56", 6.97)):
        about = card(f"{name}-cifar10")
        gap = about["measured"]["test_error"] - paper
        assert f"ResNet-{about['title'].split('-')[1].split(' ')[0]} is {gap:.1f} points above the paper" in caption
        assert f"{gap:.1f} points better" in about["caveat"]
        assert f"{about['epochs']} epochs where the paper took 164" in caption


def test_claims_of_home_are_those_of_its_sources() -> None:
    text = spoken(finished(opened("app.py")))
    led = text.partition("152 layers")[2]
    assert "ensemble of six" in led
    assert "1202 layers" in led
    assert led.index("U-Net") > led.index("Before it")
    assert "F's weights only need to go to 0" not in text
    assert "gradient highway" not in text.lower()


def test_what_is_said_of_the_recorded_blocks_is_what_was_recorded() -> None:
    """Numbers that stand in running text on Home, Gradients and Degradation."""
    runs = {name: read_run(RUNS / f"{name}.parquet") for name in run_names()}
    small = {name: sum(ratio < 0.5 for ratio in run.epochs[-1].branch_ratio) for name, run in runs.items()}
    assert (small["resnet56-cifar10"], small["resnet20-cifar10"], small["resnet18-imagenette"]) == (21, 1, 2)
    plain = runs["plain56-cifar10"]
    assert (len(plain.epochs), round(plain.epochs[-1].train_error, 1)) == (30, 30.7)
    text = spoken(opened("pages/degradation.py"))
    assert "21 of the 27 blocks of our ResNet-56" in text
    assert "one of nine in our ResNet-20" in text


def test_the_python_of_a_map_is_not_called_captum_alone() -> None:
    at = finished(opened("pages/explain.py", methods="saliency"))
    assert any("from resviz" in code.value for code in at.code)
    assert not any("Captum alone" in caption.value for caption in at.caption)
    assert any("this project loads the network" in caption.value for caption in at.caption)


def test_without_weights_no_answer_is_promised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("resviz.zoo.imagenet.download", lambda item: iter(()))
    at = finished(opened("pages/explain.py", model="resnet50.V2"))
    assert not at.exception
    assert not any("at once" in told.value for told in (*at.info, *at.warning, *at.caption))


def test_the_layer_table_says_groups_and_has_one_column_to_tick() -> None:
    at = opened("pages/build.py", net="resnext50_32x4d")
    table = at.dataframe[0].value
    kinds = table.set_index("layer")["kind"]
    assert (kinds["layer1.0.conv1"], kinds["layer1.0.conv2"]) == ("conv 1×1", "conv 3×3, 32 groups")
    assert not [name for name, values in table.items() if values.dtype == bool]  # a column of boxes that nobody can tick
    assert set(table["skip"]) == {"", "arrives"}


def test_the_recorded_errors_tell_the_depths_apart_and_all_lie_in_view() -> None:
    runs = [read_run(RUNS / f"{name}.parquet") for name in run_names()]
    top = highest(runs)
    figure = error_curves(runs, top=top)
    widths = {line.name.split()[0].split("-")[1]: line.width for line in figure.series}
    assert widths["56"] >= 2 * widths["20"]
    every = [value for line in figure.series for value in line.y]
    low, high = figure.y.range
    assert max(every) > 80  # plain-56 begins far above the axis' former end, 60 %
    assert all(low <= value <= high for value in every)


def test_the_variants_quote_what_torchvision_publishes() -> None:
    table = opened("pages/build.py").dataframe[-1].value.set_index("network")["ImageNet top-1"]
    for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"):
        published = get_model_weights(name).IMAGENET1K_V1.meta["_metrics"]["ImageNet-1K"]["acc@1"]
        assert table[f"ResNet-{name.removeprefix('resnet')}"] == f"{published:.2f} %"
