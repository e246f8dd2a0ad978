"""A unit's tensors channel by channel, one under another on one scale, so that their sum can be read at every position."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import streamlit as st

from resviz.figures.overlay import painting
from resviz.results import Inside
from resviz.spec.spot import Spot
from resviz.ui.components.mount import component

__all__ = ["rows"]

_MAPPED = {
    "identity": "as it came",
    "weighed": "weighed",
    "zero-pad": "zero-padded",
    "projection": "through a 1×1 conv",
    "parallel": "with a norm, and through a 1×1 conv beside it",
}


@cache
def _component() -> Callable[..., object]:
    return component("rows", Path(__file__).with_name("rows"))


def rows(
    seen: Inside,
    channels: Sequence[int],
    spot: Spot,
    place: str,
    *,
    picked: Callable[[int, int, int], None] | None = None,
    turned: Callable[[int], None] | None = None,
    key: str = "rows",
) -> None:
    """x, F(x), their sum and what stands behind it, of some channels; a click calls `picked` with channel, row and column.

    The browser adds x and F(x) itself, in the same 32 bits as the network. `place` says which channels of all are shown, and
    `turned` hears ±1 where others are asked for.
    """

    def clicked() -> None:
        at = st.session_state[key].picked
        if picked is not None and isinstance(at, dict) and _are_within(at, seen.joined.shape):
            picked(at["channel"], at["row"], at["column"])

    def leafed() -> None:
        by = st.session_state[key].turned
        if turned is not None and by in (-1, 1):
            turned(by)

    data = _data(seen, list(channels), spot) | {
        "key": key,
        "place": place,
        "picks": picked is not None,
        "turns": turned is not None,
    }
    _component()(key=key, data=data, on_picked_change=clicked, on_turned_change=leafed, height="content")


def _are_within(at: dict[str, object], shape: tuple[int, ...]) -> bool:
    """It is browser input."""
    given = [at.get(name) for name in ("channel", "row", "column")]
    return all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < most for n, most in zip(given, shape, strict=True))


def _data(seen: Inside, channels: list[int], spot: Spot) -> dict[str, object]:
    identity, residual, output = (each[channels] for each in (seen.identity, seen.residual, seen.output))
    skips = seen.mapped != "none"
    strength = np.abs(np.concatenate([identity, residual, identity + residual], axis=None))
    strength = strength[np.isfinite(strength)]
    titles = [["x", "x", _MAPPED.get(seen.mapped, "")]] if skips else []
    titles += [["F", "F(x)", ""]] + ([["sum", "x + F(x)", ""]] if skips else [])
    titles += [["after", f"after {seen.activation}", ""]] if seen.activation else []
    return {
        "unit": seen.unit,
        "rows": titles,
        "channels": channels,
        "shape": list(residual.shape[1:]),
        "x": _packed(identity) if skips else "",
        "F": _packed(residual),
        "after": _packed(output) if seen.activation else "",
        "top": float(np.percentile(strength, 99.5) or strength.max() or 1) if strength.size else 1.0,
        "painting": painting(True),
        "picked": None if spot.pixel is None else {"channel": spot.channel, "row": spot.pixel[0], "column": spot.pixel[1]},
        "file": f"resviz-{seen.unit}",
    }


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()
