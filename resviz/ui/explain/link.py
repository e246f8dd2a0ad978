"""The Explain page's state in its link: kept between pages, and set again in another browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

import streamlit as st

from resviz.ui.cache import samples
from resviz.ui.networks import bundled_titles, come_back
from resviz.ui.state import EXPLAIN_PARAMETERS, went_back

__all__ = ["enter_with", "keep", "link", "restore", "usual", "valid"]

_KEPT: Final = "explain.link"
_QUESTION: Final = "explain.question"


@cache
def usual() -> tuple[str, str]:
    """The network and the sample that the page begins with."""
    from resviz.zoo.scope import begin_with

    return begin_with(tuple(samples()))


def restore() -> None:
    """On entering the page or going back in the browser: set it as it was left, or as the link says.

    `valid` ignores what does not exist.
    """
    state = st.session_state
    back = went_back()
    if "explain.source" in state and not back:  # the page's first control: it was here a moment ago, drawn whole or not
        return
    for key, value in zip(("explain.network", "explain.sample"), usual(), strict=True):
        state.setdefault(key, value)
    in_address = {name: text[:400] for name, text in st.query_params.items() if name in EXPLAIN_PARAMETERS}
    query: Mapping[str, str] = in_address if back else state.get(_KEPT) or in_address
    own = come_back()
    state.update({} if back else state.get(_QUESTION, {}))
    if not (query or back):
        return
    from resviz.zoo.imagenet import weights

    model, photo = query.get("model", ""), query.get("photo", "")
    known = model in bundled_titles() or model in weights()
    model = own or (model if known else usual()[0])
    photo = photo if photo in samples() else usual()[1]
    place = f"{model}.sample {photo}"
    state["explain.sample"] = photo
    if model and not own:
        state["explain.network"] = model
    for key, name in (
        ("explain.view", "view"),
        (f"class.{place}", "class"),
        (f"against.{place}.{query.get('class')}", "against"),
    ):
        _set(key, query.get(name))
    for key, name in (("explain.methods", "methods"), (f"layers.{model}", "layers")):
        _set(key, query[name].split(",") if name in query else None)


def enter_with(query: Mapping[str, str]) -> None:
    """Set the page, when it is drawn next, as a link with this query would."""
    st.session_state[_KEPT] = dict(query)
    for key in ("explain.source", "explain.methods", "explain.view", _QUESTION):
        st.session_state.pop(key, None)


def keep(question: Mapping[str, str | None]) -> None:
    """What was asked of a photograph that no link can hold, for when the page is entered again."""
    st.session_state[_QUESTION] = {key: value for key, value in question.items() if value is not None}


def _set(key: str, value: object) -> None:
    """A control as the link says; where it says nothing, as usual."""
    state = st.session_state
    if value is None:
        state.pop(key, None)
        # a list that was drawn in an interrupted run and left reads as empty, which would be the visitor's own choice of none
        value = None if state.get(key) == [] else state.get(key)
    if value is not None or key in state:
        state[key] = value


def valid(key: str, choices: Iterable[str], default: object = None, most: int = 1) -> str:
    """The key of a control, after what is none of its choices, comes again or is more than `most` was forgotten.

    A link may name anything.
    """
    state, known = st.session_state, set(choices)
    value = state.get(key)
    if isinstance(value, list) and (fits := list(dict.fromkeys(each for each in value if each in known))[:most]) != value:
        state[key] = fits
    if (value and state[key] == []) or (value is not None and not isinstance(value, list) and value not in known):
        del state[key]
    if state.get(key) is None:  # set even to None, or the browser goes on showing what it had
        state[key] = default
    return key


def link(state: Mapping[str, str | None], usual: Mapping[str, str]) -> dict[str, str]:
    """What the page adds to the address: what differs from the usual. None is what no link can hold."""
    query = {name: value for name, value in state.items() if value is not None and value != usual.get(name)}
    if "against" in query:  # it is chosen for this class
        query["class"] = state["class"] or ""
    st.session_state[_KEPT] = query
    return query
