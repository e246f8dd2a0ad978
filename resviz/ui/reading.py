"""Reading what a visitor gave, off the script thread, for this session alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import TypeVar

import streamlit as st

from resviz.progress import Tick, quiet
from resviz.ui.waiting import result_of

__all__ = ["read"]

T = TypeVar("T")


def read(
    slot: str, key: Hashable, label: str, work: Callable[[Tick], T], at_once: bool = False, kind: str = "reading"
) -> T | ValueError | None:
    """What `work` made of the file `key`, or the ValueError that says why it cannot be read; None while it is being read.

    Unlike other results it is kept in this session's memory only, until another file takes its place. What is read `at_once`
    need not queue behind the session's own long jobs.
    """
    held: dict[str, tuple[Hashable, object, list[T | ValueError]]] = st.session_state.setdefault("read", {})
    if slot not in held or held[slot][0] != key:
        held[slot] = key, (kind, object()), []
    _, ticket, found = held[slot]
    if not found and at_once:
        _into(found, work, quiet)
    elif not found:
        result_of(slot, ticket, label, partial(_into, found, work))
    return found[0] if found else None


def _into(found: list[T | ValueError], work: Callable[[Tick], T], tick: Tick) -> bool:
    try:
        found.append(work(tick))
    except ValueError as error:
        found.append(error)
    return True
