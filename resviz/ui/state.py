"""The spec of this session: seeded once from the URL, written back each run; widgets are views of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from resviz.plan import PARAMETERS
from resviz.spec import NetSpec, SpecError, from_query, to_query

__all__ = ["EXPLAIN_PARAMETERS", "bound", "change", "current_spec", "reset", "sync_url", "undo"]

EXPLAIN_PARAMETERS = frozenset({"photo", "model", "class", "against", "methods", "layers", "view"})  # of that page's link
_HISTORY = 50


def current_spec() -> NetSpec:
    if "spec" not in st.session_state:
        own = {name: text for name, text in st.query_params.items() if name not in PARAMETERS | EXPLAIN_PARAMETERS}
        st.session_state.spec, problems = from_query(own)
        st.session_state.undo = []
        if problems:
            st.session_state.notice = f"Part of the link was not understood and is left out: {problems[0]}."
    spec: NetSpec = st.session_state.spec
    return spec


def sync_url(more: Mapping[str, str]) -> None:
    """Write the spec, and what else the page is about, to the URL, so that the address bar is the link to what is seen."""
    query = {**to_query(current_spec()), **more}
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def change(edit: Callable[[NetSpec], NetSpec]) -> None:
    """Edit the spec; what cannot be built leaves it as it is and becomes the notice."""
    before = current_spec()
    try:
        after = edit(before)
    except SpecError as error:
        st.session_state.notice = str(error)
        return
    if after != before:
        st.session_state.undo = [*st.session_state.undo[-_HISTORY:], before]
        st.session_state.spec = after


def undo() -> None:
    if st.session_state.get("undo"):
        st.session_state.spec = st.session_state.undo.pop()


def reset() -> None:
    change(lambda _: NetSpec())


def bound(name: str) -> dict[str, Any]:
    """`key` and `on_change` for a widget that shows one field of the spec and writes it back."""
    key = f"spec.{name}"

    def write_back() -> None:
        value = st.session_state[key]
        if value is not None:
            change(lambda spec: spec.resized(**{name: value}))

    st.session_state[key] = getattr(current_spec(), name)
    return {"key": key, "on_change": write_back}
