"""The view of methods side by side: one map large, the others in a strip, and the files they make."""

from __future__ import annotations

import io
from functools import partial

import numpy as np
import streamlit as st

from resviz.attribution.question import Asked, cost
from resviz.figures import captions
from resviz.figures.reports.explanation import explanation_report
from resviz.results import Attribution
from resviz.ui import waiting
from resviz.ui.explain.case import PageCase, grid
from resviz.ui.explain.parameters import parameter_controls

__all__ = ["compare"]


def compare(page: PageCase) -> None:
    """One large map, the photograph and every other chosen method's map beside it, and the files they make."""
    if not page.methods:
        st.info("Choose a method to see which pixels speak for the class.")
        return
    shown = page.case.network.preprocessing
    names = [asked.name for asked in page.methods]
    large = st.session_state.get("explain.large")
    large = large if large in names else names[0]
    with grid("compare"):
        places = {
            asked: st.container(key="large").container(key=f"panel-{large}") for asked in page.methods if asked.name == large
        }
        with st.container(key="panel-photograph"):
            alt = f"The part of the photograph that the network sees, {page.side} pixels wide"
            page.draw("photograph", "Photograph", alt, None, shown.describe())
        places |= {asked: st.container(key=f"panel-{asked.name}") for asked in page.methods if asked.name != large}
    slots = [place.container(key=f"reserve-{asked.name}") for asked, place in places.items()]

    def coarse(slot: str, on_its_way: Attribution | None) -> None:
        asked = Asked.of(slot.partition(".")[2])
        page.draw(f"coarse-{asked.name}", asked.title, "A map on its way", on_its_way, waiting=on_its_way is None)

    results = waiting.results_of([page.map_job(asked) for asked in places], slots, coarse)
    for (asked, place), slot, attribution in zip(places.items(), slots, results, strict=True):
        if attribution is not None:
            with slot:
                alt = f"{asked.title}: evidence for {page.case.words} laid over the photograph"
                page.draw(f"map-{asked.name}", asked.title, alt, attribution, page.check(asked, attribution))
        with place, st.container(horizontal=True, gap="small"):
            _details(page, asked, attribution)
            if asked.name != large:
                enlarge = partial(st.session_state.update, {"explain.large": asked.name})
                st.button(
                    "",
                    icon=":material/open_in_full:",
                    key=f"large.{asked.name}",
                    on_click=enlarge,
                    help=f"Show {asked.title} large",
                )
    if len(page.maps()) == len(page.methods):
        st.download_button(
            "Report (HTML)",
            partial(_report, page),
            "explanation.html",
            "text/html",
            on_click="ignore",
            icon=":material/description:",
            help="The pictures, the parameters and what was measured, in one file that opens anywhere.",
        )


def _details(page: PageCase, asked: Asked, attribution: Attribution | None) -> None:
    """What a method asks, its parameters, and its files."""
    method = asked.entry
    with st.popover(
        "Details",
        icon=":material/tune:",
        width="stretch",
        help="Its question, its parameters, its files and the Python that makes it",
    ):
        st.markdown(f"**{method.answers}**")
        st.caption(f"It assumes: {method.assumes} ({method.paper})")
        parameter_controls(asked, page.network)
        count, seconds = cost(page.case.network, asked)
        st.caption(
            f"{captions.counted(count, 'picture')} through the network" + (f", about {seconds:.2g} s here." if seconds else ".")
        )
        if attribution is None:
            return
        file = f"{asked.name}-{page.case.words}".replace(" ", "-").replace("@", "-")
        st.download_button("Raw map (NPY)", partial(_npy, attribution), f"{file}.npy", on_click="ignore", key=f"NPY.{asked.name}")
        if code := page.code(asked):
            st.caption("The same map in Python: Captum computes it, this project loads the network.")
            st.code(code, language="python", height=260)


def _report(page: PageCase) -> str:
    maps = page.maps()
    measured = {asked.title: trust for asked in maps if (trust := page.measured(asked)) is not None}
    rows = [(asked.title, _parameters(asked), asked.entry.paper, page.check(asked, each)) for asked, each in maps.items()]
    titled = {asked.title: attribution for asked, attribution in maps.items()}
    seen = page.case.network.preprocessing.seen(page.case.photograph)
    return explanation_report(
        page.about,
        page.prediction,
        page.scope,
        page.case.words,
        seen,
        page.window,
        maps=titled,
        look=page.look,
        rows=rows,
        measured=measured,
        code=[page.code(asked) for asked in maps],
    )


def _parameters(asked: Asked) -> str:
    """What a map was asked with, as the report writes it."""
    values = dict(asked.values) | ({"layer": asked.layer} if asked.layer else {})
    return ", ".join(f"{name} = {value}" for name, value in values.items()) or "none"


def _npy(attribution: Attribution) -> bytes:
    """The raw map, for NumPy."""
    buffer = io.BytesIO()
    np.save(buffer, attribution.values)
    return buffer.getvalue()
