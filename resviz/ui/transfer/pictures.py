"""Pictures by class: given as a zip, as files or by the camera, looked over, and taken out."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final, Literal

import streamlit as st

from resviz.data.album import Album, read_album
from resviz.data.unpack import Entry, unzip
from resviz.figures.captions import counted
from resviz.ui.markdown import literal, sentence
from resviz.ui.reading import read
from resviz.ui.transfer.session import Room, example_album
from resviz.ui.widgets.pickers import digest

__all__ = ["choose_album", "look_over"]

_SHOWN: Final = 40  # thumbnails a class


def choose_album(held: Room) -> Album:
    """The example, or the visitor's own, as far as they have come."""
    source = st.segmented_control(
        "Pictures", ["Example", "Your own"], required=True, default="Example", key="transfer.source",
        help="They stay in this session's memory and are gone with it.",
    )  # fmt: skip
    if source == "Example":
        return example_album()
    _take_zip(held)
    _take_files(held)
    for line in held.trouble:
        st.error(sentence(line))
    return held.own


def _take_zip(held: Room) -> None:
    packed = st.file_uploader(
        "A zip, one folder a class", key="transfer.zip", type=["zip"], help="CLASS/NAME.jpg: the folder names the class."
    )
    if packed is None or (key := digest(packed.getvalue())) in held.seen:
        return
    data = packed.getvalue()
    found = read("transfer.zip", key, "Reading the pictures", lambda tick: read_album(unzip(data), tick))
    if isinstance(found, ValueError):
        st.error(sentence(found))
    elif found is not None:
        held.seen.add(key)
        _add(held, found)
        if not len(found) and not found.said:
            held.trouble.append(f"{packed.name} has no picture in it; pack a folder for each class, CLASS/NAME.jpg")


def _take_files(held: Room) -> None:
    """A class by its name: files, or shots of the camera."""
    name = st.text_input("Or class by class: its name", key="transfer.class", placeholder="mug").strip()[:60]
    if not name:
        return
    way: Literal["Files", "Camera"] = st.segmented_control(
        "From", ["Files", "Camera"], required=True, default="Files", key="transfer.way"
    )
    if way == "Camera":
        shot = st.camera_input("A shot for each press", key="transfer.camera")
        files = [shot] if shot is not None else []
    else:
        files = st.file_uploader(f"Pictures of {literal(name)}", accept_multiple_files=True, key=f"transfer.files.{name}")
    new = [(f"{name} {digest(file.getvalue())}", file) for file in files]
    new = [(key, file) for key, file in new if key not in held.seen]
    if not new:
        return
    entries = [Entry(f"{name}/{file.name}", file.getvalue) for _, file in new]
    found = read(
        "transfer.files", tuple(key for key, _ in new), "Reading the pictures", lambda tick: read_album(entries, tick, name)
    )
    if isinstance(found, Album):
        held.seen |= {key for key, _ in new}
        _add(held, found)


def _add(held: Room, found: Album) -> None:
    before = len(held.own)
    for name, pictures in found.classes.items():
        held.own = held.own.added(name, pictures)
    held.trouble = list(found.said[:5])
    if twice := before + len(found) - len(held.own):
        was, is_ = ("was", "is") if twice == 1 else ("were", "are")
        held.trouble.insert(0, f"{counted(twice, 'picture')} {was} there already and {is_} kept once")


def look_over(held: Room, album: Album, own: bool, held_out: Iterable[str]) -> None:
    """Every class as thumbnails, those held out marked; a wrong one is taken out."""
    out = set(held_out)
    for name, pictures in album.classes.items():
        outside = sum(each.key in out for each in pictures)
        st.markdown(f"**{literal(name)}**: {len(pictures)}, of which {outside} held out (○)")
        shown = pictures[:_SHOWN]
        st.image(
            [each.thumbnail for each in shown],
            width=72,
            caption=[f"{n}{' ○' if each.key in out else ''}" for n, each in enumerate(shown, 1)],
            alt=[f"{name}, picture {n}{', held out' if each.key in out else ''}" for n, each in enumerate(shown, 1)],
        )
        if len(pictures) > _SHOWN:
            st.caption(f"and {len(pictures) - _SHOWN} more")
        if own:
            with st.container(horizontal=True, vertical_alignment="bottom"):
                wrong = st.multiselect(
                    "Take out", range(1, len(shown) + 1), key=f"transfer.wrong.{name}.{album.key}", placeholder="none"
                )
                keys = [shown[n - 1].key for n in wrong]
                st.button(
                    "Take them out", key=f"transfer.out.{name}", on_click=partial(_out, held, name, keys), disabled=not keys
                )
                st.button("The whole class", key=f"transfer.class.{name}", on_click=partial(_out, held, name, [None]))


def _out(held: Room, name: str, keys: Iterable[str | None]) -> None:
    for key in keys:
        held.own = held.own.without(name, key)
    held.trouble.clear()
