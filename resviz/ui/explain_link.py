"""The Explain page's state in its link: kept between pages, and set again in another browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

import streamlit as st

from resviz.ui.cache import samples
from resviz.ui.inputs import bundled_titles
from resviz.ui.state import EXPLAIN_PARAMETERS

__all__ = ["link", "restore", "usual", "valid"]

_KEPT: Final = "explain.link"


@cache
def usual() -> tuple[str, str]:
    """The network and the sample one begins with: the first bundled one that knows what a sample shows."""
    from resviz.zoo.bundled import bundled_names, card
    from resviz.zoo.scope import shows_known

    known = ((name, sample) for name in bundled_names() for sample in samples() if shows_known(sample, card(name)["categories"]))
    return next(known, (bundled_names()[0], next(iter(samples()))))


def restore() -> None:
    """On entering the page: set it as it was left, or as the link says; `valid` ignores what does not exist."""
    state = st.session_state
    if "explain.view" in state:  # the page was here a moment ago
        return
    for key, value in zip(("explain.network", "explain.sample"), usual(), strict=True):
        state.setdefault(key, value)
    given = {name: text[:400] for name, text in st.query_params.items() if name in EXPLAIN_PARAMETERS}
    asked: Mapping[str, str] = state.get(_KEPT) or given
    if not asked:
        return
    from resviz.zoo.imagenet import weights

    model, photo = asked.get("model", ""), asked.get("photo", "")
    model = model if model in bundled_titles() or model in weights() else usual()[0]
    photo = photo if photo in samples() else usual()[1]
    place = f"{model}.sample {photo}"
    state["explain.network"], state["explain.sample"] = model, photo
    for key, name in (
        ("explain.view", "view"),
        (f"class.{place}", "class"),
        (f"against.{place}.{asked.get('class')}", "against"),
    ):
        if name in asked:
            state[key] = asked[name]
    for key, name in (("explain.methods", "methods"), (f"layers.{model}", "layers")):
        if name in asked:
            state[key] = asked[name].split(",")[:8]


def valid(key: str, choices: Iterable[str], default: Any = None) -> str:
    """The key of a control, after what is none of its choices was forgotten: a link may name anything."""
    state, known = st.session_state, set(choices)
    value = state.get(key)
    if isinstance(value, list) and (fits := [each for each in value if each in known]) != value:
        state[key] = fits
    if (value and state[key] == []) or (value is not None and not isinstance(value, list) and value not in known):
        del state[key]
    if key not in state and default is not None:
        state[key] = default
    return key


def link(state: Mapping[str, str | None], usual: Mapping[str, str]) -> dict[str, str]:
    """What the page adds to the address: what differs from the usual. None is what no link can hold."""
    query = {name: value for name, value in state.items() if value is not None and value != usual.get(name)}
    if "against" in query:  # it is chosen for this class
        query["class"] = state["class"] or ""
    st.session_state[_KEPT] = query
    return query
