"""Any figure of the page for a paper: a column wide, in its type, as vectors, with its numbers and what to cite."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Final

import streamlit as st

from resviz.figures.chart import Chart
from resviz.figures.diagram import Diagram
from resviz.figures.paper import (
    FORMATS,
    WIDTHS,
    Maps,
    Paper,
    bibtex,
    chart_csv,
    chart_file,
    diagram_file,
    has_chrome,
    maps_file,
    maps_npz,
    plotly_file,
)
from resviz.ui.drawn import Drawn, drawn
from resviz.version import __version__

__all__ = ["sheet"]

_POINTS: Final = (6, 12, 8)  # least, most and usual


def sheet(page: str) -> None:
    """Which figure, on what paper, and the files."""
    figures = drawn()
    if not figures:
        st.caption("This page has drawn no figure yet.")
        return
    titles = {key: figure.title for key, figure in figures.items()}
    key = st.selectbox("Figure", list(figures), format_func=lambda key: titles.get(key, key), key="paper.figure")
    if key not in figures:
        return
    width = st.segmented_control("Width", list(WIDTHS), default=next(iter(WIDTHS)), required=True, key="paper.width")
    points = st.slider("Type, in points", *_POINTS, key="paper.points")
    grey = st.toggle("Without colours", key="paper.grey", help="Told apart by lightness, dash and symbol alone.")
    paper = Paper(WIDTHS[str(width)], points, grey)
    _files(key, figures[key], paper)
    st.caption(f"{WIDTHS[str(width)]:g} inches wide. What to cite:")
    st.code(bibtex(page, __version__, datetime.now(UTC).year), language="bibtex", height=200)


def _files(key: str, about: Drawn, paper: Paper) -> None:
    if not isinstance(about.figure, Chart | Diagram | Maps) and not has_chrome():
        st.caption(
            "Plotly draws this figure, and needs Chrome or Chromium on the server to put it on paper; its camera button saves SVG."
        )
        return
    with st.container(horizontal=True):
        for form, kind in FORMATS.items():
            name = f"resviz-{key}.{form}"
            st.download_button(
                form.upper(), partial(_file, about, form, paper), name, kind, on_click="ignore", key=f"paper.{form}"
            )
        if isinstance(about.figure, Chart):
            data = partial(chart_csv, about.figure)
            st.download_button("Data (CSV)", data, f"resviz-{key}.csv", "text/csv", on_click="ignore", key="paper.data")
        if isinstance(about.figure, Maps):
            arrays = partial(maps_npz, about.figure)
            st.download_button("Data (NPZ)", arrays, f"resviz-{key}.npz", on_click="ignore", key="paper.data")


def _file(about: Drawn, form: str, paper: Paper) -> bytes:
    if isinstance(about.figure, Chart):
        return chart_file(about.figure, about.title, form, paper)
    if isinstance(about.figure, Diagram):
        return diagram_file(about.figure, about.title, form, paper)
    if isinstance(about.figure, Maps):
        return maps_file(about.figure, about.title, form, paper)
    return plotly_file(about.figure, form, paper)
