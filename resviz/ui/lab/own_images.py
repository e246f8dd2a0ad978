"""Images of the visitor's own for the lab to learn from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from resviz.data.unpack import Entry, unzip
from resviz.progress import Tick
from resviz.ui.lab.session import Session
from resviz.ui.markdown import sentence
from resviz.ui.reading import read
from resviz.ui.widgets.pickers import digest

if TYPE_CHECKING:
    from resviz.data.datasets import Sets

    _Read = tuple[Sets, tuple[str, ...]]

__all__ = ["own_images"]

_NOTES = 500  # what was left out is listed up to here


def own_images(lab: Session) -> None:
    """A zip, or a folder with a folder for every class."""
    left, right = st.columns(2)
    packed = left.file_uploader("A zip of images", key="lab.zip", help="CLASS/NAME.jpg: the folder names the class.")
    folder = right.file_uploader("or a folder", accept_multiple_files="directory", key="lab.folder")
    key = (
        digest(packed.getvalue()) if packed else digest("".join(f"{f.name} {f.size} " for f in folder).encode()) if folder else ""
    )
    if key and lab.own_key != key:
        given = packed.getvalue() if packed else [Entry(file.name, file.getvalue) for file in folder]
        _take(lab, key, read("lab.own", key, "Reading the images", partial(_sets, given)))
    if lab.own is None:
        st.caption("One folder a class, at least five images each; every fifth is held out. They stay in this session's memory.")
        return
    train, test = lab.own
    st.caption(f"{len(train):,} images of {len(train.categories)} classes to learn from, {len(test):,} held out.")
    if lab.notes:
        with st.expander(f"{len(lab.notes)} left out or mended"):
            st.dataframe([{"what": note} for note in lab.notes[:_NOTES]], hide_index=True)


def _sets(given: bytes | list[Entry], tick: Tick) -> _Read:
    from resviz.data.datasets import files_sets

    return files_sets(unzip(given) if isinstance(given, bytes) else given, tick=tick)


def _take(lab: Session, key: str, found: _Read | ValueError | None) -> None:
    """Start over with the images that were read, or say why they cannot be."""
    if isinstance(found, ValueError):
        st.error(sentence(found))
    elif found is not None:
        (lab.own, lab.notes), lab.own_key = found, key
        lab.configure(lambda p: p)
