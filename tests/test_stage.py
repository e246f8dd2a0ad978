"""Home's stage: what was recorded, that it is what is measured here, and what the page is handed of it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resviz.data.datasets import named_sets
from resviz.figures import captions
from resviz.figures.doors import learning_curves
from resviz.figures.stage import stage_data, stage_json
from resviz.nets.build import build
from resviz.probes.gradients import gradient_probe
from resviz.recordings import RUNS, read_run
from resviz.results import Run, Stage
from resviz.spec.comparisons import COMPARISONS
from resviz.spec.lab import LabPlan
from resviz.spec.net import DESIGNS, Design
from resviz.training import stage as recorder
from resviz.training.stage import PLAN, patterns, record
from resviz.ui.components.stage import STAGE, read_stage
from resviz.zoo import first
from resviz.zoo.first import FIRST, First, read_first, write_first

PLAN_OF_TWO = replace(PLAN, contenders=tuple(replace(spec, blocks=(1, 1, 1), width=8) for spec in PLAN.contenders), steps=2)


@pytest.fixture(scope="module")
def stage() -> Stage:
    return read_first("home").values["stage"]


@pytest.fixture(scope="module")
def runs() -> dict[Design, Run]:
    return {
        "residual": read_run(RUNS / "resnet56-cifar10.parquet"),
        "plain": read_run(RUNS / "plain56-cifar10.parquet"),
    }


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return record(PLAN_OF_TWO, tmp_path_factory.mktemp("kept"))


def test_the_recording_is_the_labs_first_comparison_with_its_card(stage: Stage) -> None:
    card = read_first("home").card
    assert (card["command"], card["data"], card["seed"]) == (
        "python -m resviz first home",
        "Handwritten digits",
        0,
    )
    assert card["machine"]
    assert card["measured"]
    assert stage.plan == replace(COMPARISONS["With skips or without"](56), steps=150)
    assert (FIRST / "home.npz").stat().st_size <= 60_000


def test_what_the_page_reads_is_what_was_recorded(stage: Stage, runs: dict[Design, Run]) -> None:
    assert STAGE.stat().st_size <= 60_000
    data, note = read_stage()
    held = json.loads(stage_json(stage, read_first("home").card, runs))
    assert (data, note) == (held["data"], held["note"])


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"note": "n"}', '{"data": 3, "note": ""}'])
def test_a_damaged_stage_is_one_sentence(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "home.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"home\.json cannot be read"):
        read_stage(path)


def test_every_pattern_was_trained(stage: Stage) -> None:
    layers, skips = 56, 27
    assert stage.gradients.shape == (2, 150, layers)
    assert stage.loss.shape == stage.accuracy.shape == (2, 150)
    assert len(stage.blocks) == skips
    cuts = patterns(stage.blocks)
    assert stage.cuts == tuple(cuts)
    assert stage.cut_gradients.shape == (len(cuts), layers)
    counts = sorted(len(cut) for cut in cuts.values())
    assert counts == sorted([1] * skips + 2 * [*range(2, skips)] + [13, 14])
    assert len(set(cuts.values())) == len(cuts)
    assert cuts["first:9"] == set(stage.blocks[:9])
    assert cuts["last:9"] == set(stage.blocks[-9:])
    assert np.isfinite(stage.cut_accuracy).all()


def test_skips_decide_between_learning_and_guessing(stage: Stage) -> None:
    residual, plain = stage.accuracy[:, -1]
    assert residual > 80
    assert plain < 15
    first_over_last = stage.gradients[:, -1, 0].astype(float) - stage.gradients[:, -1, -2]
    assert abs(first_over_last[0]) < 2
    assert first_over_last[1] < -20


def test_the_first_step_is_what_the_probe_measures_here(stage: Stage) -> None:
    """In orders of magnitude: another processor rounds differently, and 56 plain layers multiply what it rounds."""
    images, labels = next(named_sets("digits")[0].shuffled(stage.plan.batch, 0))
    for recorded, spec in zip(stage.gradients[:, 0], stage.plan.contenders, strict=True):
        profile = gradient_probe(build(spec).train(), images, labels).profile
        assert profile.names == stage.layers
        assert np.allclose(np.log10(profile.norms), recorded, atol=0.2)


def test_a_recording_is_read_back_as_it_was_made(tiny: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_first("home", First({"stage": tiny}, {}), tmp_path)
    monkeypatch.setattr(first, "FIRST", tmp_path)
    again = read_first("home").values["stage"]
    assert (again.plan, again.cuts, again.layers, again.images) == (tiny.plan, tiny.cuts, tiny.layers, tiny.images)
    for name in ("gradients", "loss", "accuracy", "cut_gradients", "cut_accuracy"):
        assert np.array_equal(getattr(again, name), getattr(tiny, name))


def test_what_is_recorded_twice_is_the_same(tiny: Stage, tmp_path: Path) -> None:
    again = record(PLAN_OF_TWO, tmp_path)
    for name in ("gradients", "loss", "accuracy", "cut_gradients", "cut_accuracy"):
        assert np.allclose(getattr(again, name).astype(float), getattr(tiny, name).astype(float), atol=0.02), name


def test_a_recording_that_was_stopped_is_taken_up(tiny: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[LabPlan] = []

    class Stopping(recorder.Lab):
        def __init__(self, plan: LabPlan, *more: object, **named: object) -> None:
            begun.append(plan)
            if len(begun) == 4:
                raise KeyboardInterrupt
            super().__init__(plan, *more, **named)

    monkeypatch.setattr(recorder, "Lab", Stopping)
    with pytest.raises(KeyboardInterrupt):
        record(PLAN_OF_TWO, tmp_path)
    taken_up = record(PLAN_OF_TWO, tmp_path)
    trainings = 2 + len(set(patterns(tiny.blocks).values()))
    assert len(begun) == trainings + 1  # the one that was interrupted began twice
    assert np.allclose(taken_up.cut_accuracy, tiny.cut_accuracy)


def test_without_any_skip_it_is_the_plain_network() -> None:
    residual, plain = PLAN_OF_TWO.contenders
    cut = replace(residual, cut=frozenset(residual.block_names()))
    lab = recorder.Lab(replace(PLAN_OF_TWO, contenders=(cut, plain)), lambda: named_sets("digits"))
    lab.advance()
    lab.advance()
    with_cuts, without = lab.record().tracks
    assert np.allclose(with_cuts.gradients, without.gradients, rtol=1e-4)


def _decades(packed: str, data: dict[str, object]) -> np.ndarray:
    shares = np.frombuffer(base64.b64decode(packed), np.uint8).astype(float)
    decades = data["floor"] + (shares - 1) / 254 * (data["top"] - data["floor"])
    return np.where(shares == 0, -np.inf, decades).reshape(-1, len(data["layers"]))


def test_the_page_is_handed_the_recording_to_a_byte(stage: Stage, runs: dict[Design, Run]) -> None:
    data = stage_data(stage, runs)
    step = (data["top"] - data["floor"]) / 254
    given = {design: stage.gradients[i] for i, design in enumerate(DESIGNS)}
    for found, recorded in ((data[d]["gradients"], given[d]) for d in DESIGNS):
        assert np.allclose(_decades(found, data), recorded.astype(float), atol=step)
    assert np.allclose(_decades(data["cuts"]["gradients"], data), stage.cut_gradients.astype(float), atol=step)
    assert np.allclose(data["cuts"]["accuracy"], stage.cut_accuracy, atol=0.05)
    assert np.allclose(data["plain"]["reach"], stage.gradients[1, :, 0].astype(float) - stage.gradients[1, :, -2], atol=0.02)
    assert data["residual"]["name"] == "ResNet-56 · no norm · PyTorch init"
    for design, run in runs.items():
        assert data["norm"][design]["error"] == run.epochs[-1].train_error


def test_a_gradient_of_nothing_has_no_place_on_the_scale(stage: Stage, runs: dict[Design, Run]) -> None:
    gone = stage.gradients.copy()
    gone[1, :, 0] = -np.inf
    data = stage_data(replace(stage, gradients=gone), runs)
    assert np.isneginf(_decades(data["plain"]["gradients"], data)[:, 0]).all()
    assert np.isfinite(_decades(data["residual"]["gradients"], data)).all()


def test_without_the_runs_with_batch_norm_that_part_is_absent(stage: Stage, runs: dict[Design, Run]) -> None:
    assert stage_data(stage, {"plain": runs["plain"]})["norm"] is None


def test_the_other_half_of_the_story_says_the_runs_numbers(runs: dict[Design, Run]) -> None:
    assert captions.norm_answer(runs) == (
        "With batch norm the gradient does arrive (at the first layer 0.280 and 1.01 times the last convolution's), yet after 30 epochs "
        "on CIFAR-10 Plain-56 gets 30.7 % of its training pictures wrong, ResNet-56 7.0 %. So the story has two parts."
    )
    assert captions.norm_answer({"plain": runs["residual"], "residual": runs["plain"]}) == (
        "With batch norm the gradient is another (at the first layer 1.01 and 0.280 times the last convolution's), and after 30 epochs "
        "on CIFAR-10 ResNet-56 gets 7.0 % of its training pictures wrong, Plain-56 30.7 %."
    )


def test_the_doors_curves_end_where_the_networks_did(stage: Stage) -> None:
    svg = learning_curves(stage)
    for accuracy in stage.accuracy[:, -1]:
        assert f"{accuracy:.1f} %" in svg
    assert svg.count("light-dark(") >= 4
