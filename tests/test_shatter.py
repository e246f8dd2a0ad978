"""The gradient along a line of inputs: beside finite differences, and as the paper has it with depth."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from resviz.cli import main
from resviz.data.images import probe_batch
from resviz.figures.shatter import correlation_by_depth, correlation_by_lag, shatter_frame, slopes
from resviz.nets.build import build
from resviz.probes.shatter import SHATTERED, autocorrelation, depths_of, designs_of, shatter
from resviz.spec.net import Block, NetSpec, Norm
from resviz.spec.presets import PRESETS, cifar_blocks

SPEC = NetSpec(width=4, in_channels=1, blocks=(1, 1, 1))


def line(channels: int = 1) -> tuple[Tensor, Tensor]:
    images, _ = probe_batch(2, channels, 8, 10)
    return images[:1], images[1:]


def test_autocorrelation_by_hand() -> None:
    assert autocorrelation(np.array([1.0, -1, 1, -1]), 2).tolist() == pytest.approx([1, -3 / 4, 2 / 4])
    assert autocorrelation(np.array([0.0, 1, 2]), 1).tolist() == pytest.approx([1, 0])
    assert np.isnan(autocorrelation(np.ones(5), 2)).all()


def test_the_slopes_are_those_of_the_function_on_the_line() -> None:
    """With the statistics of the whole line, which stand still; a ReLU's kinks lie between few of the points."""
    start, end = line()
    points = 65
    found = shatter(SPEC, (start, end), (8,), points=points, draws=1)
    net = build(designs_of(SPEC)["residual"])
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        inputs = torch.lerp(start, end, torch.linspace(0, 1, points).view(-1, 1, 1, 1))
        net.train()(inputs)
        fine = torch.linspace(0, 1, points).view(-1, 1, 1, 1).double()
        net.eval().double()
        step = 1e-6
        up, down = (net(start.double() + (fine + by) * (end - start).double())[:, 0] for by in (step, -step))
    expected = ((up - down) / (2 * step)).numpy()
    off = np.abs(found.gradients["residual"][0] - expected) / np.abs(expected).max()
    assert np.median(off) < 1e-4
    assert (off < 1e-2).mean() > 0.95


def test_skips_keep_neighbours_alike_where_a_plain_network_shatters() -> None:
    found = shatter(NetSpec(in_channels=1, width=8), line(), (8, 32), points=128, draws=2)
    assert tuple(found.correlations) == SHATTERED
    near = {name: each[:, 1] for name, each in found.correlations.items()}
    assert near["residual"][1] > near["plain"][1] + 0.3
    assert near["plain"][0] > near["plain"][1] + 0.3
    assert all(each[:, 0] == pytest.approx(1) for each in found.correlations.values())
    assert found.gradients["plain"].shape == (2, 128)
    again = shatter(NetSpec(in_channels=1, width=8), line(), (8,), points=128, draws=2)
    assert np.array_equal(again.gradients["plain"][0], found.gradients["plain"][0])


def test_every_design_has_depths_that_its_blocks_can_have() -> None:
    for name in ("resnet56", "resnet164"):
        spec = PRESETS[name]
        assert all(cifar_blocks(depth, spec.block) for depth in depths_of(spec))
    without = designs_of(NetSpec(norm=Norm.NONE, block=Block.BASIC, cut=frozenset({"layer1.0"})))
    assert [spec.norm for spec in without.values()] == [Norm.BATCH, Norm.BATCH, Norm.NONE]
    assert [spec.residual for spec in without.values()] == [True, False, False]
    assert not any(spec.cut for spec in without.values())


def test_the_figures_show_what_was_measured() -> None:
    found = shatter(SPEC, line(), (8, 20), points=32, draws=1)
    assert [series.name for series in correlation_by_lag(found, 20).series] == list(SHATTERED)
    assert np.asarray(correlation_by_depth(found).series[0].y).tolist() == found.correlations["residual"][:, 1].tolist()
    assert np.abs(np.asarray(slopes(found, 8, "plain").series[0].y)).max() == pytest.approx(1)
    assert len(shatter_frame(found)) == 3 * 2 * 17


def test_the_command_prints_the_correlations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shatter", "width=4&in_channels=1", "--points", "32", "--draws", "1", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["depths"] == list(depths_of(NetSpec()))
    assert set(said["correlations"]) == set(SHATTERED)
    assert "We measure" in said["says"]


def test_a_bundled_network_is_asked_by_its_design(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shatter", "resnet20-digits-0", "--points", "32", "--draws", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["spec"] == "blocks=3-3-3&width=8&in_channels=1"
