"""Home's stage as a component: a replay of two networks' gradients, and skips to cut that answer without the server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st

from resviz.place import asset
from resviz.ui.components.mount import component

__all__ = ["STAGE", "read_stage", "show_stage"]

# what `resviz first home` wrote beside its recording: reading it takes neither numpy nor PyTorch
STAGE: Final = asset("first", "home.json")


def read_stage(path: Path = STAGE) -> tuple[dict[str, object], str]:
    """What the view takes, and the sentence that says where it is from; raises ValueError where the file is missing or damaged."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return dict(held["data"]), str(held["note"])
    except Exception as error:  # a damaged file may hold anything
        raise ValueError(f"{path.name} cannot be read ({type(error).__name__}); get that file of the project again") from error


@cache
def _component() -> Callable[..., object]:
    return component("stage", Path(__file__).with_name("stage"))


def show_stage(data: Mapping[str, object], go: Callable[[str], None]) -> None:
    """What `figures.stage.stage_data` returns; `go` hears which of the view's links, relative to this page, was followed."""

    def followed() -> None:
        where = st.session_state["home-stage"].go
        if isinstance(where, str):
            go(where)

    # in a list: the values of a mapping are compared with tables, for which Streamlit would import pandas first
    _component()(key="home-stage", data=[dict(data)], on_go_change=followed, height="content")
