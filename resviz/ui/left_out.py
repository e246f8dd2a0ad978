"""What of the address that was followed means nothing on its page, until another one is followed or the page is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from resviz.guard import quoted
from resviz.spec.query import listed
from resviz.ui.markdown import literal

__all__ = ["followed", "forget", "leave_out", "refuse", "refused", "said_of", "say_left_out", "strange"]

_WORDS: Final = "link.words"  # of the address that was followed, until the page has been drawn whole
_STRANGE: Final = "link.strange"  # those of them that mean nothing here
_REFUSED: Final = "link.refused"  # what is wrong with what every page's address may hold


def followed(query: Mapping[str, str]) -> None:
    """A page is set as this part of the address says; an empty one is none that was followed."""
    st.session_state[_WORDS] = {word for text in query.values() for word in (text, *text.split(","), *text.split("."))}
    st.session_state[_STRANGE] = []


def forget() -> None:
    """The page is left."""
    for key in (_WORDS, _STRANGE, _REFUSED):
        st.session_state.pop(key, None)


def leave_out(parameters: Mapping[str, str]) -> None:
    """Remember these parameters, by name and text, as what means nothing here."""
    for name, text in parameters.items():
        strange(text, f"{name} ")


def strange(word: object, name: str = "") -> None:
    """Remember what means nothing here where the address that was followed says it."""
    words, said = st.session_state.get(_WORDS, ()), st.session_state.get(_STRANGE, [])
    if not isinstance(word, str) or not (word or name) or any(part not in words for part in word.split(",")):
        return
    if (told := f"{name}{word or 'without a value'}") not in said:
        said.append(told)


def say_left_out() -> None:
    """What of the address was not understood; for a page that was drawn whole."""
    state = st.session_state
    state[_WORDS] = set()
    if words := state.get(_STRANGE):
        st.warning(literal(said_of([quoted(word, 60) for word in words], between=", ")), icon=":material/info:")


def refuse(problems: Sequence[str], what: str = "the link") -> None:
    """Say these of the address, a clause each, on the page that it leads to; `what` names the part of it that they are of."""
    st.session_state.setdefault(_REFUSED, {})[what] = said_of(problems, what)


def refused(what: str = "the link") -> str:
    """What `refuse` was told, as a sentence; "" where that is nothing."""
    said: Mapping[str, str] = st.session_state.get(_REFUSED, {})
    return said.get(what, "")


def said_of(problems: Sequence[str], what: str = "the link", between: str = "; ") -> str:
    """These problems as a sentence; "" where there are none."""
    return f"Part of {what} was not understood and is left out: {listed(problems, between)}." if problems else ""
