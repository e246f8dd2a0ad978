"""`sweep`: every combination of a plan trained once for each seed, resumed at any time."""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from resviz.cli.values import BAR, Commands, at_least, out_file
from resviz.guard import quoted
from resviz.spec.sweep import Run, Sweep, read_sweep

__all__ = ["add"]

# what is checked, how far it may be and whether relatively: another processor adds in another order, and 150 steps make much of that
_CHECKED = {"first_gradient": (1e-3, True), "accuracy": (5.0, False)}
_WITHIN = "a thousandth of the first gradient and 5 points of accuracy"
_TIMED = 3  # runs that are timed before anything is begun, from the least to the deepest


def _sweep(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from resviz.machine import cores
    from resviz.training.sweep import Done, Failed, Store, locally, on_ray

    plan = read_sweep(_text(args.plan))
    out = out_file(args.out or Path(args.plan).with_suffix(".parquet").name, (".parquet",))
    assert out is not None  # a name was given
    if args.check:
        return _check(plan, out, args.check, args.workers or cores())
    store = Store(out.with_suffix(".runs"))
    done = store.done()
    left = [run for run in plan.runs if run.key not in done]
    workers = args.workers or cores()
    print(f"{len(plan.runs)} runs, {len(plan.runs) - len(left)} of them done before; rows in {store.folder}")
    for reason, some in groupby(sorted(plan.left_out, key=_reason), _reason):
        settings = [each for each, _ in some]
        print(f"left out: {len(settings)} combinations such as {settings[0]}: {reason}")
    if args.estimate:
        print(_estimate(left, workers))
        return 0
    failed: list[Failed] = []
    ended: Iterator[Done | Failed] = on_ray(left, args.ray) if args.ray else locally(left, workers)
    for each in tqdm(ended, total=len(left), unit="run", **BAR):
        if isinstance(each, Done):
            store.put(each.run, each.row)
        else:
            failed.append(each)
    print(f"{store.write(plan.runs, out)} rows in {out}")
    for each in failed:
        print(f"failed: {each.run.network}, seed {each.run.seed}: {each.reason}")
    return 1 if failed else 0


def _check(plan: Sweep, out: Path, count: int, workers: int) -> int:
    """Measure rows of a table again, drawn at random, and say how far they are from what it holds."""
    from resviz.training.sweep import Failed, locally
    from resviz.zoo.sweeps import read_table

    kept = read_table(out.read_bytes()).set_index("key")
    known = [run for run in plan.runs if run.key in kept.index]
    drawn = random.sample(known, min(count, len(known)))
    print(f"{len(drawn)} of {len(known)} rows of {out}, each as it is kept and as it is measured now")
    wrong, same, farthest = 0, 0, [0.0] * len(_CHECKED)
    for each in locally(drawn, workers):
        if isinstance(each, Failed):
            print(f"failed: {each.run.network}, seed {each.run.seed}: {each.reason}")
            wrong += 1
            continue
        row: dict[str, object] = {**each.row}
        before, now = ([float(str(held.get(name, "nan"))) for name in _CHECKED] for held in (kept.loc[each.run.key], row))
        said = ", ".join(f"{name} {a:.6g} {b:.6g}" for name, a, b in zip(_CHECKED, before, now, strict=True))
        print(f"{each.run.network}, seed {each.run.seed}: {said}")
        apart = [_apart(a, b, relative) for a, b, (_, relative) in zip(before, now, _CHECKED.values(), strict=True)]
        farthest = [max(each) for each in zip(farthest, apart, strict=True)]
        same += not any(apart)
        wrong += any(by > limit for by, (limit, _) in zip(apart, _CHECKED.values(), strict=True))
    gradient, points = farthest
    print(
        f"{same} of {len(drawn)} equal to the bit, {len(drawn) - wrong} within {_WITHIN};"
        f" farthest by {gradient:.2g} of the first gradient and {points:.2g} points"
    )
    return 1 if wrong else 0


def _apart(kept: float, now: float, relative: bool) -> float:
    """How far a number is from the one that is kept; two that are no numbers agree, and one alone is as far as can be."""
    if kept == now or (math.isnan(kept) and math.isnan(now)):
        return 0.0
    scale = abs(kept) if relative else 1.0
    by = abs(now - kept) / scale if scale else math.inf
    return math.inf if math.isnan(by) else by


def _reason(left_out: tuple[str, str]) -> str:
    return left_out[1]


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{quoted(path)} is no text; a plan is TOML") from error


def _estimate(left: list[Run], workers: int) -> str:
    """What is left to do, from runs of the least, the middle and the greatest depth."""
    from resviz.data.datasets import named_sets
    from resviz.training.estimate import estimate

    if not left:
        return "nothing is left to do"
    by_depth = sorted(left, key=lambda run: run.plan.contenders[0].depth)
    seconds, memory = 0.0, 0
    for i in range(min(_TIMED, len(by_depth))):
        run = by_depth[round(i * (len(by_depth) - 1) / max(1, min(_TIMED, len(by_depth)) - 1))]
        cost = estimate(run.plan, named_sets(run.data)[0])
        seconds += cost.seconds * max(1, run.steps) / min(_TIMED, len(by_depth))
        memory = max(memory, cost.memory)
    hours = seconds * len(left) / workers / 3600
    return f"about {hours:.2g} hours with {workers} workers, {seconds:.1f} s a run, {memory * workers / 1e6:,.0f} MB for networks at the most"


def add(commands: Commands) -> None:
    """The command's own parser."""
    sweep = commands.add_parser(
        "sweep", help="train every combination of a plan once for each seed; resumes where it was stopped"
    )
    sweep.add_argument(
        "plan", help="a TOML file: probe, data, steps, lr, batch, seeds, networks or a [grid] of depth, skips and a link's fields"
    )
    sweep.add_argument(
        "--out",
        help="the table, .parquet; the plan's name in this folder unless given. Beside it stands a folder of the runs' rows",
    )
    sweep.add_argument(
        "--workers", type=at_least(1, 512), help="processes of one thread each; as many as there are processors unless given"
    )
    sweep.add_argument("--ray", metavar="ADDRESS", help="a Ray cluster's address, or auto, in place of this machine's processes")
    sweep.add_argument("--estimate", action="store_true", help="say what it costs, and do nothing")
    sweep.add_argument(
        "--check",
        type=at_least(1, 10_000),
        metavar="ROWS",
        help="measure so many rows of the table again, and train nothing else",
    )
    sweep.set_defaults(run=_sweep)
