"""Many pictures × several networks × the chosen methods, as a gallery, a table and a zip of maps."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO

import streamlit as st

from resviz.attribution.folders import explain_all
from resviz.attribution.question import Asked
from resviz.data.unpack import Entry, UnpackError, unzip
from resviz.figures.reports.gallery import Gallery
from resviz.progress import Tick
from resviz.ui import cache, waiting
from resviz.ui.explain.case import PageCase
from resviz.ui.markdown import literal
from resviz.ui.networks import bundled_titles
from resviz.ui.widgets.pickers import digest
from resviz.zoo.classifier import Classifier

__all__ = ["batch"]

_SHOWN = 16  # maps in the page's gallery
Files = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class _Answers:
    """The zip of maps, table and gallery, the table, the first maps with their titles, and (file, problem) of what has none.

    The zip is a file on disk that goes with the last who holds it: the maps of many pictures do not gather in memory.
    """

    archive: IO[bytes]
    table: str
    shown: Sequence[tuple[str, bytes]]
    count: int
    problems: Sequence[tuple[str, str]]


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


def _show(answers: _Answers) -> None:
    failed = len(answers.problems)
    words = f"**{answers.count} answer{'' if answers.count == 1 else 's'}**"
    words += f", {failed} {'row' if failed == 1 else 'rows'} with a problem" if failed else ""
    st.markdown(f"{words}; the first pictures:" if answers.shown else f"{words}.")
    columns = st.columns(4)
    for n, (title, png) in enumerate(answers.shown):
        columns[n % 4].image(png, caption=literal(title))
    if answers.problems:
        st.dataframe([{"file": name, "problem": problem} for name, problem in answers.problems], hide_index=True)
    with st.container(horizontal=True):
        st.download_button(
            "Maps, table and gallery (ZIP)", partial(_content, answers.archive), "explanations.zip", on_click="ignore"
        )
        st.download_button("Predictions (CSV)", answers.table, "predictions.csv", "text/csv", on_click="ignore")


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
    shown: list[tuple[str, bytes]] = []
    entries = list(_entries(files))
    total = len(entries) * len(networks)
    gallery: Gallery | None = None
    try:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, Gallery(archive.writestr) as gallery:
            rows = gallery.rows

            def ticked(*_: object, **__: object) -> bool:
                return tick(min(1.0, len(rows) / total), f"{len(rows)} of {total} answers")

            for each in explain_all(entries, networks, methods, ticked):
                maps = gallery.add(
                    each.name, each.network, each.window, each.prediction, each.maps, each.problem, notes=each.notes
                )
                if len(shown) < _SHOWN:
                    network = f" · {each.network}" if len(networks) > 1 else ""
                    shown += [(f"{each.name}: {Asked.of(name).title}{network}", png) for name, png in maps]
    except BaseException:
        if gallery is not None and gallery.rows:
            ended(_answers(file, gallery, shown))
        raise
    if not gallery.rows:
        raise ValueError("there is no picture among these files; give PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF")
    return _answers(file, gallery, shown)


def _answers(file: IO[bytes], gallery: Gallery, shown: list[tuple[str, bytes]]) -> _Answers:
    problems = gallery.problems
    return _Answers(file, gallery.table(), shown[:_SHOWN], len(gallery.rows) - len(problems), problems)


def _entries(files: Files) -> Iterator[Entry]:
    """Every picture given, those in a zip one by one; a zip that cannot be read is one that says why."""
    for name, data in files:
        if not name.lower().endswith(".zip"):
            yield Entry(name, lambda data=data: data)  # type: ignore[misc]
            continue
        try:
            yield from unzip(data)
        except UnpackError as error:
            yield Entry(name, partial(_refuse, error))


def _refuse(error: UnpackError) -> bytes:
    raise error
