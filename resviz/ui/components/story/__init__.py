"""The map of the story on a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from resviz.ui.components.mount import component

__all__ = ["show_map"]


@cache
def _component() -> Callable[..., object]:
    return component("story", Path(__file__).with_name("story"))


def show_map(markup: str) -> None:
    """What `figures.story.story_markup` returns."""
    _component()(key="story-map", data={"markup": markup}, height="content")
