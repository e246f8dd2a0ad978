"""What the lab's contenders make of the plane, while they learn."""

from __future__ import annotations

from typing import Final

import streamlit as st

from resviz.figures import captions
from resviz.spec.datasets import DATASETS
from resviz.ui.components.plane import show_planes
from resviz.ui.lab.session import Session

__all__ = ["planes"]

_PACE: Final = 0.14  # seconds between two drawings: seven a second, where the machine has time for them


def planes(held: Session) -> None:
    """Each contender's decision boundary and the units of one layer, redrawn by themselves while they learn; nothing for images."""
    if DATASETS[held.plan.data].points:
        with st.container(key="reserve-plane"):
            st.fragment(run_every=_PACE if held.running else None)(_planes)(held)


def _planes(held: Session) -> None:
    watch = held.watch
    if watch is None or not watch.maps:
        return
    deepest = max(held.plan.contenders, key=lambda spec: spec.depth)
    layers = ["conv1", *deepest.block_names()]
    figure = st.container()
    layer = st.select_slider(
        "Units of the layer",
        layers,
        layers[len(layers) // 2],
        key=f"lab.units.{len(layers)}",
        help="Hover a small map to see it large, a click keeps it. Each is scaled to its own largest size, and the first 32 are shown.",
    )
    if watch.layer != layer or watch.maps[0].layer != layer:
        held.watch_layer(layer)
    with figure:
        show_planes("lab-planes", watch.maps)
    st.markdown(captions.plane_note(watch.maps))
