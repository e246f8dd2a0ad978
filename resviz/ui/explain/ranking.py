"""The view that ranks the chosen methods over many pictures: asked for by a button that says how long it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from resviz.attribution.trust.many import decoded, expected_seconds, rank_methods
from resviz.figures import captions
from resviz.figures.trust import baseline_table, interval_table, metric_dots, picture_table, rank_dots, ranking_table
from resviz.progress import Tick
from resviz.results import METRICS, Ranking
from resviz.ui import cache, waiting
from resviz.ui.components.chart import chart
from resviz.ui.explain.case import PageCase
from resviz.ui.explain.many import Files, entries
from resviz.ui.markdown import literal, sentence
from resviz.ui.widgets.pickers import digest

if TYPE_CHECKING:
    from resviz.attribution.trust.many import Picture

__all__ = ["rank"]

_A_ROW = 2  # figures: a method's name takes half of a narrower one


def rank(page: PageCase) -> None:
    """The chosen methods by every metric over the samples or the visitor's own pictures, with intervals."""
    st.markdown(
        "What one picture says of a method may be chance. Here each is measured **over many pictures**, every one explained for "
        "the class that the network says it is, and the dots' lines say how far the medians move when the pictures are drawn anew."
    )
    uploads = st.file_uploader(
        "Your own pictures, or one zip of them; without them the sample photographs are measured",
        accept_multiple_files=True,
        key="rank.files",
        max_upload_size=200,
        help="They stay with you: the link holds the network and the methods.",
    )
    if not page.methods:
        st.info("Choose a method first; two or more can be ranked.")
        return
    files = [(file.name, file.getvalue()) for file in uploads]
    asked = tuple(method.key for method in page.methods)
    key = ("ranking", page.network.key, asked, tuple((name, digest(data)) for name, data in files))
    if waiting.manager().remembered(key) is None and st.session_state.get("rank.asked") != key:
        _offer(page, key, len(files))
        return

    def work(tick: Tick) -> Ranking:
        return rank_methods(page.case.network, _pictures(files), page.methods, tick)

    found = waiting.result_of("rank", key, f"Ranking {captions.counted(len(asked), 'method')}", work)
    if found is not None:
        _show(found)


def _offer(page: PageCase, key: object, files: int) -> None:
    """The button, and what it will take."""
    count = files or len(cache.samples())
    seconds = expected_seconds(page.case.network, page.methods, count)
    st.button(
        "Rank the methods",
        type="primary",
        icon=":material/leaderboard:",
        on_click=st.session_state.update,
        args=({"rank.asked": key},),
    )
    what = f"{captions.counted(count, 'picture' if not files else 'file')}, {captions.counted(len(page.methods), 'method')}"
    st.caption(f"{what}: about {_duration(seconds)} on this machine. It can be cancelled at any time.")


def _duration(seconds: float) -> str:
    """As roughly as it is known."""
    return f"{max(1, round(seconds, -1 if seconds >= 20 else 0)):.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _pictures(files: Files) -> Iterable[Picture]:
    return decoded(entries(files)) if files else iter(cache.samples().items())


def _show(found: Ranking) -> None:
    """The notes, the figures, the tables to take away, and what was left out."""
    chart(rank_dots(found), "ranks", "Mean rank of each method with its interval")
    st.markdown(captions.trust_ranking_note(replace(found, network=literal(found.network))))
    merits = [name for name, metric in METRICS.items() if metric.better]
    _figures(found, merits)
    with st.expander("Measured, with no say in the rank"):
        st.caption("Whether a map of few pixels is the truer one is argued about, and only some methods promise completeness.")
        _figures(found, [name for name in METRICS if name not in merits])
    if note := captions.trust_baseline_note(found):
        st.markdown(f"**Does the order survive another baseline?** {note}")
    with st.expander("Every value with its interval"):
        st.dataframe(ranking_table(found), hide_index=True, width="stretch")
        st.dataframe(baseline_table(found), hide_index=True, width="stretch")
    with st.container(horizontal=True):
        for label, table, file in (
            ("Intervals (CSV)", interval_table(found), "ranking.csv"),
            ("Every picture (CSV)", picture_table(found), "ranking-pictures.csv"),
        ):
            st.download_button(label, table.to_csv(index=False), file, "text/csv", on_click="ignore")
    for problem in found.left_out:
        st.warning(sentence(problem))


def _figures(found: Ranking, names: list[str]) -> None:
    for start in range(0, len(names), _A_ROW):
        for column, name in zip(st.columns(_A_ROW), names[start : start + _A_ROW], strict=False):
            metric = METRICS[name]
            with column:
                st.markdown(f"**{metric.title}**{metric.arrow}", help=f"{metric.asks} {metric.paper}")
                chart(metric_dots(found, name), f"rank-{name}", f"{metric.title} of each method with its interval")
