"""`resviz sweep` seen from outside: started in a process group of its own, disturbed on the way, and its table held against another."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import psutil

from resviz.training.sweep.measure import Row
from tests.house import ROOT

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

MEASURED = [name for name in Row.__annotations__ if name != "seconds"]


class Sweep:
    """The command on a plan in a folder, which may be started again and again."""

    def __init__(self, folder: Path, plan: str, *options: str) -> None:
        self.out, self.rows = folder / "out.parquet", folder / "out.runs"
        (folder / "plan.toml").write_text(plan, encoding="utf-8")
        names = [str(folder / "plan.toml"), "--out", str(self.out)]
        self.command = [sys.executable, "-m", "resviz", "sweep", *names, *options]

    def start(self) -> subprocess.Popen[str]:
        """Both streams are one pipe, since what it says of an error stands in either."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(self.command, env=environment, text=True, start_new_session=True, **streams)

    def done(self) -> list[Path]:
        return list(self.rows.glob("*.parquet"))

    def half_written(self) -> list[Path]:
        return list(self.rows.glob(".*.part"))

    def reaches(self, rows: int, process: subprocess.Popen[str]) -> bool:
        """Wait for so many rows; whether it is under way still."""
        while process.poll() is None and len(self.done()) < rows:
            time.sleep(0.01)
        return process.poll() is None


def kill_all_of(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the whole process group."""
    with contextlib.suppress(ProcessLookupError):  # it has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def kill_amid_writing(sweep: Sweep, process: subprocess.Popen[str]) -> None:
    """The same while a row's file is half written: a row is there within milliseconds, so it is made to stand still and looked at again."""
    while process.poll() is None:
        if sweep.half_written():
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            if sweep.half_written():
                break
            process.send_signal(signal.SIGCONT)
    kill_all_of(process)


def workers(sign: str) -> list[psutil.Process]:
    """The descendants of this process whose command line has this in it; a removed node's are nobody's."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if sign in " ".join(child.cmdline()):
                found.append(child)
    return found


def kill_one(sign: str, seconds: float = 60) -> bool:
    """Kill the first such descendant that is seen within this time; whether one was."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for worker in workers(sign)[:1]:
            worker.kill()
            return True
        time.sleep(0.01)
    return False


@contextlib.contextmanager
def two_nodes() -> Iterator[tuple[Cluster, object]]:
    """A Ray cluster of two nodes of one processor each on this machine, and the one of them that may be removed."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        yield cluster, cluster.add_node(num_cpus=1)
    finally:
        ray.shutdown()
        cluster.shutdown()


class Unlike(NamedTuple):
    """How a table is unlike another: rows that only one of them has, rows that it has again, values that differ by a bit or more."""

    missing: int
    twice: int
    values: int


def unlike(table: pd.DataFrame, other: pd.DataFrame) -> Unlike:
    """All columns count but the seconds that a run took."""
    mine, others = (each.drop(columns="seconds").drop_duplicates("key").set_index("key").sort_index() for each in (table, other))
    both = mine.index.intersection(others.index)
    a, b = mine.loc[both], others.loc[both, mine.columns]
    values = (a != b) & ~(a.isna() & b.isna())
    return Unlike(len(mine.index.symmetric_difference(others.index)), len(table) - len(mine), int(values.to_numpy().sum()))
