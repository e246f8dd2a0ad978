"""What every page is made of, in this order: chips, a stage beside its drawer, more measurements, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from resviz.ui.left_out import forget

__all__ = ["beside", "chips", "entered", "why"]


def entered(title: str) -> None:
    """A page that the visitor comes to tells so; staying on it, or drawing it anew, does not count."""
    if st.session_state.get("page") != title:
        visits: dict[str, int] = st.session_state.setdefault("visits", {})
        visits[title] = visits.get(title, 0) + 1
        st.session_state["page"] = title
        forget()


def chips(settings: Mapping[str, Callable[[], None]]) -> None:
    """Telling settings over the stage, one click away."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="chips"):
        st.markdown("Try", width="content")
        for label, act in settings.items():
            st.button(label, key=f"try.{label}", on_click=act)


def beside() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The stage's place, and beside it the drawer of its controls; on a phone the drawer comes after the stage.

    The Tab key comes to the drawer first; the style sheet puts it where the eye looks for it.
    """
    with st.container(key="beside"):
        side, stage = st.columns([1, 4], gap="medium")
    return stage.container(key="stage"), side.container(key="drawer")


def why(text: str) -> None:
    """The mechanism and the papers; open at the first visit to a page."""
    first = st.session_state.get("visits", {}).get(st.session_state.get("page"), 1) == 1
    with st.expander("Why", expanded=first):
        st.markdown(text)
