"""The Explain page's views: methods side by side, the depth, a changed network, a block's two paths, and what can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import streamlit as st

from resviz.attribution.baselines import BASELINES
from resviz.attribution.paths import grad_cam_by_block, two_paths
from resviz.attribution.question import Asked, attribute
from resviz.figures import captions
from resviz.figures.faithfulness import faithfulness_curves, sanity_lines
from resviz.figures.overlay import full_colour
from resviz.figures.reports.explanation import trust_table
from resviz.progress import Tick
from resviz.results import Attribution, Faithfulness, Paths, Prediction
from resviz.spec.net import NetSpec
from resviz.ui import waiting
from resviz.ui.components.chart import chart
from resviz.ui.components.evidence import photo_url
from resviz.ui.explain.case import PageCase, grid
from resviz.ui.explain.compare import compare
from resviz.ui.explain.many import batch
from resviz.ui.explain.ranking import rank
from resviz.ui.markdown import literal, with_literal_classes
from resviz.zoo.classifier import predict

__all__ = ["VIEWS", "WITH_MAPS", "change", "compare", "depth", "paths", "trust"]


def depth(page: PageCase) -> None:
    """Grad-CAM at every block."""

    def work(tick: Tick) -> tuple[Attribution, ...]:
        return grad_cam_by_block(page.case, tick)

    maps = waiting.result_of("depth", ("depth", *page.key), "Grad-CAM at every block", work)
    if maps is None:
        return
    st.markdown(f"**Where the evidence for *{literal(page.case.words)}* forms**: Grad-CAM, block by block")
    small = photo_url(page.window, 224)
    with grid("film"):
        for attribution in maps:
            alt = f"Grad-CAM for {page.case.words} at {attribution.layer}"
            note = f"{100 * _speaks_for(attribution):.0f} % for"
            page.draw(f"depth-{attribution.layer}", f"{attribution.layer}", alt, attribution, note, photo=small)
    best = max(maps, key=_speaks_for)
    st.caption(f"The share of evidence that speaks *for* the class is largest at `{best.layer}`. Each map has its own scale.")


def _speaks_for(attribution: Attribution) -> float:
    """The share of a map's strength that is positive."""
    return float(np.clip(attribution.values, 0, None).sum() / (np.abs(attribution.values).sum() or 1.0))


_CHANGES: Final = {"Cut its skip": "cut", "Drop its branch": "dropped"}  # by the field of the spec that says it


def change(page: PageCase) -> None:
    """The same question to the network with one skip cut or one branch dropped."""
    spec, left, right = page.case.network.spec, *st.columns(2)
    names = list(spec.block_names())
    block = left.selectbox("Block", names, index=min(1, len(names) - 1), key=f"change.block.{page.network.key}")
    kind = right.segmented_control(
        "Change",
        list(_CHANGES),
        default="Cut its skip",
        required=True,
        key="change.kind",
        help="A cut block passes only F(x), a dropped one only x.",
    )
    if not spec.residual:
        st.info("A plain network has no skip to cut; choose a residual one under Network.")
        return
    if not page.methods:
        st.info("Choose a method first; its map is drawn before and after the change.")
        return
    by_name = {asked.name: asked for asked in page.methods}
    asked = by_name[st.selectbox("Method", list(by_name), format_func=lambda name: by_name[name].title, key="change.method")]
    field = _CHANGES[kind]
    changed = _changed(spec, field, block)

    def after(tick: Tick) -> tuple[Attribution, Prediction]:
        attribution, network = attribute(page.case, asked, tick, changed), page.case.network
        return attribution, predict(network, page.case.photograph, network.fast_view(changed))

    job = "after", ("changed", *page.map_key(asked), field, block), f"{asked.title} after the change", after
    before, answer = waiting.results_of([page.map_job(asked, "before"), job])
    if isinstance(before, Attribution) and isinstance(answer, tuple):
        what = f"the skip of `{block}` cut" if field == "cut" else f"the branch of `{block}` dropped"
        _before_and_after(page, asked, before, answer, what)


def _changed(spec: NetSpec, field: str, block: str) -> NetSpec:
    """The network with a block's skip `cut` or its branch `dropped`, and the other one of the two as it was built."""
    cut, dropped = spec.cut - {block}, spec.dropped - {block}
    if field == "cut":
        return replace(spec, cut=cut | {block}, dropped=dropped)
    return replace(spec, cut=cut, dropped=dropped | {block})


def _before_and_after(
    page: PageCase, asked: Asked, before: Attribution, answer: tuple[Attribution, Prediction], what: str
) -> None:
    """Both answers in words, and three maps on one scale."""
    after, prediction = answer
    difference = replace(after, values=np.asarray(after.values) - np.asarray(before.values))
    before_it, after_it = with_literal_classes(page.prediction), with_literal_classes(prediction)
    st.markdown(captions.cut_note(before_it, after_it, before_it.categories[page.case.target], what))
    top = max(full_colour(before), full_colour(after))  # one scale: what changes is the evidence
    with grid("change"):
        for title, attribution in {"Before": before, "After": after, "After − before": difference}.items():
            alt = f"{asked.title} for {page.case.words}, {title.lower()} the change"
            page.draw(f"change-{title}", title, alt, attribution, captions.focus_note(attribution), top=top)
    st.caption("The three share one scale of colour.")


def paths(page: PageCase) -> None:
    """A block's evidence by its skip and by its branch."""
    spec = page.case.network.spec
    blocks = [name for name in spec.block_names() if spec.has_skip(name) and name not in spec.dropped]
    if not blocks:
        st.info("This network has no skip, so nothing comes by two paths; choose a residual one under Network.")
        return
    block = blocks[0]
    if len(blocks) > 1:  # a slider needs two ends
        block = st.select_slider("Block", blocks, value=blocks[-1], key=f"paths.block.{page.network.key}")

    def work(tick: Tick) -> Paths:
        return two_paths(page.case, block, tick)

    by_path = waiting.result_of("paths", ("paths", *page.key, block), f"The two paths of {block}", work)
    if by_path is None:
        return
    st.markdown(captions.paths_note(by_path))
    # one scale for the three: they add up
    top = max(float(np.abs(part).max()) for part in (by_path.identity, by_path.branch, by_path.whole)) or 1.0
    parts = {"By the skip, x": by_path.identity, "By the branch, F(x)": by_path.branch, "Both, F(x) + x": by_path.whole}
    with grid("paths"):
        for title, values in parts.items():
            attribution = Attribution("gradient-x-activation", page.case.target, values, True, block)
            alt = f"Gradient × activation at {block}: {title.lower()}"
            page.draw(f"paths-{title}", title, alt, attribution, f"adds up to {float(np.sum(values)):.3g}", top=top)
    st.caption("Gradient × activation at the addition, on one scale; positive speaks for the class.")


def trust(page: PageCase) -> None:
    """Curves, checks and the ranking of the chosen methods, measured when asked."""
    st.markdown(
        "Take the strongest pixels away, put them back, cover squares, nudge the picture, shuffle the weights: "
        "what each map is worth **for this picture** is measured, not believed."
    )

    def keep() -> None:
        st.session_state["deletion.baseline"] = st.session_state["trust.empty"]

    st.session_state["trust.empty"] = page.empty
    st.selectbox(
        "A pixel taken away becomes",
        BASELINES,
        key="trust.empty",
        on_change=keep,
        width=220,
        help="Deletion's baseline. It can only judge where the picture without a pixel is none of the class.",
    )
    if len(page.maps()) < len(page.methods):
        waiting.results_of([page.map_job(asked) for asked in page.methods])
    maps = page.maps()
    if not maps:
        st.info("Choose a method first; its map is measured here.")
        return
    key = ("trust", page.empty, *page.key, *(page.map_key(asked) for asked in maps))
    if not all(page.measured(asked) for asked in maps) and st.session_state.get("trust.asked") != key:
        begin = {"trust.asked": key}
        st.button(
            "Measure the faithfulness",
            type="primary",
            icon=":material/fact_check:",
            on_click=st.session_state.update,
            args=(begin,),
        )
        return
    measured = waiting.results_of([page.trust_job(asked, attribution) for asked, attribution in maps.items()])
    done = {asked.title: each for asked, each in zip(maps, measured, strict=True) if each is not None}
    if len(done) == len(maps):
        _judged(done)


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
    for title, measured in titled.items():
        (st.warning if measured.ignores_weights else st.markdown)(captions.trust_note(title, measured))


VIEWS: Final[Mapping[str, Callable[[PageCase], None]]] = {
    "Compare": compare,
    "Trust": trust,
    "Rank methods": rank,
    "Through the depth": depth,
    "Change the network": change,
    "Two paths": paths,
    "Many pictures": batch,
}
WITH_MAPS: Final = ("Compare", "Through the depth", "Change the network", "Two paths")
