"""What a lab hands over: its table, its report, its link, and a network that another page goes on with."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

import streamlit as st
from PIL import Image

from resviz.export.notebook import lab_notebook
from resviz.figures import captions
from resviz.figures.reports import html
from resviz.results import LabRecord
from resviz.spec.datasets import DATASETS
from resviz.spec.lab import plan_to_query
from resviz.spec.net import NetSpec
from resviz.ui import own_network
from resviz.ui.components.link import here, link
from resviz.ui.lab.session import Session
from resviz.ui.lab.stage import chosen
from resviz.ui.shelf import put
from resviz.ui.widgets import pickers

__all__ = ["export"]


def export(held: Session) -> None:
    """Everything recorded as a table, a report and a link; and the chosen network, for photographs."""
    record = held.lab.record() if held.lab else None
    if record is None:
        return
    query = _query_string(held)
    with st.container(horizontal=True):
        with st.popover("Export and link", icon=":material/download:"):
            with st.container(horizontal=True):
                st.download_button("Parquet", lambda: _table(held, "parquet"), "lab.parquet", on_click="ignore")
                st.download_button("CSV", lambda: _table(held, "csv"), "lab.csv", "text/csv", on_click="ignore")
                st.download_button(
                    "Report (HTML)", lambda: _report(held, here(query).url), "lab.html", "text/html", on_click="ignore"
                )
                if held.plan.data not in ("own", "cifar10"):
                    made = partial(lab_notebook, held.lab.plan if held.lab else held.plan, record.step)
                    st.download_button("Notebook", made, "lab.ipynb", "application/x-ipynb+json", on_click="ignore")
            st.caption("This link restores contenders, data, seed and every change at its step, and replays them:")
            link(query, "this run", "lab-link")
            if held.plan.data == "own":
                st.caption("Your own images are not in the link: whoever opens it gives the same files.")
        if DATASETS[held.plan.data].pictures:
            _explain(held, record)


def _explain(held: Session, record: LabRecord) -> None:
    """The chosen network goes along to the page that asks about pictures, with one that it did not learn from."""
    contender = chosen(record)
    if not isinstance(held.specs()[contender], NetSpec):
        return  # the page that asks about pictures knows ResNets alone
    if st.button(
        f"Put {record.tracks[contender].label} on the shelf",
        icon=":material/bookmark_add:",
        disabled=held.running or held.over,
        help="As it is at this step: from there Explain, Inside and Transfer ask it. Pause to press it.",
    ):
        from resviz.training.export import lab_checkpoint

        assert held.lab is not None
        put(f"{record.tracks[contender].label}, step {record.step}", partial(lab_checkpoint, held.lab, contender))
    if st.button(
        f"Explain with {record.tracks[contender].label}",
        icon=":material/search:",
        disabled=held.running or held.over,
        help="As it is at this step, with a held-out picture of its data and, there, with pictures of yours. Pause to press it.",
    ):
        from resviz.training.export import lab_checkpoint

        assert held.lab is not None
        _, held_out = held.lab.network(contender)
        pixels = held_out.images[0].permute(1, 2, 0).squeeze(-1).numpy()  # (H, W) or (H, W, 3)
        shown = held_out.categories[int(held_out.labels[0])]
        data = lab_checkpoint(held.lab, contender)
        own_network.give(f"{record.tracks[contender].label}, step {record.step}.safetensors", data)
        name = f"A held-out picture, labelled {shown}"
        key = pickers.digest(pixels.tobytes())
        pickers.give_photograph("explain", pickers.Photograph(key, name, Image.fromarray(pixels).convert("RGB")))
        st.switch_page("pages/explain.py", query_params={})


def _query_string(held: Session) -> str:
    return urlencode(plan_to_query(held.current), safe=":,.-")


def _table(held: Session, kind: str) -> bytes:
    assert held.lab is not None  # nothing to export before
    record = held.lab.record()
    assert record is not None
    if kind == "csv":
        from resviz.recordings import lab_frame

        return lab_frame(record).to_csv(index=False).encode()
    from resviz.training.export import lab_recording

    return lab_recording(record)


def _report(held: Session, link: str) -> bytes:
    assert held.lab is not None
    record = held.lab.record()
    assert record is not None
    from resviz.training.detect import findings

    notes = [captions.lab_note(record, record.step), captions.growth_note(record, record.step)]
    notes += [captions.finding_note(finding) for finding in findings(record, record.step)]
    return html.lab_report(record, notes, link).encode()
