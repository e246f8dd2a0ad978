"""Three ways on from Home, each with a picture of what is there."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from typing import Final

import streamlit as st
from PIL import Image

from resviz.figures import doors
from resviz.figures.diagram import network_diagram, to_svg
from resviz.nets.cost import layer_table
from resviz.spec.families import ALL_PRESETS, side_of
from resviz.spec.names import name_of
from resviz.spec.query import to_query
from resviz.ui.first import reading
from resviz.ui.pages import PAGES
from resviz.ui.state import current_spec

__all__ = ["families", "show"]


def show() -> None:
    """One link each, picture and all."""
    query = to_query(current_spec())
    pages = {page.title: page for page in PAGES}
    with st.container(key="doors"):
        for name, title, picture in (
            ("Build", "Build", _network),
            ("Train", "Lab", _curves),
            ("Explain a photo", "Explain", _evidence),
        ):
            with st.container(key=f"door-{title.lower()}"):
                if url := picture():
                    st.html(f'<img src="{url}" alt="">')
                st.page_link(pages[title].file, label=f"**{name}**: {pages[title].invitation}", query_params=query)


# of each family that came of skips a network small enough to be seen whole, and what became of them there
_FAMILIES: Final = {
    "densenet40_k12": "skips that are put beside what a layer makes",
    "unet_small": "long skips across, short ones around each block",
    "vit_digits": "skips around attention and around an MLP",
    "repvgg20": "skips while it trains, folded away after",
}


def families() -> None:
    """Where skips led, each as its network's own diagram and a way to build it."""
    build = next(page for page in PAGES if page.title == "Build")
    with st.container(key="led"):
        for preset, what in _FAMILIES.items():
            with st.container(key=f"door-{preset}"):
                st.html(f'<img src="{_drawn(preset)}" alt="">')
                label = f"**{name_of(ALL_PRESETS[preset])}**: {what}"
                st.page_link(build.file, label=label, query_params=to_query(ALL_PRESETS[preset]))


def _network() -> str:
    return _drawn("resnet20")


@cache
def _drawn(preset: str) -> str:
    """A network's diagram without its words."""
    spec = ALL_PRESETS[preset]
    diagram = network_diagram(layer_table(spec, side_of(spec, 32, 224)), room=12)
    wordless = replace(diagram, shapes=tuple(shape for shape in diagram.shapes if shape.tag != "text"))
    return doors.svg_url(to_svg(wordless, name_of(spec), themed=True))


@cache
def _curves() -> str:
    """How the stage's networks learned; no picture where their recording cannot be read."""
    try:
        return doors.svg_url(doors.learning_curves(reading("home").values["stage"]))
    except ValueError:
        return ""


@cache
def _evidence() -> str:
    """What Explain opens with; no picture where that cannot be read."""
    try:
        values = reading("explain").values
    except ValueError:
        return ""
    window = Image.open(io.BytesIO(values["window"].tobytes())).convert("RGB")
    return doors.explained(window.resize((224, 224)), next(reversed(values["maps"].values())))
