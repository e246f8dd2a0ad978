"""`make load`: twenty sessions on one server, four of them training in the lab; prints a table and stops by itself.

Sixteen sessions switch a cheap toggle every two seconds; all sessions speak to a server that this script starts on the
loopback interface of this machine. The memory at the start is that after a first, shorter round, once its sessions are forgotten.
It ends after some four minutes.
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.e2e.conftest import Server
from tests.load.visitor import Visitor

SESSIONS, LABS, SECONDS = 20, 4, 40.0
_TICKS = os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident memory in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def switch(visitor: Visitor, until: float, times: list[float]) -> None:
    """Toggle every two seconds."""
    visitor.open()
    on = False
    while time.monotonic() < until:
        on = not on
        times.append(visitor.toggle("Logarithmic error", on))
        time.sleep(2.0)


def train(visitor: Visitor, until: float, steps: list[int], states: list[str]) -> None:
    """Start the lab and watch it as a browser would."""
    visitor.open()
    while not any(text.startswith("Step 1.") for text in visitor.texts) and time.monotonic() < until:
        time.sleep(0.5)
        visitor.rerun()
    visitor.click("Start")
    while time.monotonic() < until:
        time.sleep(0.5)
        visitor.poll()
        if not visitor.polls:
            visitor.rerun()
    text = " ".join(visitor.texts)
    found = re.findall(r"Step ([\d,]+)\.", text)
    steps.append(int(found[-1].replace(",", "")) if found else 0)
    states.append("learning" if "learning" in text else "other")


def settle(pid: int, target: float, seconds: float) -> float:
    """The memory once it has stopped falling, or is below the target."""
    until = time.monotonic() + seconds
    while memory(pid) > target and time.monotonic() < until:
        time.sleep(1)
    return memory(pid)


def session_round(server: Server, sessions: int, labs: int, seconds: float) -> tuple[list[float], list[int], list[str], float]:
    """Toggle times, steps of each lab, their states, and how long the server computes on after everyone has left."""
    times, steps, states = [], [], []
    visitors = [Visitor(server.port, "lab" if i < labs else "degradation") for i in range(sessions)]
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=train, args=(visitor, until, steps, states))
        if i < labs
        else threading.Thread(target=switch, args=(visitor, until, times))
        for i, visitor in enumerate(visitors)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 120)
    for visitor in visitors:
        visitor.close()
    return times, steps, states, idle_after(server.process.pid)


def idle_after(pid: int, limit: float = 30.0) -> float:
    """Seconds until a whole second passes with less than a fifth of a core in use."""
    began = time.monotonic()
    while time.monotonic() - began < limit:
        before = cpu(pid)
        time.sleep(1)
        if cpu(pid) - before < 0.2:
            return time.monotonic() - began - 1
    return limit


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "log")
        pid = server.process.pid
        try:
            session_round(
                server, SESSIONS, LABS, 15.0
            )  # everything imported and cached once, and the heap as large as work makes it
            time.sleep(75)  # until Streamlit forgets the sessions that closed, and what they held is given back
            start = memory(pid)
            times, steps, states, ends = session_round(server, SESSIONS, LABS, SECONDS)
            busy = memory(pid)
            after = settle(pid, 1.02 * start, 100)
        finally:
            server.process.terminate()
            server.process.wait(20)
        times.sort()
        p95 = times[int(0.95 * len(times))]
        rows = [
            (
                f"cheap toggle, p95 of {len(times)} (median {statistics.median(times):.2f} s)",
                f"{p95:.2f} s",
                "1.50 s",
                p95 <= 1.5,
            ),
            (
                f"labs that trained, of {LABS} (steps: {', '.join(map(str, sorted(steps)))})",
                str(sum(s > 1 for s in steps)),
                str(LABS),
                sum(s > 1 for s in steps) == LABS,
            ),
            (
                "labs still learning or queued at the end",
                str(states.count("learning")),
                str(LABS),
                states.count("learning") == LABS,
            ),
            ("jobs end after every tab has closed", f"{ends:.0f} s", "10 s", ends <= 10),
            (
                f"memory after / at the start ({start:.0f} → {busy:.0f} → {after:.0f} MB)",
                f"{after / start:.2f}",
                "1.10",
                after <= 1.1 * start,
            ),
        ]
        for name, value, limit, fine in rows:
            print(f"{name:80} {value:>8}  (limit {limit})  {'ok' if fine else 'OVER'}", flush=True)
        return 0 if all(row[3] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
