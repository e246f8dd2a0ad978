"""Photographs with maps of evidence that zoom, pan, wipe and point together, and the bar that says how the maps lie on them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from resviz.figures.attribution import GREY, HEAT_FLOOR, SMOOTHING, STYLES, Look, full_colour, heat_colours, poles
from resviz.figures.theme import NEGATIVE, POSITIVE
from resviz.results import Attribution

__all__ = ["look_bar", "panel", "photo_url"]

_HERE = Path(__file__).parent
_GROUP = "explain"  # all pictures of the page zoom together
_PANEL = (
    '<div class="panel"><div class="name"></div><div class="stage"><canvas tabindex="0" role="img"></canvas><div class="wipe" role="slider" tabindex="0" '
    'aria-label="Wipe between the map, left, and the photograph, right" aria-valuemin="0" aria-valuemax="100"></div>'
    '</div><div class="tools"><button class="svg" title="Download this picture as SVG">SVG</button>'
    '<button class="png" title="Download this picture as PNG">PNG</button></div>'
    '<div class="read"></div></div>'
)
_LOOK = (
    '<div class="look"><span class="styles" role="radiogroup" aria-label="Overlay style"></span>'
    '<label class="slide">Overlay <input class="opacity" type="range" min="0.1" max="1" step="0.05"></label>'
    '<label class="slide"><span class="level"></span> <input class="percentile" type="range" min="50" max="99" step="1" '
    'aria-label="Percentile"></label>'
    '<span><button class="further" aria-label="Zoom out">−</button> <span class="zoom"></span> '
    '<button class="closer" aria-label="Zoom in">+</button> <button class="whole" title="Whole pictures, no wipe">Reset</button> '
    '<button class="cut" title="Ask the network again about this part alone">Crop to this view</button></span>'
    '<span class="below"><span class="scale"><span class="low"></span><span class="legend"></span><span class="high"></span></span>'
    '<span class="hint mouse">Point to read a pixel everywhere. Double-click or Ctrl + wheel zooms all pictures together, '
    "dragging moves them; the orange handle wipes the map away.</span>"
    '<span class="hint touch">Touch to read a pixel everywhere. Pinching zooms all pictures together, '
    "dragging moves them; the orange handle wipes the map away.</span></span></div>"
)
_STYLES = {
    "signed": (
        "Signed",
        "Blue speaks for the class, vermilion against it; green is a magnitude without a sign, pink less of it than before",
    ),
    "heat": ("Heat", "How strong the evidence is, whatever its sign"),
    "contour": ("Contour", "A line round the strongest part of the map, smoothed"),
    "masked": ("Masked", "The photograph where the smoothed map is strongest"),
}


def _rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


@cache
def _colours(signed: bool) -> dict[str, Any]:
    positive, negative = poles(signed)
    return {
        "positive": _rgb(positive), "negative": _rgb(negative), "line": positive, "grey": [GREY] * 3, "floor": HEAT_FLOOR,
        "heat": [_rgb(colour) for colour in heat_colours()],
    }  # fmt: skip


@cache
def _component(name: str, html: str) -> Callable[..., Any]:
    files = _HERE.parent / "common.js", _HERE / "panel_store.js", _HERE / f"{name}.js"
    js = "\n".join(path.read_text(encoding="utf-8") for path in files)
    css = (_HERE / f"{name}.css").read_text(encoding="utf-8")
    return st.components.v2.component(f"resviz_{name}", html=html, css=css, js=js)


def photo_url(image: Image.Image, side: int = 448) -> str:
    """The photograph as the pictures carry it."""
    buffer = io.BytesIO()
    image.resize((side, side), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=92)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _map(found: Attribution, top: float | None) -> dict[str, Any]:
    """A map in 16 bits: enough for three digits of every value that can be seen."""
    values = np.asarray(found.values, np.float64)
    peak = float(np.abs(values).max()) or 1.0
    cells = np.rint(values / peak * 32767).astype("<i2")
    return {
        "cells": base64.b64encode(cells.tobytes()).decode(), "side": values.shape[0], "peak": peak, "top": top or full_colour(found),
        "sigma": values.shape[0] * SMOOTHING,
    }  # fmt: skip


def panel(
    photo: str, side: int, key: str, title: str, alt: str, found: Attribution | None = None,
    note: str = "", top: float | None = None, waiting: bool = False,
) -> None:  # fmt: skip
    """The photograph, or a map on it. `side` is the network's input in pixels; `top` gets the full colour where maps share a scale."""
    data = {
        "key": key, "group": _GROUP, "look": asdict(Look()), "photo": photo, "side": side, "title": title, "alt": alt, "note": note,
        "file": f"resviz-{key}".replace("@", "-"), "waiting": waiting, "colours": _colours(found is None or found.signed), "map": found and _map(found, top),
    }  # fmt: skip
    _component("panel", _PANEL)(key=key, data=data, height="content")


def look_bar(on_crop: Callable[[float, float, float], None]) -> Look:
    """How the maps are drawn; `on_crop` is told the middle of the view and its zoom when only that part shall be asked about."""
    key = "look"

    def cropped() -> None:
        view = st.session_state[key].crop
        if isinstance(view, dict) and all(isinstance(view.get(name), int | float) for name in ("x", "y", "zoom")):
            on_crop(float(view["x"]), float(view["y"]), float(view["zoom"]))

    look = _look((st.session_state.get(key) or {}).get("look"))
    heat = ", ".join(heat_colours()[::8])
    data = {
        "group": _GROUP, "look": asdict(Look()), "styles": [[style, *_STYLES[style]] for style in STYLES],
        "legends": {"signed": f"linear-gradient(90deg, {NEGATIVE}, transparent, {POSITIVE})", "heat": f"linear-gradient(90deg, {heat})",
                    "contour": "none", "masked": "none"},
        "ends": {"signed": ["against", "for"], "heat": ["0", "strong"]},
    }  # fmt: skip
    _component("look", _LOOK)(key=key, data=data, on_look_change=lambda: None, on_crop_change=cropped, height="content")
    return look


def _look(given: object) -> Look:
    """What the browser says, where it makes sense."""
    raw: dict[str, Any] = given if isinstance(given, dict) else {}
    default = Look()
    style = raw.get("style")

    def within(name: str, low: float, high: float) -> float:
        value = raw.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        found: float = getattr(default, name)
        return found

    return Look(
        within("opacity", 0, 1), style if style in STYLES else default.style, within("percentile", 0, 100), within("wipe", 0, 1)
    )
