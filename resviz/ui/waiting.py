"""How a page waits for jobs: progress, cancel, an end when the visitor leaves, and what went wrong."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from resviz.allocator import give_back
from resviz.apart import engine
from resviz.jobs import GRACE, Job, Jobs, JobsFull
from resviz.machine import cores
from resviz.progress import Tick
from resviz.shared import Public, shared
from resviz.ui.markdown import literal, sentence

__all__ = ["Wanted", "begin", "computed", "keep", "manager", "result_of", "results_of", "submit"]

T = TypeVar("T")
Wanted = tuple[str, Hashable, str, Callable[[Tick], T]]  # a place on the page, what is asked, its name, and how it is computed
_PATIENCE = 0.8  # seconds a page waits before it draws a bar instead of the result


@st.cache_resource(show_spinner=False)
def manager() -> Jobs:
    """The one manager of this process."""
    elsewhere = engine()
    return Jobs(max(elsewhere.count, cores()) if elsewhere else None)


@dataclass(frozen=True)
class _Lease:
    jobs: Jobs
    owner: str


_tidying: list[threading.Timer] = []


def _released(lease: _Lease) -> None:
    """The session is gone: its jobs end, and what it held is given back once Streamlit has forgotten it too."""
    lease.jobs.leave(lease.owner)
    for timer in _tidying:
        timer.cancel()
    timer = threading.Timer(st.get_option("server.disconnectedSessionTTL") + GRACE, _tidy)
    timer.daemon = True
    _tidying[:] = [timer]
    timer.start()


def _tidy() -> None:
    """Networks and their optimizers refer to each other, and glibc keeps what they free."""
    gc.collect()
    give_back()


@st.cache_resource(scope="session", on_release=_released, show_spinner=False)
def _lease(_jobs: Jobs, owner: str) -> _Lease:
    """Held for as long as the browser session is; its release starts the jobs' grace."""
    return _Lease(_jobs, owner)


def _owner() -> str:
    """This session's name for the manager; every run takes its jobs back into its lease."""
    if "owner" not in st.session_state:
        st.session_state.owner = os.urandom(8).hex()
    name: str = st.session_state.owner
    _lease(manager(), name)
    manager().adopt(name)
    return name


def keep() -> None:
    """Take this session's jobs back into its lease; every page does at every run, so a dropped connection ends nothing."""
    if "owner" in st.session_state:
        _owner()


def submit(key: Hashable, work: Callable[[Tick], object]) -> Job:
    """A job of this session's own that the page keeps by itself; raises `JobsFull`."""
    return manager().submit(_owner(), key, work)


def computed(key: Hashable, work: Callable[[Tick], object]) -> Callable[[Tick], object]:
    """The work as it is; of a public question outside this process where there is an engine, and only if no other server knows its result."""
    if not isinstance(key, Public):
        return work
    if (elsewhere := engine()) is not None:
        work = partial(elsewhere.run, work)
    return store.once(key, work) if (store := shared()) is not None else work


def _start(slot: str, key: Hashable, work: Callable[[Tick], object]) -> Job | None:
    """The job of this place on the page; another key cancels what ran there. None where the result is remembered."""
    jobs: dict[str, Job] = st.session_state.setdefault("jobs", {})
    name = _owner()
    if slot in jobs and jobs[slot].key != key:
        jobs.pop(slot).cancel()
    if slot not in jobs and manager().remembered(key) is None:
        jobs[slot] = manager().submit(name, key, computed(key, work))
    return jobs.get(slot)


def result_of(slot: str, key: Hashable, label: str, work: Callable[[Tick], T]) -> T | None:
    """A job's result, or None after drawing in its place what keeps it: progress, its end, or what went wrong."""
    return results_of([(slot, key, label, work)])[0]


def begin(wanted: Sequence[Wanted[object]]) -> None:
    """Queue already what `results_of` will be asked for."""
    with contextlib.suppress(JobsFull):  # which `results_of` will say
        for slot, key, _, work in wanted:
            _start(slot, key, work)


def results_of(
    wanted: Sequence[Wanted[T]],
    places: Sequence[DeltaGenerator] = (),
    draw_partial: Callable[[str, T | None], None] | None = None,
) -> list[T | None]:
    """Several jobs side by side: all are queued before any is waited for.

    `places` are containers to draw progress in; `draw_partial` draws there what the job of a slot has so far, or None.
    """
    try:
        started = [_start(slot, key, work) for slot, key, _, work in wanted]
    except JobsFull as full:
        st.warning(str(full), icon=":material/hourglass:")
        return [manager().remembered(key) for _, key, _, _ in wanted]
    until = time.monotonic() + _PATIENCE
    for job in started:
        if job is not None:
            job.wait(max(0.0, until - time.monotonic()))
    results: list[T | None] = []
    for n, ((slot, key, label, _), job) in enumerate(zip(wanted, started, strict=True)):
        result = job.result if job is not None and job.state == "done" else manager().remembered(key)
        results.append(result)
        if result is None and job is not None:
            with places[n] if places else st.container():
                _draw(slot, label, job, draw_partial)
    return results


def _draw(slot: str, label: str, job: Job, draw_partial: Callable[[str, T | None], None] | None = None) -> None:
    def again() -> None:
        st.session_state.jobs.pop(slot, None)

    if job.state == "failed":
        st.error(sentence(f"{label} ended with an error: {job.error}"))
        st.button("Try again", key=f"{slot}.again", on_click=again)
    elif job.state == "cancelled":
        st.info(literal(f"{label}: cancelled."))
        st.button("Start again", key=f"{slot}.again", on_click=again)
    else:
        _watch(slot, label, job, draw_partial)


@st.fragment(run_every=0.5)
def _watch(slot: str, label: str, job: Job, draw_partial: Callable[[str, T | None], None] | None) -> None:
    """Polls one job; the page runs once more when it has ended."""
    if not job.live:
        st.rerun()
    place = manager().place(job)
    left = job.remaining
    text = f"{label}: {f'place {place} in the queue' if place else job.note or f'{100 * job.fraction:.0f} %'}"
    if left is not None:
        text += f", about {math.ceil(left)} s left"
    if draw_partial is not None:
        draw_partial(slot, job.partial)
    st.progress(min(1.0, job.fraction), literal(text))
    st.button("Cancel", key=f"{slot}.cancel", on_click=job.cancel, icon=":material/close:")
