from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from resviz.data.datasets import digits_split
from resviz.data.images import ImageSet, digits
from resviz.probes.accuracy import evaluate
from resviz.recordings import read_run, run_names
from resviz.results import EpochRecord, TrainStep
from resviz.spec.net import NetSpec
from resviz.spec.query import from_query
from resviz.training.export import export
from resviz.training.loop import Training
from resviz.training.recipes import RECIPES, ResizedCropFlip
from resviz.zoo.bundled import card, load_bundled
from resviz.zoo.checkpoint import infer_spec, load

TINY = NetSpec(blocks=(1, 1), width=4, in_channels=1)
RECIPE = replace(RECIPES["he2015-cifar"], epochs=3, batch=32)


def small() -> tuple[ImageSet, ImageSet]:
    train, test = digits_split()
    return train.subset(200), test.subset(60)


def run(checkpoint: Path | None = None, recipe: object = RECIPE) -> Training:
    train, test = small()
    return Training(TINY, train, test, recipe, checkpoint=checkpoint, probe_images=16)  # type: ignore[arg-type]


def weights(training: Training) -> list[torch.Tensor]:
    return [tensor.clone() for tensor in training.net.state_dict().values()]


def errors(training: Training) -> list[tuple[float, ...]]:
    return [(r.train_error, r.train_loss, r.test_error, r.test_loss, *r.branch_ratio) for r in training.history]


def test_two_runs_of_one_seed_are_equal() -> None:
    first, second = run(), run()
    for training in (first, second):
        list(training)
    assert first.losses == second.losses
    assert errors(first) == errors(second)
    assert all(map(torch.equal, weights(first), weights(second)))


@pytest.mark.parametrize("stop_at", [1, 7, 8, 13, 17])
def test_an_interrupted_run_goes_on_to_the_same_end(tmp_path: Path, stop_at: int) -> None:
    whole = run()
    list(whole)
    path = tmp_path / "run.ckpt"
    for event in run(path):
        if isinstance(event, TrainStep) and event.step == stop_at:
            break  # what a lost machine leaves behind is the last epoch's file
    resumed = run(path)
    list(resumed)
    assert resumed.losses == whole.losses
    assert errors(resumed) == errors(whole)
    assert all(map(torch.equal, weights(resumed), weights(whole)))


def test_every_epoch_is_recorded_and_read_back(tmp_path: Path) -> None:
    training = run()
    list(training)
    export(training, tmp_path / "tiny", "digits", "none", "command", half=True)
    recorded = read_run(tmp_path / "tiny.parquet")
    assert recorded.card["recipe"]["epochs"] == 3
    assert np.allclose(recorded.losses, training.losses)
    for kept, was in zip(recorded.epochs, training.history, strict=True):
        assert kept == was
        assert kept.probe is not None
        assert was.probe is not None
        assert kept.probe.profile.names == was.probe.profile.names
        assert np.array_equal(kept.probe.profile.norms, was.probe.profile.norms)
        assert np.array_equal(kept.probe.signal.activation_std, was.probe.signal.activation_std)


def test_the_card_states_the_error_of_the_weights_as_they_are_written(tmp_path: Path) -> None:
    training = run()
    list(training)
    export(training, tmp_path / "tiny", "digits", "none", "command", half=True)
    stored = load((tmp_path / "tiny.safetensors").read_bytes(), "tiny.safetensors").net
    stated = read_run(tmp_path / "tiny.parquet").card["measured"]
    assert evaluate(stored, training.test)[0] == stated["test_error"]


def test_photographs_are_cropped_at_growing_sizes() -> None:
    train, test = small()
    colour = ImageSet(train.images.repeat(1, 3, 3, 3), train.labels, train.categories, (0.5,) * 3, (0.5,) * 3)
    recipe = replace(RECIPES["photographs"], epochs=3, batch=50, augmentation=ResizedCropFlip((16, 20, 24)))
    held = ImageSet(test.images.repeat(1, 3, 3, 3), test.labels, test.categories, (0.5,) * 3, (0.5,) * 3)
    training = Training(replace(TINY, in_channels=3), colour, held, recipe, probe_images=8)
    seen = []
    original = training.net.forward
    training.net.forward = lambda x: (seen.append(x.shape[-1]), original(x))[1]  # type: ignore[method-assign]
    records = [event for event in training if isinstance(event, EpochRecord)]
    assert {16, 20, 24} <= set(seen)
    assert len(records) == 3


@pytest.mark.parametrize("name", ["resnet20-cifar10", "resnet56-cifar10"])
def test_a_checkpoint_of_the_pytorch_reproduction_is_recognised(tmp_path: Path, name: str) -> None:
    """Its layout: option A, nested `state_dict`, `module.` prefix, `linear` head, `.th` ending."""
    bundled = load_bundled(name)
    state = {f"module.{key.replace('fc.', 'linear.')}": value for key, value in bundled.net.state_dict().items()}
    path = tmp_path / "resnet.th"
    torch.save({"state_dict": state, "best_prec1": 91.7}, path)
    loaded = load(path.read_bytes(), path.name)
    spec = from_query(card(name)["spec"])[0]
    assert (loaded.spec.depth, loaded.spec.shortcut, loaded.spec.classes) == (spec.depth, spec.shortcut, 10)
    assert infer_spec(loaded.net.state_dict()) == spec
    images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(loaded.net(images), bundled.net(images))


@pytest.mark.parametrize("name", run_names())
def test_a_recorded_run_agrees_with_its_card(name: str) -> None:
    about = card(name)
    recorded = read_run(Path(__file__).parents[1] / "assets" / "runs" / f"{name}.parquet")
    assert dict(recorded.card) == {
        name: told for name, told in about.items() if name not in ("scope", "calibration", "answers", "readouts")
    }  # measured later, of the weights
    assert len(recorded.epochs) == about["epochs"]
    assert len(recorded.epochs[-1].branch_ratio) == sum(from_query(about["spec"])[0].blocks)
    assert abs(recorded.epochs[-1].test_error - about["measured"]["test_error"]) < 0.1  # float16 may turn a picture or two


def test_the_bundle_is_small_and_shows_the_degradation() -> None:
    assets = Path(__file__).parents[1] / "assets"
    assert sum(path.stat().st_size for path in assets.rglob("*") if path.is_file()) <= 60e6
    train = {name: card(f"{name}-cifar10")["measured"]["train_error"] for name in ("plain20", "plain56", "resnet20", "resnet56")}
    assert train["plain56"] > train["plain20"] + 5
    assert train["resnet56"] < train["resnet20"]


def test_digits_are_real_and_whole() -> None:
    assert len(digits()) == 1797
