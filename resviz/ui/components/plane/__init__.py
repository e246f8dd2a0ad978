"""What networks make of the plane, as a component: a map each with the held-out points, and small maps of one layer's units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from resviz.figures.plane import plane_data
from resviz.results import PlaneMap
from resviz.ui.components.mount import component

__all__ = ["show_planes"]


@cache
def _component() -> Callable[..., object]:
    return component("plane", Path(__file__).with_name("plane"))


def show_planes(key: str, maps: Sequence[PlaneMap]) -> None:
    """Redrawn in place: what is hovered stays hovered, and a unit that was clicked stays large."""
    _component()(key=key, data=plane_data(maps), height="content")
