"""The Explain page's views: methods side by side, the depth, a changed network, a block's two paths, and what can be trusted."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from resviz.attribution.method import BASELINES
from resviz.attribution.methods.table import METHODS, at_layer, title_of
from resviz.attribution.paths import grad_cam_by_block, two_paths
from resviz.attribution.question import attribute, cost
from resviz.figures import captions
from resviz.figures.faithfulness import faithfulness_curves, sanity_lines
from resviz.figures.overlay import full_colour
from resviz.figures.reports.explanation import explanation_report, trust_table
from resviz.results import Attribution, Faithfulness, Prediction
from resviz.ui import jobs
from resviz.ui.components.chart import chart
from resviz.ui.components.evidence import photo_url
from resviz.ui.explain.case import Studio, grid
from resviz.ui.explain.many import batch
from resviz.ui.explain.parameters import option_controls
from resviz.ui.markdown import literal, with_literal_classes
from resviz.zoo.classifier import predict

__all__ = ["VIEWS", "WITH_MAPS", "change", "compare", "depth", "paths", "trust"]


def compare(studio: Studio) -> None:
    """The photograph, every chosen method's map, and the files they make."""
    if not studio.methods:
        st.info("Choose a method to see which pixels speak for the class.")
        return
    with grid("compare"):
        with st.container(key="panel-photograph"):
            studio.draw("photograph", "Photograph", f"The part of the photograph that the network sees, {studio.side} pixels wide", None,
                        studio.classifier.preprocessing.describe())  # fmt: skip
        places = {name: st.container(key=f"panel-{name}") for name in studio.methods}
    slots = [place.container(key=f"reserve-{name}") for name, place in places.items()]

    def coarse(slot: str, partial_map: Any) -> None:
        name = slot.partition(".")[2]
        studio.draw(f"coarse-{name}", title_of(name), "A map on its way", partial_map, waiting=partial_map is None)

    results = jobs.results_of([studio.wanted(name) for name in studio.methods], slots, coarse)
    for (name, place), slot, found in zip(places.items(), slots, results, strict=True):
        if found is not None:
            with slot:
                alt = f"{title_of(name)}: evidence for {studio.asked} laid over the photograph"
                studio.draw(f"map-{name}", title_of(name), alt, found, studio.check(name, found))
        with place:
            _details(studio, name, found)
    maps = studio.found()
    if len(maps) == len(studio.methods):
        st.download_button(
            "Report (HTML)", partial(_report, studio), "explanation.html", "text/html", on_click="ignore", icon=":material/description:",
            help="The pictures, the parameters and what was measured, in one file that opens anywhere.",
        )  # fmt: skip


def _details(studio: Studio, name: str, found: Attribution | None) -> None:
    """What a method asks, its parameters, and its files."""
    method = METHODS[at_layer(name)[0]]
    with st.popover(
        "Details",
        icon=":material/tune:",
        width="stretch",
        help="Its question, its parameters, its files and the Python that makes it",
    ):
        st.markdown(f"**{method.answers}**")
        st.caption(f"It assumes: {method.assumes} ({method.paper})")
        option_controls(name, studio.classifier, studio.network)
        count, seconds = cost(studio.classifier, at_layer(name)[0], studio.options[name])
        st.caption(
            f"{captions.counted(count, 'picture')} through the network" + (f", about {seconds:.2g} s here." if seconds else ".")
        )
        if found is None:
            return
        file = f"{name}-{studio.asked}".replace(" ", "-").replace("@", "-")
        st.download_button("Raw map (NPY)", partial(_npy, found), f"{file}.npy", on_click="ignore", key=f"NPY.{name}")
        if code := studio.code(name):
            st.caption("The same map in Python: Captum computes it, this project loads the network.")
            st.code(code, language="python", height=260)


def _report(studio: Studio) -> str:
    maps = studio.found()
    measured = {title_of(name): found for name in maps if (found := studio.measured(name)) is not None}
    rows = [
        (title_of(name), ", ".join(f"{option} = {value}" for option, value in studio.options[name].items()) or "none",
         METHODS[at_layer(name)[0]].paper, studio.check(name, found))
        for name, found in maps.items()
    ]  # fmt: skip
    return explanation_report(
        studio.about, studio.prediction, studio.scope, studio.asked, studio.classifier.preprocessing.seen(studio.image), studio.window,
        {title_of(name): found for name, found in maps.items()}, studio.look, rows, measured, [studio.code(name) for name in maps],
    )  # fmt: skip


def _npy(found: Attribution) -> bytes:
    """The raw map, for NumPy."""
    buffer = io.BytesIO()
    np.save(buffer, found.values)
    return buffer.getvalue()


def depth(studio: Studio) -> None:
    """Grad-CAM at every block."""
    maps = jobs.result_of(
        "depth", ("depth", *studio.question), "Grad-CAM at every block",
        lambda tick: grad_cam_by_block(studio.classifier, studio.image, studio.target, studio.against, tick),
    )  # fmt: skip
    if maps is None:
        return
    st.markdown(f"**Where the evidence for *{literal(studio.asked)}* forms**: Grad-CAM, block by block")
    small = photo_url(studio.window, 224)
    with grid("film"):
        for found in maps:
            alt = f"Grad-CAM for {studio.asked} at {found.layer}"
            studio.draw(f"depth-{found.layer}", found.layer, alt, found, f"{100 * _speaks_for(found):.0f} % for", photo=small)
    best = max(maps, key=_speaks_for)
    st.caption(f"The share of evidence that speaks *for* the class is largest at `{best.layer}`. Each map has its own scale.")


def _speaks_for(found: Attribution) -> float:
    """The share of a map's strength that is positive."""
    return float(np.clip(found.values, 0, None).sum() / (np.abs(found.values).sum() or 1.0))


def change(studio: Studio) -> None:
    """The same question to the network with one skip cut or one branch dropped."""
    spec, left, right = studio.classifier.spec, *st.columns(2)
    names = list(spec.block_names())
    block = left.selectbox("Block", names, index=min(1, len(names) - 1), key=f"change.block.{studio.network}")
    kind = right.segmented_control(
        "Change", ["Cut its skip", "Drop its branch"], default="Cut its skip", required=True, key="change.kind",
        help="A cut block passes only F(x), a dropped one only x.",
    )  # fmt: skip
    field = "cut" if kind == "Cut its skip" else "dropped"
    if not spec.residual:
        st.info("A plain network has no skip to cut; choose a residual one under Network.")
        return
    cut, dropped = spec.cut - {block}, spec.dropped - {block}
    changed = (
        replace(spec, cut=cut | {block}, dropped=dropped) if field == "cut" else replace(spec, cut=cut, dropped=dropped | {block})
    )
    if not studio.methods:
        st.info("Choose a method first; its map is drawn before and after the change.")
        return
    name = st.selectbox("Method", studio.methods, format_func=title_of, key="change.method")

    def after(tick: jobs.Tick) -> tuple[Attribution, Prediction]:
        options = studio.options[name]
        found = attribute(studio.classifier, studio.image, name, studio.target, options, tick, studio.against, changed)
        return found, predict(studio.classifier, studio.image, studio.classifier.fast_view(changed))

    key = ("changed", *studio.key(name), field, block)
    before, result = jobs.results_of([studio.wanted(name, "before"), ("after", key, f"{title_of(name)} after the change", after)])
    if before is None or result is None:
        return
    found, prediction = result
    difference = replace(found, values=np.asarray(found.values) - np.asarray(before.values), signed=found.signed)
    words_for = f"the skip of `{block}` cut" if field == "cut" else f"the branch of `{block}` dropped"
    before_it, after_it = with_literal_classes(studio.prediction), with_literal_classes(prediction)
    st.markdown(captions.cut_note(before_it, after_it, before_it.categories[studio.target], words_for))
    top = max(full_colour(before), full_colour(found))  # one scale: what changes is the evidence
    with grid("change"):
        for title, values in {"Before": before, "After": found, "After − before": difference}.items():
            alt = f"{title_of(name)} for {studio.asked}, {title.lower()} the change"
            studio.draw(f"change-{title}", title, alt, values, captions.focus_note(values), top=top)
    st.caption("The three share one scale of colour.")


def paths(studio: Studio) -> None:
    """A block's evidence by its skip and by its branch."""
    spec = studio.classifier.spec
    blocks = [name for name in spec.block_names() if spec.has_skip(name) and name not in spec.dropped]
    if not blocks:
        st.info("This network has no skip, so nothing comes by two paths; choose a residual one under Network.")
        return
    block = blocks[0]
    if len(blocks) > 1:  # a slider needs two ends
        block = st.select_slider("Block", blocks, value=blocks[-1], key=f"paths.block.{studio.network}")
    found = jobs.result_of(
        "paths", ("paths", *studio.question, block), f"The two paths of {block}",
        lambda tick: two_paths(studio.classifier, studio.image, studio.target, block, studio.against, tick),
    )  # fmt: skip
    if found is None:
        return
    st.markdown(captions.paths_note(found))
    # one scale for the three: they add up
    top = max(float(np.abs(part).max()) for part in (found.identity, found.branch, found.whole)) or 1.0
    parts = {"By the skip, x": found.identity, "By the branch, F(x)": found.branch, "Both, F(x) + x": found.whole}
    with grid("paths"):
        for title, values in parts.items():
            shown = Attribution("gradient-x-activation", studio.target, np.asarray(values), True, block)
            alt = f"Gradient × activation at {block}: {title.lower()}"
            studio.draw(f"paths-{title}", title, alt, shown, f"adds up to {float(np.sum(values)):.3g}", top=top)
    st.caption("Gradient × activation at the addition, on one scale; positive speaks for the class.")


def trust(studio: Studio) -> None:
    """Curves, checks and the ranking of the chosen methods, measured when asked."""
    st.markdown(
        "Take the strongest pixels away, put them back, cover squares, nudge the picture, shuffle the weights: "
        "what each map is worth **for this picture** is measured, not believed."
    )

    def keep() -> None:
        st.session_state["deletion.baseline"] = st.session_state["trust.empty"]

    st.session_state["trust.empty"] = studio.empty
    st.selectbox("A pixel taken away becomes", BASELINES, key="trust.empty", on_change=keep, width=220,
                 help="Deletion's baseline. It can only judge where the picture without a pixel is none of the class.")  # fmt: skip
    if len(studio.found()) < len(studio.methods):
        jobs.results_of([studio.wanted(name) for name in studio.methods])
    maps = studio.found()
    if not maps:
        st.info("Choose a method first; its map is measured here.")
        return
    asked = ("trust", studio.empty, *studio.question, *(studio.key(name) for name in maps))
    if not all(studio.measured(name) for name in maps) and st.session_state.get("trust.asked") != asked:
        st.button("Measure the faithfulness", type="primary", icon=":material/fact_check:",
                  on_click=st.session_state.update, args=({"trust.asked": asked},))  # fmt: skip
        return
    measured = jobs.results_of([studio.measuring(name, found) for name, found in maps.items()])
    if all(found is not None for found in measured):
        _judged({title_of(name): found for name, found in zip(maps, measured, strict=True)})


def _judged(titled: Mapping[str, Faithfulness]) -> None:
    table = trust_table(titled)
    st.dataframe(table, hide_index=True, width="stretch")
    st.download_button("Table (CSV)", table.to_csv(index=False), "faithfulness.csv", "text/csv", on_click="ignore")
    left, right = st.columns(2)
    with left:
        st.markdown("**Deletion**: a faithful map falls early", help="Petsiuk et al. 2018, arXiv 1806.07421")
        chart(faithfulness_curves(titled, False), "deletion", "Probability while the strongest pixels are taken away")
    with right:
        st.markdown("**Insertion**: a faithful map rises early", help="From the blurred picture, Petsiuk et al. 2018")
        chart(faithfulness_curves(titled, True), "insertion", "Probability while the strongest pixels are put back")
    st.markdown("**Sanity check**: does the map follow the weights?", help="Adebayo et al. 2018, arXiv 1810.03292")
    chart(sanity_lines(titled), "sanity", "Likeness of the map while the weights are shuffled from the top")
    for title, found in titled.items():
        (st.warning if found.ignores_weights else st.markdown)(captions.trust_note(title, found))


VIEWS = {
    "Compare": compare,
    "Trust": trust,
    "Through the depth": depth,
    "Change the network": change,
    "Two paths": paths,
    "Many pictures": batch,
}
WITH_MAPS = ("Compare", "Through the depth", "Change the network", "Two paths")
