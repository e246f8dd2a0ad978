"""Home's stage as a component: a replay of two networks' gradients, and skips to cut that answer without the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import streamlit as st

from resviz.ui.components.mount import component

__all__ = ["show_stage"]


@cache
def _component() -> Callable[..., object]:
    return component("stage", Path(__file__).with_name("stage"))


def show_stage(data: Mapping[str, object], go: Callable[[str], None]) -> None:
    """What `figures.stage.stage_data` returns; `go` hears which of the view's links, relative to this page, was followed."""

    def followed() -> None:
        where = st.session_state["home-stage"].go
        if isinstance(where, str):
            go(where)

    _component()(key="home-stage", data=dict(data), on_go_change=followed, height="content")
