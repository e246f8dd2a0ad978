"""`make load`: twenty sessions on one server, four of them training in the lab; prints a table and stops by itself.

First 300 sessions open one link within ten seconds, whose network has not been measured. Then sixteen sessions switch a cheap toggle every two seconds; all sessions speak to a server that this script starts on the
loopback interface of this machine. The memory at the start is that after a first, shorter round, once its sessions are forgotten.
Last, two sessions switch it while a browser brings twelve of the worst inputs. It ends after some five minutes.
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
from tests.load.worst import beside_the_worst

SESSIONS, LABS, SECONDS, ASKING = 20, 4, 40.0, 300
NOT_THERE = "not there in time"
_TICKS = os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident memory in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
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
    while not any(text.startswith(("Step 1.", "Press Start")) for text in visitor.texts) and time.monotonic() < until:
        time.sleep(0.5)
        visitor.poll()
        if not visitor.polls:
            visitor.rerun()
    if "Start" not in visitor.widgets:
        steps.append(0)
        states.append(NOT_THERE)
        return
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


def ask(visitor: Visitor, start: float, answered: list[float], refused: list[str]) -> None:
    """Open a link at its time and stay until the page says what was measured."""
    time.sleep(max(0.0, start - time.monotonic()))
    began = time.monotonic()
    visitor.open()
    while time.monotonic() < began + 240:
        text = " ".join(visitor.texts)
        if any(sign in text for sign in ("already waiting", "computations waiting")):
            refused.append(text)
            return
        # the caption that follows from both measurements, and not the shipped one that stands there while PyTorch loads
        if "**Without skips**" in text and "As measured on" not in text:
            answered.append(time.monotonic() - began)
            return
        time.sleep(0.5)
        visitor.poll()
        if not visitor.polls:
            visitor.rerun()


def one_question(server: Server, log: Path, sessions: int, within: float) -> list[tuple[str, str, str, bool]]:
    """So many sessions open one link whose network nobody has asked about, all within some seconds."""
    first = Visitor(server.port, "gradients")
    ask(first, 0.0, [], [])  # imports are done, and the plain network of every such link has been measured
    before = log.read_text(encoding="utf-8").count("a computation begins")
    answered, refused, start = [], [], time.monotonic() + 1
    visitors = [Visitor(server.port, "gradients", "cut=1.3,2.5") for _ in range(sessions)]
    threads = [
        threading.Thread(target=ask, args=(visitor, start + within * i / sessions, answered, refused))
        for i, visitor in enumerate(visitors)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    ran = log.read_text(encoding="utf-8").count("a computation begins") - before
    for visitor in (first, *visitors):
        visitor.close()
    return [
        (f"{sessions} sessions ask one question within {within:.0f} s: computations", str(ran), "1", ran == 1),
        ("  refusals", str(len(refused)), "0", not refused),
        (
            f"  sessions that have the answer (median after {statistics.median(answered or [0]):.0f} s)",
            str(len(answered)),
            str(sessions),
            len(answered) == sessions,
        ),
    ]


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
        log = Path(folder) / "log"
        server = Server(log, talkative=True)
        pid = server.process.pid
        try:
            shared = one_question(server, log, ASKING, 10.0)
            session_round(
                server, SESSIONS, LABS, 15.0
            )  # everything imported and cached once, and the heap as large as work makes it
            time.sleep(75)  # until Streamlit forgets the sessions that closed, and what they held is given back
            start = memory(pid)
            times, steps, states, ends = session_round(server, SESSIONS, LABS, SECONDS)
            busy = memory(pid)
            after = settle(pid, 1.02 * start, 100)
            worst = beside_the_worst(server)
        finally:
            server.process.terminate()
            server.process.wait(20)
        times.sort()
        p95 = times[int(0.95 * len(times))]
        rows = [
            *shared,
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
            worst,
        ]
        for name, value, limit, fine in rows:
            print(f"{name:80} {value:>8}  (limit {limit})  {'ok' if fine else 'OVER'}", flush=True)
        return 0 if all(row[3] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
