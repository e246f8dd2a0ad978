"""`deploy/slurm.sh` without a cluster: what it would start where, with programs in Slurm's and Ray's place that write down what they are asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_NOTES = """#!/bin/bash
echo "$(basename "$0") $*" >> "$NOTES"
"""
# a cluster answers once its head is there, and the sweep takes longer than the nodes need to join
_RAY = f"{_NOTES}[ $1 != status ] || grep -q -- --head $NOTES\n"
_RESVIZ = f"{_NOTES}until [ $(grep -c ^srun $NOTES) -ge $SRUNS ]; do sleep 0.05; done\n"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed: deploy/slurm.sh is not tried")
    for name, does in {"srun": _NOTES, "ray": _RAY, "resviz": _RESVIZ}.items():
        (tmp_path / name).write_text(does, encoding="utf-8")
    (tmp_path / "scontrol").write_text("#!/bin/bash\nprintf 'one\\ntwo\\nthree\\n'\n", encoding="utf-8")
    for each in tmp_path.iterdir():
        each.chmod(0o755)
    return tmp_path


def submit(programs: Path, nodes: int, *asked: str, fails: str = "") -> tuple[int, list[str]]:
    """Exit code, and what was started, in order but for what runs beside something."""
    if fails:
        (programs / fails).write_text(f"{_RESVIZ}exit 3\n", encoding="utf-8")
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "NOTES": str(programs / "notes"),
        "SLURM_JOB_NODELIST": "one,two,three",
        "SLURM_JOB_NUM_NODES": str(nodes),
        "SRUNS": str(min(nodes, 2)),
        "SLURM_CPUS_PER_TASK": "16",
    }
    command = ["bash", str(ROOT / "deploy" / "slurm.sh"), *asked]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    notes = programs / "notes"
    return done.returncode, notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []


def test_ray_starts_on_the_first_node_the_others_join_and_the_sweep_asks_it(programs: Path) -> None:
    code, started = submit(programs, 3, "plan.toml", "out.parquet")
    assert code == 0
    assert "srun --nodes=1 --ntasks=1 --nodelist=one ray start --head --port=6379 --num-cpus=16 --block" in started
    assert "srun --nodes=2 --ntasks=2 --exclude=one ray start --address=one:6379 --num-cpus=16 --block" in started
    assert started.index("ray status --address=one:6379") < started.index(
        "resviz sweep plan.toml --out out.parquet --ray one:6379"
    )


def test_one_node_is_enough(programs: Path) -> None:
    code, started = submit(programs, 1, "plan.toml", "out.parquet")
    assert code == 0
    assert sum(line.startswith("srun") for line in started) == 1


def test_a_sweep_that_fails_fails_the_job_and_a_missing_name_is_said(programs: Path) -> None:
    assert submit(programs, 1)[0] != 0
    assert submit(programs, 1, "plan.toml", "out.parquet", fails="resviz")[0] == 3
