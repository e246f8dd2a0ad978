"""Computations outside the web process: the same results, progress and errors, and a server that outlives what they die of."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from resviz.apart import Engine, Lost, engine
from resviz.apart.processes import Processes
from resviz.progress import Cancelled, Tick
from resviz.spec.net import NetSpec, SpecError
from resviz.ui import probing

ROOT = Path(__file__).resolve().parents[1]
SPEC = NetSpec(blocks=(1, 1, 1))


def quiet(fraction: float, note: str = "", partial: object = None) -> bool:
    return False


def here(tick: Tick) -> int:
    return os.getpid()


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes(1)
    yield made
    made.close()


def gone(pid: int) -> bool:
    until = time.monotonic() + 30
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_it_is_another_process_that_stays_warm(processes: Processes) -> None:
    first = processes.run(here, quiet)
    assert first != os.getpid()
    assert processes.run(here, quiet) == first


def test_a_closure_over_values_gives_what_it_gives_here(processes: Processes) -> None:
    ((_, _, _, work),) = probing.wanted({"residual": SPEC}, "digits", 4, 8, None)
    there, own = processes.run(work, quiet), work(quiet)
    np.testing.assert_allclose(there.profile.norms, own.profile.norms, rtol=1e-5)
    assert there.profile.names == own.profile.names


def test_progress_arrives_on_the_way(processes: Processes) -> None:
    said = []

    def hear(fraction: float, note: str = "", partial: object = None) -> bool:
        said.append((fraction, note, partial))
        return False

    def work(tick: Tick) -> str:
        print("what a library prints is no result")
        for n in range(4):
            tick(n / 4, f"step {n}", [n])
            time.sleep(0.15)
        return "done"

    assert processes.run(work, hear) == "done"
    assert {(n / 4, f"step {n}") for n in range(4)} <= {(fraction, note) for fraction, note, _ in said}
    assert [3] in [partial for *_, partial in said]


def test_a_turn_that_is_over_before_the_process_is_up_is_over(processes: Processes) -> None:
    def until_told(tick: Tick) -> int:
        for n in range(600):
            if tick(0.0):
                return n
            time.sleep(0.1)
        return -1

    def over(fraction: float, note: str = "", partial: object = None) -> bool:
        return True

    assert processes.run(until_told, over) >= 0


def test_an_error_is_the_work_s_own(processes: Processes) -> None:
    def refused(tick: Tick) -> None:
        raise SpecError("blocks=0 is no network")

    class Odd(Exception):
        def __init__(self, one: int, other: int) -> None:
            super().__init__("both")

    def odd(tick: Tick) -> None:
        raise Odd(1, 2)

    before = processes.run(here, quiet)
    with pytest.raises(SpecError, match="blocks=0 is no network"):
        processes.run(refused, quiet)
    with pytest.raises(RuntimeError, match="Odd: both"):
        processes.run(odd, quiet)
    with pytest.raises(Exception, match=r"pickle|Pickling"):
        processes.run(lambda tick: (n for n in range(3)), quiet)  # a result that cannot leave its process
    assert processes.run(here, quiet) == before


def test_a_process_that_crashes_is_said_and_the_next_one_works(processes: Processes) -> None:
    said = []

    def crash(tick: Tick) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(60)

    def hear(fraction: float, note: str = "", partial: object = None) -> bool:
        said.append(note)
        return False

    with pytest.raises(Lost, match=r"ended 2 times \(SIGSEGV\); the server goes on"):
        processes.run(crash, hear)
    assert "its process ended (SIGSEGV), once more" in said
    assert processes.run(here, quiet) != os.getpid()


def test_a_crash_that_was_an_accident_costs_its_time_alone(processes: Processes, tmp_path: Path) -> None:
    once = tmp_path / "once"

    def work(tick: Tick) -> str:
        if not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return "done"

    assert processes.run(work, quiet) == "done"


def test_what_takes_too_much_memory_is_ended_and_said() -> None:
    processes = Processes(1, 500)

    def work(tick: Tick) -> float:
        held = []
        for _ in range(40):
            held.append(np.ones(2**23))  # 64 MB each
            time.sleep(0.05)
        return float(len(held))

    try:
        with pytest.raises(Lost, match=r"it took \d+ MB, more than the 500 MB of one process"):
            processes.run(work, quiet)
        assert processes.run(here, quiet) != os.getpid()
    finally:
        processes.close()


def test_who_cancels_has_the_process_back_and_a_deaf_one_is_replaced(processes: Processes) -> None:
    before = processes.run(here, quiet)

    def endless(tick: Tick) -> None:
        while True:
            tick(0.5, "on its way")
            time.sleep(0.01)

    def deaf(tick: Tick) -> None:
        tick(0.5, "on its way")
        time.sleep(600)

    def cancel(fraction: float, note: str = "", partial: object = None) -> bool:
        if note == "on its way":
            raise Cancelled
        return False

    with pytest.raises(Cancelled):
        processes.run(endless, cancel)
    assert processes.run(here, quiet) == before
    began = time.monotonic()
    with pytest.raises(Cancelled):
        processes.run(deaf, cancel)
    assert time.monotonic() - began < 30
    assert gone(before)
    assert processes.run(here, quiet) != before


_ASKER = """
import os, sys, time
from resviz.apart.processes import Processes
from tests.test_apart import here, quiet
processes = Processes(1)
print(processes.run(here, quiet), flush=True)
processes.run(lambda tick: __import__("time").sleep(600), quiet)
"""


def test_no_process_outlives_a_server_that_is_killed() -> None:
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    asker = subprocess.Popen([sys.executable, "-c", _ASKER], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env)
    assert asker.stdout is not None
    worker = int(asker.stdout.readline())
    asker.send_signal(signal.SIGKILL)
    asker.wait(30)
    assert gone(worker)


@pytest.mark.parametrize(
    ("set_", "says"),
    [({"RESVIZ_WORKERS": "many"}, "many"), ({"RESVIZ_WORKERS": "-1"}, "RESVIZ_WORKERS is '-1'"), ({"RESVIZ_WORKERS": "1", "RESVIZ_WORKER_MB": "2.5"}, "RESVIZ_WORKER_MB is '2.5'"), ({"RESVIZ_RAY": "127.0.0.1:1"}, "RESVIZ_RAY|Ray is not installed")],
)  # fmt: skip
def test_an_engine_that_cannot_be_had_is_said_and_done_without(
    set_: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in set_.items():
        monkeypatch.setenv(name, value)
    engine.cache_clear()
    try:
        assert engine() is None
        assert "stay in the web process" in caplog.text
        assert any(word in caplog.text for word in says.split("|"))
    finally:
        engine.cache_clear()


def test_unless_told_everything_stays_in_the_web_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESVIZ_WORKERS", raising=False)
    monkeypatch.delenv("RESVIZ_RAY", raising=False)
    engine.cache_clear()
    assert engine() is None


def test_a_ray_cluster_does_the_same(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    from resviz.apart.on_ray import OnRay

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        on_ray: Engine = OnRay(cluster.address)
        _asked_of(on_ray)
    finally:
        ray.shutdown()
        cluster.shutdown()


def _asked_of(on_ray: Engine) -> None:
    """Result, progress, cancel and error."""
    assert on_ray.run(here, quiet) != os.getpid()
    said = []

    def hear(fraction: float, note: str = "", partial: object = None) -> bool:
        said.append(note)
        if note == "stop me":
            raise Cancelled
        return False

    def steps(tick: Tick) -> int:
        for n in range(6):
            tick(n / 6, f"step {n}")
            time.sleep(0.4)
        return 6

    def endless(tick: Tick) -> None:
        while True:
            tick(0.5, "stop me")
            time.sleep(0.05)

    def refused(tick: Tick) -> None:
        raise SpecError("blocks=0 is no network")

    assert on_ray.run(steps, hear) == 6
    assert "step 3" in said
    with pytest.raises(Cancelled):
        on_ray.run(endless, hear)
    with pytest.raises(SpecError, match="blocks=0 is no network"):
        on_ray.run(refused, quiet)
    assert on_ray.run(here, quiet) != os.getpid()  # which the cancelled work has left the room for


def test_the_questions_that_may_leave_the_process_are_those_of_values_alone() -> None:
    ((_, key, _, work),) = probing.wanted({"residual": SPEC}, "digits", 4, 8, None)
    assert pickle.loads(pickle.dumps(tuple(key))) == key
    assert work(quiet).profile.names
