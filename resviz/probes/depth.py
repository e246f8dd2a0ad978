"""How does the gradient profile change with depth?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from resviz.results import DepthSweep, GradientProfile

__all__ = ["resampled"]

_POSITIONS = np.linspace(0, 1, 41)


def resampled(depths: Sequence[int], profiles: Sequence[GradientProfile]) -> DepthSweep:
    """Profiles of different lengths on one axis: at each relative position, the nearest layer's norm as measured."""
    rows = [p.norms[np.rint(_POSITIONS * (len(p.norms) - 1)).astype(int)] for p in profiles]
    return DepthSweep(tuple(depths), _POSITIONS, np.stack(rows))
