"""An ONNX file of the visitor's: its diagram and its layers."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from resviz.figures import captions
from resviz.results import LayerTable
from resviz.ui.components import diagram
from resviz.ui.markdown import literal, sentence
from resviz.ui.reading import read
from resviz.ui.widgets.pickers import digest

__all__ = ["foreign_graph"]

_AT_ONCE = 4 << 20  # bytes that are read while the visitor waits


def foreign_graph() -> None:
    """Under a fold: an upload, then what is in it. Nothing of the file is run, and none of its weights are looked at."""
    with st.expander("Draw an ONNX file"):
        file = st.file_uploader(
            "A network (.onnx)",
            key="foreign.file",
            max_upload_size=200,
            help="Its graph is read and drawn; it stays in this session's memory.",
        )
        if file is None:
            return
        data = file.getvalue()
        found = read("foreign", digest(data), "Reading the graph", partial(_table, data), len(data) < _AT_ONCE)
        if isinstance(found, ValueError):
            st.error(sentence(found))
        elif found is not None:
            _drawn(file.name, *found)


def _table(data: bytes, _tick: object) -> tuple[LayerTable, int]:
    from resviz.showing.graph import onnx_table

    return onnx_table(data)


def _drawn(name: str, table: LayerTable, loose: int) -> None:
    if table.units:
        diagram.show_drawn("foreign-diagram", table, literal(name))
    else:
        st.caption("No two ways that part and meet again around a layer were found in it, so there is no block to draw.")
    st.markdown(captions.table_note(table))
    if loose:
        st.caption(f"{captions.counted(loose, 'more join')} {'stands' if loose == 1 else 'stand'} in no block that can be drawn.")
    rows = pd.DataFrame(
        {name: value for name, value in row.costs().items() if name not in ("receptive_field", "cut")} for row in table.rows
    )
    st.dataframe(rows, hide_index=True, height=280, alt="Every layer of the file")
    st.download_button(
        "Layers (CSV)", rows.to_csv(index=False), "onnx-layers.csv", "text/csv", on_click="ignore", key="foreign.csv"
    )
