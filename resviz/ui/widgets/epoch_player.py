"""A slider over epochs or steps that can play by itself."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

__all__ = ["epoch_player", "player"]

_FRAMES = 60  # at most so many are played


def epoch_player(last: int) -> int:
    """The chosen epoch from 1 to `last`; while it plays, every run of the surrounding fragment moves one on."""
    return player(range(1, last + 1))


def player(places: Sequence[int], word: str = "Epoch", of: str = "") -> int:
    """The chosen one of these places, the last at first; `of` begins the names under which the session keeps it.

    While `{of}playing` holds, every run of the surrounding fragment moves on.
    """
    at, playing_key, drawn = f"{of}epoch", f"{of}playing", f"{of}epoch.drawn"
    state, last = st.session_state, places[-1]

    def toggle() -> None:
        playing = not state.get(playing_key)
        state[playing_key] = playing
        if playing and state[at] >= last:
            state[at] = places[0]

    if state.setdefault(at, last) not in places:
        state[at] = last
    playing = bool(state.get(playing_key))
    if playing and state.get(drawn) == state[at]:
        if state[at] < last:
            state[at] = places[min(len(places) - 1, places.index(state[at]) + -(-len(places) // _FRAMES))]
        else:
            state[playing_key] = playing = False
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Pause" if playing else "Play",
            on_click=toggle,
            key=f"{of}play",
            width=110,
            icon=":material/pause:" if playing else ":material/play_arrow:",
            disabled=len(places) < 2,
        )
        about = "Moves the mark on the curves and redraws what lies inside."
        if len(places) < 2:
            chosen = places[0]
        elif isinstance(places, range):
            chosen = st.slider(word, places[0], last, key=at, help=about)
        else:
            chosen = st.select_slider(word, places, key=at, help=about)
    if playing != bool(state.get(f"{of}played")):  # the fragment's pace is set by the page
        state[f"{of}played"] = playing
        st.rerun()
    state[drawn] = chosen
    return int(chosen)
