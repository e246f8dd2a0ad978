"""Cores and memory are the container's, not the machine's; guards and the shared memory budget."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from resviz.cli import main
from resviz.guard import Budget, door, quoted
from resviz.machine import cores, memory, variable
from resviz.nets.cost import memory_limit
from resviz.progress import Cancelled


def test_a_containers_limits_count_and_an_unlimited_one_is_the_machine(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    everything = cores(tmp_path), memory(tmp_path)
    assert everything == (cores(tmp_path / "nothing"), memory(tmp_path / "nothing"))
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text(f"{1 << 30}\n")
    assert (cores(tmp_path), memory(tmp_path)) == (1, 1 << 30)


def test_limits_of_the_older_kind_of_container(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "memory").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1")  # no quota
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text(str(2**29))
    assert cores(tmp_path) == cores(tmp_path / "nothing")
    assert memory(tmp_path) == 2**29
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("100000")
    assert cores(tmp_path) == 1


def test_memory_is_known_where_there_is_no_sysconf(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    monkeypatch.delenv("RESVIZ_MEMORY_GB", raising=False)
    before = memory_limit()
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert memory_limit() == before > 0


@pytest.mark.parametrize("name", ["RESVIZ_MEMORY_GB", "RESVIZ_WORKERS", "RESVIZ_WORKER_MB", "RESVIZ_CACHE_MB"])
@pytest.mark.parametrize("value", ["1e400", "-1", "abc", "nan", "inf", "-inf", "0x10", "1,5", "9" * 5000, "4 GB"])
def test_a_variable_that_is_no_such_number_is_named_with_its_value_and_the_remedy(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=rf"^{name} is '{value[:60]}'; set it to .+ from .+ to .+, or leave it out for "):
        variable(name)
    assert main(["serve", "--port", "1"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"resviz: {name} is '{value[:60]}'; set it to ")
    assert len(said.err.splitlines()) == 1
    assert not said.out


@pytest.mark.parametrize("value", ["1e400", "-1", "0", "abc", "nan"])
def test_a_command_that_computes_refuses_a_limit_that_is_none(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RESVIZ_MEMORY_GB", value)
    assert main(["gradients", "resnet20"]) == 2
    assert capsys.readouterr().err == (
        f"resviz: RESVIZ_MEMORY_GB is '{value}'; set it to GiB from 0.0001 to 1,000,000, or leave it out for half of this machine's memory\n"
    )


def test_a_variable_that_is_a_number_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, expected in (("1.5", 1.5), (" 2 ", 2), ("1e-3", 0.001), ("", None)):
        monkeypatch.setenv("RESVIZ_MEMORY_GB", given)
        assert variable("RESVIZ_MEMORY_GB") == expected
    monkeypatch.setenv("RESVIZ_MEMORY_GB", "0.5")
    assert memory_limit() == 2**29
    monkeypatch.setenv("RESVIZ_WORKER_MB", "0")  # no limit
    assert variable("RESVIZ_WORKER_MB") == 0


class _Refused(ValueError):
    """A door's own error."""


@pytest.mark.parametrize("raised", [KeyError("x"), MemoryError(), RecursionError("deep"), OSError(5, "io"), EOFError()])
def test_a_door_turns_whatever_its_reader_raises_into_its_own_sentence(raised: Exception) -> None:
    with (
        pytest.raises(_Refused, match=r"^It is damaged \(.+\); save it again\.$"),
        door(_Refused, "It is damaged ({}); save it again."),
    ):
        raise raised


def test_a_door_lets_its_own_words_and_a_cancelled_job_pass() -> None:
    with pytest.raises(_Refused, match=r"^as it is$"), door(_Refused, "{}"):
        raise _Refused("as it is")
    with pytest.raises(Cancelled), door(_Refused, "{}"):
        raise Cancelled


def test_text_from_outside_is_one_short_line() -> None:
    assert quoted("layer1.0\nconv\x1b[31m") == "layer1.0\\nconv\\x1b[31m"
    assert len(quoted("a" * 100_000)) == 60


def test_readers_share_one_budget_and_wait_for_each_other() -> None:
    budget, held, most, lock = Budget(100), [0], [0], threading.Lock()

    def read() -> None:
        with budget.take(40, _Refused):
            with lock:
                held[0] += 40
                most[0] = max(most[0], held[0])
            time.sleep(0.02)
            with lock:
                held[0] -= 40

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (held, most) == ([0], [80])
    with pytest.raises(_Refused, match="limit"), budget.take(101, _Refused):
        pass


def test_a_reader_that_waits_for_memory_can_be_cancelled() -> None:
    budget = Budget(10)

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        raise Cancelled

    with budget.take(8, _Refused), pytest.raises(Cancelled), budget.take(8, _Refused, tick):
        pass
    with budget.take(10, _Refused):  # nothing is held any more
        pass
