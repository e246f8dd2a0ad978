"""`python -m tests.load.replicas [FOLDER]`: a course of 120 on three replicas behind nginx, one of which is killed in the middle; then on one server.

100 visitors switch a cheap toggle, 13 have the network of a link drawn again, each some every twenty seconds, six train in the Lab, and one
uploads with a real browser. Each replica computes in a process of its own; the one server, which is that of the checkout in FOLDER, does not.
It takes some twenty minutes, on the loopback interface, and needs nginx.
"""

from __future__ import annotations

import contextlib
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import expect, sync_playwright
from websockets.exceptions import WebSocketException

from tests.e2e.browser import FLAGS, find
from tests.e2e.conftest import ROOT, Server, ready
from tests.load.__main__ import NOT_THERE, memory, session_round, settle, train
from tests.load.visitor import Visitor
from tests.nginx import NGINX, WHY, Proxy

TOGGLES, LINKS, LABS = 100, 13, 6
SECONDS, PAUSE, FORGOTTEN, WARMING = 180.0, 20.0, 75.0, 90.0
LINK, SAYS = "blocks=2-2-2&cut=1.0", "1 skip cut"
Row = tuple[str, str, str, bool]  # what, its value, the limit, and whether it holds


@dataclass
class Seen:
    """What the visitors met."""

    toggles: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    uploads: int = 0
    back: int = 0  # who lost a replica and stands where they stood
    errors: list[str] = field(default_factory=list)


def stays(visitor: Visitor, until: float, act: Callable[[], None], seen: Seen) -> None:
    """Act every so often; a connection that breaks is made anew with the link, as a browser does by itself."""
    luck = random.Random(visitor.cookie)
    time.sleep(luck.uniform(0, PAUSE))
    lost = False
    visitor.open()
    while time.monotonic() < until:
        try:
            if lost:
                visitor.open()
                seen.back += SAYS in " ".join(visitor.texts) if visitor.page == "build" else bool(visitor.widgets)
                lost = False
            act()
        except (WebSocketException, OSError) as error:
            if lost:  # twice: not the replica that died
                seen.errors.append(f"{visitor.page}: {error}")
            lost = True
            time.sleep(1)
            continue
        time.sleep(luck.uniform(0.5, 1.5) * PAUSE)


def toggling(visitor: Visitor, seen: Seen) -> Callable[[], None]:
    on = False

    def act() -> None:
        nonlocal on
        on = not on
        seen.toggles.append(visitor.toggle("Logarithmic error", on))

    return act


def drawing(visitor: Visitor, seen: Seen) -> Callable[[], None]:
    def act() -> None:
        visitor.rerun()
        if SAYS not in " ".join(visitor.texts):
            seen.errors.append("a link's network is another one")

    return act


def uploading(url: str, until: float, seen: Seen) -> None:
    """A recording every so often, in a real browser."""
    file = ROOT / "assets" / "runs" / "resnet20-cifar10.parquet"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        while time.monotonic() < until:
            page = browser.new_context().new_page()
            try:
                page.goto(f"{url}/recordings")
                ready(page)
                page.locator("input[type=file]").set_input_files(file)
                expect(page.get_by_text("ResNet-20: the gradient of every layer, epoch by epoch")).to_be_visible(timeout=60_000)
                seen.uploads += 1
            except Exception as error:  # a replica may die under it, which is this visitor's loss and said
                seen.errors.append(f"an upload: {type(error).__name__}")
            page.context.close()
            time.sleep(PAUSE / 2)
        browser.close()


def course(port: int, seconds: float, kill: Callable[[], None] | None = None) -> Seen:
    """So many visitors at this port for so long; `kill` is called in the middle."""
    seen, until, visitors = Seen(), time.monotonic() + seconds, list[Visitor]()
    threads = [threading.Thread(target=uploading, args=(f"http://127.0.0.1:{port}", until, seen))]
    for n in range(TOGGLES + LINKS):
        page, query, act = ("degradation", "", toggling) if n < TOGGLES else ("build", LINK, drawing)
        visitor = Visitor(port, page, query, cookie=f"{n:032x}")
        visitors.append(visitor)
        threads.append(threading.Thread(target=stays, args=(visitor, until, act(visitor, seen), seen)))
    for n in range(LABS):
        visitor = Visitor(port, "lab", cookie=f"{1000 + n:032x}")
        visitors.append(visitor)
        threads.append(threading.Thread(target=learning, args=(visitor, until, seen)))
    for thread in threads:
        thread.start()
    if kill is not None:
        time.sleep(seconds / 2)
        kill()
    for thread in threads:
        thread.join(seconds + 120)
    for visitor in visitors:
        visitor.close()
    return seen


def learning(visitor: Visitor, until: float, seen: Seen) -> None:
    """The Lab; a run in the memory of a replica that dies is gone, which is said and no error."""
    try:
        train(visitor, until, seen.steps, seen.states)
    except (WebSocketException, OSError):
        seen.states.append("lost with its replica")


@contextlib.contextmanager
def replicas(folder: Path, count: int, workers: int, root: Path = ROOT) -> Iterator[list[Server]]:
    os.environ |= {"STREAMLIT_SERVER_COOKIE_SECRET": "one for all", "RESVIZ_CACHE": str(folder / f"cache{count}")}
    os.environ["RESVIZ_WORKERS"] = str(workers)
    app = Path("server.py" if (root / "server.py").exists() else "app.py")
    servers = [Server(folder / f"log{n}", app=app, root=root) for n in range(count)]
    try:
        yield servers
    finally:
        for each in servers:
            each.process.kill()
            each.process.wait(20)


def warm(servers: Sequence[Server]) -> None:
    """Everything imported and cached once, and the heap as large as a lab makes it."""
    rounds = [threading.Thread(target=session_round, args=(each, 4, 2, WARMING)) for each in servers]
    for each in rounds:
        each.start()
    for each in rounds:
        each.join()


def said(name: str, seen: Seen) -> list[Row]:
    times = sorted(seen.toggles)
    p95 = times[int(0.95 * len(times))] if times else float("inf")
    trained = sum(steps > 1 for steps in seen.steps)
    errors = seen.errors + [f"a lab {state}" for state in seen.states if state == NOT_THERE]
    return [
        (f"{name}: cheap toggle, p95 of {len(times)} (median {statistics.median(times or [0]):.2f} s)", f"{p95:.2f} s", "1.50 s", p95 <= 1.5),
        (f"  labs that trained, of {LABS} (steps {', '.join(map(str, sorted(seen.steps)))}; others {', '.join(sorted(set(seen.states) - {'learning'}))})", str(trained), "", True),
        (f"  uploads, and visitors that came back to their link ({seen.back})", str(seen.uploads), "", seen.uploads > 0),
        (f"  errors {', '.join(sorted(set(errors)))[:80]}", str(len(errors)), "0", not errors),
    ]  # fmt: skip


def main(previous: Path = ROOT) -> int:
    if NGINX is None:
        print(WHY)
        return 1
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with replicas(folder, 3, workers=1) as three:
            proxy = Proxy(folder, [each.port for each in three])
            proxy.start()
            warm(three)
            course(proxy.port, WARMING)
            time.sleep(FORGOTTEN)
            before = [memory(each.process.pid) for each in three]
            seen = course(proxy.port, SECONDS, three[2].process.kill)
            time.sleep(FORGOTTEN)
            after = [settle(each.process.pid, 1.02 * was, 60) for each, was in zip(three[:2], before[:2], strict=True)]
            proxy.stop()
        rows += said(f"{TOGGLES + LINKS + LABS + 1} on three replicas, one killed", seen)
        growth = max(now / was for now, was in zip(after, before[:2], strict=True))
        words = ", ".join(f"{was:.0f} → {now:.0f} MB" for was, now in zip(before[:2], after, strict=True))
        rows.append((f"  memory after / before of the two that lived ({words})", f"{growth:.2f}", "1.10", growth <= 1.1))
        show(rows)
        with replicas(folder, 1, workers=0, root=previous) as (one,):
            warm([one])
            course(one.port, WARMING)
            show(said("the same on one server, without processes of its own", course(one.port, SECONDS)))
    return 0 if all(fine for *_, fine in rows) else 1


def show(rows: Sequence[Row]) -> None:
    for text, value, limit, fine in rows:
        print(f"{text:110} {value:>8}  (limit {limit or '–'})  {'ok' if fine else 'OVER'}", flush=True)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
