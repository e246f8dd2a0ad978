"""Methods ranked over pictures: from the network to the command line, what they leave alone, and how they end."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from resviz.attribution.question import Asked
from resviz.attribution.trust.many import Picture, decoded, expected_seconds, rank_methods
from resviz.cli import main
from resviz.data.unpack import files_of
from resviz.data.uploads import sample_photographs
from resviz.figures.captions import trust_baseline_note, trust_ranking_note
from resviz.figures.trust import interval_table, picture_table, rank_dots, ranking_table
from resviz.progress import Cancelled
from resviz.results import METRICS, Ranking
from resviz.zoo.bundled import load_bundled
from resviz.zoo.classifier import Classifier

METHODS = (Asked("saliency"), Asked("grad-cam", "layer3.2"))


@pytest.fixture(scope="module")
def network() -> Classifier:
    return load_bundled("resnet20-cifar10")


def pictures(*names: str) -> list[Picture]:
    return [(name, sample_photographs()[name]) for name in names]


@pytest.fixture(scope="module")
def found(network: Classifier) -> Ranking:
    """Two methods on two photographs."""
    return rank_methods(network, pictures("Cat", "Temple"), METHODS)


def test_what_is_reported_is_the_median_over_the_pictures(found: Ranking) -> None:
    assert set(found.scores) == set(found.medians) == set(METRICS)
    for name, scores in found.scores.items():
        assert scores.shape == (2, 2)
        for intervals, values in zip(found.medians[name], scores, strict=True):
            known = values[np.isfinite(values)]
            if len(known):
                assert intervals.value == pytest.approx(np.median(known))
                assert intervals.low == pytest.approx(known.min())
                assert intervals.high == pytest.approx(known.max())
            else:
                assert math.isnan(intervals.value)
    assert sum(rank.value for rank in found.ranks) == pytest.approx(3)  # 1 and 2, whoever has which
    assert found.ranks[found.order[0]].value <= found.ranks[found.order[1]].value
    assert sum(found.first) >= 1
    assert set(found.survives) == {"black", "blur", "noise"}


def test_every_metric_is_within_its_bounds(found: Ranking) -> None:
    for name in ("flipping", "road", "localisation", "randomisation", "sparseness"):
        known = found.scores[name][np.isfinite(found.scores[name])]
        assert ((known >= 0) & (known <= 1)).all(), name
    assert (np.abs(found.scores["random-logit"]) <= 1).all()
    assert (found.scores["complexity"] <= math.log(32 * 32)).all()
    assert np.isnan(found.scores["completeness"]).all()  # neither of the two promises it
    assert (found.scores["localisation"][1] > found.scores["localisation"][0]).all()  # Grad-CAM points, saliency scatters


def test_the_shared_network_stays_as_it_was_and_a_run_repeats_itself(network: Classifier, found: Ranking) -> None:
    before = {name: tensor.clone() for name, tensor in network.private_view().state_dict().items()}
    heard: list[float] = []

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        heard.append(fraction)
        return False

    again = rank_methods(network, pictures("Cat", "Temple"), METHODS[1:], tick)
    after = network.private_view().state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert heard == sorted(heard)
    assert 0.9 < heard[-1] <= 1
    for name in METRICS:
        assert again.scores[name] == pytest.approx(found.scores[name][1:], abs=1e-6, nan_ok=True)  # whoever is measured beside it


def test_a_run_ends_where_it_is_told_to(network: Classifier) -> None:
    def stop(fraction: float, note: str = "", partial: object = None) -> bool:
        if fraction > 0.1:
            raise Cancelled
        return False

    with pytest.raises(Cancelled):
        rank_methods(network, pictures("Cat", "Temple"), METHODS, stop)


def test_how_long_it_takes_grows_with_what_is_asked(network: Classifier) -> None:
    few = expected_seconds(network, METHODS, 2)
    assert 0 < few < expected_seconds(network, METHODS, 20)
    assert few < expected_seconds(network, (*METHODS, Asked("integrated-gradients")), 2)


def test_what_cannot_be_asked_is_one_sentence(network: Classifier) -> None:
    for given, methods, baseline, says in (
        (pictures("Cat"), (), "mean", "no method to rank"),
        ([], METHODS, "mean", "no picture to measure on"),
        (pictures("Cat"), (Asked("salience"),), "mean", "is no method"),
        (pictures("Cat"), METHODS, "grey", "is no baseline"),
    ):
        with pytest.raises(ValueError, match=says):
            rank_methods(network, given, methods, baseline=baseline)


def test_the_tables_hold_every_number(found: Ranking) -> None:
    table, long = ranking_table(found), interval_table(found)
    assert list(table["method"]) == [found.methods[i] for i in found.order]
    assert len(long) == 2 * (1 + len(METRICS))
    row = long[(long["method"] == "Saliency") & (long["metric"] == "sparseness")].iloc[0]
    assert row["median"] == pytest.approx(np.median(found.scores["sparseness"][0]))
    assert len(picture_table(found)) == 4
    drawn = rank_dots(found)
    assert [trace.x[0] for trace in drawn.data] == [found.ranks[i].value for i in found.order]
    best = drawn.data[0]
    assert best.x[0] + best.error_x.array[0] == pytest.approx(found.ranks[found.order[0]].high)


def test_the_command_says_what_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    sample_photographs()["Cat"].save(inbox / "cat.png")
    (inbox / "broken.jpg").write_bytes(b"no picture")
    argv = ("trust", "resnet20-cifar10", "--pictures", str(inbox), "--methods", "input-x-gradient", "--json")
    assert main([*argv, "--out", str(tmp_path / "ranks.csv")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pictures"] == {"cat.png": "cat"}
    assert said["methods"]["Input × Gradient"]["localisation"]["value"] is None  # there is no other class to lay beside it
    assert len(said["left_out"]) == 1
    assert said["left_out"][0].startswith("broken.jpg: ")
    assert (tmp_path / "ranks.csv").read_text().startswith("method,metric,median")
    assert main(["trust", "resnet20-cifar10", "--pictures", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [name for name, _ in decoded(files_of(inbox))] == ["broken.jpg", "cat.png"]


def test_the_notes_are_of_these_numbers(found: Ranking) -> None:
    best = found.methods[found.order[0]]
    assert f"**{best}** has the best mean rank" in trust_ranking_note(found)
    assert "Over 2 pictures" in trust_ranking_note(found)
    assert all(kind in trust_baseline_note(found) for kind in ("black", "blur", "noise", "mean"))
