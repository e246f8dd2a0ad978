"""What a server tells whoever runs it: the right numbers, to the right person, and nothing of its visitors."""

from __future__ import annotations

import ast
import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Hashable, Iterator

import pytest
from starlette.requests import Request
from starlette.responses import Response

from resviz import logs
from resviz.counters import KINDS, Counted, Kind, kind_of
from resviz.jobs import AGAIN, Jobs
from resviz.progress import Tick
from resviz.ui import operating, waiting
from resviz.version import __version__
from tests.house import ROOT, sources

SECRET, FILE = "the tensor diary of ada", "ada-at-the-beach.png"
SAMPLE = re.compile(r'resviz_[a-z_]+(\{[a-z]+="[\w.]+"(,[a-z]+="\w+")*\})? -?[\d.]+')


def counted(jobs: Jobs, ended: int) -> Counted:
    """The numbers once so many computations have ended."""
    for _ in range(500):
        now = jobs.counters.read()
        if now.total.done + now.total.failed + now.total.cancelled == ended and not now.running:
            return now
        time.sleep(0.01)
    raise AssertionError(now)


def fail(tick: Tick) -> None:
    raise ValueError(f"{FILE}: {SECRET} is no picture")


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    """What the project's loggers say as JSON."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logs.JsonLines())
    logger = logging.getLogger("resviz")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield text
    logger.removeHandler(handler)
    logger.setLevel(before)


# --------------------------------------------------------------------------------------------- counted


def test_computations_are_counted_from_their_queue_to_their_end() -> None:
    jobs, gate = Jobs(workers=1), threading.Event()
    jobs.submit("ada", ("probe", 1), lambda tick: gate.wait(5))
    waiting_one = jobs.submit("ada", ("probe", 2), lambda tick: 1)
    jobs.submit("ada", ("sweep", 1), fail)
    time.sleep(0.1)
    now = jobs.counters.read()
    assert (now.queued, now.running, now.total.begun) == (2, 1, 1)
    assert 0.05 < now.kinds["probe"].seconds < 5  # its turn is not over
    waiting_one.cancel()
    gate.set()
    then = counted(jobs, 3)
    assert (then.queued, then.running) == (0, 0)
    probe, sweep = then.kinds["probe"], then.kinds["sweep"]
    assert (probe.begun, probe.done, probe.failed, probe.cancelled) == (1, 1, 0, 1)
    assert (sweep.begun, sweep.done, sweep.failed, sweep.cancelled) == (1, 0, 1, 0)
    assert then.total.seconds == pytest.approx(probe.seconds + sweep.seconds)
    assert probe.seconds >= now.kinds["probe"].seconds
    assert sweep.waited > 0.05


def test_a_computation_of_several_turns_is_one() -> None:
    jobs, turns = Jobs(workers=1), iter(range(3))
    assert jobs.submit("ada", ("lab", 1), lambda tick: AGAIN if next(turns) < 2 else "done").wait(5)
    assert (counted(jobs, 1).kinds["lab"].begun, counted(jobs, 1).kinds["lab"].done) == (1, 1)


def test_who_joins_a_computation_is_not_counted() -> None:
    jobs = Jobs(workers=1)
    for name in ("ada", "eve"):
        assert jobs.submit(name, ("probe", 1), lambda tick: time.sleep(0.05) or 1).wait(5)
        assert counted(jobs, 1).total.begun == 1


@pytest.mark.parametrize("key", [object(), FILE, (FILE, 1), (), ("Probe",), ((1, 2),), (("probe", 1), 2), 3])
def test_a_key_of_unknown_words_is_of_no_kind(key: Hashable) -> None:
    assert kind_of(key) == "other"


def test_every_kind_that_pages_ask_for_has_its_words() -> None:
    """The first of each tuple that is a key; and no words without a page that asks for them."""
    trees = [ast.parse(text) for path, text in sources().items() if path.startswith("resviz/ui/")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    keys = [
        node.args[1] for node in nodes if isinstance(node, ast.Call) and _named(node.func) == "result_of" and len(node.args) > 1
    ]
    keys += [
        node.args[0] for node in nodes if isinstance(node, ast.Call) and _named(node.func) == "submit" and len(node.args) == 2
    ]
    keys += [node.value for node in nodes if isinstance(node, ast.Assign) and _named(node.targets[0]) in ("key", "asked")]
    keys += [
        each.value
        for node in nodes
        if isinstance(node, ast.FunctionDef) and node.name.endswith("key")
        for each in ast.walk(node)
        if isinstance(each, ast.Return)
    ]
    firsts = [key.elts[0] for key in keys if isinstance(key, ast.Tuple) and key.elts]
    named = {first.value for first in firsts if isinstance(first, ast.Constant) and isinstance(first.value, str)}
    assert named - {"trust"} <= KINDS.keys()  # "trust" is a button's
    said = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert KINDS.keys() - {"other"} <= said


def _named(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


# ------------------------------------------------------------------------------------------- the log


def test_a_computation_is_told_in_json_without_what_it_was_about(told: io.StringIO) -> None:
    jobs = Jobs(workers=1)
    jobs.submit("ada", ("reading", FILE), fail)
    jobs.submit("ada", (FILE, SECRET), lambda tick: 1)
    counted(jobs, 2)
    lines = [json.loads(line) for line in told.getvalue().splitlines()]
    assert [(line["kind"], line["state"]) for line in lines] == [
        ("reading", "running"),
        ("reading", "failed"),
        ("other", "running"),
        ("other", "done"),
    ]
    for line in lines:
        assert {"time", "level", "logger", "message", "seconds", "waited"} <= line.keys()
        assert line["seconds"] >= 0
        assert line["waited"] >= 0
    failed = lines[1]
    assert failed["error"] == "ValueError"
    assert re.fullmatch(r"tests/test_operating\.py:\d+ in fail", failed["raised"])
    now = operating.Standing(1, 2**30, 75.0, jobs.counters.read())
    for text in (told.getvalue(), operating.metrics(now), operating.page(now)):
        assert SECRET not in text
        assert "ada" not in text
        assert "beach" not in text


def test_whatever_speaks_in_a_server_speaks_json_and_no_secrets() -> None:
    """Warnings, dying threads, other libraries and Streamlit's own loggers, those that come later too."""
    code = f"""
import logging, threading, warnings
from resviz.ui import operating, waiting
operating.speak()
from streamlit.logger import get_logger
secret, file = {SECRET!r}, {FILE!r}
def fail(*_):
    raise ValueError(file + secret)
warnings.warn(secret)
thread = threading.Thread(target=fail)
thread.start(); thread.join()
for logger in (get_logger("streamlit.later"), logging.getLogger("asyncio"), logging.getLogger("uvicorn.error")):
    logger.info("%s", secret)
    try:
        fail()
    except ValueError:
        logger.exception(f"about {{file}}")
waiting.manager().submit("ada", ("reading", file), fail).wait(5)
waiting.manager().submit("ada", ("reading", 2), lambda tick: 1).wait(5)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=_environment("json"), capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.stdout == ""
    assert SECRET not in done.stderr
    assert FILE not in done.stderr
    told = [(line["logger"], line.get("error", "")) for line in lines]
    for logger in ("resviz.threads", "streamlit.later", "asyncio", "uvicorn.error"):
        assert told.count((logger, "ValueError")) == 1, done.stderr
    assert ("resviz.warnings", "") in told
    assert told.count(("resviz.counters", "ValueError")) == 1


def test_another_form_of_log_is_refused() -> None:
    done = subprocess.run([sys.executable, "server.py"], cwd=ROOT, env=_environment("xml"), capture_output=True, text=True)
    assert done.returncode != 0
    assert "RESVIZ_LOG is 'xml'; set it to json" in done.stderr


def _environment(form: str) -> dict[str, str]:
    return os.environ | {"RESVIZ_LOG": form}


# ------------------------------------------------------------------------------------ metrics and page


def asked(path: str, query: str = "", bearer: str | None = None) -> Response:
    """What the route answers."""
    (route,) = [route for route in operating.routes() if route.path == path]
    headers = [] if bearer is None else [(b"authorization", f"Bearer {bearer}".encode())]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
    return route.endpoint(Request(scope))


@pytest.mark.parametrize("path", ["/metrics", "/operator"])
def test_only_who_has_the_token_is_answered(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESVIZ_OPERATOR_TOKEN", raising=False)
    assert {asked(path, bearer=tried).status_code for tried in (None, "", "x")} == {404}
    monkeypatch.setenv("RESVIZ_OPERATOR_TOKEN", "")
    assert asked(path, "token=", "").status_code == 404
    monkeypatch.setenv("RESVIZ_OPERATOR_TOKEN", "schlüssel")
    for refused in (asked(path), asked(path, bearer="schlussel"), asked(path, "token=schl"), asked(path, "token=%FF", "é")):
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert b"resviz_" not in refused.body
    assert asked(path, bearer="schlüssel").status_code == 200
    by_address = asked(path, "token=schl%C3%BCssel")
    assert by_address.status_code == (200 if path == "/operator" else 401)
    assert by_address.headers["cache-control"] == "no-store"


def test_metrics_are_what_prometheus_reads() -> None:
    kinds = {"probe": Kind(5, 3, 1, 1, 12.5, 2.25), "landscape.nets": Kind(1, seconds=0.5)}
    text = operating.metrics(operating.Standing(3, 1_000_000, 90.5, Counted(2, 1, kinds)))
    assert text.endswith("\n")
    lines = text.splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert all(
        line.startswith(("# HELP resviz_", "# TYPE resviz_")) or SAMPLE.fullmatch(line) for line in lines if "info" not in line
    )
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    assert all(name.split("{")[0] in families for name in values)
    assert f'resviz_info{{version="{__version__}"}} 1' in lines
    assert values["resviz_sessions_open"] == "3"
    assert values["resviz_resident_memory_bytes"] == "1000000"
    assert values["resviz_uptime_seconds"] == "90.500"
    assert (values["resviz_computations_queued"], values["resviz_computations_running"]) == ("2", "1")
    assert values['resviz_computations_begun_total{kind="probe"}'] == "5"
    assert values['resviz_computations_ended_total{kind="probe",state="failed"}'] == "1"
    assert values['resviz_computing_seconds_total{kind="landscape.nets"}'] == "0.500"
    assert values['resviz_waiting_seconds_total{kind="probe"}'] == "2.250"


def test_the_page_says_the_same_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {"probe": Kind(1200, 1100, 3, 20, 5123.0, 12.4), "lab": Kind(30, 20, 1, 9, 12345.0)}
    html = operating.page(operating.Standing(1, 3 * 2**29, 200_000.0, Counted(2, 1, kinds)))
    text = " ".join(re.sub(r"<[^>]*>", " ", html.split("</style>")[1]).split())
    assert "1 session is open. 1 computation under way, 2 waiting." in text
    assert "Since the server began, 2 d 7 h ago, 1,230 computations began: 1,120 done, 4 failed, 29 cancelled." in text
    assert f"ResViz {__version__} holds 1,536 MB of memory." in text
    assert text.index("Training in the Lab lab 30 20 1 9 3 h 25 min 0.0 s") < text.index("Gradients of every layer probe 1,200")
    monkeypatch.setenv("RESVIZ_OPERATOR_TOKEN", "x")
    now = asked("/operator", "token=x").body.decode()
    assert "0 sessions are open." in now
    assert "http-equiv" in now


def test_the_process_is_measured() -> None:
    """Of this very process, whose manager is the pages' own."""
    assert waiting.manager().submit("ada", ("probe", "measured"), lambda tick: 1).wait(5)
    now = counted(waiting.manager(), waiting.manager().counters.read().total.begun)
    assert now.kinds["probe"].done >= 1
    standing = operating._now()
    assert standing.memory > 2**24
    assert 0 < standing.seconds < 86_400
