"""`python -m tests.load.workers`: a cheap toggle while four labs train, in the web process and in processes of their own; some four minutes."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from tests.e2e.conftest import Server
from tests.load.__main__ import session_round

_LABS, _TOGGLES, _SECONDS, _WORKERS = 4, 4, 60.0, 2


def measured(workers: int) -> tuple[list[float], list[int]]:
    """Seconds of each toggle, and the step that each lab has reached."""
    os.environ["RESVIZ_WORKERS"] = str(workers)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "log")
        try:
            session_round(server, _LABS + _TOGGLES, _LABS, 20.0)  # everything imported and cached once
            times, steps, _, _ = session_round(server, _LABS + _TOGGLES, _LABS, _SECONDS)
        finally:
            server.process.terminate()
            server.process.wait(20)
    return times, steps


def main() -> int:
    found = {workers: measured(workers) for workers in (0, _WORKERS)}
    for workers, (times, steps) in found.items():
        times.sort()
        where = f"{workers} processes of their own" if workers else "the web process"
        print(
            f"cheap toggle while {_LABS} labs train in {where}: median {1000 * statistics.median(times):.0f} ms, "
            f"p95 {1000 * times[int(0.95 * len(times))]:.0f} ms of {len(times)}; steps {', '.join(map(str, sorted(steps)))}",
            flush=True,
        )
    before, after = (statistics.median(times) for times, _ in found.values())
    print(f"median after / before: {after / before:.2f}")
    return 0 if after < before and all(step > 1 for _, steps in found.values() for step in steps) else 1


if __name__ == "__main__":
    sys.exit(main())
