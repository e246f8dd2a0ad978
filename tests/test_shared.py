"""Results that several servers share: computed once, never from another question, and nothing of a visitor's among them."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resviz.jobs import AGAIN, Jobs
from resviz.results import Attribution
from resviz.shared import Public, Shared, shared
from resviz.spec.choices import Init
from resviz.spec.net import NetSpec
from resviz.spec.presets import PRESETS
from resviz.ui import idle, probing, waiting
from resviz.ui.anatomy import work as anatomy

ROOT = Path(__file__).resolve().parents[1]
SPEC = NetSpec(blocks=(1, 1, 1), cut=frozenset({"layer1.0", "layer2.0", "layer3.0"}))
KEY = Public(("probe", SPEC, "digits", 4, 8, None))


def quiet(fraction: float, note: str = "", partial: object = None) -> bool:
    return False


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pickle"))


_ASK = """
import sys, time
from pathlib import Path
from resviz.shared import Public, Shared
from tests.test_shared import KEY, quiet
folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
def work(tick):
    with open(folder / "computed", "a") as log:
        log.write("x")
    time.sleep(seconds)
    return {"answer": 42}
print(Shared(folder, 2**20).once(KEY, work)(quiet))
"""


def ask(folder: Path, seconds: float = 0.0) -> subprocess.Popen[str]:
    """Another server's question; its hashes are its own."""
    env = os.environ | {"PYTHONHASHSEED": str(time.monotonic_ns() % 1000), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _ASK, str(folder), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env)


def until_computed(folder: Path, times: int) -> None:
    until = time.monotonic() + 60
    while not (log := folder / "computed").exists() or len(log.read_text(encoding="utf-8")) < times:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_three_servers_compute_one_question_once(tmp_path: Path) -> None:
    servers = [ask(tmp_path, 1.0) for _ in range(3)]
    assert [server.communicate(timeout=120)[0].strip() for server in servers] == ["{'answer': 42}"] * 3
    assert (tmp_path / "computed").read_text(encoding="utf-8") == "x"


def test_what_a_server_dies_over_another_computes(tmp_path: Path) -> None:
    first = ask(tmp_path, 600.0)
    until_computed(tmp_path, 1)
    second = ask(tmp_path)
    time.sleep(1)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=60)
    assert second.communicate(timeout=120)[0].strip() == "{'answer': 42}"
    assert (tmp_path / "computed").read_text(encoding="utf-8") == "xx"


def test_an_error_is_nobody_s_result(tmp_path: Path) -> None:
    store = Shared(tmp_path, 2**20)

    def broken(tick: object) -> object:
        raise ValueError("no such layer")

    with pytest.raises(ValueError, match="no such layer"):
        store.once(KEY, broken)(quiet)
    assert store.once(KEY, lambda tick: 5)(quiet) == 5


def test_who_waits_for_another_server_lets_others_have_the_turn(tmp_path: Path) -> None:
    one, other, began, go = Shared(tmp_path, 2**20), Shared(tmp_path, 2**20), threading.Event(), threading.Event()

    def slow(tick: object) -> bool:
        began.set()
        return go.wait(60)

    thread = threading.Thread(target=one.once(KEY, slow), args=(quiet,))
    thread.start()
    try:
        assert began.wait(60)
        assert other.once(KEY, lambda tick: 1)(lambda *about: True) is AGAIN
    finally:
        go.set()
        thread.join()


@pytest.mark.parametrize(
    "changed",
    [
        replace(SPEC, init=Init.PYTORCH),
        replace(SPEC, cut=frozenset({"layer1.0"})),
        replace(SPEC, seed=1),
        replace(SPEC, blocks=(1, 1, 2)),
    ],
)
def test_another_network_is_another_question(changed: NetSpec, tmp_path: Path) -> None:
    store = Shared(tmp_path, 2**20)
    assert store.once(KEY, lambda tick: 1)(quiet) == 1
    assert store.once(Public(("probe", changed, "digits", 4, 8, None)), lambda tick: 2)(quiet) == 2
    assert store.once(Public(KEY), lambda tick: 3)(quiet) == 1
    # equal in Python, and not the same question
    assert store.once(Public(("probe", SPEC, "digits", 4, 8, False)), lambda tick: 4)(quiet) == 4


def test_a_damaged_file_is_computed_again_and_a_harmful_one_calls_nothing(tmp_path: Path) -> None:
    store, canary = Shared(tmp_path, 2**20), tmp_path / "canary"

    class Call:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (canary,)

    store.once(KEY, lambda tick: 1)(quiet)
    for damaged in (b"", b"\x80\x05", pickle.dumps(Call()), pickle.dumps(eval)):
        files(tmp_path)[0].write_bytes(damaged)
        assert store.once(KEY, lambda tick: 2)(quiet) == 2
    assert not canary.exists()


def test_the_longest_unused_leaves_a_full_folder(tmp_path: Path) -> None:
    store = Shared(tmp_path, 30_000)
    keys = [Public(("probe", n)) for n in range(4)]

    def made(n: int) -> Attribution:
        return Attribution("saliency", 0, np.full(1250, float(n)), True)  # 10,000 bytes

    for n in (0, 1):
        store.once(keys[n], lambda tick, n=n: made(n))(quiet)
        os.utime(files(tmp_path)[0], (n, n)) if n == 0 else None
    store.once(keys[0], lambda tick: made(9))(quiet)  # used again
    old = next(path for path in files(tmp_path) if pickle.loads(path.read_bytes()).values[0] == 1)
    os.utime(old, (1, 1))
    store.once(keys[2], lambda tick: made(2))(quiet)
    assert {pickle.loads(path.read_bytes()).values[0] for path in files(tmp_path)} == {0.0, 2.0}


def test_what_is_no_value_is_not_kept(tmp_path: Path) -> None:
    store = Shared(tmp_path, 2**20)
    assert store.once(KEY, lambda tick: Path("x"))(quiet) == Path("x")
    assert not files(tmp_path)
    with pytest.raises(TypeError):
        store.once(Public(("probe", object())), lambda tick: 1)(quiet)


def test_a_folder_that_cannot_be_used_costs_nothing_but_the_sharing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for name, most in ((str(tmp_path / "file"), "5"), (str(tmp_path / "folder"), "many")):
        shared.cache_clear()
        monkeypatch.setenv("RESVIZ_CACHE", name)
        monkeypatch.setenv("RESVIZ_CACHE_MB", most)
        assert shared() is None
        assert name in caplog.text
    shared.cache_clear()
    monkeypatch.delenv("RESVIZ_CACHE")
    assert shared() is None
    shared.cache_clear()


def test_a_folder_that_is_gone_costs_nothing_but_the_sharing(tmp_path: Path) -> None:
    store = Shared(tmp_path / "cache", 2**20)
    (tmp_path / "cache").rmdir()
    (tmp_path / "cache").write_text("", encoding="utf-8")
    assert store.once(KEY, lambda tick: 1)(quiet) == 1


def test_every_kind_of_public_result_is_kept_as_it_is(tmp_path: Path) -> None:
    store, nets = Shared(tmp_path, 2**26), {"residual": SPEC}
    asked = ("resnet20-digits-0", 32, False)
    every = [
        *probing.wanted(nets, "digits", 4, 8, None),
        *(job(asked) for job in (anatomy.singles, anatomy.lengths, anatomy.refined, anatomy.without_skips)),
    ]
    for n, (_, key, _, work) in enumerate(every, 1):
        assert isinstance(key, Public)
        made = store.once(key, work)(quiet)
        assert len(files(tmp_path)) == n, key[0]
        kept = store.once(key, lambda tick: pytest.fail("it is kept"))(quiet)
        assert pickle.dumps(kept) == pickle.dumps(made)


def test_a_visitor_s_picture_is_no_public_question() -> None:
    picture = "0" * 32, Image.new("RGB", (32, 32))
    ((_, key, _, _),) = probing.wanted({"residual": PRESETS["resnet20"]}, "picture", 4, 32, picture)
    assert not isinstance(key, Public)


def test_what_a_course_begins_with_is_measured_in_idle_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default network, the tour's and the chips', each once; and a page that opens then has it without a computation."""
    asked = list(idle.ahead())
    keys = [key for _, key, _, _ in asked]
    assert len(set(keys)) == len(keys) > 6
    for spec in (NetSpec(), NetSpec().plain()):
        assert any(spec in key for key in keys)
    monkeypatch.setattr(idle, "ahead", lambda: iter(asked[:2]))
    monkeypatch.setattr(waiting, "manager", lambda: jobs)
    monkeypatch.setenv("RESVIZ_CACHE", str(tmp_path))
    shared.cache_clear()
    jobs = Jobs(1)
    try:
        idle.begin.clear()
        thread = idle.begin()
        assert thread is not None
        thread.join(300)
        assert all(jobs.remembered(key) is not None for key in keys[:2])
        assert len(files(tmp_path)) == 2
    finally:
        shared.cache_clear()
        idle.begin.clear()
        jobs.close()
