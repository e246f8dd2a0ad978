"""Sweeps: which runs a plan has, that each is done once whatever is killed, and what a table is drawn as."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from resviz.cli import main
from resviz.figures.recolour import recoloured
from resviz.figures.sweep import grouped, sweep_lines, sweep_map
from resviz.figures.theme import dark
from resviz.spec.fields import SpecError
from resviz.spec.query import from_query
from resviz.spec.sweep import read_sweep
from resviz.training.sweep import Done, Failed, locally, measure, on_ray
from resviz.zoo.sweeps import axes_of, bundled_sweep, read_table, sweep_names
from tests.house import ROOT
from tests.sweeping import MEASURED, Sweep, kill_one, two_nodes, unlike, workers
from tests.test_theme import contrast

PLAN = """
steps = 2
seeds = [0, 1]
[grid]
depth = [8, 14]
skips = ["all", "none"]
"""


def test_a_plan_has_every_combination_once_for_each_seed() -> None:
    plan = read_sweep(PLAN)
    assert len(plan.runs) == 2 * 2 * 2
    assert len({run.key for run in plan.runs}) == 8
    depths = {(from_query(run.network)[0].depth, from_query(run.network)[0].residual, run.seed) for run in plan.runs}
    assert depths == {(depth, residual, seed) for depth in (8, 14) for residual in (True, False) for seed in (0, 1)}


def test_a_key_is_of_what_is_computed_and_of_nothing_else() -> None:
    by_grid = read_sweep(PLAN).runs
    by_name = read_sweep('steps = 2\nseeds = [1, 0]\nnetworks = ["blocks=2-2-2", "blocks=1-1-1&residual=0"]').runs
    assert {run.key for run in by_name} <= {run.key for run in by_grid}
    assert not {run.key for run in read_sweep(PLAN.replace("steps = 2", "steps = 3")).runs} & {run.key for run in by_grid}
    assert not {run.key for run in read_sweep("lr = 0.1" + PLAN).runs} & {run.key for run in by_grid}


def test_what_cannot_be_built_is_left_out_with_its_reason() -> None:
    plan = read_sweep(PLAN + 'norm = ["batch", "none"]\ninit = ["kaiming", "zero-gamma"]\n')
    assert len(plan.left_out) == 4
    assert all("zero-gamma needs a norm" in reason for _, reason in plan.left_out)
    assert len(plan.runs) == 2 * (16 - 4)


def test_a_row_s_settings_are_its_network_s() -> None:
    """Fixup is nothing without skips: such a network is another one, which is not called so."""
    plan = read_sweep('steps = 1\n[grid]\ndepth = [8]\nskips = ["all", "none"]\nnorm = ["none"]\ninit = ["kaiming", "fixup"]')
    assert [dict(run.settings)["init"] for run in plan.runs if dict(run.settings)["skips"] == "none"] == ["kaiming"]
    assert [reason for _, reason in plan.left_out] == ["init=fixup is for networks with skips; without them it would be kaiming"]
    for run in plan.runs:
        assert from_query(run.network)[0].init == dict(run.settings)["init"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps = ", "no TOML"),
        ("speed = 1", "'speed' is none of title, data"),
        ('data = "imagenet"', "data='imagenet' is none of digits"),
        ("steps = 0\n[grid]\ndepth = [8]", "steps must be from 1 to 100000, got 0"),
        ("seeds = 3\n[grid]\ndepth = [8]", "seeds must be a list such as [0, 1, 2], got 3"),
        ("[grid]\ndepth = [9]", "depth=9 is not 6n + 2; nearest: 8"),
        ('[grid]\nskips = ["some"]', "skips='some' is none of all, none"),
        ('[grid]\ncolour = ["red"]', "'colour' is not a parameter"),
        ("", "names no network"),
        ("lr = 99\n[grid]\ndepth = [8]", "lr must be from 1e-06 to 10, got 99"),
    ],
)
def test_a_plan_that_cannot_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=r"^[^\n]*$") as error:
        read_sweep(text)
    assert said in str(error.value)


def test_a_seed_draws_other_weights_and_the_same_one_the_same_numbers() -> None:
    runs = {run.seed: run for run in read_sweep("steps = 1\nseeds = [0, 1]\n[grid]\ndepth = [8]").runs}
    one, again, other = measure(runs[0]), measure(runs[0]), measure(runs[1])
    assert [one.get(name) for name in MEASURED] == [again.get(name) for name in MEASURED]
    assert one["first_gradient"] != other["first_gradient"]


def test_a_run_that_diverges_is_a_row() -> None:
    (run,) = read_sweep('steps = 30\nlr = 10\n[grid]\ndepth = [20]\nnorm = ["none"]').runs
    row = measure(run)
    assert row["diverged"] > 0
    assert np.isnan(row["accuracy"])


def test_a_worker_that_is_killed_costs_its_run_s_time_and_nothing_else() -> None:
    runs, ended = read_sweep(PLAN).runs, []
    for each in locally(runs, 1):
        ended.append(each)
        if len(ended) == 2:
            there = workers("spawn_main")
            for worker in there:
                worker.kill()
            assert there
    assert all(isinstance(each, Done) for each in ended)
    assert sorted(each.run.key for each in ended) == sorted(run.key for run in runs)


def test_a_run_s_own_failure_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = read_sweep("steps = 1\n[grid]\ndepth = [8, 14]").runs
    broken = type(bad)("blocks=0-0", *(getattr(bad, name) for name in ("settings", "data", "steps", "lr", "batch", "seed")))
    ended = {each.run.network: each for each in locally([broken, good], 1)}
    assert isinstance(ended["blocks=0-0"], Failed)
    assert "blocks" in ended["blocks=0-0"].reason
    assert isinstance(ended[good.network], Done)


def test_killed_and_resumed_it_has_every_row_once(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, PLAN, "--workers", "1")
    first = sweep.start()
    assert sweep.reaches(2, first)
    its = psutil.Process(first.pid).children(recursive=True)
    first.kill()
    first.communicate()
    _, alive = psutil.wait_procs(its, timeout=30)
    assert not alive  # none outlives whoever asked
    there = len(sweep.done())
    assert 2 <= there < 8
    for left in (sweep.rows / ".key.1.part", tmp_path / ".out.parquet.1.part"):  # as of a kill amid writing
        left.touch()
    second = sweep.start()
    said, _ = second.communicate()
    assert second.returncode == 0, said
    assert f"8 runs, {there} of them done before" in said
    assert not list(tmp_path.rglob("*.part"))
    undisturbed = pd.DataFrame([measure(run) for run in read_sweep(PLAN).runs])
    table = pd.read_parquet(sweep.out)
    assert table["key"].is_monotonic_increasing
    assert unlike(table[undisturbed.columns], undisturbed) == (0, 0, 0)


def test_tables_are_told_apart() -> None:
    table = pd.DataFrame({"key": ["a", "b"], "loss": [np.nan, 1.0], "seconds": [1.0, 2.0]})
    assert unlike(table[::-1].assign(seconds=0.0), table) == (0, 0, 0)
    assert unlike(table[:1], table) == (1, 0, 0)
    assert unlike(pd.concat([table, table[1:]]), table) == (0, 1, 0)
    assert unlike(table.assign(loss=[0.0, np.nextafter(1.0, 2.0)]), table) == (0, 0, 2)


def test_rows_of_a_table_are_measured_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, out = tmp_path / "plan.toml", tmp_path / "out.parquet"
    plan.write_text(PLAN, encoding="utf-8")
    runs = read_sweep(PLAN).runs[:3]
    table = pd.DataFrame([measure(run) for run in runs])
    table.to_parquet(out)
    asked = ["sweep", str(plan), "--out", str(out), "--check", "2"]
    assert main(asked) == 0
    assert "2 of 3 rows" in (said := capsys.readouterr().out)
    assert "2 of 2 equal to the bit, 2 within" in said
    assert "farthest by 0 of the first gradient and 0 points" in said
    table.assign(first_gradient=1.01 * table["first_gradient"]).to_parquet(out)
    assert main(asked) == 1
    assert "0 of 2 equal to the bit, 0 within" in (said := capsys.readouterr().out)
    assert "farthest by 0.0099 of the first gradient and 0 points" in said
    table.assign(accuracy=np.nan).to_parquet(out)  # kept as diverged, and is not
    assert main(asked) == 1
    assert "0 within" in (said := capsys.readouterr().out)
    assert "and inf points" in said


def test_without_ray_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    assert main(["sweep", str(tmp_path / "plan.toml"), "--out", str(tmp_path / "x.parquet"), "--ray", "auto"]) == 2
    assert "pip install" in capsys.readouterr().err


def test_a_lost_node_and_a_killed_worker_change_no_number() -> None:
    pytest.importorskip("ray.cluster_utils")
    ended = []
    with two_nodes() as (cluster, node):
        for each in on_ray(read_sweep(PLAN).runs, cluster.address):
            ended.append(each)
            if len(ended) == 1:
                cluster.remove_node(node, allow_graceful=False)
                assert kill_one("ray::measure")
    assert all(isinstance(each, Done) for each in ended)
    local = pd.DataFrame([measure(run) for run in read_sweep(PLAN).runs])
    assert unlike(pd.DataFrame([each.row for each in ended]), local) == (0, 0, 0)


TABLE = pd.DataFrame(
    [
        {
            "depth": depth,
            "skips": skips,
            "seed": seed,
            "accuracy": value,
            "ratio": 10.0**seed,
            "key": f"{depth}{skips}{seed}",
            "network": "blocks=1-1-1",
        }
        for depth, skips, values in ((8, "all", (90, 94, 91)), (8, "none", (np.nan,) * 3), (20, "all", (95, 95, 95)))
        for seed, value in enumerate(values)
    ]
)


def test_medians_and_ranges_are_of_the_runs_that_ended_well() -> None:
    found = grouped(TABLE, ("skips", "depth"), "accuracy")
    assert found["all", 8][:4] == (91, 90, 94, 3)
    assert str(found["none", 8]) == "diverged"
    assert str(found["all", 20]) == "95.0"
    axes = axes_of(TABLE)
    assert axes == {"depth": [8, 20], "skips": ["all", "none"]}
    drawn = sweep_map(TABLE, "skips", "depth", axes, "accuracy")
    (cells,) = drawn.data
    assert [list(row) for row in cells.customdata] == [["91.0 (90.0–94.0)", "95.0"], ["diverged", ""]]
    assert [(each.y, each.x, each.text) for each in drawn.layout.annotations if each.text] == [
        (0, 0, "91.0"),
        (0, 1, "95.0"),
        (1, 0, "diverged"),
    ]
    lines = {series.name: list(series.y) for series in sweep_lines(TABLE, "depth", "skips", axes, "ratio").series}
    assert lines["skips=all"] == [1, 1]
    assert lines["skips=all, greatest"] == [2, 2]
    assert all(np.isnan(lines["skips=none"][1:]))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_cell_can_be_read(theme: str) -> None:
    values = np.linspace(0, 100, 40)
    table = pd.DataFrame({"depth": range(40), "skips": "all", "seed": 0, "accuracy": values, "key": [str(n) for n in range(40)]})
    drawn = sweep_map(table, "skips", "depth", {"depth": list(range(40)), "skips": ["all"]}, "accuracy")
    if theme == "dark":
        drawn = recoloured(drawn, dark)
    ramp = [colour for _, colour in drawn.data[0].colorscale]
    assert len(drawn.layout.annotations) == 40
    for n, each in enumerate(drawn.layout.annotations):
        assert contrast(ramp[round(n / 39 * (len(ramp) - 1))], each.font.color) > 3.5


@pytest.mark.parametrize(("data", "said"), [(b"no", "no Parquet file"), (b"", "no Parquet file")])
def test_what_is_no_table_is_refused_in_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_table(data)


def test_a_table_of_something_else_names_what_is_missing(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="column 'key' is missing"):
        read_table((tmp_path / "x.parquet").read_bytes())


def test_the_bundled_sweep_is_measured_again(tmp_path: Path) -> None:
    """Two of its quickest rows; another kind of processor may add in another order."""
    for name in sweep_names():
        table = bundled_sweep(name)
        assert table["key"].is_unique
        plan = read_sweep((ROOT / "assets" / "sweeps" / f"{name}.toml").read_text(encoding="utf-8"))
        assert {run.key for run in plan.runs} == set(table["key"])
        for row in table.to_dict("records"):
            spec = from_query(row["network"])[0]
            assert (spec.depth, spec.norm, spec.init, spec.residual) == (
                row["depth"],
                row["norm"],
                row["init"],
                row["skips"] == "all",
            )
        for run in sorted(plan.runs, key=lambda run: run.plan.contenders[0].depth)[:2]:
            kept, again = table.set_index("key").loc[run.key], measure(run)
            assert again["first_gradient"] == pytest.approx(kept["first_gradient"], rel=1e-3)
            assert again["accuracy"] == pytest.approx(kept["accuracy"], abs=5)
