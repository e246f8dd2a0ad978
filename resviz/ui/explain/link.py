"""The Explain page's state in its link: kept between pages, and set again in another browser."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Final

import streamlit as st

from resviz.spec.spot import SPOT_PARAMETERS
from resviz.ui.cache import samples
from resviz.ui.left_out import followed, strange
from resviz.ui.networks import bundled_titles, come_back
from resviz.ui.state import EXPLAIN_PARAMETERS, went_back

__all__ = [
    "LEFT_OUT",
    "arrived",
    "asked",
    "choose",
    "chosen",
    "enter_with",
    "keep",
    "link",
    "restore",
    "usual",
    "valid",
]

LEFT_OUT: Final = {
    "model": "resnet20-cifar10",
    "photo": "Cat",
}  # what a link means that leaves one out, whatever the page begins with
_KEPT: Final = "explain.link"
_QUESTION: Final = "explain.question"
_LAST: Final = "explain.last"
_ABOUT: Final = SPOT_PARAMETERS | {"class", "against"}  # which mean nothing to another photograph or network


@cache
def usual() -> tuple[str, str]:
    """The network and the sample that the page begins with."""
    from resviz.zoo.scope import begin_with

    return begin_with(tuple(samples()))


def arrived(title: str) -> bool:
    """Whether this page is come to, or gone back on, and has to set its controls.

    Photograph and network have the same widgets on each page that asks about them, and go along from one to the other.
    """
    state = st.session_state
    stayed = "explain.source" in state and state.get("explain.on", title) == title  # the page's first control, drawn whole or not
    state["explain.on"] = title
    if stayed and not went_back():
        return False
    for key, value in zip(("explain.network", "explain.sample"), usual(), strict=True):
        state.setdefault(key, value)
    for key in ("explain.source", "explain.network", "explain.sample"):
        if key in state:
            state[key] = state[key]  # Streamlit ties what a widget holds to its page
    return True


def choose(query: Mapping[str, str]) -> tuple[str, str]:
    """Photograph and network as a link says; the network's key, and what tells questions about both from others."""
    from resviz.zoo.imagenet import weights

    state, own = st.session_state, come_back()
    model, photo = query.get("model", ""), query.get("photo", "")
    known = model in bundled_titles() or model in weights()
    begin = tuple(LEFT_OUT.values()) if query and LEFT_OUT["model"] in bundled_titles() else usual()
    if not own and not known:
        strange(model)
    if photo not in samples():
        strange(photo)
    model = own or (model if known else begin[0])
    photo = photo if photo in samples() else begin[1]
    state["explain.sample"] = photo
    if model and not own:
        state["explain.network"] = model
    return model, f"{model}.sample {photo}"


def asked(kept: str, parameters: Collection[str]) -> Mapping[str, str]:
    """What a page is to show: as it was left under the key `kept`, but of the photograph and the network chosen last, on whatever
    page; what the address says to who comes for the first time or goes back.
    """
    state = st.session_state
    in_address = {name: text[:400] for name, text in st.query_params.items() if name in parameters}
    left: Mapping[str, str] = state.get(kept) or {}
    if went_back() or (in_address and not left):
        followed(in_address)
        return in_address
    followed({})
    last: Mapping[str, str] = state.get(_LAST, {})
    if all(left.get(name, LEFT_OUT[name]) == value for name, value in last.items()):
        return {**left, **last}
    return {name: value for name, value in left.items() if name not in _ABOUT} | dict(last)


def chosen(model: str | None, photo: str | None) -> None:
    """What the next page begins with; None is what no link can hold."""
    st.session_state[_LAST] = {name: value for name, value in (("model", model), ("photo", photo)) if value is not None}


def restore() -> None:
    """On entering the page or going back in the browser: set it as it was left, or as the link says.

    `valid` ignores what does not exist.
    """
    state = st.session_state
    back = went_back()
    if not arrived("Explain"):
        return
    query = asked(_KEPT, EXPLAIN_PARAMETERS)
    state.update({} if back else state.get(_QUESTION, {}))
    if not (query or back):
        come_back()
        return
    model, place = choose(query)
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
    for key in ("explain.source", "explain.methods", "explain.view", _QUESTION, _LAST):
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
    for each in value if isinstance(value, list) else [value]:
        if each not in known:
            strange(each)
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
    chosen(state.get("model"), state.get("photo"))
    return query
