"""What a network can know: the scores, the thresholds in the cards, and what is said of a picture."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resviz.cli import main
from resviz.data.uploads import sample_photographs
from resviz.figures.captions import prediction_note
from resviz.results import SCORES, Prediction, Scope
from resviz.zoo import bundled
from resviz.zoo.bundled import bundled_names, card, load_bundled
from resviz.zoo.classifier import predict
from resviz.zoo.scope import SHOWN, measured_scope, scope_of, shows_known

LOGITS = np.array([3.0, 1.0, -2.0])


def prediction(logits: np.ndarray = LOGITS) -> Prediction:
    exp = np.exp(logits - logits.max())
    return Prediction(("a", "b", "c"), exp / exp.sum(), logits, 0.7)


def test_the_scores_are_what_their_formulas_say() -> None:
    found = prediction()
    p = np.exp(LOGITS) / np.exp(LOGITS).sum()
    expected = {"probability": p.max(), "entropy": (p * np.log2(p)).sum(), "energy": np.log(np.exp(LOGITS).sum()), "logit": 3.0}
    expected["distance"] = -0.7
    for score in SCORES:
        assert found.familiarity(score) == pytest.approx(expected[score])
    assert prediction(LOGITS + 1000).familiarity("energy") == pytest.approx(expected["energy"] + 1000)
    with pytest.raises(ValueError, match="choose one of"):
        found.familiarity("margin")


@pytest.mark.parametrize("score", SCORES)
def test_a_doubt_is_backed_by_the_threshold_and_says_how_often_it_errs(score: str) -> None:
    found = prediction()
    at = found.familiarity(score)
    scope = Scope(score, at + 0.1, 0.328, 0.046, {}, "own", "others")
    doubted, passed = (prediction_note(found, Scope(**(vars(scope) | {"threshold": at + by}))) for by in (0.1, -0.1))
    assert "Perhaps none of its 3 names fits" in doubted
    assert "Perhaps" not in passed
    for note in (doubted, passed):
        assert "33 % of pictures of other classes" in note
        assert "4.6 % of its own" in note
    assert "67 % of pictures of other classes pass it too" in passed
    assert "not measured" in prediction_note(found)


@pytest.mark.parametrize("name", bundled_names())
def test_every_card_says_how_far_its_scope_was_measured(name: str) -> None:
    scope = scope_of(name)
    assert scope is not None
    assert scope.score == max(SCORES, key=scope.auroc.__getitem__)
    assert set(scope.auroc) == set(SCORES)
    assert scope.certain is not None
    hotter = card(name)["calibration"]["temperature"] > 1  # else it was not sure enough, and calibration makes it surer of all
    assert (scope.certain[1] < scope.certain[0]) == hotter
    assert 0.02 < scope.false_alarms < 0.08  # 5 % were meant, and 500 other pictures tell
    tells = max(scope.auroc.values()) > 0.6  # the network of two hundred classes hardly does, and its card says so
    assert scope.caught > (2 if tells else 1) * scope.false_alarms
    assert scope.inside.startswith("1,000 of ")
    assert card(name)["data"] in scope.inside


def test_the_distance_is_that_of_the_nearest_class() -> None:
    classifier, cat = load_bundled("resnet18-imagenette"), sample_photographs()["Cat"]
    assert classifier.means is not None
    read: list[np.ndarray] = []
    view = classifier.private_view()
    view.fc.register_forward_pre_hook(lambda _layer, given: read.append(given[0][0].double().numpy()))
    found = predict(classifier, cat, view)
    unit = read[0] / np.linalg.norm(read[0])
    expected = min(np.linalg.norm(unit - mean) for mean in classifier.means)
    assert found.distance == pytest.approx(expected, rel=1e-5)
    assert predict(load_bundled("resnet20-cifar10"), cat).distance is None


def test_without_its_class_means_a_network_has_no_scope_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "checkpoints"
    shutil.copytree(bundled.CHECKPOINTS, copy)
    monkeypatch.setattr(bundled, "CHECKPOINTS", copy)
    for damage in (b"no zip", None):
        means = copy / "resnet18-imagenette.means.npz"
        means.unlink() if damage is None else means.write_bytes(damage)
        assert scope_of("resnet18-imagenette") is None
        assert load_bundled("resnet18-imagenette").means is None
        assert any("resnet18-imagenette.means.npz" in problem for problem in bundled.bundled_problems())


def test_the_threshold_and_the_rates_follow_from_the_pictures() -> None:
    classifier = load_bundled("resnet20-cifar10")
    generator = np.random.default_rng(0)
    cat = sample_photographs()["Cat"]
    known = [cat.rotate(float(angle)) for angle in generator.uniform(-20, 20, 24)]
    strange = [Image.fromarray(generator.integers(0, 255, (32, 32, 3), dtype=np.uint8)) for _ in range(24)]
    scope = measured_scope(classifier, known, strange, "cats", "noise")
    own, others = (np.array([predict(classifier, image).familiarity(scope.score) for image in side]) for side in (known, strange))
    wins = (own[:, None] > others[None]).mean() + 0.5 * (own[:, None] == others[None]).mean()
    assert scope.auroc[scope.score] == pytest.approx(wins, abs=0.01)
    assert scope.threshold == pytest.approx(np.quantile(own[::2], 0.05), abs=1e-3)
    assert scope.caught == pytest.approx((others < scope.threshold).mean(), abs=0.05)
    assert scope.inside == "24 of cats"


def test_samples_are_known_by_what_they_show() -> None:
    assert set(SHOWN) <= set(sample_photographs())
    cifar, imagenette = (card(name)["categories"] for name in ("resnet20-cifar10", "resnet18-imagenette"))
    assert shows_known("Cat", cifar)
    assert not any(shows_known(sample, imagenette) for sample in sample_photographs())
    for strange in ("Rocket", "Flower", "Astronaut"):
        assert not shows_known(strange, cifar)


def test_the_command_measures_and_leaves_classes_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generator = np.random.default_rng(1)
    own, others = tmp_path / "own", tmp_path / "others"
    for root, names in ((own, card("resnet20-cifar10")["categories"]), (others, ["dog park", "stone"])):
        for name in names:
            (root / "test" / name).mkdir(parents=True)
            for n in range(3):
                pixels = generator.integers(0, 255, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / "test" / name / f"{n}.png")
    argv = ["zoo", "scope", "resnet20-cifar10", "--data", str(own), "--outside", str(others), "--leave-out", "dog park", "--json"]
    assert main(argv) == 0
    found = json.loads(capsys.readouterr().out)["resnet20-cifar10"]
    assert found["outside"] == "3 of others, without dog park"
    assert main([*argv[:-2], "cat"]) == 2
    assert "has no class 'cat' to leave out" in capsys.readouterr().err
    assert main(["zoo", "scope", "resnet18-imagenette", "--data", str(own), "--outside", str(others)]) == 2
    assert "other classes" in capsys.readouterr().err


def test_cards_are_not_compared_with_other_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "verify", "resnet20-cifar10", "--data", "cifar10"]) == 2
    assert "resnet20-cifar10 needs CIFAR-10, JPEG-encoded" in capsys.readouterr().err
