"""What networks mark in pictures."""

from __future__ import annotations

import numpy as np

from resviz.figures.captions.numbers import percent
from resviz.results import Masks

__all__ = ["mask_note"]

_SURE = 0.5


def mask_note(masks: Masks, label: str) -> str:
    """How much of what is there one network marks in these pictures, and how much of what it marks is there."""
    marked, true = masks.chance[label] > _SURE, masks.true
    both = int((marked & true).sum())
    if not np.isfinite(masks.chance[label]).all():
        return f"**{label}** answers with no number any more."
    if not marked.any():
        return f"**{label}** marks no pixel as {masks.what}."
    return f"**{label}** finds {percent(both / max(1, int(true.sum())))}; {percent(both / int(marked.sum()))} of its marks are right."
