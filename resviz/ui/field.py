"""How much of the picture the middle of the last feature map sees, with skips and without: a section for the session's design."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from resviz.figures import captions
from resviz.figures.field import field_frame, reach_maps
from resviz.progress import Tick
from resviz.results import Reach
from resviz.shared import Public
from resviz.spec.net import Design, NetSpec, SpecError
from resviz.ui.components.chart import chart
from resviz.ui.markdown import sentence
from resviz.ui.waiting import result_of

__all__ = ["field_section"]


def field_section(nets: Mapping[Design, NetSpec]) -> None:
    """The effective receptive field of both networks inside the theoretical one."""
    from resviz.probes.field import check_field, reaches

    try:
        for spec in nets.values():
            check_field(spec)
    except SpecError as error:
        st.info(sentence(error), icon=":material/info:")
        return

    def work(tick: Tick) -> Mapping[Design, Reach]:
        return reaches(nets, tick=tick)

    found = result_of("field", Public(("field", tuple(nets.values()))), "Looking back from the last feature map", work)
    if found is None:
        return
    chart(reach_maps(found), "field", "What the middle of the last feature map sees, with and without skips")
    st.markdown(captions.reach_note(found))
    st.markdown(captions.reach_claim(found))
    st.download_button(
        "Fields (CSV)", lambda: field_frame(found).to_csv(index=False), "fields.csv", "text/csv", on_click="ignore"
    )
