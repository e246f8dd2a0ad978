"""What is said of a map's worth: by the sign of a correlation, by a baseline that can judge, by its own check."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from resviz.attribution.baselines import BASELINES
from resviz.attribution.faithfulness import faithfulness
from resviz.attribution.methods.table import METHODS
from resviz.attribution.question import Asked, Case, attribute
from resviz.data.uploads import sample_photographs
from resviz.figures.captions import attribution_note, focus_note, ranking, trust_note
from resviz.figures.overlay import Look, attribution_figure, overlay_image, poles
from resviz.results import Attribution, Faithfulness
from resviz.zoo.bundled import load_bundled
from resviz.zoo.classifier import predict

FRACTIONS = np.linspace(0, 1, 5)


def judged(similarity: float = 0.0, empty: float = 0.0, blurred: float = 0.0, worth: float = 0.5) -> Faithfulness:
    """A map whose deletion ends at `empty` and whose insertion begins at `blurred`; `worth` is the probability between."""
    deletion = np.array([0.9, worth, worth, worth, empty])
    insertion = np.array([blurred, worth, worth, worth, 0.9])
    return Faithfulness(FRACTIONS, deletion, insertion, 1.0, 1.0, ("fc", "conv1"), np.array([0.2, similarity]))


def test_a_map_that_is_turned_round_follows_the_weights() -> None:
    same, turned = judged(0.8), judged(-0.8)
    assert same.ignores_weights
    assert not turned.ignores_weights
    assert "Be careful" in trust_note("A", same)
    assert "turned round" in (said := trust_note("A", turned))
    assert "Be careful" not in said
    assert [title for title, _, _ in ranking({"same": same, "turned": turned})] == ["turned", "same"]


def test_layer_activation_is_turned_round_and_not_called_the_same() -> None:
    classifier, photographs = load_bundled("resnet18-imagenette"), sample_photographs()
    for name in ("Cat", "Motorcycle"):
        target = int(predict(classifier, photographs[name]).probabilities.argmax())
        case, asked = Case(classifier, photographs[name], target), Asked("layer-activation")
        measured = faithfulness(case, asked, attribute(case, asked))
        assert measured.similarity[-1] < -0.5
        assert "turned round" in trust_note("Layer Activation", measured)


def test_a_baseline_that_is_the_class_cannot_judge_it() -> None:
    blank = judged(empty=0.78, worth=0.2)
    assert not blank.deletion_judges
    assert "78 %" in (said := trust_note("A", blank))
    assert "deletion cannot judge this class" in said
    # deletion has no say any more: the other columns are equal, so the two share their rank
    for empty, ranks in ((0.78, 1), (0.0, 2)):
        good = judged(empty=empty, worth=0.1)
        bad = replace(judged(empty=empty, worth=0.8), insertion=good.insertion)
        assert len({rank for _, _, rank in ranking({"good": good, "bad": bad})}) == ranks


def test_deletion_ends_at_the_baseline_that_was_chosen() -> None:
    classifier, cat = load_bundled("resnet18-imagenette"), sample_photographs()["Cat"]
    golf = classifier.categories.index("golf ball")
    case, asked = Case(classifier, cat, golf), Asked("saliency")
    attribution = attribute(case, asked)
    ends = {}
    for empty in BASELINES:
        measured = faithfulness(case, asked, attribution, empty=empty)
        assert measured.baseline == empty
        ends[empty] = float(measured.deletion[-1])
    black = predict(classifier, Image.new("RGB", cat.size)).probabilities[golf]
    assert ends["black"] == pytest.approx(float(black), abs=1e-3)
    assert ends["mean"] > 0.7  # a grey picture is a golf ball to this network
    assert len({round(end, 3) for end in ends.values()}) == 4


def test_a_map_that_is_the_same_everywhere_is_called_so() -> None:
    classifier, cat = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"]
    case = Case(classifier, cat, 3)
    late = attribute(case, Asked("internal-influence"))
    assert late.constant
    assert "everywhere" in focus_note(late)
    assert "earlier layer" in focus_note(late)
    assert "in no order" in trust_note("Internal Influence", replace(judged(), constant=True))
    assert ranking({"flat": replace(judged(worth=0.1), constant=True), "map": judged(0.8)})[-1][0] == "flat"
    early = attribute(case, Asked("internal-influence", "layer2.1"))
    assert not early.constant
    assert "strongest tenth" in focus_note(early)


def test_what_helps_gradient_shap_is_what_is_said_to_help() -> None:
    """Four times the samples halve the error of the draw, to the slider's end; noise leaves a part that no sample removes."""
    classifier = load_bundled("resnet20-cifar10")
    samples = METHODS["gradient-shap"].parameters["samples"]
    photographs = list(sample_photographs().values())[:4]

    def off(count: float) -> float:
        asked = Asked("gradient-shap", values={"samples": count, "noise": 0.0})
        cases = [Case(classifier, photo, int(predict(classifier, photo).probabilities.argmax())) for photo in photographs]
        maps = [attribute(case, asked) for case in cases]
        return float(np.sqrt(np.mean([(each.delta / each.target_change) ** 2 for each in maps])))

    assert off(samples.high) < off(samples.default) / 3
    assert "four times" in attribution_note(0.5, 1.0, METHODS["gradient-shap"].remedy)


def test_a_magnitude_is_painted_neither_for_nor_against() -> None:
    grey, values = Image.new("RGB", (64, 64), (128, 128, 128)), np.zeros((8, 8))
    values[0, 0], values[7, 7] = 1.0, -1.0
    look = Look(opacity=1.0)
    for signed in (True, False):
        painted = np.asarray(overlay_image(grey, Attribution("saliency", 0, values, signed), look))
        for corner, colour in zip((painted[1, 1], painted[-2, -2]), poles(signed), strict=True):
            assert "#" + "".join(f"{part:02X}" for part in corner) == colour
    assert not set(poles(True)) & set(poles(False))
    drawn = attribution_figure(grey, Attribution("saliency", 0, values, False)).data[0]
    assert "against" not in str(drawn.colorbar.ticktext)
