"""A training's way in the plane of its principal components: beside a plain decomposition, and its losses beside moved networks."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from resviz.cli import main
from resviz.figures.landscape import loss_range
from resviz.figures.trajectory import trajectory_frame, trajectory_map
from resviz.nets.build import build
from resviz.probes.trajectory import components, trajectory
from resviz.spec.net import NetSpec
from resviz.training.descent import descent, learned_from

SPEC = NetSpec(blocks=(1, 1), width=4, in_channels=1)
NET, KEPT = descent(SPEC, steps=12, every=4)


def rows() -> np.ndarray:
    """(moments, weights): every difference from the end."""
    every = np.stack([torch.cat([weight.flatten() for weight in each.values()]).double().numpy() for each in KEPT.values()])
    return every - every[-1]


def test_components_are_those_of_a_singular_value_decomposition() -> None:
    axes, at, variance = components(list(KEPT.values()))
    centred = rows() - rows().mean(0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    shares = sizes**2 / (sizes**2).sum()
    assert variance == pytest.approx(tuple(shares[:2]), rel=1e-6)
    for k in (0, 1):
        axis = torch.cat([part.flatten() for part in axes[k].values()]).numpy()
        assert abs(axis @ directions[k]) == pytest.approx(1, abs=1e-6)
        assert at[:, k] == pytest.approx(rows() @ axis)
    assert at[-1] == pytest.approx([0, 0], abs=1e-12)
    assert (at[0] <= 1e-9).all()
    assert sum(variance) < 1


def test_a_path_within_a_plane_is_seen_whole() -> None:
    one, other = torch.tensor([3.0, 4, 0]) / 5, torch.tensor([0.0, 0, 1])
    moments = [{"w": 2 * one + other}, {"w": one + 3 * other}, {"w": one}, {"w": torch.zeros(3)}]
    _, at, variance = components(moments)
    assert sum(variance) == pytest.approx(1)
    apart = np.linalg.norm(at[:, None] - at[None], axis=-1)
    flat = torch.stack([each["w"] for each in moments]).double().numpy()
    assert apart == pytest.approx(np.linalg.norm(flat[:, None] - flat[None], axis=-1), abs=1e-6)


def test_weights_are_kept_at_the_start_after_every_few_steps_and_at_the_end() -> None:
    assert list(KEPT) == [0, 4, 8, 12]
    assert list(descent(SPEC, steps=5, every=3)[1]) == [0, 3, 5]
    start = build(SPEC).weights()
    assert all(torch.equal(KEPT[0][name], weight) for name, weight in start.items())
    assert all(torch.equal(KEPT[12][name], weight) for name, weight in NET.weights().items())
    assert not NET.training


def test_every_point_is_the_loss_of_a_network_that_was_moved_there() -> None:
    images, targets = learned_from(32)
    before = copy.deepcopy(NET.state_dict())
    found = trajectory(NET, KEPT, (images, targets), grid=3)
    assert all(torch.equal(value, before[name]) for name, value in NET.state_dict().items())
    axes, at, _ = components(list(KEPT.values()))
    moved = copy.deepcopy(NET).train()
    for i, y in enumerate(found.ys.tolist()):
        for j, x in enumerate(found.xs.tolist()):
            with torch.no_grad():
                for name, weight in moved.weights().items():
                    weight.copy_(NET.weights()[name] + x * axes[0][name] + y * axes[1][name])
                loss = nn.functional.cross_entropy(moved(images), targets).item()
            assert found.losses[i, j] == pytest.approx(loss, rel=1e-3)
    assert found.xs[0] < at[:, 0].min() < at[:, 0].max() < found.xs[-1]
    assert found.guess == pytest.approx(math.log(10))


def test_figure_and_table_have_the_path() -> None:
    found = trajectory(NET, KEPT, learned_from(16), grid=3)
    figure = trajectory_map(found, loss_range([found.losses]))
    way = figure.data[-1]
    assert list(way.x) == found.at[:, 0].tolist()
    assert (way.text[0], way.text[-1]) == ("start", "end")
    assert "of the variance" in figure.layout.xaxis.title.text
    assert trajectory_frame({"plain": found}).step.tolist() == [0, 4, 8, 12]


def test_what_has_no_plane_is_refused() -> None:
    still = {"w": torch.ones(3)}
    with pytest.raises(ValueError, match="at least 3 moments of a training, got 2"):
        components([still, still])
    with pytest.raises(ValueError, match="did not move"):
        components([still, still, still])


def test_the_command_prints_path_and_shares(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trajectory", "width=4&blocks=1", "--steps", "6", "--every", "2", "--grid", "3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["steps"] == [0, 2, 4, 6]
    assert len(said["at"]) == 4
    assert 0 < sum(said["variance"]) <= 1.0001
    assert "Li et al. 2018" in said["says"]
