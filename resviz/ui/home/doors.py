"""Three ways on from Home, each with a picture of what is there."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache

import streamlit as st
from PIL import Image

from resviz.figures import doors
from resviz.figures.diagram import network_diagram, to_svg
from resviz.nets.cost import layer_table
from resviz.spec.presets import PRESETS
from resviz.spec.query import to_query
from resviz.ui.first import reading
from resviz.ui.page import PAGES
from resviz.ui.state import current_spec

__all__ = ["show"]


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


@cache
def _network() -> str:
    diagram = network_diagram(layer_table(PRESETS["resnet20"], 32))
    wordless = replace(diagram, shapes=tuple(shape for shape in diagram.shapes if shape.tag != "text"))
    return doors.svg_url(to_svg(wordless, "ResNet-20", themed=True))


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
