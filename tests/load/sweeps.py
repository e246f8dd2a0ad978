"""`python -m tests.load.sweeps [SEED]`: a sweep's command killed and resumed, a Ray cluster that loses a node and a worker, the bundled table measured again.

24 short trainings on digits are done once undisturbed. Then their command and all its workers are killed with SIGKILL while a row's file is
being written, and at five moments drawn from the seed, and resumed each time. Where Ray is installed, a cluster of two nodes does them, one of which is
removed half way amid its run, then the process of a run on the other is killed. All three tables must be the same to the bit. It takes some five minutes.
"""

from __future__ import annotations

import importlib.util
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from resviz.spec.sweep import read_sweep
from tests.house import ROOT
from tests.sweeping import Sweep, kill_all_of, kill_amid_writing, kill_one, two_nodes, unlike, workers

PLAN = """
steps = 20
lr = 1
seeds = [0, 1]
[grid]
depth = [8, 14, 20]
skips = ["all", "none"]
norm = ["batch", "none"]
"""
RUNS = len(read_sweep(PLAN).runs)
KILLS, CHECKED = 5, 10
BUNDLED = Path("assets/sweeps")

Line = tuple[str, str, str, bool]


def zero(text: str, count: int) -> Line:
    return f"  {text}", str(count), "0", count == 0


def same(sweep: Sweep, whole: pd.DataFrame) -> list[Line]:
    """How the table at the end is unlike the one of an undisturbed run."""
    found = unlike(pd.read_parquet(sweep.out), whole)
    size = f"{len(whole)} rows × {len(whole.columns) - 1} columns"
    return [
        zero("rows missing", found.missing),
        zero("rows twice", found.twice),
        zero(f"values unlike an undisturbed run's, to the bit ({size}, all but seconds)", found.values),
    ]


def undisturbed(folder: Path) -> pd.DataFrame:
    sweep = Sweep(folder, PLAN)
    process = sweep.start()
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(said)
    return pd.read_parquet(sweep.out)


def killed(folder: Path, luck: random.Random, whole: pd.DataFrame) -> list[Line]:
    """The first kill is amid a row's writing, each other one after a drawn number of rows and a drawn part of a run's time."""
    sweep, after, halves, among = Sweep(folder, PLAN), list[int](), list[int](), 0
    written: dict[Path, int] = {}
    for left in range(KILLS + 1, 0, -1):
        before = len(sweep.done())
        process = sweep.start()
        if left > KILLS:
            sweep.reaches(1, process)
            kill_amid_writing(sweep, process)
        else:
            sweep.reaches(before + luck.randint(1, max(1, (RUNS - before) // (left + 1))), process)
            time.sleep(luck.uniform(0, whole["seconds"].median()))
            kill_all_of(process)
        after.append(len(sweep.done()))
        halves.append(len(sweep.half_written()))
        among += before < after[-1] < RUNS
        written = {file: file.stat().st_mtime_ns for file in sweep.done()} | written
    process = sweep.start()
    process.communicate()
    anew = sum(file.stat().st_mtime_ns != was for file, was in written.items())
    left_over = [*sweep.half_written(), *folder.glob(".*.part")]
    kills = f"{KILLS + 1} kills after {', '.join(map(str, after))} rows, files half written {', '.join(map(str, halves))}"
    return [
        (f"{RUNS} runs here: {kills}; among the rows", str(among), str(KILLS + 1), among == KILLS + 1),
        ("  files half written at the first kill", str(halves[0]), "1", halves[0] == 1),
        *same(sweep, whole),
        zero(f"of {len(written)} rows there at a kill, done again", anew),
        zero("files half written at the end", len(left_over)),
        zero("exit code", process.returncode),
    ]


def on_ray(folder: Path, whole: pd.DataFrame) -> list[Line]:
    """Half way, while both nodes have a run under way, one is removed, then the process of a run under way on the other one is killed."""
    with two_nodes() as (cluster, node):
        sweep = Sweep(folder, PLAN, "--ray", cluster.address)
        process = sweep.start()
        sweep.reaches(RUNS // 2, process)
        while process.poll() is None and len(workers("ray::measure")) < 2:  # one on each node
            time.sleep(0.01)
        rows = len(sweep.done())
        cluster.remove_node(node, allow_graceful=False)
        met = kill_one("ray::measure")
        said, _ = process.communicate()
    if process.returncode:
        print(said)
    return [
        (f"{RUNS} runs on Ray, of whose two nodes one is removed amid its run, after {rows} rows", str(rows), f"< {RUNS}", 0 < rows < RUNS),
        ("  processes of runs under way killed on the other", str(int(met)), "1", met),
        *same(sweep, whole),
        zero("exit code", process.returncode),
    ]  # fmt: skip


def checked() -> list[Line]:
    """Rows of the bundled table, drawn at random, measured again: what the command says."""
    names = [str(BUNDLED / "depth.toml"), "--out", str(BUNDLED / "depth.parquet"), "--check", str(CHECKED)]
    asked = [sys.executable, "-m", "resviz", "sweep", *names]
    process = subprocess.run(asked, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(process.stdout, flush=True)
    within = re.search(r"(\d+) within", process.stdout)
    count = int(within[1]) if within else 0
    return [
        (f"rows of the bundled table measured again, of {CHECKED}: within its tolerance", str(count), str(CHECKED), count == CHECKED),
        zero("exit code", process.returncode),
    ]  # fmt: skip


def main() -> int:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(10**6)
    print(f"seed {seed}: `python -m tests.load.sweeps {seed}` draws alike", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / each for each in ("whole", "killed", "ray")]
        for folder in folders:
            folder.mkdir()
        whole = undisturbed(folders[0])
        print(
            f"undisturbed: {whole['seconds'].median():.1f} s a run, {(whole['diverged'] > 0).sum()} of {RUNS} diverged",
            flush=True,
        )
        lines = killed(folders[1], random.Random(seed), whole)
        if importlib.util.find_spec("ray"):
            lines += on_ray(folders[2], whole)
        else:
            print("Ray is not installed: pip install 'resviz[scale]' to measure a cluster that loses a node")
    lines += checked()
    for text, value, limit, fine in lines:
        print(f"{text:110} {value:>8}  (limit {limit})  {'ok' if fine else 'OVER'}", flush=True)
    return 0 if all(fine for *_, fine in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
