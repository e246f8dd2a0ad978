"""A link to hand on: its address, a button that copies it, and a QR code for who has a phone and no keyboard."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import streamlit as st
from streamlit import net_util

from resviz.figures.theme import INK, PAPER
from resviz.ui.components.mount import component

__all__ = ["Way", "code_of", "for_others", "here", "link", "link_popover"]

_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})
_MOST: Final = 2953  # bytes that the largest QR code holds
_QUIET: Final = 4  # modules of paper round a code, as the standard asks


class Way(NamedTuple):
    """An address of this app, and what has to be said of it."""

    url: str
    note: str = ""


@cache
def _component() -> Callable[..., object]:
    return component("link", Path(__file__).with_name("link"))


def for_others(url: str, listens: str, address: str) -> Way:
    """A page's address as others reach it: the host that the visitor used, unless that is their own machine's name for itself.

    `listens` is what the server was told to listen to, "" for everything; `address` is its own in the local network.
    """
    parts = urlsplit(url)
    if parts.hostname not in _THIS_MACHINE:
        return Way(url)
    if listens in _THIS_MACHINE - {"0.0.0.0"}:
        return Way(url, f"It works on this machine alone: the server listens to {listens} (server.address).")
    if address in _THIS_MACHINE:
        return Way(url, "It works on this machine alone: the server knows no other address of its own.")
    port = f":{parts.port}" if parts.port else ""
    return Way(
        parts._replace(netloc=f"{address}{port}").geturl(),
        f"Others don't reach {parts.hostname}, so this is the server's address in this network; it works there if the server "
        "listens to it (server.address) and no firewall stands between.",
    )


def here(query: str) -> Way:
    """This page with a query, as others reach it."""
    url = (st.context.url or "").partition("?")[0]
    way = for_others(url, st.get_option("server.address") or "", net_util.get_internal_ip() or "127.0.0.1") if url else Way("")
    return way._replace(url=f"{way.url}?{query}" if query else way.url)


@lru_cache(64)
def code_of(url: str) -> tuple[str, int]:
    """The QR code as an image's address, dark on light with its quiet zone, and its modules a side; ("", 0) where it is too long."""
    import segno  # no page needs it before somebody opens a link

    try:
        code = segno.make(url, micro=False)
    except segno.DataOverflowError:
        return "", 0
    return code.svg_data_uri(border=_QUIET, dark=INK, light=PAPER, omitsize=True), int(code.symbol_size(border=_QUIET)[0])


def link(query: str, what: str, key: str) -> None:
    """The link to `what`, this page with a query."""
    way = here(query)
    code, modules = code_of(way.url) if way.url else ("", 0)
    size = len(way.url.encode())
    long = "" if code or not way.url else f"It has {size:,} bytes, and a QR code holds {_MOST:,}: copy it instead."
    data = {"url": way.url, "code": code, "modules": modules, "alt": f"QR code of the link to {what}", "notes": [way.note, long]}
    _component()(key=key, data=data, height="content")


def link_popover(query: str, what: str, key: str, note: str = "") -> None:
    """The same behind a button; `note` says what it leaves out."""
    with st.popover("Link", icon=":material/link:", help="A link that rebuilds exactly this"):
        link(query, what, key)
        if note:
            st.caption(note)
