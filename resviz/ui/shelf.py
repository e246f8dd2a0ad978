"""My networks: what a visitor trained, taught or brought along, held by the session, or on disk where the server is theirs alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

import streamlit as st

from resviz.ui.markdown import literal, sentence
from resviz.ui.widgets.pickers import Photograph, digest, give_photograph

if TYPE_CHECKING:
    from resviz.zoo.shelf import Shelf

__all__ = ["at_the_server", "explain_with", "keep", "my_networks", "put", "shelf", "shelved"]

_FORWARDED: Final = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via"}


def shelf() -> Shelf:
    """This session's own; that of RESVIZ_HOME for whoever sits at the server itself."""
    from resviz.zoo.shelf import Shelf, home

    if "shelf" not in st.session_state:
        st.session_state["shelf"] = Shelf(home() if at_the_server(st.context.ip_address, st.context.headers) else None)
    found: Shelf = st.session_state["shelf"]
    return found


def at_the_server(address: str | None, headers: Iterable[str]) -> bool:
    """Whether a browser runs on the server's own machine, by its address (None there) and the names of its headers: no proxy between."""
    return address in (None, "127.0.0.1", "::1") and not {name.lower() for name in headers} & _FORWARDED


def shelved(name: str) -> str:
    """What a choice of networks calls one of the shelf, apart from all others'."""
    return f"shelf: {name}"


def keep(name: str, make: Callable[[], bytes]) -> None:
    """`put`, for a button."""
    put(name, make)


def put(name: str, make: Callable[[], bytes]) -> str | None:
    """On the shelf under a name, which is returned; what is refused is a sentence."""
    try:
        own = shelf().put(name, make())
    except ValueError as error:
        st.error(sentence(error))
        return None
    st.toast(f"{literal(own)} is on your shelf.", icon=":material/bookmark_added:")
    return own


def explain_with(name: str, photograph: Photograph | None = None) -> None:
    """The page that asks about photographs, with this network of the shelf and, where given, a picture for it."""
    st.session_state["own.shelved"] = name
    if photograph is not None:
        give_photograph("explain", photograph)
    st.switch_page("pages/explain.py", query_params={})


def my_networks() -> None:
    """All of them: rename, download, delete, and bring one back."""
    names = shelf().names()
    with st.popover(f"My networks ({len(names)})", icon=":material/bookmarks:", width="stretch"):
        for error in st.session_state.pop("shelf.trouble", []):
            st.error(sentence(error))
        if not names:
            st.caption("None yet: put one there from the Lab, from Transfer, or from a file.")
        chosen = st.selectbox("Network on the shelf", names, key="shelf.chosen") if names else None
        if chosen is not None:
            _about(chosen)
        st.file_uploader(
            "Put a file there",
            key="shelf.file",
            type=["safetensors"],
            on_change=_brought,
            help="What Download gave you, card inside.",
        )
        kept = "They stay with this session and are gone with it." if shelf().folder is None else f"They lie in {shelf().folder}."
        st.caption(literal(kept))


def _about(name: str) -> None:
    """One network's card, and what can be done with it."""
    card = shelf().card(name)
    classes = card.get("categories")
    named = ", ".join(map(str, classes[:8])) + (" …" if len(classes) > 8 else "") if isinstance(classes, list) else "not named"
    st.caption(
        literal(
            f"{card.get('title', '')}. Classes: {named}. Trained on {card.get('data', 'what its file does not say')}. {card.get('caveat', '')}"
        )
    )
    st.text_input("Name", name, key=f"shelf.name.{name}", on_change=partial(_rename, name))
    with st.container(horizontal=True):
        st.download_button(
            "Download", partial(shelf().data, name), f"{name}.safetensors", on_click="ignore", icon=":material/download:"
        )
        st.download_button("Card", partial(_card, name), f"{name}.json", "application/json", on_click="ignore")
        if shelf().recorded(name):
            st.download_button(
                "Recording",
                partial(shelf().recording, name),
                f"{name}.parquet",
                on_click="ignore",
                help="How it was trained; Recordings opens it.",
            )
        st.button("Delete", key=f"shelf.delete.{name}", on_click=shelf().delete, args=(name,), icon=":material/delete:")


def _card(name: str) -> str:
    return json.dumps(shelf().card(name), indent=2, ensure_ascii=False) + "\n"


def _rename(name: str) -> None:
    _said(lambda: shelf().rename(name, st.session_state[f"shelf.name.{name}"]))


def _brought() -> None:
    """A file that was given is put there once."""
    if (file := st.session_state.get("shelf.file")) is None:
        return
    data = file.getvalue()
    if st.session_state.get("shelf.last") != (key := digest(data)):
        st.session_state["shelf.last"] = key
        _said(lambda: shelf().put(file.name.removesuffix(".safetensors"), data))


def _said(act: Callable[[], object]) -> None:
    """What is refused is said where the shelf is drawn."""
    try:
        act()
    except ValueError as error:
        st.session_state.setdefault("shelf.trouble", []).append(str(error))
