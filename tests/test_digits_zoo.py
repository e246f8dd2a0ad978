"""The bundled networks of handwritten digits: trained here, measured again without any download, apart from those for photographs."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from resviz.cli import main
from resviz.data.datasets import named_sets
from resviz.probes.accuracy import evaluate
from resviz.spec.names import name_of
from resviz.zoo.bundled import CHECKPOINTS, bundled_names, bundled_problems, card, digits_names, every_name, load_bundled
from resviz.zoo.labelled import held_out_for, labelled_for


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, object]:
    assert main(argv) == 0
    return json.loads(capsys.readouterr().out)


def test_eighteen_networks_with_three_seeds_each_are_small_and_apart() -> None:
    specs = [load_bundled(name).spec for name in digits_names()]
    assert Counter(spec.title for spec in specs) == dict.fromkeys(
        ("ResNet-20", "ResNet-56", "ResNet-110", "RepVGG-20", "Plain-20", "Plain-56"), 3
    )
    assert {spec.seed for spec in specs} == {0, 1, 2}
    assert sum(path.stat().st_size for path in (CHECKPOINTS / "digits").iterdir()) <= 8_000_000
    assert not set(digits_names()) & set(bundled_names())
    assert set(every_name()) == {*digits_names(), *bundled_names()}
    assert not bundled_problems("digits")


def test_cards_say_how_they_were_trained() -> None:
    for name in digits_names():
        about = card(name)
        assert about["command"].startswith("python -m resviz train --net"), name
        assert "--data digits" in about["command"]
        assert about["measured"]["test_images"] == 297


def test_an_error_is_measured_again_without_a_download(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("zoo", "verify", "resnet20-digits-0", "plain20-digits-0", "--data", "digits", "--json")) in (0, 1)
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"resnet20-digits-0", "plain20-digits-0"}
    for row in found.values():
        assert row["images"] == 297
        assert abs(row["test_error"] - row["card"]) < 100 * 2.5 / 297  # another processor may tip a picture or two


def test_they_learned_and_depth_without_skips_did_not_help() -> None:
    errors = {name: card(name)["measured"]["test_error"] for name in digits_names()}

    def mean(start: str) -> float:
        return sum(error for name, error in errors.items() if name.startswith(f"{start}-")) / 3

    assert max(mean("resnet20"), mean("resnet56"), mean("resnet110")) < 12
    assert mean("plain56") > mean("resnet56") + 5


def test_pictures_that_fit_no_class_are_refused() -> None:
    classifier = load_bundled("resnet20-digits-0")
    assert held_out_for(load_bundled("resnet20-cifar10"), "digits") is None
    with pytest.raises(ValueError, match="holds other classes than resnet20-cifar10"):
        labelled_for(load_bundled("resnet20-cifar10"), "digits")
    chosen = labelled_for(classifier, count=50)
    assert len(chosen) == 50
    assert evaluate(classifier.net, labelled_for(classifier))[0] == pytest.approx(
        card(classifier.name)["measured"]["test_error"], abs=1
    )
    assert len(named_sets("digits")[1]) == 297


@pytest.mark.parametrize("argv", [("lesion", "--draws", "2"), ("paths",), ("refine",), ("skipless",)], ids=lambda argv: argv[0])
def test_the_commands_report_a_network_of_digits(argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, argv[0], "resnet20-digits-0", *argv[1:], "--json")
    assert found["net"] == "resnet20-digits-0"
    assert found["says"]
    assert "**" not in found["says"]
    if argv[0] == "lesion":
        assert found["pictures"] == 297
        assert len(found["dropped"]) == len(found["cut"]) == 9
        assert set(found["several"]) == {"branches dropped", "pairs swapped"}
    elif argv[0] == "paths":
        assert sum(found["share"]) == pytest.approx(1)
        assert found["off"] < 1e-4
    elif argv[0] == "refine":
        assert [found["cosines"][i] is None for i in (0, 3, 6)] == [False, True, True]
    else:
        assert found["changed"] == 0
        assert found["off"] <= 1e-4


def test_a_network_is_called_what_it_is() -> None:
    assert name_of(load_bundled("plain56-digits-2").spec) == "Plain-56 (9-9-9, width 8)"


def test_bad_questions_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for argv, said in (
        (("refine", "plain20-digits-0"), "none of its blocks has a skip"),
        (("lesion", "resnet18-imagenette"), "name a folder of them with --data"),
        (("lesion", "resnet20-cifar10", "--data", "digits"), "holds other classes"),
        (("paths", "nothing"), "choose one of"),
    ):
        assert main(argv) == 2
        error = capsys.readouterr().err.strip()
        assert said in error, argv
        assert len(error.splitlines()) == 1
