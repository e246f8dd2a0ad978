"""What the lab's contenders mark in held-out pictures, while they learn."""

from __future__ import annotations

from typing import Final

import streamlit as st

from resviz.figures import captions
from resviz.figures.masks import strip
from resviz.spec.datasets import DATASETS
from resviz.ui.lab.session import Session

__all__ = ["masks"]

_PACE: Final = 0.8  # seconds between two drawings


def masks(held: Session) -> None:
    """Pictures, the true mask and each contender's, redrawn by themselves while they learn; nothing where labels are of whole images."""
    if DATASETS[held.plan.data].pixels:
        with st.container(key="reserve-masks"):
            st.fragment(run_every=_PACE if held.running else None)(_masks)(held)


def _masks(held: Session) -> None:
    found = held.marks.masks if held.marks else None
    if found is None:
        return
    rows = [
        (f"Held-out pictures, step {found.step:,}", strip(found.pictures)),
        (f"The true mask: **{found.what}** is white", strip(found.true)),
    ]
    rows += [(captions.mask_note(found, label), strip(chance)) for label, chance in found.chance.items()]
    for pair in (rows[n : n + 2] for n in range(0, len(rows), 2)):
        for place, (words, picture) in zip(st.columns(2, gap="medium"), pair, strict=False):
            place.caption(words)
            place.image(picture, width="stretch", alt=words)
