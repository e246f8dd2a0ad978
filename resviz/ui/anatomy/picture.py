"""The network's diagram, painted with what its lesions cost; drawn without PyTorch, so that a recorded one can stand there first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st

from resviz.figures import captions
from resviz.figures.anatomy import error_paint
from resviz.figures.diagram import network_diagram
from resviz.nets.cost import layer_table
from resviz.results import LayerTable
from resviz.spec.lesion import Lesion, Mode
from resviz.spec.names import describe
from resviz.spec.net import NetSpec
from resviz.ui.components import diagram

__all__ = ["answered", "convolutions", "painted", "parts_of"]

_NUMBER = 200  # pixels that the error takes, whatever it is


def parts_of(table: LayerTable, spec: NetSpec) -> dict[str, str]:
    """What a click on each layer or block is about: the block, or in a network without skips the convolution itself."""
    if not spec.residual:
        return {row.name: row.name for unit in table.units for row in unit.convs}
    return {row.name: unit.name for unit in table.units for row in unit.rows} | {unit.name: unit.name for unit in table.units}


def convolutions(spec: NetSpec, side: int) -> frozenset[str]:
    """The convolutions of all branches."""
    return frozenset(row.name for unit in layer_table(spec, side).units for row in unit.convs)


def painted(
    key: str,
    spec: NetSpec,
    side: int,
    lesion: Lesion,
    mode: Mode,
    errors: Mapping[str, float],
    base: float,
    act: Callable[[str], None],
) -> None:
    """The network with what was taken from it, each part in the colour of the error without it alone, in percent; `act` hears clicks."""
    wired = replace(spec, cut=lesion.cut, dropped=lesion.dropped)
    table = layer_table(wired, side)
    paint, notes, scale = error_paint(errors, base, 100 * (1 - 1 / spec.classes), table)
    drawn = network_diagram(table, paint=paint, notes=notes, scale=scale, room=len(table.units))
    what, where = ("branch", lesion.dropped) if mode == "drop" else ("skip", lesion.cut)

    def then(part: str) -> str:
        if not spec.residual:
            return "click to put it back" if part in lesion.bypassed else "click to put the identity in its place"
        return f"click to {'restore' if part in where else mode} its {what}"

    block = f"a block to {mode} its {what}" if spec.residual else "a layer to put the identity in its place"
    hint = f"Click {block}; again to restore it. Colours: the error without that part alone."
    diagram.show_parts(key, drawn, describe(wired), parts_of(table, spec), then, act, hint=hint, gone=lesion.bypassed)


def answered(lesion: Lesion, found: tuple[float, float] | None, pictures: int, estimated_on: int = 0) -> None:
    """The error as a number that moves, and in words; `found` is the error as it is and with the lesion, None while it is measured."""
    with st.container(key="anatomy-answer", horizontal=True, vertical_alignment="top", gap="large"):
        value, moved, said = "…", None, "Asking the network…"  # which keep the places
        if found is not None:
            base, error = found
            value, said = f"{error:.1f} %", captions.lesion_note(lesion, base, error, pictures, estimated_on)
            moved = f"{error - base:+.1f} points".replace("-", "−") if lesion.names else None
        with st.container(key="anatomy-number", width=_NUMBER):
            st.metric(f"wrong of {pictures:,} pictures", value, moved, delta_color="inverse")
        st.markdown(said)
