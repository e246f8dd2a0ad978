"""Photographs with maps of evidence that zoom, pan, wipe and point together, and the bar that says how the maps lie on them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st
from PIL import Image

from resviz.figures.overlay import Look, OverlayStyle, full_colour, heat_colours, painting
from resviz.figures.theme import AGAINST, FOR
from resviz.results import Attribution
from resviz.ui.components.mount import component

__all__ = ["look_bar", "panel", "photo_url"]

_GROUP = "explain"  # all pictures of the page zoom together
_TITLES: Final = {
    OverlayStyle.SIGNED: (
        "Signed",
        "Amber speaks for the class, violet against it; a magnitude has no sign and brightens as it grows, pink is less of it than before",
    ),
    OverlayStyle.HEAT: ("Heat", "How strong the evidence is, whatever its sign"),
    OverlayStyle.CONTOUR: ("Contour", "A line round the strongest part of the map, smoothed"),
    OverlayStyle.MASKED: ("Masked", "The photograph where the smoothed map is strongest"),
}


@cache
def _component(name: str) -> Callable[..., object]:
    return component(name, Path(__file__).with_name(name))


def photo_url(image: Image.Image, side: int = 448) -> str:
    """The photograph as the pictures carry it."""
    buffer = io.BytesIO()
    image.resize((side, side), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=92)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _map(found: Attribution, top: float | None) -> dict[str, object]:
    """A map in 16 bits: enough for three digits of every value that can be seen."""
    values = np.asarray(found.values, np.float64)
    peak = float(np.abs(values).max()) or 1.0
    cells = base64.b64encode(np.rint(values / peak * 32767).astype("<i2").tobytes()).decode()
    return {"cells": cells, "side": values.shape[0], "peak": peak, "top": top or full_colour(found)}


def panel(
    photo: str,
    side: int,
    key: str,
    title: str,
    alt: str,
    found: Attribution | None = None,
    note: str = "",
    top: float | None = None,
    waiting: bool = False,
) -> None:
    """The photograph, or a map on it. `side` is the network's input in pixels; `top` gets the full colour where maps share a scale."""
    data = {
        "key": key,
        "group": _GROUP,
        "look": asdict(Look()),
        "photo": photo,
        "side": side,
        "title": title,
        "alt": alt,
        "note": note,
        "file": f"resviz-{key}".replace("@", "-"),
        "waiting": waiting,
        "painting": painting(found is None or found.signed),
        "map": found and _map(found, top),
    }
    _component("panel")(key=key, data=data, height="content")


def look_bar(on_crop: Callable[[float, float, float], None]) -> Look:
    """How the maps are drawn; `on_crop` is told the middle of the view and its zoom when only that part shall be asked about."""
    key = "look"

    def cropped() -> None:
        view = st.session_state[key].crop
        if isinstance(view, dict) and all(isinstance(view.get(name), int | float) for name in ("x", "y", "zoom")):
            on_crop(float(view["x"]), float(view["y"]), float(view["zoom"]))

    look = _look((st.session_state.get(key) or {}).get("look"))
    legends = dict.fromkeys(OverlayStyle, "none") | {
        OverlayStyle.SIGNED: f"linear-gradient(90deg, {AGAINST}, transparent, {FOR})",
        OverlayStyle.HEAT: f"linear-gradient(90deg, {', '.join(heat_colours()[::8])})",
    }
    data = {
        "group": _GROUP,
        "look": asdict(Look()),
        "styles": [[style, *_TITLES[style]] for style in OverlayStyle],
        "legends": legends,
        "ends": {OverlayStyle.SIGNED: ["against", "for"], OverlayStyle.HEAT: ["0", "strong"]},
    }
    _component("look")(key=key, data=data, on_look_change=lambda: None, on_crop_change=cropped, height="content")
    return look


def _look(given: object) -> Look:
    """What the browser says, where it makes sense."""
    raw: dict[object, object] = given if isinstance(given, dict) else {}
    default = Look()

    def within(name: str, usual: float, low: float, high: float) -> float:
        value = raw.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        return usual

    return Look(
        within("opacity", default.opacity, 0, 1),
        next((style for style in OverlayStyle if style == raw.get("style")), default.style),
        within("percentile", default.percentile, 0, 100),
        within("wipe", default.wipe, 0, 1),
    )
