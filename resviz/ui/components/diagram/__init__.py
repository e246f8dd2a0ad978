"""The block diagram as a component: draws `figures.diagram` shapes and turns clicks into edits of the spec."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import streamlit as st

from resviz.figures.diagram import STYLE, WORDS, Diagram, Shape, block_diagram, network_diagram
from resviz.nets.cost import layer_table
from resviz.results import LayerTable
from resviz.spec.dense import DenseSpec
from resviz.spec.families import Network
from resviz.spec.names import describe, name_of
from resviz.spec.transformer import TransformerSpec
from resviz.ui.components.mount import component
from resviz.ui.drawn import note
from resviz.ui.state import change, current_spec

__all__ = ["handle", "show_block", "show_drawn", "show_example", "show_network", "show_parts", "show_two", "show_units"]


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
    elif verb == "sever":
        _sever(*name.rpartition("<")[::2])
    elif verb == "open" and name in set(spec.block_names()):
        st.session_state.opened = name
    elif verb == "fold" and name in {unit.stage for unit in layer_table(spec, 32).units}:
        st.session_state.unfolded = st.session_state.get("unfolded", frozenset()) ^ {name}
    elif verb == "select":
        st.session_state.selected = name


def _sever(layer: str, source: str) -> None:
    """Cut or restore one connection into a dense layer, or with the source "all" every one but the nearest."""
    spec = current_spec()
    if not isinstance(spec, DenseSpec) or layer not in set(spec.block_names()):
        return
    each = {str(number): number for number in range(len(spec.sources(layer)))}
    if source == "all" or source in each:
        change(lambda _: spec.reading(layer, each.get(source)))


def _mount(
    key: str,
    wide: Diagram,
    tall: Diagram | None,
    title: str,
    hint: str,
    touch: str = "",
    act: Callable[[object], None] | None = None,
    selected: str | None = None,
    most: float = 1.6,
) -> None:
    selected = selected or st.session_state.get("selected")
    label = next((s.label for s in wide.shapes if s.name == selected and s.label), "")
    note(key, title, wide)
    _component()(
        key=key,
        data={
            "wide": wide.data(),
            "tall": tall and tall.data(),
            "title": title,
            "file": title.split(" · ")[0].replace(" ", "-").lower(),
            "hint": hint,
            "touchHint": touch or hint,
            "selected": selected or "",
            "selectedLabel": label,
            "most": most,  # times its own size, where there is room
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
    spec: Network | None = None,
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
    drawn = any(unit.join is not None for unit in table.units)  # arcs, which some families keep where every skip is cut
    arcs = "an arc to cut or restore its skip" if drawn else ""
    block = ("‖ to open a layer" if isinstance(spec, DenseSpec) else "⊕ to open a block") if drawn else ""
    mouse = ["hover a layer for its row", *(f"click {what}" for what in (arcs, block) if what)]
    touch = ["tap a layer for its row", *(f"{what}" for what in (arcs, block) if what)]
    _mount(key, wide=wide, tall=tall, title=describe(spec), hint=_sentence(mouse), touch=_sentence(touch), act=act)


def show_two(
    key: str,
    networks: Sequence[tuple[Network, LayerTable]],
    paint: Sequence[Mapping[str, str]],
    notes: Mapping[str, str],
    apart: frozenset[str],
) -> None:
    """The session's network over another one, at one scale and folded alike, each with its paint; a layer that is chosen is so in both.

    What a click cuts belongs to the first. `apart` are blocks that are not folded with others.
    """
    unfolded = st.session_state.get("unfolded", frozenset())
    longest = max(len(table.units) for _, table in networks)
    drawn = [
        [
            network_diagram(
                table,
                unfolded=unfolded,
                paint=colours,
                notes=notes,
                vertical=vertical,
                room=0 if longest > (12 if vertical else 30) else longest,
                apart=apart,
            )
            for (_, table), colours in zip(networks, paint, strict=True)
        ]
        for vertical in (False, True)
    ]
    (wide, other), (tall, low) = (_as_wide(pair) for pair in drawn)
    for (spec, _), below, pair in zip(networks, (False, True), ((wide, tall), (other, low)), strict=True):
        st.markdown(f"**{describe(spec)}**" if below else f"**{name_of(spec)}**, yours")
        across, along = (_only_told(each) if below else each for each in pair)
        hint = "Amber: only here. Violet: of another kind, shape or size. Choose a layer to see it in both."
        _mount(f"{key}-other" if below else key, across, along, describe(spec), hint)


def _as_wide(diagrams: Sequence[Diagram]) -> list[Diagram]:
    widest = max(each.width for each in diagrams)
    return [replace(each, width=widest) for each in diagrams]


def _only_told(diagram: Diagram) -> Diagram:
    """Its layers can be chosen and its stages folded; nothing is cut or opened."""
    kept = (shape if shape.action.startswith(("select:", "fold:")) else _untold(shape) for shape in diagram.shapes)
    return replace(diagram, shapes=tuple(kept))


def _untold(shape: Shape) -> Shape:
    return replace(shape, action="", pressed=None, label=shape.label.split("; click")[0])


def show_drawn(key: str, table: LayerTable, title: str) -> None:
    """A network that nothing can be changed of: its layers can be chosen and its stages folded."""
    unfolded = st.session_state.get("unfolded", frozenset())
    wide, tall = (
        _only_told(network_diagram(table, unfolded=unfolded, vertical=vertical, room=12 if vertical else 30))
        for vertical in (False, True)
    )
    _mount(key, wide, tall, title, "Hover a layer for its row.", "Tap a layer for its row.")


def show_units(key: str, table: LayerTable, title: str, chosen: str, choose: Callable[[str], None]) -> None:
    """A network whose units are chosen by a click anywhere on them; nothing is cut."""
    drawn = network_diagram(table, unfolded=st.session_state.get("unfolded", frozenset()))
    units = {row.name: row.unit for row in table.rows if row.unit} | {unit.name: unit.name for unit in table.units}

    def act(action: object) -> None:
        """Browser input: what names no unit or stage of this network is ignored."""
        verb, _, name = str(action).partition(":")
        if name in units:
            choose(units[name])
        elif verb == "fold" and name in {unit.stage for unit in table.units}:
            st.session_state.unfolded = st.session_state.get("unfolded", frozenset()) ^ {name}

    def then(unit: str) -> str:
        return "shown below" if unit == chosen else "click to look inside"

    wide = replace(drawn, shapes=tuple(_choosing(shape, units.get(shape.name, ""), "look", then) for shape in drawn.shapes))
    hints = {"hint": "Click a block to look inside.", "touch": "Tap a block to look inside."}
    # lying on a phone too, so that what was chosen stands right under it
    _mount(key, wide, None, title, act=act, selected=chosen, most=1.05, **hints)


def show_parts(
    key: str,
    drawn: Diagram,
    title: str,
    parts: Mapping[str, str],
    then: Callable[[str], str],
    act: Callable[[str], None],
    hint: str,
    gone: frozenset[str] = frozenset(),
) -> None:
    """A network whose parts are taken away, or put back, by a click anywhere on them.

    `parts` says what a click on a layer or a block is about, and `then` what it does to that; `gone` are layers that are drawn hollow.
    """

    def clicked(action: object) -> None:
        """Browser input: what names no part of this network is ignored."""
        name = str(action).partition(":")[2]
        if name in parts.values():
            act(name)

    shapes = (_hollow(shape) if shape.name in gone and shape.css == "layer" else shape for shape in drawn.shapes)
    wide = replace(drawn, shapes=tuple(_choosing(shape, parts.get(shape.name, ""), "part", then) for shape in shapes))
    _mount(key, wide, None, title, hint=hint, touch=hint.replace("Click", "Tap"), act=clicked, most=1.3)


def _hollow(shape: Shape) -> Shape:
    return replace(shape, css="hollow", attrs={name: value for name, value in shape.attrs.items() if name != "fill"})


def _choosing(shape: Shape, part: str, verb: str, then: Callable[[str], str]) -> Shape:
    """A part that a click is about, with what the click does; what stands outside of them only tells."""
    if shape.action.startswith("fold:") or not (shape.label or shape.action):
        return shape
    label = shape.label.split("; click")[0]
    if not part:
        return replace(shape, action="", label=label)
    return replace(shape, action=f"{verb}:{part}", pressed=None, label=f"{label}; {then(part)}")


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def show_example(key: str, spec: Network, side: int, name: str) -> None:
    """A block to look at: it belongs to no session's network, so nothing on it can be clicked."""
    wide, tall = (_still(block_diagram(layer_table(spec, side), name, vertical=vertical)) for vertical in (False, True))
    _mount(key, wide, tall, f"{describe(spec)}: {name}", "A basic block: two convolutions learn F(x), the arc carries x.")


def _still(diagram: Diagram) -> Diagram:
    return replace(diagram, shapes=tuple(map(_untold, diagram.shapes)))


def show_block(key: str, side: int, name: str) -> None:
    """One block of the session's network, opened; its arc can be clicked too."""
    spec = current_spec()
    table = layer_table(spec, side)
    wide, tall = (block_diagram(table, name, vertical=vertical) for vertical in (False, True))
    if isinstance(spec, DenseSpec):
        hint = "Under the layer what it reads, side by side: click a piece to cut that connection, its channels are then read as zeros."
    elif isinstance(spec, TransformerSpec):
        hint = "The sub-layer's inner layers, in the order the tokens meet them."
    else:
        hint = "The block's inner layers, in the order the signal meets them."
    _mount(key, wide, tall, f"{describe(spec)}: {name}", hint)
