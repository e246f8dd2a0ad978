"""What a visitor brings along: a photograph, whole or in part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st
from PIL import Image

from resviz.data.uploads import Decoded, decode, quick
from resviz.guard import quoted
from resviz.ui import cache
from resviz.ui.markdown import literal, sentence
from resviz.ui.reading import read

__all__ = ["Photograph", "choose_photograph", "crop", "crop_to", "digest", "give_photograph"]


@dataclass(frozen=True)
class Photograph:
    """An upright RGB picture; `key` tells it from every other one."""

    key: str
    name: str
    image: Image.Image


def digest(data: bytes) -> str:
    """What tells one upload from another."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def choose_photograph(slot: str) -> Photograph:
    """An upload, a shot of the camera, or a sample; what cannot be read is one sentence and leaves the sample.

    What was given stays in the session: Streamlit forgets a widget's file when its page is left.
    """
    state, kept = st.session_state, f"{slot}.kept"
    state.setdefault(f"{slot}.source", "Upload" if kept in state else "Sample")
    source = st.segmented_control(
        "Photograph",
        ["Sample", "Upload", "Camera"],
        required=True,
        key=f"{slot}.source",
        help="Pictures stay in this session's memory; nothing is stored.",
    )
    upload = None
    if source == "Upload":
        upload = st.file_uploader(
            "Photograph file",
            max_upload_size=20,
            key=f"{slot}.file",
            label_visibility="collapsed",
            help="PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF, at most 20 MB.",
            on_change=_forget,
            args=(slot, f"{slot}.file"),
        )
    elif source == "Camera":
        upload = st.camera_input(
            "Camera", key=f"{slot}.camera", label_visibility="collapsed", on_change=_forget, args=(slot, f"{slot}.camera")
        )
    if upload is not None:
        if (photograph := _photograph(slot, upload.name, upload.getvalue())) is not None:
            state[kept] = photograph
            return photograph
    elif source != "Sample" and kept in state:
        st.caption(f"{literal(state[kept].name)} is still here.")
        st.button("Forget it", key=f"{slot}.forget", on_click=_forget, args=(slot,), icon=":material/close:")
        earlier: Photograph = state[kept]
        return earlier
    samples = cache.samples()
    name = next(iter(samples))
    if source == "Sample":
        name = st.selectbox("Sample", list(samples), key=f"{slot}.sample", label_visibility="collapsed")
    return Photograph(f"sample {name}", name, samples[name])


def give_photograph(slot: str, photograph: Photograph) -> None:
    """A picture of this session's own as the one that is chosen next."""
    st.session_state[f"{slot}.kept"] = photograph
    st.session_state.pop(f"{slot}.source", None)


def _forget(slot: str, key: str = "") -> None:
    """What was given is let go, unless the widget `key` holds something else now."""
    if not st.session_state.get(key):
        st.session_state.pop(f"{slot}.kept", None)


def _photograph(slot: str, name: str, data: bytes) -> Photograph | None:
    """An upload as a photograph, with what was done to read it; None while it is being read, or where it cannot be."""
    key = digest(data)
    decoded = read(f"{slot}.photograph", key, f"Reading {quoted(name)}", lambda tick: decode(data, tick), quick(data))
    if isinstance(decoded, ValueError):
        st.error(sentence(decoded))
    if not isinstance(decoded, Decoded):
        return None
    for note in decoded.notes:
        st.info(sentence(note))
    return Photograph(key, name, decoded.image)


_CLOSEST = 8.0  # times


def crop(photograph: Photograph, slot: str) -> Photograph:
    """The part of a photograph to look at, turned upright: what lies outside never reaches the network."""
    own = f"{slot}.{photograph.key}"
    # Streamlit forgets a widget's value when its page is left
    kept: dict[str, float] = st.session_state.setdefault("crops", {})
    for name, whole in (("turn", 0), ("zoom", 1.0), ("across", 50), ("down", 50)):
        place = f"{own}.{name}"
        kept[place] = st.session_state[place] = st.session_state.get(place, kept.get(place, whole))
    turn = st.segmented_control(
        "Rotate",
        (0, 90, 180, 270),
        required=True,
        format_func=lambda angle: f"{angle}°",
        key=f"{own}.turn",
        help="Clockwise, before the network's own resizing and cropping.",
    )
    zoom = st.slider(
        "Crop",
        1.0,
        _CLOSEST,
        step=0.1,
        format="%.1f×",
        key=f"{own}.zoom",
        help="Or zoom into a picture and press “Crop to this view”.",
    )
    image = photograph.image.rotate(-turn, expand=True) if turn else photograph.image
    if zoom == 1:
        return photograph if not turn else Photograph(f"{photograph.key} {turn}", photograph.name, image)
    across = st.slider("Left to right", 0, 100, format="%d %%", key=f"{own}.across")
    down = st.slider("Top to bottom", 0, 100, format="%d %%", key=f"{own}.down")
    width, height = max(8, round(image.width / zoom)), max(8, round(image.height / zoom))
    left, top = round((image.width - width) * across / 100), round((image.height - height) * down / 100)
    part = image.crop((left, top, left + width, top + height))
    st.button("Whole photograph again", on_click=st.session_state.update, args=({f"{own}.zoom": 1.0},))
    return Photograph(f"{photograph.key} {turn} {zoom} {across} {down}", photograph.name, part)


def crop_to(photograph: Photograph, slot: str, seen: float, x: float, y: float, zoom: float) -> None:
    """Crop so that the network sees what a view of its picture shows.

    The view's middle is (x, y), 0 to 1, in the part of the cropped photograph that the network sees, which is `seen` of the
    shorter side.
    """
    own, state = f"{slot}.{photograph.key}", st.session_state
    turned = state.get(f"{own}.turn", 0) in (90, 270)
    sides = photograph.image.size[::-1] if turned else photograph.image.size
    before = state.get(f"{own}.zoom", 1.0)
    after = min(_CLOSEST, max(1.0, round(before * zoom, 1)))
    shorter = min(sides) / before
    for name, side, place in (("across", sides[0], x), ("down", sides[1], y)):
        start = (side - side / before) * state.get(f"{own}.{name}", 50) / 100
        middle = start + side / before / 2 + (place - 0.5) * seen * shorter
        free = side - side / after
        state[f"{own}.{name}"] = round(100 * min(1.0, max(0.0, (middle - side / after / 2) / free))) if free else 50
    state[f"{own}.zoom"] = after
