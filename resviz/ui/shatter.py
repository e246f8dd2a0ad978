"""How fast the gradient forgets itself along a line of inputs: a section for the session's design."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from resviz.figures import captions
from resviz.figures.shatter import correlation_by_depth, correlation_by_lag, shatter_frame, slopes
from resviz.machine import fitting_threads
from resviz.progress import Tick
from resviz.results import Shattering
from resviz.shared import Public
from resviz.spec.net import NetSpec
from resviz.ui import cache
from resviz.ui.components.chart import line_chart
from resviz.ui.waiting import result_of

__all__ = ["shatter_section"]


def shatter_section(spec: NetSpec, side: int) -> None:
    """∂f/∂x on the line between two digits at a depth of the visitor's choice, and what it correlates with; `side` in pixels."""
    design = replace(spec, residual=True, cut=frozenset(), dropped=frozenset(), blocks=(1,))

    def work(tick: Tick) -> Shattering:
        from resviz.probes.shatter import depths_of, shatter

        digits, _ = cache.batch_of(design, "digits", 2, side, 0)
        with fitting_threads(side):
            return shatter(design, (digits[:1], digits[1:]), depths_of(design), tick=tick)

    found = result_of("shatter", Public(("shatter", design, side)), "Walking from one digit to another", work)
    if found is None:
        return
    st.markdown(captions.shatter_note(found))
    st.markdown(captions.shatter_claim(found))
    usual = found.depths[-2]  # 56
    depth = st.segmented_control("Layers on the line", found.depths, required=True, default=usual, key="shatter.depth") or usual
    for name in found.gradients:
        line_chart(
            slopes(found, depth, name), f"shatter-{name.replace(', ', '-').replace(' ', '-')}", f"Gradient along the line, {name}"
        )
    by_lag, by_depth = st.columns(2, gap="large")
    with by_lag:
        st.markdown(f"**How fast it forgets itself, {depth} layers**")
        line_chart(correlation_by_lag(found, depth), "shatter-lag", "Autocorrelation of the gradient by distance on the line")
    with by_depth:
        st.markdown("**Neighbours on the line, by depth**")
        line_chart(correlation_by_depth(found), "shatter-depth", "Correlation of neighbouring gradients by depth")
    st.download_button(
        "Autocorrelations (CSV)", lambda: shatter_frame(found).to_csv(index=False), "shatter.csv", "text/csv", on_click="ignore"
    )
