"""How far a certainty can be believed: the temperature, the calibration error, and the cards that say both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from resviz.data.images import ImageSet
from resviz.data.uploads import sample_photographs
from resviz.probes.inside import readout
from resviz.probes.readouts import early_units, fitted_readouts
from resviz.zoo.answers import Answers
from resviz.zoo.bundled import bundled_names, card, load_bundled
from resviz.zoo.calibration import calibration_error, fitted_temperature, measured_answers, measured_calibration
from resviz.zoo.classifier import predict
from resviz.zoo.read import CheckpointError
from resviz.zoo.readouts import readouts_of


def drawn(count: int = 4000, scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits whose softmax is exactly how often each label comes, then multiplied: too sure where `scale` is over 1."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(count, 5, generator=generator, dtype=torch.float64)
    labels = torch.multinomial(torch.softmax(logits, 1), 1, generator=generator)[:, 0]
    return scale * logits, labels


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_temperature_is_what_made_the_logits_too_sure(scale: float) -> None:
    assert fitted_temperature(*drawn(scale=scale)) == pytest.approx(scale, rel=0.05)


def test_the_calibration_error_by_hand() -> None:
    # two bins of the default fifteen: three answers of 0.9 of which two are right, one of 0.6 that is right
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.6, 0.4]])
    labels = np.array([0, 1, 1, 0])
    assert calibration_error(probabilities, labels) == pytest.approx(3 / 4 * abs(2 / 3 - 0.9) + 1 / 4 * abs(1 - 0.6))
    assert calibration_error(np.eye(3), np.arange(3)) == 0  # a certainty of 1 has the last bin


def test_calibration_is_measured_on_pictures_that_had_no_say_in_it() -> None:
    logits, labels = drawn(scale=3.0)
    measured = measured_calibration(logits, labels, "pictures")
    assert measured["error_after"] < measured["error_before"] / 3
    assert measured["temperature"] == pytest.approx(fitted_temperature(logits[::2], labels[::2]), abs=1e-4)
    rest = torch.softmax(logits[1::2], 1).numpy()
    assert measured["error_before"] == pytest.approx(calibration_error(rest, labels[1::2].numpy()), abs=1e-4)
    assert measured["measured"] == "fitted on 2,000 of pictures, measured on the other 2,000"


def test_errors_by_class_and_the_commonest_mistake() -> None:
    logits = torch.eye(3, dtype=torch.float64)[torch.tensor([0, 0, 1, 1, 1, 2])]
    answers = measured_answers(logits, torch.tensor([0, 0, 0, 0, 1, 2]), ("a", "b", "c"))
    assert answers == {"top5_error": 0.0, "class_errors": {"a": 50.0, "b": 0.0, "c": 0.0}, "confusions": [("a", "b", 50.0)]}


@pytest.mark.parametrize("name", bundled_names())
def test_every_card_says_how_far_certainty_can_be_believed(name: str) -> None:
    about, network = card(name), load_bundled(name)
    calibration, answers = about["calibration"], about["answers"]
    assert network.temperature == calibration["temperature"]
    assert 0 <= calibration["error_after"] < 0.1
    errors = list(answers["class_errors"].values())
    assert list(answers["class_errors"]) == list(network.categories)
    if len(errors) == 10:  # as many pictures of each class
        assert np.mean(errors) == pytest.approx(about["measured"]["test_error"], abs=0.6)
    assert answers["top5_error"] < about["measured"]["test_error"]


@pytest.mark.parametrize("given", [0.0, -1.0, float("nan"), 1e9])
def test_a_temperature_that_is_none_is_refused(given: float) -> None:
    with pytest.raises(CheckpointError, match="1 leaves certainty as it is"):
        Answers(temperature=given)


def test_a_temperature_changes_how_sure_an_answer_is_and_not_what_it_says() -> None:
    network, cat = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"]
    plain, cool = (predict(replace(network, temperature=t), cat) for t in (1.0, 2.0))
    np.testing.assert_allclose(plain.logits, cool.logits)
    assert [name for name, _ in plain.top()] == [name for name, _ in cool.top()]
    expected = torch.softmax(torch.tensor(cool.logits) / 2, 0).numpy()
    np.testing.assert_allclose(cool.probabilities, expected)
    assert cool.entropy > plain.entropy


def test_an_early_read_out_answers_from_what_its_stage_returns() -> None:
    """Fitted on pictures whose class is their brightness, which the first stage's pooled channels must hold."""
    network = load_bundled("resnet20-cifar10")
    levels = torch.arange(40) % 10
    images = (levels * 25).to(torch.uint8)[:, None, None, None].expand(-1, 3, 32, 32).contiguous()
    shown = network.preprocessing
    pictures = ImageSet(images, levels, network.categories, shown.mean, shown.std)
    readouts, errors = fitted_readouts(network, pictures, pictures)
    assert list(readouts) == list(errors) == ["layer1.2", "layer2.2"]
    assert errors["layer1.2"] == 0
    weights, biases = readouts["layer1.2"]
    kept = readout(network.private_view(), next(pictures.batches(1))[0])
    assert int((weights @ kept.pooled["layer1.2"] + biases).argmax()) == 0


@pytest.mark.parametrize("name", bundled_names())
def test_a_card_s_read_outs_are_there_and_get_better_with_depth(name: str) -> None:
    about, there = card(name), readouts_of(name)
    errors = about["readouts"]["errors"]
    assert list(errors) == list(there) == list(early_units(load_bundled(name).net))
    assert list(errors.values()) == sorted(errors.values(), reverse=True)
    for weights, biases in there.values():
        assert weights.shape[0] == len(biases) == len(about["categories"])
