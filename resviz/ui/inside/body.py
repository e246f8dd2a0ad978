"""Inside: one picture's way through a trained network, block by block."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import streamlit as st

from resviz.figures import captions
from resviz.nets.cost import layer_table
from resviz.results import ORDERS, Inside
from resviz.results.inside import Order
from resviz.spec.names import describe
from resviz.spec.spot import FACTORS, Spot, lost, spot_from_query, spot_to_query
from resviz.ui.components import diagram
from resviz.ui.components.rows import rows
from resviz.ui.explain.link import LEFT_OUT, arrived, asked, choose, chosen, valid
from resviz.ui.grammar import beside, chips, why
from resviz.ui.inside import kept, parts
from resviz.ui.left_out import leave_out, say_left_out
from resviz.ui.markdown import literal, with_literal_classes
from resviz.ui.page import Address
from resviz.ui.state import INSIDE_PARAMETERS, sync_url
from resviz.ui.subject import Subject, choose_subject, warn_of_unknown
from resviz.ui.tour import progress as tour

__all__ = ["show"]

_PAGE: Final = 10  # channels that are shown at a time
_SPOT: Final = "inside.spot"
_LEFT: Final = "inside.link"
_SLIDERS: Final = ("inside.F.", "inside.x.")
_ORDERS: Final = {"energy": "Strongest", "share": "Most added", "effect": "Matter most"}


def show(address: Address) -> None:
    """The controls beside the network, a block's rows, and what is made of them; the address holds where one looks."""
    if arrived("Inside"):
        query = asked(_LEFT, INSIDE_PARAMETERS)
        if query:
            choose(query)
        st.session_state[_SPOT] = spot_from_query(query)
        leave_out(lost(query, st.session_state[_SPOT]))
        for key in [str(key) for key in st.session_state if str(key).startswith(_SLIDERS)]:
            del st.session_state[key]  # they begin as the link says
    stage, drawer = beside()
    tries = stage.container()
    subject = choose_subject(drawer, stage)
    if subject is None:
        return
    with drawer:
        order, target = _controls(subject)
    with stage:
        _stage(subject, order, target)
    with tries:
        say_left_out()
        _try_this(subject)
    why(_WHY)
    address.add(_link(subject))


def _controls(subject: Subject) -> tuple[Order, int]:
    """Which channels come first, and for which class."""
    order = st.segmented_control(
        "Channels first that are",
        ORDERS,
        required=True,
        format_func=_ORDERS.__getitem__,
        key=valid("inside.order", ORDERS, ORDERS[0]),
        help="Strongest: by energy, the sum of squares of x + F(x). Most added: by F's share, ‖F‖ / (‖F‖ + ‖x‖). Matter most: by "
        "gradient × activation for a class, summed over places; this is a first-order estimate.",
    )
    name = subject.ranked[0]
    if order == "effect":
        name = st.selectbox("for the class", subject.ranked, key=valid(f"inside.class.{subject.place}", subject.ranked, name))
    st.caption(literal(f"{describe(subject.network.classifier.spec)}. {subject.network.about}"))
    return order or ORDERS[0], subject.network.classifier.categories.index(name)


@st.fragment
def _stage(subject: Subject, order: Order, target: int) -> None:
    """The network, the chosen block's rows, and what follows from them; a click draws this alone anew."""
    spot = _spot(subject)
    spec, side = subject.network.classifier.spec, subject.network.classifier.preprocessing.crop
    diagram.show_units("inside-diagram", layer_table(spec, side), describe(spec), spot.unit, _look)
    branch, skip = _factors(subject, spot)
    spot = replace(spot, branch=branch, skip=skip)
    seen = kept.seen(subject, spot.unit, order, target, branch, skip)
    ordered = seen.ordered(order)
    spot = _settled(spot, seen, int(ordered[0]))
    st.markdown(captions.unit_note(seen))
    _rows(seen, ordered, spot)
    _sliders(subject, seen)
    after = kept.answer(subject, spot.unit, branch, skip)
    before = with_literal_classes(subject.prediction)
    st.markdown(captions.changed_note(before, with_literal_classes(after), (branch, skip)))
    parts.answer(subject.prediction, after)
    warn_of_unknown(subject)
    parts.number(subject, spot, (branch, skip))
    parts.excites(subject, spot)
    with st.expander("More measurements: blocks, the answer as it forms, first filters"):
        parts.blocks(subject)
        parts.forms(subject, spot.unit, seen.mapped != "none")
        parts.filters(subject)
    _files(seen, order)
    sync_url(_link(subject) | tour.query())


def _look(unit: str) -> None:
    st.session_state[_SPOT] = Spot(unit)
    st.session_state.pop("inside.page", None)


def _spot(subject: Subject) -> Spot:
    """Where one looks, in this network: its first block to begin with."""
    units = list(kept.passed(subject).entered)
    asked: Spot = st.session_state.get(_SPOT, Spot())
    spot = asked.within(units)
    leave_out(lost(spot_to_query(asked), spot))
    st.session_state[_SPOT] = spot
    return spot if spot.unit else Spot(units[0])


def _settled(spot: Spot, seen: Inside, first: int) -> Spot:
    """The same with all that was left open: the first channel, and where F adds most to it."""
    asked, spot = spot, spot.inside(seen.joined.shape)
    leave_out(lost(spot_to_query(asked), spot))
    if st.session_state.get(_SPOT, Spot()).unit:
        st.session_state[_SPOT] = spot  # what a link names in vain does not come back in the address
    channel = first if spot.channel is None else spot.channel
    return replace(spot, channel=channel, pixel=spot.pixel or seen.strongest(channel))


def _slider(subject: Subject, unit: str, what: str) -> str:
    return f"inside.{what}.{subject.place}.{unit}"


def _factors(subject: Subject, spot: Spot) -> tuple[float, float]:
    """What F and x of the chosen block are multiplied by: as its sliders stand, which begin as the link says and are kept in it."""
    for what, factor in (("F", spot.branch), ("x", spot.skip)):
        st.session_state.setdefault(_slider(subject, spot.unit, what), factor)
    branch, skip = (float(st.session_state[_slider(subject, spot.unit, what)]) for what in ("F", "x"))
    asked: Spot = st.session_state[_SPOT]
    if asked.unit or (branch, skip) != (1, 1):
        st.session_state[_SPOT] = replace(asked, unit=spot.unit, branch=branch, skip=skip)
    return branch, skip


def _sliders(subject: Subject, seen: Inside) -> None:
    """Both ways through the block, each from nothing to half as much again."""
    unit = seen.unit
    with st.container(horizontal=True, vertical_alignment="bottom", key="inside-sliders"):
        for what, title in (("F", "F(x) ×"), ("x", "x ×")):
            if what == "x" and seen.mapped == "none":
                continue
            least, most, step = FACTORS
            st.slider(f"{title} in {unit}", least, most, step=step, key=_slider(subject, unit, what))
        keys = [_slider(subject, unit, what) for what in ("F", "x")]
        changed = any(st.session_state.get(key, 1.0) != 1 for key in keys)
        st.button(
            "As it was",
            icon=":material/undo:",
            on_click=st.session_state.update,
            args=(dict.fromkeys(keys, 1.0),),
            disabled=not changed,
        )


def _rows(seen: Inside, ordered: np.ndarray, spot: Spot) -> None:
    """The strongest channels, or where the visitor leafed to."""
    pages = -(-len(ordered) // _PAGE)
    at = min(st.session_state.get("inside.page", (list(ordered).index(spot.channel)) // _PAGE), pages - 1)
    shown = ordered[at * _PAGE : (at + 1) * _PAGE]

    def pick(channel: int, row: int, column: int) -> None:
        st.session_state[_SPOT] = replace(spot, channel=channel, pixel=(row, column))
        st.session_state["inside.page"] = at

    def turn(by: int) -> None:
        st.session_state["inside.page"] = (at + by) % pages

    place = f"{at * _PAGE + 1}–{at * _PAGE + len(shown)} of {len(ordered)} channels"
    rows(seen, shown.tolist(), spot, place, picked=pick, turned=turn if pages > 1 else None)


def _files(seen: Inside, order: Order) -> None:
    """All channels' numbers, and what they are ordered by."""
    with st.container(horizontal=True):
        st.download_button(
            "x, F(x), sum and output (NPY)",
            partial(_npy, seen),
            f"{seen.unit}.npy",
            "application/octet-stream",
            on_click="ignore",
            help="float32, (4, channels, height, width)",
        )
        st.download_button("Channels (CSV)", partial(_csv, seen, order), f"{seen.unit}.csv", "text/csv", on_click="ignore")


def _npy(seen: Inside) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.stack([seen.identity, seen.residual, seen.joined, seen.output]))
    return buffer.getvalue()


def _csv(seen: Inside, order: Order) -> str:
    effect = f",{order}" if order == "effect" else ""
    lines = [f"channel,energy,share{effect}"]
    for channel in seen.ordered(order):
        more = f",{seen.measure(order)[channel]:.9g}" if effect else ""
        lines.append(f"{channel},{seen.energy[channel]:.9g},{seen.share[channel]:.9g}{more}")
    return "\n".join(lines) + "\n"


def _try_this(subject: Subject) -> None:
    measured = {unit: ratio for unit, ratio in kept.ratios(subject).items() if np.isfinite(ratio)}
    unit = _spot(subject).unit
    settings = {}
    if measured:
        least, most = min(measured, key=measured.__getitem__), max(measured, key=measured.__getitem__)
        settings["The block that adds least"] = partial(_look, least)
        settings["The block that adds most"] = partial(_look, most)
    settings["Without F(x)"] = partial(st.session_state.update, {_slider(subject, unit, "F"): 0.0})
    if measured:
        settings["Without x"] = partial(st.session_state.update, {_slider(subject, unit, "x"): 0.0})
    chips(settings)


def _link(subject: Subject) -> dict[str, str]:
    """What the address says beside the session's network."""
    model = subject.network.key if subject.network.load else None
    photo = subject.photograph.name if subject.sample else None
    chosen(model, photo)
    about = {name: text for name, text in (("model", model), ("photo", photo)) if text is not None and text != LEFT_OUT[name]}
    spot: Spot = st.session_state[_SPOT]
    query = about | spot_to_query(replace(spot, channel=None) if not subject.sample else spot)
    st.session_state[_LEFT] = query
    return query


_WHY: Final = (
    "A block returns **y = f(x + F(x))**: its layers only have to find what to *add*, and what came in is handed on by the skip "
    "(He et al. 2015, arXiv 1512.03385). Before pre-activation (He et al. 2016, arXiv 1603.05027) a ReLU f stands behind the addition. "
    "A block with ‖F(x)‖ far below ‖x‖ refines what it was given; scaling it to 0 then costs little, scaling the *skip* to 0 takes away "
    "all that earlier blocks had found. All numbers are of one picture; what a channel *means* they do not say."
)
