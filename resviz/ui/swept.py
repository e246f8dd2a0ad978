"""What the bundled sweep says of a design, under the figure that is about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pandas as pd
import streamlit as st

from resviz.figures import captions
from resviz.spec.families import Network
from resviz.spec.net import NetSpec
from resviz.spec.words import word
from resviz.zoo.sweeps import TableError, bundled_sweep

__all__ = ["said_of"]

_SWEEP: Final = "depth"


@st.cache_data(max_entries=1, show_spinner=False)
def _table() -> pd.DataFrame | None:
    try:
        return bundled_sweep(_SWEEP)
    except TableError:
        return None


def said_of(spec: Network) -> None:
    """How trainings with this norm and initialisation went at every depth, where the sweep has them and nothing else is unusual."""
    table = _table()
    if table is None or not isinstance(spec, NetSpec) or not _usual(spec):
        return
    own = table[(table["norm"] == spec.norm.value) & (table["init"] == spec.init.value)]
    if own.empty:
        return
    norm = "no norm" if spec.norm.value == "none" else word(spec.norm)
    if said := captions.trainings_of(own, f"this design ({norm}, {word(spec.init)})"):
        st.caption(said)
        st.page_link("pages/sweeps.py", label="All of them on Sweeps", icon=":material/grid_on:")


def _usual(spec: NetSpec) -> bool:
    """Whether it is the paper's network for small images but for its depth, skips, norm, initialisation and seed."""
    usual = NetSpec()
    same = {
        name: getattr(usual, name)
        for name in ("blocks", "residual", "cut", "dropped", "norm", "init", "seed", "in_channels", "classes")
    }
    return len(spec.blocks) == len(usual.blocks) and replace(spec, **same) == usual
