"""What a sweep measures besides how a network trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from resviz.cli import main
from resviz.data.datasets import named_sets
from resviz.figures.captions import skips_over_all
from resviz.nets.build import build
from resviz.probes.accuracy import evaluate
from resviz.spec.fields import SpecError
from resviz.spec.sweep import PROBES, read_sweep
from resviz.training.lab import HELD_OUT, Lab
from resviz.training.sweep import measure
from resviz.zoo.sweeps import axes_of, read_table

PLAN = 'steps = 3\nbatch = 16\nnetworks = ["blocks=1-1-1", "blocks=1-1-1&residual=0"]\n'


def test_each_probe_is_another_run_and_training_is_the_one_it_was() -> None:
    keys = [[run.key for run in read_sweep(f'probe = "{probe}"\n' + PLAN).runs] for probe in PROBES]
    assert len({key for some in keys for key in some}) == 2 * len(PROBES)
    assert keys[list(PROBES).index("training")] == [run.key for run in read_sweep(PLAN).runs]
    with pytest.raises(SpecError, match=r"probe='luck' is none of training, gradients, lesions"):
        read_sweep('probe = "luck"\n' + PLAN)


def test_gradients_are_those_of_pytorch_before_any_step() -> None:
    run = read_sweep('probe = "gradients"\n' + PLAN).runs[0]
    row = measure(run)
    net = build(run.plan.contenders[0]).train()
    images, labels = next(named_sets("digits")[0].shuffled(16, 0))
    torch.nn.functional.cross_entropy(net(images), labels).backward()
    norms = [float(weight.grad.norm()) for weight in net.weights().values() if weight.grad is not None]
    assert row["first_gradient"] == pytest.approx(norms[0], rel=1e-4)
    assert row["ratio"] == pytest.approx(norms[0] / norms[-2], rel=1e-4)
    assert row["spread"] == pytest.approx(max(norms) / min(norms), rel=1e-4)
    assert row["steps"] == 0
    assert "accuracy" not in row


@pytest.mark.parametrize("n", [0, 1])
def test_a_lesion_is_the_error_without_a_block_or_a_convolution(n: int) -> None:
    run = read_sweep('probe = "lesions"\n' + PLAN).runs[n]
    row = measure(run)
    lab = Lab(run.plan, lambda: named_sets("digits"), looks=run.steps)
    for _ in range(run.steps):
        lab.advance()
    net, held_out = lab.network(0)
    net.eval()
    whole, _ = evaluate(net, held_out.subset(HELD_OUT))
    assert row["accuracy"] == pytest.approx(100 - whole, abs=1e-3)
    if run.plan.contenders[0].residual:
        added = []
        for _, unit in net.units():
            last = [module for part, module in unit.named_modules() if part.startswith("bn")][-1]
            with torch.no_grad():
                kept = last.weight.clone(), last.bias.clone()
                last.weight.zero_(), last.bias.zero_()
                added.append(evaluate(net, held_out)[0] - whole)
                last.weight.copy_(kept[0]), last.bias.copy_(kept[1])
        assert row["lesion_mean"] == pytest.approx(np.mean(added), abs=1e-3)
        assert row["lesion_most"] == pytest.approx(max(added), abs=1e-3)
    else:
        assert np.isfinite(row["lesion_mean"])


def test_a_plan_does_something_else_of_some_of_it() -> None:
    plan = read_sweep(
        'seeds = [0, 1, 2]\n[grid]\ndepth = [8]\nskips = ["all", "none"]\n[[also]]\nseeds = [0]\ngrid = {depth = [14]}\n'
    )
    done = {(dict(run.settings)["depth"], dict(run.settings)["skips"], run.seed) for run in plan.runs}
    assert done == {("8", skips, seed) for skips in ("all", "none") for seed in range(3)} | {("14", "all", 0), ("14", "none", 0)}
    for text, said in (
        ("[[also]]\nsped = 1", "names 'sped'"),
        ("also = 3", "also must be a list"),
        ("[[also]]\nseeds = 1", "seeds must be"),
    ):
        with pytest.raises(SpecError, match=said):
            read_sweep("networks = ['resnet20']\n" + text)


def test_what_cannot_be_measured_is_refused_or_left_out() -> None:
    with pytest.raises(SpecError, match="every pixel of discs has a class"):
        read_sweep('probe = "lesions"\ndata = "discs"\nnetworks = ["family=unet"]\n')
    none = 'steps = 1\nnetworks = ["family=transformer&image=8&patch=4&num_layers=1&in_channels=1&residual=0"]\n'
    row = measure(read_sweep('probe = "lesions"\n' + none).runs[0])
    assert np.isfinite(row["accuracy"])
    assert "lesion_mean" not in row
    untrainable = 'probe = "gradients"\nbatch = 4\nnetworks = ["blocks=60-60-60&norm=none&init=pytorch&residual=0"]\n'
    assert "spread" in measure(read_sweep(untrainable).runs[0])


def test_a_table_of_gradients_is_made_read_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, out = tmp_path / "plan.toml", tmp_path / "plan.parquet"
    plan.write_text('probe = "gradients"\nseeds = [0, 1]\n[grid]\ndepth = [8, 14]\nskips = ["all", "none"]\n')
    assert main(["sweep", str(plan), "--out", str(out), "--workers", "1"]) == 0
    table = read_table(out.read_bytes())
    assert len(table) == 8
    assert set(axes_of(table)) == {"depth", "skips"}
    assert skips_over_all(table) == ""
    assert main(["sweep", str(plan), "--out", str(out), "--workers", "1", "--check", "2"]) == 0
    assert "2 of 2 equal to the bit" in capsys.readouterr().out
