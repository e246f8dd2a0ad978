"""Shortcuts: what else a skip could be, as it was recorded from several seeds, and raced live."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache, partial
from typing import Final

import numpy as np
import streamlit as st

from resviz.figures import captions
from resviz.figures.shortcuts import race_csv, race_lines, race_table
from resviz.results import RaceRecord
from resviz.spec.lab import MOST
from resviz.spec.shortcuts import DEPTHS, KINDS, RACE_PARAMETERS, RACES, STEPS, Start, lost, start_from_query, start_to_query
from resviz.ui.components.chart import line_chart
from resviz.ui.grammar import beside, chips, why
from resviz.ui.lab.session import Session, hand_over
from resviz.ui.left_out import followed, leave_out, say_left_out
from resviz.ui.markdown import literal
from resviz.ui.page import Address
from resviz.ui.state import sync_url, went_back
from resviz.ui.tour import progress as tour
from resviz.zoo.first import First, read_first

__all__ = ["show"]

_START: Final = "ways.start"
_HELD: Final = "ways.held"
_reading = cache(read_first)


def show(address: Address) -> None:
    """The controls, the race as recorded or as it runs, the table beside the papers, and why."""
    if _START not in st.session_state or went_back():
        asked = {name: text for name, text in st.query_params.items() if name in RACE_PARAMETERS}
        _take(start := start_from_query(asked))
        followed(asked)
        leave_out(lost(asked, start))
    place, drawer = beside()
    with drawer:
        start = _controls()
    with place:
        say_left_out()
        chips(_telling())
        held = _held(start)
        st.fragment(run_every=0.5 if held is not None and held.running else None)(_figure)(start)
    why(_WHY)
    address.add(start_to_query(start))


def _take(start: Start) -> None:
    """Set every control as this start has it."""
    state = st.session_state
    state[_START] = start
    state["ways.race"], state["ways.kinds"] = start.race, list(start.kinds)
    state["ways.depth"], state["ways.steps"], state["ways.seed"] = start.depth, start.steps, start.seed


def _telling() -> dict[str, partial[None]]:
    return {about.title: partial(_take, Start(race, about.kinds)) for race, about in RACES.items()}


def _controls() -> Start:
    """Which race, who runs, how deep, how long, from which seed; and the button that starts it."""
    before: Start = st.session_state[_START]
    for name, value in (("race", before.race), ("depth", before.depth), ("steps", before.steps), ("seed", before.seed)):
        st.session_state.setdefault(f"ways.{name}", value)
    race = st.selectbox("What differs", list(RACES), format_func=lambda name: RACES[name].title, key="ways.race")
    known = RACES[race].kinds
    if race != before.race or not set(st.session_state.get("ways.kinds", [])) <= set(known):
        st.session_state["ways.kinds"] = list(known)
    st.session_state.setdefault("ways.kinds", list(before.kinds))
    chosen = st.multiselect(
        "Contenders", known, format_func=lambda kind: KINDS[kind].title, key="ways.kinds", max_selections=MOST, placeholder="all"
    )
    kinds = tuple(kind for kind in known if kind in chosen) or known
    depth = st.selectbox("Layers", DEPTHS, key="ways.depth")
    steps = st.selectbox("Steps", STEPS, key="ways.steps")
    seed = st.number_input("Seed", 0, 10_000, key="ways.seed", help="Draws the weights and the order of the batches.")
    start = Start(race, kinds, depth, steps, int(seed))
    st.session_state[_START] = start
    _buttons(start)
    return start


def _held(start: Start) -> Session | None:
    """The live race, where it is this one."""
    kept: tuple[Start, Session] | None = st.session_state.get(_HELD)
    return kept[1] if kept is not None and kept[0] == start else None


def _buttons(start: Start) -> None:
    held = _held(start)
    if held is not None and held.running:
        st.button("Stop", on_click=held.pause, icon=":material/stop:", width="stretch")
    else:
        st.button("Run it live", type="primary", icon=":material/sprint:", on_click=_run, args=(start,), width="stretch")
    if st.button(
        "Go on in the Lab", icon=":material/science:", width="stretch", help="The same contenders, with every layer's gradients."
    ):
        hand_over(replace(start.plan, steps=0))
        st.switch_page("pages/lab.py")


def _run(start: Start) -> None:
    """Begin from the first step; another race that still runs is given up."""
    kept: tuple[Start, Session] | None = st.session_state.get(_HELD)
    if kept is not None:
        kept[1].stop()
    session = Session(replace(start.plan, steps=0))
    session.run_to(start.steps)
    st.session_state[_HELD] = start, session


def _figure(start: Start) -> None:
    """The race as it runs or ran here; before that as it was recorded."""
    held = _held(start)
    if held is None:
        _recorded(start)
    elif not _live(start, held):
        st.info("The first step is on its way…", icon=":material/hourglass:")
    sync_url(start_to_query(start) | tour.query(), network=False)


def _recorded(start: Start) -> None:
    try:
        first = _reading("shortcuts")
    except ValueError as error:
        st.warning(literal(f"The recorded races are missing: {error}. Run one live."), icon=":material/info:")
        return
    record = _among(first.values[start.race], start.kinds)
    _draw(record)
    card = _card(first, record)
    if (start.depth, start.steps, start.seed) != (record.layers, record.steps, 0):
        st.info(
            f"This is the recorded race: {card}. **Run it live** for {start.depth} layers, {start.steps} steps and seed {start.seed}."
        )
    else:
        st.caption(
            f"Recorded: {card}; each line is the median of its seeds and the mean of ten steps. Handwritten digits of 8×8 pixels, batches of 64; the papers' numbers are of other data and much longer trainings."
        )


def _card(first: First, record: RaceRecord) -> str:
    return f"{record.layers} layers, {record.steps} steps, {record.seeds} seeds, on {first.card['measured']} ({first.card['machine']})"


def _among(record: RaceRecord, kinds: tuple[str, ...]) -> RaceRecord:
    """The same race with these contenders alone."""
    places = [record.kinds.index(kind) for kind in kinds]
    return replace(record, kinds=kinds, loss=record.loss[places], held_out=record.held_out[places])


def _live(start: Start, held: Session) -> bool:
    """Whether there was anything to draw."""
    from resviz.training.shortcuts import of_record

    was: bool = st.session_state.get("ways.running", False)
    st.session_state["ways.running"] = held.running
    if was and not held.running:
        st.rerun()
    if held.error or (held.job is not None and held.job.state == "failed"):
        reason = held.error or (held.job and held.job.error)
        st.error(f"The race ended: {literal(reason)}. Start it again, or choose fewer layers.")
    if held.running and held.job is not None:
        left = held.job.remaining
        text = (held.job.note or "waiting for a free core") + (f", about {math.ceil(left)} s left" if left else "")
        st.progress(held.job.fraction, text)
    record = held.lab.record() if held.lab else None
    if record is None:
        return bool(held.error)
    _draw(of_record(record, start.race, start.kinds))
    looked = int(np.asarray(record.held_out_steps)[-1])
    st.caption(f"Live, one seed ({start.seed}); the held-out digits were looked at in step {looked}.")
    return True


def _draw(record: RaceRecord) -> None:
    line_chart(race_lines(record), "race-lines", "Training loss of every contender by step")
    st.markdown(captions.race_note(record))
    if claim := captions.race_claim(record):
        st.markdown(claim)
    st.html(race_table(record))
    st.download_button(
        "Every seed and step (CSV)",
        partial(race_csv, record),
        f"{record.race}.csv",
        "text/csv",
        on_click="ignore",
        key="ways.csv",
    )


_WHY: Final[str] = (
    "With the identity on every skip, what reaches block L is x plus every F on the way, and the gradient comes back along the same sum: "
    "whatever else happens, a part of it arrives unchanged. A factor λ on the skip multiplies along the way, λ to the power of the "
    "number of blocks, and so do a gate and a 1×1 convolution: they can learn more and are harder to train (He et al. 2016, "
    "arXiv 1603.05027, §3). Their 110-layer networks on CIFAR-10 all did worse than with the identity.\n\n"
    "Where batch norm and ReLU stand is the same question: what stands behind the addition is on x's way too. A batch norm there changes x "
    "block by block; a ReLU on F, before the addition, leaves F nothing to subtract, so that the signal can only grow. With both before the first "
    "convolution x arrives as it left, and every F reads a normalised signal (§4, Table 2).\n\n"
    "**This is still argued.** Highway networks with a 3×3 gate, batch norm and a bias of −6 reached 6.04 % at 110 layers where the "
    "residual network made 6.25 %, with 2.65 instead of 1.73 million parameters (Srivastava 2025, flukeskywalker/highway-resnet-comparison), "
    "so that gates do not fail as such. Where no norm is, what counts is how large F is at the start: 1/√blocks, a learned factor from 0 or "
    "Fixup's zeros do what batch norm does there (De & Smith 2020, arXiv 2002.10444; Zhang et al. 2019, arXiv 1901.09321). A gate here stands "
    "on skips that keep their shape, 25 of the 27 at 56 layers; Fixup's biases are each convolution's own."
)
