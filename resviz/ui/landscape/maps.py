"""Both maps on one colour scale, the cut through their middles, and what they say; without PyTorch, so that they can stand first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from resviz.figures import captions
from resviz.figures.landscape import colour_range, cut, landscape_map
from resviz.results import Landscape
from resviz.spec.net import DESIGNS, Design
from resviz.ui.components.chart import chart, line_chart

__all__ = ["maps"]

_TITLES: Final[Mapping[Design, str]] = {"residual": "With skips", "plain": "Without skips"}


def maps(found: Mapping[Design, Landscape], trained: bool) -> None:
    """What is complete of both, at one fineness; nothing before there is a first map of each."""
    whole = {design: coarse for design in DESIGNS if design in found and (coarse := found[design].complete()) is not None}
    if len(whole) < len(DESIGNS):
        return
    grid = min(each.grid for each in whole.values())
    shown = {design: each.thinned(grid) for design, each in whole.items()}
    span = colour_range(shown)
    for column, (design, each) in zip(st.columns(len(shown), gap="medium"), shown.items(), strict=True):
        with column:
            st.markdown(f"**{_TITLES[design]}**")
            alt = f"Loss around the network, {_TITLES[design].lower()}, {each.grid}×{each.grid} points"
            chart(landscape_map(each, span), f"landscape-{design}", alt)
    st.markdown(captions.landscape_note(shown))
    st.markdown(captions.landscape_claim(shown, trained))
    line_chart(cut(shown), "landscape-cut", "Loss along the first direction, through both networks")
