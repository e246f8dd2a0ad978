"""What the lab shows while it runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from resviz.figures import captions, gradients, lab
from resviz.figures.theme import number, power_of_ten, signal
from resviz.judgement import FACTOR
from resviz.results import Finding, GradientProfile, LabRecord
from resviz.spec.datasets import DATASETS
from resviz.spec.dense import DenseSpec
from resviz.spec.lab import ENDLESS
from resviz.spec.transformer import TransformerSpec
from resviz.ui.components import diagram
from resviz.ui.components.chart import line_chart
from resviz.ui.lab.session import Session
from resviz.ui.markdown import literal
from resviz.ui.waiting import manager

__all__ = ["chosen", "measurements", "stage"]

_Looked = tuple[int, int, str | None]  # at which step, which contender, which layer


def stage(held: Session) -> None:
    """The chosen network, what happened so far, and every gradient step by step; redrawn while they learn."""
    st.fragment(run_every=_pace(held))(_stage)(held, _looked(held))


def measurements(held: Session) -> None:
    """What else is recorded, redrawn with the stage."""
    st.fragment(run_every=_pace(held))(_measurements)(held, _looked(held))


def _pace(held: Session) -> float | None:
    """Seconds between two drawings while they learn: longer where the plane above is what moves."""
    return (0.4 if held.watch is None else 1.2) if held.running else None


def _looked(held: Session) -> _Looked | None:
    """What the visitor looks at; None while it moves on by itself."""
    record = None if held.running or held.lab is None else held.lab.record()
    if record is None:
        return None
    return _at(held, record), chosen(record), st.session_state.get("selected")


def _follow(held: Session, drawn: _Looked | None) -> None:
    """Stage and measurements are redrawn each by itself: what was chosen in one brings the other up to date."""
    if drawn is not None and _looked(held) not in (None, drawn):
        st.rerun()


def _stage(held: Session, drawn: _Looked | None) -> None:
    if st.session_state.get("lab.live", False) and not held.running:
        st.rerun()
    st.session_state["lab.live"] = held.running
    record = held.lab.record() if held.lab else None
    if held.failed:
        reason = held.error or f"Training ended with an error ({held.job.error if held.job else ''})."
        rest = " What was recorded stays below; reset the lab to start again."
        if held.lab is not None and not held.over:
            rest = f" Nothing before step {held.step:,} is lost: continue from there."
        rest = "" if held.error else rest
        st.error(literal(reason) + rest, icon=":material/error:")
    if record is None:
        _waiting(held)
        return
    at = _scrubbed(held, record)
    from resviz.training.detect import findings

    found = findings(record, at)
    for finding in found:
        if finding.kind == "diverged":
            st.warning(("" if held.running else "Paused. ") + captions.finding_note(finding), icon=":material/error:")
    decades = lab.gradient_decades(record)
    _reach_in(held, record, chosen(record), at, decades)
    _status(held, record, at, [finding for finding in found if finding.kind != "diverged"])
    _waterfalls(record, decades, None if held.running else at)
    _follow(held, drawn)


def _measurements(held: Session, drawn: _Looked | None) -> None:
    record = held.lab.record() if held.lab else None
    if record is None:
        return
    at, selected = _at(held, record), st.session_state.get("selected")
    left, right = st.columns(2, gap="medium")
    with left:
        quantity = st.segmented_control(
            "Over time",
            ["loss", "accuracy"],
            default="loss",
            required=True,
            key="lab.quantity",
            label_visibility="collapsed",
            format_func=lambda name: DATASETS[record.plan.data].measure if name == "accuracy" else name,
        )
        mark = None if held.running else at
        line_chart(lab.line_over_time(record, quantity or "loss", mark), "lab-lines", f"{quantity} of every contender by step")
    with right:
        st.markdown(f"**Gradient of every layer's weights**, step {at:,} and its trail")
        line_chart(
            lab.layer_lines(record, "gradients", at, lab.gradient_decades(record), selected),
            "lab-profile",
            "Gradient norm of every layer",
            on_select=_select,
        )
    with st.expander("How far the weights move, and what the activations do"):
        _signals(record, chosen(record), at, selected)
    _follow(held, drawn)


def _waterfalls(record: LabRecord, decades: tuple[int, int], mark: int | None) -> None:
    """Every contender's gradients, step by layer."""
    falls = st.columns(2, gap="medium")
    for i, track in enumerate(record.tracks):
        with falls[i % 2]:
            st.markdown(f"**{track.label}**: the gradient, step by step")
            line_chart(
                lab.waterfall(record, i, decades, mark),
                f"lab-fall-{i}",
                f"Gradient norm of {track.label}, step × layer",
                on_select=_select,
            )


def _signals(record: LabRecord, contender: int, at: int, selected: str | None) -> None:
    """How far the weights move, and what the activations do on their way."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**How far each weight moves in a step**")
        line_chart(
            lab.layer_lines(record, "updates", at, None, selected),
            "lab-updates",
            "Update over weight of every layer",
            on_select=_select,
        )
        if note := captions.long_skips_note(record):
            st.markdown(note)
    seen = record.signal_steps[lab.row_at(record.signal_steps, at)]
    with right:
        st.markdown(f"**Activations after each block**, step {seen:,}")
        line_chart(lab.block_lines(record, "std", at), "lab-std", "Standard deviation of the activations after each block")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(
            f"**Signal propagation in {record.tracks[contender].label}**, step {seen:,} (Brock et al. 2021, arXiv 2101.08692)"
        )
        line_chart(lab.propagation(record, contender, at), "lab-propagation", "Signal propagation plot")
    with right:
        st.markdown(f"**How the variance grows**, step {seen:,} (De & Smith 2020, arXiv 2002.10444)")
        line_chart(lab.block_lines(record, "variance", at), "lab-variance", "Channel variance after each block")
        st.caption(captions.growth_note(record, at))
    dead = max(float(np.nanmax(np.nan_to_num(track.signals["dead"]))) for track in record.tracks)
    if dead > 0:
        dense = any(isinstance(spec, DenseSpec) for spec in record.plan.contenders)
        zeros = ", those of channels that a dense layer reads as zeros among them" if dense else ""
        st.markdown(f"**Dead ReLU units**: up to {100 * dead:.0f} % of a block{zeros}")
        line_chart(lab.block_lines(record, "dead", at), "lab-dead", "Share of dead ReLU units in each block")


def _select(name: str) -> None:
    st.session_state["selected"] = name


def _waiting(held: Session) -> None:
    place = manager().place(held.job) if held.job else 0
    if place:
        st.info(f"Waiting for a free core: place {place} in the queue.", icon=":material/hourglass:")
    elif held.running:
        st.progress(0.0, "Building the networks and taking the first step")
    elif not held.error:
        begin = "Press Start to take the first step." if held.ready else "Choose images to begin."
        st.info(begin, icon=":material/image:")


def _scrubbed(held: Session, record: LabRecord) -> int:
    """The step that is looked at: the newest while it runs, the visitor's choice when it pauses."""
    if held.running or record.step < 2:
        return record.step
    return int(
        st.slider("Look at step", 1, record.step, record.step, key=_slider(record), help="Goes back to any recorded step.")
    )


def _at(held: Session, record: LabRecord) -> int:
    """The step that is looked at; after new steps the newest."""
    return record.step if held.running else int(st.session_state.get(_slider(record), record.step))


def _slider(record: LabRecord) -> str:
    """Another slider after new steps: what a browser still says of the one before cannot choose a step of this one."""
    return f"lab.at.{record.step}"


def _status(held: Session, record: LabRecord, at: int, found: Sequence[Finding]) -> None:
    """What happened so far, in words; as tall whatever it says, so that the figures below stay where they are."""
    pace = (
        f" · {captions.pace(held.lab.seconds / held.lab.step_number)}"
        if held.lab and held.lab.seconds and record.step > 5
        else ""
    )
    place = manager().place(held.job) if held.job and held.running else 0
    queue = f" · place {place} in the queue" if place else ""
    state = "ended" if held.over else "learning" if held.running else "paused"
    if held.running and held.until < ENDLESS and held.job is not None and held.job.remaining:
        queue += f" · about {held.job.remaining:.0f} s to step {held.until:,}"
    tokens = any(isinstance(spec, TransformerSpec) for spec in record.plan.contenders)
    weighed = "convolution's and every matrix's" if tokens else "convolution's" if held.watch is None else "inner layer's"
    with st.container(key="lab-status"):
        st.markdown(f"{captions.lab_note(record, at)} *{state}{pace}{queue}*")
        if found:
            st.caption("  \n".join(captions.finding_note(finding) for finding in found[:4]))
        else:
            st.caption(
                f"Every {weighed} gradient is within a factor of {FACTOR:g} of the last one's, but for zeros by construction, and no "
                "block has half its ReLUs dead."
            )


def chosen(record: LabRecord) -> int:
    """The contender whose diagram and signal are drawn."""
    labels = [track.label for track in record.tracks]
    if len(labels) == 1:
        return 0
    current = st.session_state.get("lab.shown")
    if current not in labels:
        st.session_state["lab.shown"] = labels[next((i for i, t in enumerate(record.tracks) if t.residual), 0)]
    return labels.index(st.session_state["lab.shown"])


def _reach_in(held: Session, record: LabRecord, contender: int, at: int, decades: tuple[int, int]) -> None:
    """The live diagram: a click on an arc changes the running network."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(record.tracks) > 1:
            st.segmented_control(
                "Diagram of",
                [track.label for track in record.tracks],
                key="lab.shown",
                required=True,
                label_visibility="collapsed",
            )
        asked = [edit for edit in held.current.edits if edit.step == held.step + 1]
        if asked and not held.running:
            st.caption(f"{len(asked)} change{'s' if len(asked) > 1 else ''} from step {held.step + 1:,} on.")
    track, row = record.tracks[contender], lab.row_at(record.steps, at)
    profile = GradientProfile(track.layers, np.asarray(track.gradients[row], np.float64), float(track.loss[-1]))
    low, high = paint = (max(-12, decades[0]), decades[1])
    notes = {name: f"‖∂L/∂W‖ = {number(v)}" for name, v in zip(profile.names, profile.norms.tolist(), strict=True)}
    scale = (f"gradient {power_of_ten(low)}", signal(24), power_of_ten(high))
    spec = held.specs()[contender]

    def act(action: object) -> None:
        if isinstance(action, str) and action.startswith("cut:"):
            held.toggle_skip(contender, action.removeprefix("cut:"))
        else:
            diagram.handle(action)

    diagram.show_network(
        "lab-diagram",
        side=DATASETS[held.plan.data].side,
        paint=gradients.gradient_paint(profile, paint),
        notes=notes,
        scale=scale,
        spec=spec,
        act=act,
    )
