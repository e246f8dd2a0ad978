"""Widgets that show a value kept elsewhere, and hand on what the visitor chooses."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, TypedDict, TypeVar

import streamlit as st

__all__ = ["Bound", "seen", "tied"]

V = TypeVar("V")
# by the widget's key: what stood in it before, and until when the browser may not have heard of the change
_BEFORE: Final = "tied.before"
_HEARS = 0.7  # seconds after a run until the browser shows it; nobody chooses again so soon what stood there


class Bound(TypedDict):
    """What ties a widget to a value that is kept elsewhere."""

    key: str
    on_change: Callable[[], None]


def tied(key: str, value: V | None, write: Callable[[V], object], clear: Callable[[], object] | None = None) -> Bound:
    """`key` and `on_change` for a widget that shows `value` and hands what the visitor chooses to `write`; choosing nothing calls `clear`.

    A click comes with what the browser shows in every widget: soon after a change, with what stood there before, which is then no choice.
    """

    def changed() -> None:
        chosen = st.session_state[key]
        before, until = _before().get(key, (None, 0.0))
        if before == chosen and time.monotonic() < until:
            return
        if chosen is not None:
            write(chosen)
        elif clear is not None:
            clear()

    if key in st.session_state and st.session_state[key] != value:
        _before()[key] = st.session_state[key], math.inf
    st.session_state[key] = value
    return {"key": key, "on_change": changed}


def _before() -> dict[str, tuple[object, float]]:
    found: dict[str, tuple[object, float]] = st.session_state.setdefault(_BEFORE, {})
    return found


def seen() -> None:
    """The run is over: in a moment the browser shows what it put into the widgets."""
    now = time.monotonic()
    kept = {key: (value, min(until, now + _HEARS)) for key, (value, until) in _before().items() if until > now}
    st.session_state[_BEFORE] = kept
