"""What stands under the diagram: every lesion as lines, several at random, the gradient by path length, and the blocks' steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import streamlit as st

from resviz.figures import anatomy, captions, inside
from resviz.figures.chart import Chart
from resviz.results import Lesions
from resviz.ui.anatomy import work
from resviz.ui.components.chart import line_chart
from resviz.ui.waiting import result_of

__all__ = ["lesions", "paths", "steps", "without_skips"]


def lesions(asked: work.Question, found: Lesions | None, twin: str, residual: bool) -> None:
    """The error without each part, beside that of the network without skips; and on request several at once."""
    st.header("One part at a time", anchor=False)
    with st.container(key="reserve-anatomy-lines"):
        beside = result_of(*work.singles((twin, *asked[1:]), "twin")) if twin else None
        if found is not None:
            line_chart(anatomy.lesion_lines(found, beside), "anatomy-lines", "Error without each part, in forward order")
            st.markdown(captions.beside_veit(found))
            if beside is not None:
                st.markdown(f"Beside it the network of this depth without skips. {captions.lesions_note(beside)}")
                st.markdown(captions.beside_veit(beside))
            _file("Lesions (CSV)", partial(anatomy.lesion_csv, found), "lesions.csv")
    title = "Take several away at random" if residual else "Replace several at random"
    if st.toggle(
        title, help=f"{work.DRAWS} draws of each number; in a network with skips also pairs of blocks that change places."
    ):
        _several(asked)


def _several(asked: work.Question) -> None:
    with st.container(key="reserve-anatomy-several"):
        drawn = result_of(*work.several(asked))
        if drawn is not None:
            line_chart(anatomy.draws_lines(drawn), "anatomy-several", "Error with several parts taken away at random")
            st.markdown(captions.draws_note(drawn))
            _file("Draws (CSV)", partial(anatomy.draws_csv, drawn), "draws.csv")


def paths(asked: work.Question) -> None:
    """How the gradient divides by the length of its paths."""
    st.header("Which paths carry the gradient", anchor=False)
    with st.container(key="reserve-anatomy-paths"):
        found = result_of(*work.lengths(asked))
        if found is not None:
            line_chart(anatomy.path_lines(found), "anatomy-paths", "Shares of all paths and of the gradient, by path length")
            st.markdown(captions.paths_by_length_note(found))
            st.markdown(captions.beside_veits_paths(found))
            _file("Path lengths (CSV)", partial(anatomy.path_csv, found), "paths.csv")


def steps(asked: work.Question) -> None:
    """Which way the blocks step, how far, and what the head makes of it on the way."""
    st.header("Do the blocks refine one estimate", anchor=False)
    with st.container(key="reserve-anatomy-steps"):
        found = result_of(*work.refined(asked))
        if found is None:
            return
        ratios: Mapping[str, float] = dict(zip(found.units, np.asarray(found.ratios, np.float64).tolist(), strict=True))
        drawn: dict[str, tuple[Chart, str]] = {
            "Down the loss? cos(F(x), −∂L/∂x)": (
                anatomy.cosine_line(found),
                "Cosine of each block's step and the negative gradient",
            ),
            "How far? ‖F(x)‖/‖x‖": (inside.ratio_line(ratios), "What each block adds, relative to what passes it by"),
            "The head, read out early": (anatomy.read_line(found), "Error read out after each block of the last stage"),
        }
        for place, (title, (figure, alt)) in zip(st.columns(3, gap="large"), drawn.items(), strict=True):
            with place:
                st.markdown(f"**{title}**")
                line_chart(figure, f"anatomy-step-{title[:4]}", alt)
        st.markdown(captions.refinement_note(found))
        st.markdown(captions.beside_jastrzebski(found))
        _file("Blocks (CSV)", partial(anatomy.refine_csv, found), "refinement.csv")


def without_skips(asked: work.Question) -> None:
    """The trained network as one without skips that gives the same answers."""
    st.header("Could it do without its skips", anchor=False)
    with st.container(key="anatomy-skipless"):
        found = result_of(*work.without_skips(asked))
        if found is not None:
            st.markdown(captions.skipless_note(found))


def _file(label: str, data: Callable[[], str], name: str) -> None:
    st.download_button(label, data, name, "text/csv", on_click="ignore")
