"""Both maps on one colour scale, the cut through their middles, and what they say; without PyTorch, so that they can stand first."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

import streamlit as st

from resviz.figures import captions
from resviz.figures.landscape import colour_range, cut, landscape_map, landscape_surface, picture
from resviz.results import Landscape
from resviz.spec.net import DESIGNS, Design
from resviz.ui.components.chart import chart, line_chart

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["View", "maps", "said", "shown"]

View = Literal["map", "surface", "picture"]  # a picture needs no Plotly: on a fresh server it is there long before that is

_TITLES: Final[Mapping[Design, str]] = {"residual": "With skips", "plain": "Without skips"}


@st.cache_resource(max_entries=32, show_spinner=False)
def _figure(found: Landscape, span: tuple[float, float], view: View) -> go.Figure:
    """Made once: while the next points are measured it is shown again every half second."""
    return (landscape_map if view == "map" else landscape_surface)(found, span)


def shown(found: Mapping[Design, Landscape]) -> dict[Design, Landscape]:
    """What is complete of both, at one fineness; empty before there is a first map of each."""
    whole = {design: coarse for design in DESIGNS if design in found and (coarse := found[design].complete()) is not None}
    grid = min((each.grid for each in whole.values()), default=0)
    return {design: each.thinned(grid) for design, each in whole.items()} if len(whole) == len(DESIGNS) else {}


def _still(found: Landscape, span: tuple[float, float], alt: str) -> None:
    """The map's cells alone, where Plotly will draw them."""
    buffer = io.BytesIO()
    picture({"residual": found}, side=found.grid * 8, span=span).save(buffer, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    st.html(f'<div class="first-map"><img src="{url}" alt="{html.escape(alt)}"></div>')


def maps(both: Mapping[Design, Landscape], view: View = "map") -> None:
    """Both side by side, on a phone one under the other; their place is kept before they are there."""
    with st.container(key="reserve-landscape"):
        if not both:
            st.caption("The first points are under way.")  # an empty place would not be kept
            return
        span = colour_range(both)
        for column, (design, each) in zip(st.columns(len(both), gap="medium"), both.items(), strict=True):
            with column:
                st.markdown(f"**{_TITLES[design]}**, the loss at {each.grid}×{each.grid} points")
                alt = f"Loss around the network, {_TITLES[design].lower()}, {each.grid}×{each.grid} points"
                if view == "picture":
                    _still(each, span, alt)
                else:
                    chart(_figure(each, span, view), f"landscape-{view}-{design}", alt)


def said(both: Mapping[Design, Landscape], trained: bool, depth: int) -> None:
    """What the maps show, beside what the paper says, and the cut through their middles."""
    st.markdown(captions.landscape_note(both))
    st.markdown(captions.landscape_claim(both, trained, depth))
    line_chart(cut(both), "landscape-cut", "Loss along the first direction, through both networks")
