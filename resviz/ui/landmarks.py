"""The page's landmarks for assistive technology, and the browser's question before something unsaved is lost."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st

__all__ = ["mark"]


@cache
def _component() -> Callable[..., object]:
    js = (Path(__file__).parent / "landmarks.js").read_text(encoding="utf-8")
    return st.components.v2.component("resviz_landmarks", html="<span></span>", js=js)


def mark(current: str, unsaved: bool, present: bool = False, loading: bool = False) -> None:
    """Name the navigation and the page in it; with `unsaved` the browser asks before the tab is closed or loaded anew.

    Figures and controls are shown once they have their places, after the page was come to or was `loading` PyTorch.
    With `present` the stage stands alone: the arrow keys move its slider or take its telling settings in turn, Escape leaves.
    """
    _component()(
        key="landmarks-of-the-page", data={"current": current, "unsaved": unsaved, "present": present, "loading": loading}
    )
