"""A slider over epochs that can play by itself."""

from __future__ import annotations

import streamlit as st

__all__ = ["epoch_player"]


def epoch_player(last: int) -> int:
    """The chosen epoch from 1 to `last`; while it plays, every run of the surrounding fragment moves one on."""

    def toggle() -> None:
        playing = not st.session_state.get("playing")
        st.session_state.playing = playing
        if playing and st.session_state.epoch >= last:
            st.session_state.epoch = 1

    st.session_state.setdefault("epoch", last)
    playing = bool(st.session_state.get("playing"))
    if playing and st.session_state.get("epoch.drawn") == st.session_state.epoch:
        if st.session_state.epoch < last:
            st.session_state.epoch += 1
        else:
            st.session_state.playing = playing = False
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Pause" if playing else "Play",
            on_click=toggle,
            key="play",
            width=110,
            icon=":material/pause:" if playing else ":material/play_arrow:",
        )
        epoch = st.slider("Epoch", 1, last, key="epoch", help="Moves the mark on the curves and redraws what lies inside.")
    if playing != bool(st.session_state.get("played")):  # the fragment's pace is set by the page
        st.session_state.played = playing
        st.rerun()
    st.session_state["epoch.drawn"] = epoch
    return int(epoch)
