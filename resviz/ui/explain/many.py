"""Many pictures × several networks × the chosen methods, as a gallery, a table and a zip of maps."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import IO

import pandas as pd
import streamlit as st

from resviz.attribution.folders import Explained, explain_all
from resviz.attribution.question import Asked
from resviz.data.unpack import Entry, UnpackError, unzip
from resviz.figures.reports.gallery import Gallery
from resviz.progress import Tick
from resviz.ui import cache, waiting
from resviz.ui.components.evidence import photo_url
from resviz.ui.explain.case import PageCase
from resviz.ui.markdown import literal
from resviz.ui.networks import bundled_titles
from resviz.ui.widgets.pickers import digest
from resviz.zoo.classifier import Classifier

__all__ = ["Files", "batch", "entries"]

_PICTURED = 500  # rows of the page's table that have a small picture
_SMALL = 96  # its pixels
Files = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class _Row:
    """One picture on one network: the answer, its probability and its entropy in bits, or the problem; `maps` are (title, path)."""

    file: str
    network: str
    answer: str = ""
    probability: float | None = None
    entropy: float | None = None
    problem: str = ""
    picture: str = ""
    maps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Answers:
    """The zip of maps, table and gallery, the table as a file, and its rows.

    The zip is a file on disk that goes with the last who holds it: the maps of many pictures do not gather in memory.
    """

    archive: IO[bytes]
    table: str
    rows: Sequence[_Row]


def batch(page: PageCase) -> None:
    """A folder's pictures, each explained by the chosen methods on the chosen networks."""
    uploads = st.file_uploader(
        "Pictures, or one zip of them",
        accept_multiple_files=True,
        key="batch.files",
        max_upload_size=200,
        help="Each picture's most probable class is explained with the methods' defaults.",
    )
    titles = {name: title for name, title in bundled_titles().items() if name != page.network.key}
    more = st.multiselect(
        "Other networks too",
        list(titles),
        key="batch.networks",
        format_func=lambda name: titles.get(name, name),
        placeholder="the one above alone",
        help="Each picture is explained by each of them.",
    )
    if not uploads or not page.methods:
        st.info("Give pictures, or a zip of them, and choose methods: you get a gallery, a table and every map in one zip.")
        return
    files = [(file.name, file.getvalue()) for file in uploads]
    networks = {page.network.key: page.case.network} | {name: cache.bundled(name) for name in more}
    methods = [Asked(asked.method, asked.layer) for asked in page.methods]
    key = ("batch", tuple(networks), tuple(asked.name for asked in methods), tuple((name, digest(data)) for name, data in files))
    ended: dict[object, _Answers] = st.session_state.setdefault("batch.ended", {})  # before all was done
    for other in [other for other in ended if other != key]:
        del ended[other]

    def work(tick: Tick) -> _Answers:
        return _explain(files, list(networks.values()), methods, tick, partial(ended.__setitem__, key))

    result = waiting.result_of("batch", key, f"Explaining {len(files)} file{'' if len(files) == 1 else 's'}", work)
    if result is not None or key in ended:
        _show(result or ended[key])


@st.fragment
def _show(answers: _Answers) -> None:
    """The table, the chosen row's maps, and the files; choosing a row draws this alone anew."""
    failed = sum(bool(row.problem) for row in answers.rows)
    count = sum(bool(row.answer) for row in answers.rows)
    words = f"**{count} answer{'' if count == 1 else 's'}**"
    words += f", {failed} {'row' if failed == 1 else 'rows'} with a problem" if failed else ""
    st.markdown(f"{words}. Sort by a column's head; choose a row to see its maps.")
    chosen = st.dataframe(
        pd.DataFrame(
            {
                "picture": row.picture or None,
                "file": row.file,
                "network": row.network,
                "answer": row.answer,
                "probability": row.probability,
                "entropy, bits": row.entropy,
                "problem": row.problem,
            }
            for row in answers.rows
        ),
        hide_index=True,
        key="batch.rows",
        on_select="rerun",
        selection_mode="single-row",
        row_height=56,
        height=min(420, 42 + 56 * len(answers.rows)),
        alt="Every picture with its answer",
        column_config={
            "picture": st.column_config.ImageColumn(width="small"),
            "probability": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
            "entropy, bits": st.column_config.NumberColumn(format="%.2f", help="How much the network doubts: 0 is none."),
        },
    )
    places = chosen["selection"]["rows"] or [0]
    _open(answers.archive, answers.rows[min(places[0], len(answers.rows) - 1)])
    with st.container(horizontal=True):
        st.download_button(
            "Maps, table and gallery (ZIP)", partial(_content, answers.archive), "explanations.zip", on_click="ignore"
        )
        st.download_button("Predictions (CSV)", answers.table, "predictions.csv", "text/csv", on_click="ignore")


def _open(archive: IO[bytes], row: _Row) -> None:
    """One row's maps."""
    said = f": {row.answer} with {100 * row.probability:.0f} %" if row.probability is not None else ""
    st.markdown(literal(f"{row.file} · {row.network}") + literal(said))
    if not row.maps:
        return
    with zipfile.ZipFile(archive) as maps:
        for n, (column, (title, path)) in enumerate(zip(cycle(st.columns(4)), row.maps, strict=False)):
            column.image(maps.read(path), caption=literal(title), alt=f"Map {n + 1}: {title} of {row.file}")


def _scratch() -> IO[bytes]:
    return tempfile.TemporaryFile(suffix=".zip")


def _content(archive: IO[bytes]) -> bytes:
    archive.seek(0)
    return archive.read()


def _explain(
    files: Files, networks: Sequence[Classifier], methods: Sequence[Asked], tick: Tick, ended: Callable[[_Answers], object]
) -> _Answers:
    """Every answer there is to have; `ended` is told those that there are where the run ends before."""
    file = _scratch()
    rows: list[_Row] = []
    given = list(entries(files))
    total = len(given) * len(networks)
    gallery: Gallery | None = None
    try:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, Gallery(archive.writestr) as gallery:

            def ticked(*_: object, **__: object) -> bool:
                return tick(min(1.0, len(rows) / total), f"{len(rows)} of {total} answers")

            for each in explain_all(given, networks, methods, ticked):
                gallery.add(each.name, each.network, each.window, each.prediction, each.maps, each.problem, notes=each.notes)
                rows.append(_row(each, gallery, len(rows) < _PICTURED))
    except BaseException:
        if gallery is not None and rows:
            ended(_Answers(file, gallery.table(), rows))
        raise
    if not rows:
        raise ValueError("there is no picture among these files; give PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF")
    return _Answers(file, gallery.table(), rows)


def _row(each: Explained, gallery: Gallery, pictured: bool) -> _Row:
    if each.window is None or each.prediction is None:
        return _Row(each.name, each.network, problem=each.problem)
    ((answer, probability),) = each.prediction.top(1)
    base = gallery.path(each.name, each.network)
    return _Row(
        each.name,
        each.network,
        answer,
        probability,
        each.prediction.entropy,
        problem=each.problem,
        picture=photo_url(each.window, _SMALL) if pictured else "",
        maps=tuple((Asked.of(name).title, f"{base}.{name}.png") for name in each.maps or {}),
    )


def entries(files: Files) -> Iterator[Entry]:
    """Every picture given, those in a zip one by one; a zip that cannot be read is one that says why."""
    for name, data in files:
        if not name.lower().endswith(".zip"):
            yield Entry(name, io.BytesIO(data).getvalue)
            continue
        try:
            yield from unzip(data)
        except UnpackError as error:
            yield Entry(name, partial(_refuse, error))


def _refuse(error: UnpackError) -> bytes:
    raise error
