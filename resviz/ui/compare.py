"""Two networks side by side: the one that is built, and another, with what differs marked in both."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from resviz.figures import captions
from resviz.figures.theme import AGAINST, SIGNAL
from resviz.nets.cost import layer_table
from resviz.nets.difference import difference
from resviz.results import Difference, Differing, LayerRow, NetworkDifference
from resviz.spec.families import ALL_PRESETS, Network, side_of
from resviz.spec.names import describe, name_of
from resviz.spec.query import from_query, to_query_string
from resviz.ui.components import diagram
from resviz.ui.left_out import refuse, refused
from resviz.ui.markdown import sentence
from resviz.ui.state import WITH, change, compare_with, current_spec, went_back
from resviz.ui.tied import tied
from resviz.ui.widgets.spec_controls import titles_of

__all__ = ["address", "control", "difference_of", "differences", "stage"]

_LINKED: Final = "what the link compares with"
_OWN: Final = "its own"  # of the choices, what is no preset


def _other() -> Network | None:
    """The network that the current one is compared with; the address says which one at first."""
    if "other" not in st.session_state or went_back():
        text = st.query_params.get(WITH)
        st.session_state.other, problems = from_query(text) if text else (None, () if text is None else (f"{WITH} is empty",))
        refuse(problems, _LINKED)
    found: Network | None = st.session_state.other
    return found


def control() -> None:
    """Which network stands beside the current one."""
    other, names = _other(), [name for name, spec in ALL_PRESETS.items() if spec.residual]
    if said := refused(_LINKED):
        st.warning(sentence(said), icon=":material/info:")
    preset = next((name for name in names if ALL_PRESETS[name] == other), None)

    def choose(chosen: str) -> None:
        if chosen != _OWN:
            compare_with(ALL_PRESETS[chosen])

    titles = titles_of(names)
    st.selectbox(
        "Compare with",
        [_OWN, *names] if other is not None and preset is None else names,
        format_func=lambda name: describe(other) if name == _OWN and other is not None else titles[name],
        index=None,
        placeholder="nothing",
        help="Another network under this one; what differs is marked in both.",
        **tied("with", preset or (_OWN if other is not None else None), choose, clear=lambda: compare_with(None)),
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Keep this one",
            on_click=_keep,
            icon=":material/keep:",
            help="Compare what you change from here on with the network as it is now.",
        )
        if other is not None:
            st.button("Swap", on_click=_swap, icon=":material/swap_vert:", help="The other one becomes yours to change.")


def _keep() -> None:
    compare_with(current_spec())


def _swap() -> None:
    one, other = current_spec(), _other()
    if other is not None:
        change(lambda _: other)
        st.session_state.other = one  # one step for Undo


def address() -> dict[str, str]:
    """What the page's link says of the comparison."""
    other = _other()
    return {} if other is None else {WITH: to_query_string(other) or "family=resnet"}


def difference_of(spec: Network) -> NetworkDifference | None:
    """In what the network and the one beside it differ; None where there is none."""
    other = _other()
    return None if other is None else difference(*(layer_table(each, side_of(each, 32, 224)) for each in (spec, other)))


def stage(spec: Network, found: NetworkDifference) -> None:
    """Both diagrams at one scale, folded alike, and in words what differs."""
    other = _other()
    assert other is not None  # else nothing was found
    marks = [
        dict.fromkeys(found.of(own), SIGNAL) | dict.fromkeys(found.of(Differing.CHANGED), AGAINST)
        for own in (Differing.FIRST, Differing.SECOND)
    ]
    notes = {each.name: each.how.value for each in found.layers}
    diagram.show_two("diagram", ((spec, found.first), (other, found.second)), marks, notes, found.units)
    st.markdown(captions.difference_note(found, name_of(spec), name_of(other)))


def differences(spec: Network, found: NetworkDifference | None) -> None:
    """Every layer that differs, as both have it, and the totals."""
    other = _other()
    if found is None or other is None:
        st.info("Choose a network under **Compare with**, or keep this one and change it: what differs is listed here.")
        return
    names = _apart(name_of(spec), name_of(other))
    totals = pd.DataFrame(
        {"": what, names[0]: one, names[1]: two, "difference": two - one}
        for what, one, two in (
            ("layers", spec.depth, other.depth),
            ("parameters", found.first.params, found.second.params),
            ("MACs", found.first.macs, found.second.macs),
            ("activation bytes", found.first.memory, found.second.memory),
        )
    )
    whole = {name: st.column_config.NumberColumn(format="localized") for name in (*names, "difference")}
    st.dataframe(totals, hide_index=True, column_config=whole, alt="Totals of both networks")
    if not found.layers:
        st.info("No layer differs: what is left is how the weights begin, or the seed.")
        return
    rows = pd.DataFrame(_row(each, names) for each in found.layers)
    st.dataframe(rows, hide_index=True, height=320, alt="Every layer that differs")
    st.download_button(
        "Download the differences (CSV)", rows.to_csv(index=False), "differences.csv", "text/csv", on_click="ignore"
    )


def _apart(first: str, second: str) -> tuple[str, str]:
    return (first, second) if first != second else (f"{first} (above)", f"{second} (below)")


def _row(each: Difference, names: tuple[str, str]) -> dict[str, str]:
    how = {Differing.FIRST: f"only in {names[0]}", Differing.SECOND: f"only in {names[1]}"}.get(each.how, each.how.value)
    return {"layer": each.name, "how": how, names[0]: _told(each.first), names[1]: _told(each.second)}


def _told(row: LayerRow | None) -> str:
    if row is None:
        return "–"
    gone = ", skip cut" if row.cut else "" if row.memory else ", not computed"
    return (
        f"{row.kind}, {'×'.join(map(str, row.in_shape))} → {'×'.join(map(str, row.out_shape))}, {row.params:,} parameters{gone}"
    )
