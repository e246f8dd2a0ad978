"""The block diagram as a component: draws `figures.diagram` shapes and turns clicks into edits of the spec."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import streamlit as st

from resviz.figures.diagram import STYLE, WORDS, Diagram, block_diagram, network_diagram
from resviz.nets.cost import layer_table
from resviz.spec.names import describe
from resviz.spec.net import NetSpec
from resviz.ui.components.mount import component
from resviz.ui.state import change, current_spec

__all__ = ["handle", "show_block", "show_example", "show_network"]


@cache
def _component() -> Callable[..., object]:
    return component(
        "diagram", Path(__file__).with_name("diagram"), STYLE, f"const STYLE = {json.dumps(STYLE)}, WORDS = {WORDS};"
    )


def handle(action: object) -> None:
    """Carry out one click; it is browser input, so what names no block or layer of this network is ignored."""
    if not isinstance(action, str) or ":" not in action:
        return
    verb, name = action.split(":", 1)
    spec = current_spec()
    if verb == "cut" and name in set(spec.block_names()):
        change(lambda s: s.toggled(name))
    elif verb == "open" and name in set(spec.block_names()):
        st.session_state.opened = name
    elif verb == "fold" and name in {unit.stage for unit in layer_table(spec, 32).units}:
        st.session_state.unfolded = st.session_state.get("unfolded", frozenset()) ^ {name}
    elif verb == "select":
        st.session_state.selected = name


def _mount(
    key: str, wide: Diagram, tall: Diagram, title: str, hint: str, touch: str = "", act: Callable[[object], None] | None = None
) -> None:
    selected = st.session_state.get("selected")
    label = next((s.label for s in wide.shapes if s.name == selected and s.label), "")
    _component()(
        key=key,
        data={
            "wide": wide.data(),
            "tall": tall.data(),
            "title": title,
            "file": title.split(" · ")[0].replace(" ", "-").lower(),
            "hint": hint,
            "touchHint": touch or hint,
            "selected": selected or "",
            "selectedLabel": label,
        },
        on_clicked_change=lambda: (act or handle)(st.session_state[key].clicked),
        height="content",
    )


def show_network(
    key: str,
    side: int,
    paint: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
    scale: tuple[str, Sequence[str], str] | None = None,
    spec: NetSpec | None = None,
    act: Callable[[object], None] | None = None,
) -> None:
    """The session's network, or another `spec` whose clicks `act` hears; clicking an arc cuts or restores that skip.

    `paint`, `notes`, `scale`: see `network_diagram`.
    """
    spec = spec or current_spec()
    table = layer_table(spec, side)
    unfolded = st.session_state.get("unfolded", frozenset())
    wide, tall = (
        network_diagram(
            table,
            unfolded=unfolded,
            paint=paint,
            notes=notes,
            vertical=vertical,
            room=12 if vertical else 30,
            scale=scale,
        )
        for vertical in (False, True)
    )
    arcs = "an arc to cut or restore its skip" if spec.residual else ""
    block = "⊕ to open a block" if spec.residual else ""
    mouse = ["hover a layer for its row", *(f"click {what}" for what in (arcs, block) if what)]
    touch = ["tap a layer for its row", *(f"{what}" for what in (arcs, block) if what)]
    _mount(key, wide=wide, tall=tall, title=describe(spec), hint=_sentence(mouse), touch=_sentence(touch), act=act)


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def show_example(key: str, spec: NetSpec, side: int, name: str) -> None:
    """A block to look at: it belongs to no session's network, so nothing on it can be clicked."""
    wide, tall = (_still(block_diagram(layer_table(spec, side), name, vertical=vertical)) for vertical in (False, True))
    _mount(key, wide, tall, f"{describe(spec)}: {name}", "A basic block: two convolutions learn F(x), the arc carries x.")


def _still(diagram: Diagram) -> Diagram:
    return replace(diagram, shapes=tuple(replace(s, action="", label=s.label.split("; click")[0]) for s in diagram.shapes))


def show_block(key: str, side: int, name: str) -> None:
    """One block of the session's network, opened; its arc can be clicked too."""
    spec = current_spec()
    table = layer_table(spec, side)
    wide, tall = (block_diagram(table, name, vertical=vertical) for vertical in (False, True))
    _mount(key, wide, tall, f"{describe(spec)}: {name}", "The block's inner layers, in the order the signal meets them.")
