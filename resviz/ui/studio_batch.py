"""Many pictures × several networks × the chosen methods, as a gallery, a table and a zip of maps."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Sequence
from functools import partial
from typing import IO

import streamlit as st

from resviz.attribution.batch import explain_all
from resviz.attribution.methods import title_of
from resviz.figures.gallery import Gallery
from resviz.sets import unzip
from resviz.ui import cache, jobs
from resviz.ui.inputs import digest
from resviz.ui.networks import bundled_titles
from resviz.ui.studio import Studio
from resviz.zoo.classifier import Classifier

__all__ = ["batch"]

_SHOWN = 16  # maps in the page's gallery
Files = Sequence[tuple[str, bytes]]


def batch(studio: Studio) -> None:
    """A folder's pictures, each explained by the chosen methods on the chosen networks."""
    given = st.file_uploader(
        "Pictures, or one zip of them", accept_multiple_files=True, key="batch.files", max_upload_size=200,
        help="Each picture's most probable class is explained with the methods' defaults.",
    )  # fmt: skip
    titles = {name: title for name, title in bundled_titles().items() if name != studio.network}
    more = st.multiselect("Other networks too", list(titles), key="batch.networks", format_func=lambda name: titles.get(name, name),
                          placeholder="the one above alone", help="Each picture is explained by each of them.")  # fmt: skip
    if not given or not studio.methods:
        st.info("Give pictures, or a zip of them, and choose methods: you get a gallery, a table and every map in one zip.")
        return
    files = [(file.name, file.getvalue()) for file in given]
    networks = {studio.network: studio.classifier} | {name: cache.bundled(name) for name in more}
    key = ("batch", tuple(networks), tuple(studio.methods), tuple((name, digest(data)) for name, data in files))
    result = jobs.result_of(
        "batch", key, f"Explaining {len(files)} file{'' if len(files) == 1 else 's'}",
        lambda tick: _explain(files, list(networks.values()), studio.methods, tick),
    )  # fmt: skip
    if result is None:
        return
    archive, table, shown, count = result
    st.markdown(f"**{count} answer{'' if count == 1 else 's'}**; the first pictures:")
    columns = st.columns(4)
    for n, (title, png) in enumerate(shown):
        columns[n % 4].image(png, caption=title)
    with st.container(horizontal=True):
        st.download_button("Maps, table and gallery (ZIP)", partial(_content, archive), "explanations.zip", on_click="ignore")
        st.download_button("Predictions (CSV)", table, "predictions.csv", "text/csv", on_click="ignore")


def _scratch() -> IO[bytes]:
    return tempfile.TemporaryFile(suffix=".zip")


def _content(archive: IO[bytes]) -> bytes:
    archive.seek(0)
    return archive.read()


def _explain(
    files: Files, networks: Sequence[Classifier], methods: Sequence[str], tick: jobs.Tick
) -> tuple[IO[bytes], str, list[tuple[str, bytes]], int]:
    """The zip, the table, the first maps with their titles, and the number of rows.

    The zip is a file on disk that goes with the last who holds it: the maps of many pictures do not gather in memory.
    """
    file = _scratch()
    shown: list[tuple[str, bytes]] = []
    packed = [name.lower().endswith(".zip") for name, _ in files]
    every = [file for file, is_zip in zip(files, packed, strict=True) if not is_zip]
    every += [entry for (_, data), is_zip in zip(files, packed, strict=True) if is_zip for entry in unzip(data)]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        gallery, total = Gallery(archive.writestr), len(every) * len(networks)

        def ticked(*_: object, **__: object) -> None:
            tick(min(1.0, len(gallery.rows) / total), f"{len(gallery.rows)} of {total} answers")

        for found in explain_all(every, networks, methods, ticked):
            maps = gallery.add(found.name, found.network, found.window, found.prediction, found.maps, found.problem)
            if len(shown) < _SHOWN:
                network = f" · {found.network}" if len(networks) > 1 else ""
                shown += [(f"{found.name}: {title_of(name)}{network}", png) for name, png in maps]
        gallery.finish()
    if not gallery.rows:
        raise ValueError("there is no picture among these files; give PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF")
    return file, gallery.table(), shown[:_SHOWN], len(gallery.rows)
