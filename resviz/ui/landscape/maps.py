"""Both maps on one colour scale, the cut through their middles, and what they say; without PyTorch, so that they can stand first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

import streamlit as st

from resviz.figures import captions
from resviz.figures.landscape import colour_range, cut, landscape_map, landscape_surface
from resviz.results import Landscape
from resviz.spec.net import DESIGNS, Design
from resviz.ui.components.chart import chart, line_chart

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["View", "maps"]

View = Literal["map", "surface"]

_TITLES: Final[Mapping[Design, str]] = {"residual": "With skips", "plain": "Without skips"}


@st.cache_resource(max_entries=32, show_spinner=False)
def _figure(found: Landscape, span: tuple[float, float], view: View) -> go.Figure:
    """Made once: while the next points are measured it is shown again every half second."""
    return (landscape_map if view == "map" else landscape_surface)(found, span)


def maps(found: Mapping[Design, Landscape], trained: bool, depth: int, view: View = "map") -> None:
    """What is complete of both, at one fineness; nothing before there is a first map of each."""
    whole = {design: coarse for design in DESIGNS if design in found and (coarse := found[design].complete()) is not None}
    if len(whole) < len(DESIGNS):
        return
    grid = min(each.grid for each in whole.values())
    shown = {design: each.thinned(grid) for design, each in whole.items()}
    span = colour_range(shown)
    for column, (design, each) in zip(st.columns(len(shown), gap="medium"), shown.items(), strict=True):
        with column:
            st.markdown(f"**{_TITLES[design]}**, the loss at {grid}×{grid} points")
            alt = f"Loss around the network, {_TITLES[design].lower()}, {each.grid}×{each.grid} points"
            chart(_figure(each, span, view), f"landscape-{view}-{design}", alt)
    st.markdown(captions.landscape_note(shown))
    st.markdown(captions.landscape_claim(shown, trained, depth))
    line_chart(cut(shown), "landscape-cut", "Loss along the first direction, through both networks")
