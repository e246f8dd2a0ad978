from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from resviz.jobs import AGAIN, Job, Jobs, JobsFull
from resviz.progress import Tick


def endless(tick: Tick) -> None:
    while True:
        tick(0.5, "turning")
        time.sleep(0.005)


def test_a_job_returns_reports_and_is_remembered() -> None:
    jobs = Jobs(workers=1)
    seen: list[float] = []

    def work(tick: Tick) -> int:
        for i in range(5):
            tick(i / 5, f"step {i}")
            seen.append(i / 5)
        return 42

    job = jobs.submit("ada", "key", work)
    assert job.wait(5)
    assert (job.state, job.result, len(seen)) == ("done", 42, 5)
    for _ in range(100):
        if jobs.remembered("key") == 42:
            break
        time.sleep(0.01)
    assert jobs.remembered("key") == 42


def test_cancel_ends_a_job_at_its_next_tick() -> None:
    job = Jobs(workers=1).submit("ada", 1, endless)
    time.sleep(0.05)
    began = time.monotonic()
    job.cancel()
    assert job.wait(1)
    assert time.monotonic() - began < 0.2
    assert job.state == "cancelled"


def test_an_error_belongs_to_its_job_and_the_worker_goes_on() -> None:
    jobs = Jobs(workers=1)

    def broken(tick: Tick) -> None:
        raise ValueError("no such layer")

    failed = jobs.submit("ada", 1, broken)
    fine = jobs.submit("ada", 2, lambda tick: "fine")
    assert fine.wait(5)
    assert failed.state == "failed"
    assert str(failed.error) == "no such layer"
    assert fine.result == "fine"


def test_whoever_has_fewest_running_is_next() -> None:
    jobs, order, gate = Jobs(workers=2), [], threading.Event()

    def held(tick: Tick) -> None:
        gate.wait(5)

    def noted(name: str) -> Job:
        return jobs.submit(name, object(), lambda tick: order.append(name))

    first = jobs.submit("hog", object(), held)
    second = jobs.submit("ada", object(), endless)
    time.sleep(0.05)
    waiting = [noted("hog"), noted("hog"), noted("eve")]
    assert [jobs.place(job) for job in waiting] == [1, 2, 3]
    second.cancel()
    assert all(job.wait(5) for job in waiting)
    assert order[0] == "eve"
    gate.set()
    assert first.wait(5)


def test_a_closed_session_ends_its_jobs_and_a_returning_one_keeps_them() -> None:
    jobs = Jobs(workers=2)
    gone, back = jobs.submit("gone", 1, endless), jobs.submit("back", 2, endless)
    time.sleep(0.05)
    for owner in ("gone", "back"):
        jobs.leave(owner, grace=0.1)
    jobs.adopt("back")
    assert gone.wait(2)
    assert gone.state == "cancelled"
    assert back.live
    back.cancel()
    assert back.wait(2)


def test_a_full_queue_says_so() -> None:
    jobs = Jobs(workers=1, queue=3, per_owner=2)
    running = jobs.submit("ada", 0, endless)
    time.sleep(0.05)
    waiting = [jobs.submit("ada", i, endless) for i in (1, 2)]
    with pytest.raises(JobsFull, match="2 computations waiting"):
        jobs.submit("ada", 3, endless)
    jobs.submit("eve", 4, endless).cancel()
    running.cancel()
    for job in waiting:
        job.cancel()
    assert running.wait(2)


def test_work_that_can_wait_takes_turns_and_a_hog_is_throttled() -> None:
    jobs, turns = Jobs(workers=1), []

    def lasting(name: str, steps: int) -> Job:
        done = 0

        def work(tick: Tick) -> object:
            nonlocal done
            while done < steps:
                time.sleep(0.05)
                done += 1
                turns.append(name)
                if tick(done / steps):
                    return AGAIN
            return name

        return jobs.submit(name, object(), work)

    hog = lasting("hog", 10_000)
    time.sleep(1.0)
    others = [lasting("ada", 4), lasting("eve", 4)]
    began = time.monotonic()
    assert all(job.wait(5) for job in others)
    assert time.monotonic() - began < 3  # they waited for one turn of the hog's at most, and for each other
    assert [job.result for job in others] == ["ada", "eve"]
    assert hog.live
    hog.cancel()
    assert hog.wait(1)


def test_leaving_the_queue_works_while_every_worker_is_busy() -> None:
    jobs = Jobs(workers=1)
    running, waiting = jobs.submit("ada", 1, endless), jobs.submit("eve", 2, endless)
    time.sleep(0.05)
    assert jobs.place(waiting) == 1
    waiting.cancel()
    assert jobs.place(waiting) == 0
    assert waiting.wait(0.1)
    running.cancel()
    assert running.wait(1)


def test_one_question_of_three_hundred_visitors_is_one_computation() -> None:
    jobs, begun, gate = Jobs(workers=2, queue=4), [], threading.Event()

    def work(tick: Tick) -> str:
        begun.append(1)
        while not gate.wait(0.005):
            tick(0.5, "half way")
        return "the answer"

    asked: list[Job] = []
    threads = [
        threading.Thread(target=lambda n=n: asked.append(jobs.submit(f"visitor {n}", "question", work))) for n in range(300)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(0.05)
    assert {job.note for job in asked} == {"half way"}  # all of them see how far it is
    gate.set()
    assert all(job.wait(5) for job in asked)
    assert {job.result for job in asked} == {"the answer"}
    late = jobs.submit("late", "question", work)  # and whoever comes after the end
    assert late.wait(5)
    assert (late.result, len(begun), jobs.counters.read().total.begun) == ("the answer", 1, 1)


def test_whoever_leaves_a_shared_computation_ends_it_for_nobody_else() -> None:
    jobs = Jobs(workers=1)
    ada, eve, bob = (jobs.submit(name, "question", endless) for name in ("ada", "eve", "bob"))
    time.sleep(0.05)
    ada.cancel()
    assert ada.wait(0.1)
    assert (ada.state, ada.live, eve.state, eve.live) == ("cancelled", False, "running", True)
    jobs.leave("bob", grace=0.05)
    time.sleep(0.15)
    assert eve.live
    again = jobs.submit("ada", "question", endless)
    assert jobs.counters.read().total.begun == 1
    eve.cancel()
    time.sleep(0.05)
    assert again.live
    again.cancel()
    assert again.wait(1)
    assert {job.state for job in (ada, eve, bob, again)} == {"cancelled"}
    assert jobs.submit("ada", "question", lambda tick: "anew").wait(2)  # what is ending cannot be joined


def test_all_who_watch_hear_of_an_error_and_may_try_again() -> None:
    jobs, gate = Jobs(workers=1), threading.Event()

    def broken(tick: Tick) -> None:
        gate.wait(5)
        raise ValueError("no such layer")

    ada, eve = jobs.submit("ada", "question", broken), jobs.submit("eve", "question", broken)
    gate.set()
    assert ada.wait(2)
    assert eve.wait(2)
    assert str(ada.error) == str(eve.error) == "no such layer"
    again = jobs.submit("ada", "question", lambda tick: "fine")
    assert again.wait(2)
    assert again.result == "fine"


def test_a_shared_computation_waits_no_longer_than_its_most_patient_watchers_turn() -> None:
    jobs, order, gate = Jobs(workers=1), [], threading.Event()
    running = jobs.submit("hog", object(), lambda tick: gate.wait(5))
    time.sleep(0.05)
    shared = jobs.submit("hog", "question", lambda tick: order.append("shared"))
    other = jobs.submit("ada", object(), lambda tick: order.append("ada"))
    jobs.submit("eve", "question", lambda tick: None)
    gate.set()
    assert all(job.wait(2) for job in (running, shared, other))
    assert order == ["shared", "ada"]


def test_a_process_that_ends_while_jobs_run_ends_in_order() -> None:
    """A worker that is still inside PyTorch when the interpreter goes would take the process down."""
    script = """
import time, torch
from resviz.jobs import Jobs
def work(tick):
    while True:
        tick(0.5)
        torch.nn.functional.conv2d(torch.ones(8, 16, 64, 64), torch.ones(16, 16, 3, 3))
jobs = Jobs(workers=2)
running = [jobs.submit("ada", n, work) for n in range(3)]
while running[0].state != "running":
    time.sleep(0.01)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
