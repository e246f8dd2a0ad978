"""What a server measures while nobody asks it for anything: the networks that the tour and the chips of Gradients open with."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import streamlit as st

from resviz.jobs import JobsFull
from resviz.results import Probe
from resviz.shared import shared
from resviz.spec.net import NetSpec, SpecError
from resviz.ui import cache, probing, waiting
from resviz.ui.state import network_in

__all__ = ["ahead", "begin"]

_OWNER: Final = "idle"
_LOOK: Final = 1.0  # seconds between two looks at whether anybody asks
_SMALL: Final = 32  # pixels of a side, beyond which a network is not measured unless it is asked for


@st.cache_resource(show_spinner=False)
def begin() -> threading.Thread | None:
    """Measure what servers share, once a process, in whatever time visitors leave; None where nothing is shared."""
    if shared() is None:
        return None
    thread = threading.Thread(target=_measure, daemon=True, name="idle")
    thread.start()
    return thread


def ahead() -> Iterator[waiting.Wanted[Probe]]:
    """The questions that a course begins with, each once."""
    from resviz.ui.gradients import TELLING  # a page, which begins with this module
    from resviz.ui.tour.stops import STOPS

    toured = [network_in(stop.setting)[0] for stop in STOPS if stop.page == "Gradients"]
    seen = set()
    for spec in (NetSpec(), *toured, *TELLING.values()):
        nets, batch, size, side = probing.opening(spec)
        with suppress(SpecError):  # what this machine has no memory for
            for wanted in probing.wanted(nets, batch, size, side, None) if side <= _SMALL else ():
                if wanted[1] not in seen:
                    seen.add(wanted[1])
                    yield wanted


def _measure() -> None:
    """One after another, and none while a visitor's computation waits or runs."""
    jobs = waiting.manager()
    if (loading := cache.warm_up()).is_alive():  # it never was where all is loaded already
        loading.join()
    for _, key, _, work in ahead():
        while (now := jobs.counters.read()).queued or now.running:
            time.sleep(_LOOK)
        try:
            job = jobs.submit(_OWNER, key, waiting.computed(key, work))
        except JobsFull:
            continue
        while job.live:
            job.wait(_LOOK)
