"""What a visitor brings along: a photograph, and a network to ask about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import streamlit as st
from PIL import Image

from resviz.guard import quoted
from resviz.images import Decoded, decode, quick
from resviz.ui import cache
from resviz.ui.jobs import Tick, result_of
from resviz.ui.markdown import literal
from resviz.ui.reading import read

__all__ = ["Network", "Photograph", "bundled_titles", "choose_network", "choose_photograph", "crop", "crop_to", "digest"]


@dataclass(frozen=True)
class Photograph:
    """An upright RGB picture; `key` tells it from every other one."""

    key: str
    name: str
    image: Image.Image


@dataclass(frozen=True)
class Network:
    """A classifier to ask; `key` tells it from every other one, `about` is the word under it, `load` the Python that makes it."""

    key: str
    classifier: Any  # zoo.Classifier, which is imported late
    about: str
    load: str = ""


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
        "Photograph", ["Sample", "Upload", "Camera"], required=True, key=f"{slot}.source",
        help="Pictures stay in this session's memory; nothing is stored.",
    )  # fmt: skip
    given = None
    if source == "Upload":
        given = st.file_uploader(
            "Photograph file", max_upload_size=20, key=f"{slot}.file", label_visibility="collapsed",
            help="PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF, at most 20 MB.", on_change=_forget, args=(slot, f"{slot}.file"),
        )  # fmt: skip
    elif source == "Camera":
        given = st.camera_input(
            "Camera", key=f"{slot}.camera", label_visibility="collapsed", on_change=_forget, args=(slot, f"{slot}.camera")
        )
    if given is not None:
        if (found := _photograph(slot, given.name, given.getvalue())) is not None:
            state[kept] = found
            return found
    elif source != "Sample" and kept in state:
        st.caption(f"{literal(state[kept].name)}, which you gave before, is still here.")
        st.button("Forget it", key=f"{slot}.forget", on_click=_forget, args=(slot,), icon=":material/close:")
        held: Photograph = state[kept]
        return held
    samples = cache.samples()
    name = next(iter(samples))
    if source == "Sample":
        name = st.selectbox("Sample", list(samples), key=f"{slot}.sample", label_visibility="collapsed")
    return Photograph(f"sample {name}", name, samples[name])


def _forget(slot: str, key: str = "") -> None:
    """What was given is let go, unless the widget `key` holds something else now."""
    if not st.session_state.get(key):
        st.session_state.pop(f"{slot}.kept", None)


def _photograph(slot: str, name: str, data: bytes) -> Photograph | None:
    """An upload as a photograph, with what was done to read it; None while it is being read, or where it cannot be."""
    key = digest(data)
    found = read(f"{slot}.photograph", key, f"Reading {literal(quoted(name))}", lambda tick: decode(data, tick), quick(data))
    if isinstance(found, ValueError):
        st.error(literal(found))
    if not isinstance(found, Decoded):
        return None
    for note in found.notes:
        st.info(literal(note))
    return Photograph(key, name, found.image)


_CLOSEST = 8.0  # times


def crop(photograph: Photograph, slot: str) -> Photograph:
    """The part of a photograph to look at, turned upright: what lies outside never reaches the network."""
    own = f"{slot}.{photograph.key}"
    # Streamlit forgets a widget's value when its page is left
    kept: dict[str, Any] = st.session_state.setdefault("crops", {})
    for name, whole in (("turn", 0), ("zoom", 1.0), ("across", 50), ("down", 50)):
        place = f"{own}.{name}"
        kept[place] = st.session_state[place] = st.session_state.get(place, kept.get(place, whole))
    turn = st.segmented_control(
        "Rotate", (0, 90, 180, 270), required=True, format_func=lambda angle: f"{angle}°", key=f"{own}.turn",
        help="Clockwise, before the network's own resizing and cropping.",
    )  # fmt: skip
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


def bundled_titles() -> dict[str, str]:
    """Every bundled network with its data, by name."""
    from resviz.zoo.bundled import bundled_names, card

    return {
        name: f"{card(name)['title'].split(' · ')[0]} · {card(name)['data'].split(',')[0].split(' (')[0]}"
        for name in bundled_names()
    }


def choose_network() -> Network | None:
    """A bundled network, ImageNet weights downloaded on demand, or the visitor's own checkpoint; None while it loads."""
    from resviz.zoo.bundled import bundled_names
    from resviz.zoo.imagenet import weights

    own = "your own checkpoint"
    titles = bundled_titles() | {
        name: f"{name} · ImageNet, {item.top1:.1f} % top-1{'' if item.cached else f' · download {item.megabytes:.0f} MB'}"
        for name, item in weights().items()
    }
    chosen = st.selectbox(
        "Network", [*titles, own], format_func=lambda name: titles.get(name, name), key="explain.network",
        help="Bundled networks work offline; ImageNet weights are downloaded once and checked by their hash.",
    )  # fmt: skip
    if chosen == own:
        return _own_checkpoint() or _bundled(bundled_names()[0])
    if chosen not in weights():
        return _bundled(chosen)
    item = weights()[chosen]
    if not item.cached:
        result_of("download", chosen, f"Downloading {chosen}", lambda tick: _download(chosen, tick))
        if not item.cached:
            return None
    about = f"torchvision's published weights: {item.top1:.2f} % top-1, {item.top5:.2f} % top-5 on ImageNet-1K."
    load = f"from resviz.zoo.imagenet import load_imagenet\nclassifier = load_imagenet({chosen!r})"
    return Network(chosen, cache.imagenet(chosen), about, load)


def _download(name: str, tick: Tick) -> bool:
    from resviz.zoo.imagenet import download, weights

    item = weights()[name]
    for fraction in download(item):
        tick(fraction, f"{fraction * item.megabytes:.0f} of {item.megabytes:.0f} MB")
    return True


def _bundled(name: str) -> Network:
    from resviz.zoo.bundled import card

    about = card(name)
    words = f"{about['measured']['test_error']:.2f} % test error on {about['data']}. {about['caveat']}"
    return Network(
        name, cache.bundled(name), words, f"from resviz.zoo.bundled import load_bundled\nclassifier = load_bundled({name!r})"
    )


def _own_checkpoint() -> Network | None:
    from resviz.zoo.checkpoint import CheckpointError, load

    given = st.file_uploader(
        "Checkpoint file", key="explain.checkpoint", help="A state_dict of a ResNet: .safetensors, .pth, .th"
    )
    plain = st.checkbox("It was trained without skips", help="A plain network has the same tensors as one with option A skips.")
    if given is None:
        st.caption("Until there is a file, the first bundled network answers.")
        return None
    key = f"own {digest(given.getvalue())} {plain}"
    try:
        if st.session_state.get("own", ("", None))[0] != key:  # kept by this session alone
            st.session_state.own = key, load(given.getvalue(), given.name, residual=not plain)
    except CheckpointError as error:
        st.error(str(error))
        return None
    classifier = st.session_state.own[1]
    from resviz.spec import describe

    return Network(key, classifier, f"{given.name}: {describe(classifier.spec)}, {classifier.spec.classes} classes.")
