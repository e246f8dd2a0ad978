"""The lab's controls: what is compared, on which images, and the transport."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from resviz.data.unpack import Entry, unzip
from resviz.figures import captions
from resviz.progress import Tick
from resviz.spec.datasets import DATASETS
from resviz.spec.lab import COMPARISONS, MOST, Edit, LabPlan, Rate, comparison_of, labels_of
from resviz.spec.net import Block, NetSpec, Norm
from resviz.spec.presets import cifar_blocks
from resviz.spec.words import word
from resviz.ui.lab.session import Session
from resviz.ui.markdown import literal
from resviz.ui.reading import read
from resviz.ui.state import Bound
from resviz.ui.waiting import result_of
from resviz.ui.widgets.pickers import digest

if TYPE_CHECKING:
    from resviz.data.datasets import Sets
    from resviz.training.lab import Estimate

    _Read = tuple[Sets, tuple[str, ...]]

__all__ = ["setup", "transport"]

_DEPTHS = (20, 32, 44, 56, 80, 110, 200, 1202)
_PACES = {"1 step/s": 1.0, "5 steps/s": 5.0, "full speed": math.inf}
_RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_SHORT = 1.5  # seconds a first step may take without being asked for
_CLIPS = (0.0, 0.1, 0.5, 1.0, 5.0)
_NOTES = 500  # what was left out is listed up to here

V = TypeVar("V")


def _bound(key: str, value: V | None, write: Callable[[V], None]) -> Bound:
    """A widget that shows a value of the plan and hands on what the visitor chooses."""

    def changed() -> None:
        if st.session_state[key] is not None:
            write(st.session_state[key])

    st.session_state[key] = value
    return {"key": key, "on_change": changed}


def setup(lab: Session) -> None:
    """Comparison, depth, data and seed, which start over; rate and clipping, which change in flight. Takes the first step once it is known to be a short one."""
    plan = lab.plan
    _choices(lab)
    place = st.container()
    _in_flight(lab, "lr", "Learning rate", _RATES, "{:g}".format)
    _in_flight(lab, "clip", "Clip gradient at", _CLIPS, lambda v: f"{v:g}" if v else "not")
    if plan.data == "own":
        _own_images(lab)
    elif not lab.ready:
        _download(lab)
    if lab.ready:
        _estimate(lab, place)


def _choices(lab: Session) -> None:
    """Comparison, depth, images, seed, and every contender by itself."""
    plan = lab.plan
    depth = max(spec.depth for spec in plan.contenders)

    def compare(name: str) -> None:
        chosen = COMPARISONS[name](depth if depth in _DEPTHS else 56)
        lab.configure(lambda p: _seeded(replace(chosen, data=p.data, batch=p.batch), p.seed))

    def deepen(wanted: int) -> None:
        name = comparison_of(plan)
        if name:
            lab.configure(lambda p: _seeded(replace(p, contenders=COMPARISONS[name](wanted).contenders), p.seed))
        else:
            lab.configure(lambda p: replace(p, contenders=tuple(_as_deep(spec, wanted) for spec in p.contenders)))

    st.selectbox(
        "Compare",
        list(COMPARISONS),
        index=None,
        placeholder="your own contenders",
        help="What differs between the networks; everything else is shared.",
        **_bound("lab.compare", comparison_of(plan), compare),
    )
    depths = sorted({*_DEPTHS, depth})
    st.selectbox("Depth", depths, help="Layers of the deepest network.", **_bound("lab.depth", depth, deepen))
    st.selectbox(
        "Images",
        list(DATASETS),
        format_func=lambda name: DATASETS[name].title,
        **_bound("lab.data", plan.data, lambda v: lab.configure(lambda p: replace(p, data=v))),
    )
    st.number_input(
        "Seed",
        0,
        2**31 - 1,
        help="Draws the weights and the order of the batches.",
        **_bound("lab.seed", plan.seed, lambda v: lab.configure(lambda p: _seeded(p, int(v)))),
    )
    with st.popover("Contenders", icon=":material/tune:", help="Every network by itself; two to six of them."):
        _contenders(lab)


def _seeded(plan: LabPlan, seed: int) -> LabPlan:
    return replace(plan, seed=seed, contenders=tuple(replace(spec, seed=seed) for spec in plan.contenders))


def _as_deep(spec: NetSpec, depth: int) -> NetSpec:
    near = max(1, round((depth - 2) / (3 * spec.block.convs))) * 3 * spec.block.convs + 2
    return spec.resized(blocks=cifar_blocks(near, spec.block))


def _contenders(lab: Session) -> None:
    plan = lab.plan

    def edit(i: int, **changes: Any) -> None:
        specs = list(plan.contenders)
        specs[i] = specs[i].resized(**changes)
        if not specs[i].residual:
            specs[i] = specs[i].plain()
        lab.configure(lambda p: replace(p, contenders=tuple(specs)))

    def deepen(i: int, depth: int) -> None:
        edit(i, blocks=cifar_blocks(depth, plan.contenders[i].block))

    for i, (spec, label) in enumerate(zip(plan.contenders, labels_of(plan.contenders), strict=True)):
        st.markdown(f"**{label}**")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):

            def field(name: str, i: int = i, spec: NetSpec = spec) -> Bound:
                return _bound(f"lab.{i}.{name}", getattr(spec, name), lambda value: edit(i, **{name: value}))

            st.toggle("Skips", **field("residual"))
            st.selectbox("Unit", list(Block), format_func=word, width=150, **field("block"))
            st.selectbox("Norm", list(Norm), format_func=word, width=100, **field("norm"))
            st.selectbox("Init", spec.inits(), format_func=word, width=150, **field("init"))
            layers = sorted({*(d for d in _DEPTHS if (d - 2) % (3 * spec.block.convs) == 0), spec.depth})
            st.selectbox("Depth", layers, width=100, **_bound(f"lab.{i}.depth", spec.depth, partial(deepen, i)))
            if len(plan.contenders) > 1:
                rest = plan.contenders[:i] + plan.contenders[i + 1 :]
                st.button(
                    "Remove",
                    key=f"lab.{i}.remove",
                    on_click=lab.configure,
                    args=(lambda p, rest=rest: replace(p, contenders=rest),),
                )
    if len(plan.contenders) < MOST:
        more = (*plan.contenders, plan.contenders[-1])
        st.button("Add a contender", on_click=lab.configure, args=(lambda p: replace(p, contenders=more),), icon=":material/add:")
    st.number_input(
        "Batch", 2, 512, width=120, **_bound("lab.batch", plan.batch, lambda v: lab.configure(lambda p: replace(p, batch=int(v))))
    )


def _own_images(lab: Session) -> None:
    """A zip, or a folder with a folder for every class."""
    left, right = st.columns(2)
    packed = left.file_uploader("A zip of images", key="lab.zip", help="CLASS/NAME.jpg: the folder names the class.")
    folder = right.file_uploader("or a folder", accept_multiple_files="directory", key="lab.folder")
    key = (
        digest(packed.getvalue()) if packed else digest("".join(f"{f.name} {f.size} " for f in folder).encode()) if folder else ""
    )
    if key and lab.own_key != key:
        given = packed.getvalue() if packed else [Entry(file.name, file.getvalue) for file in folder]
        _take(lab, key, read("lab.own", key, "Reading the images", partial(_sets, given)))
    if lab.own is None:
        st.caption("One folder a class, at least five images each; every fifth is held out. They stay in this session's memory.")
        return
    train, test = lab.own
    st.caption(f"{len(train):,} images of {len(train.categories)} classes to learn from, {len(test):,} held out.")
    if lab.notes:
        with st.expander(f"{len(lab.notes)} left out or mended"):
            st.dataframe([{"what": note} for note in lab.notes[:_NOTES]], hide_index=True)


def _sets(given: bytes | list[Entry], tick: Tick) -> _Read:
    from resviz.data.datasets import files_sets

    return files_sets(unzip(given) if isinstance(given, bytes) else given, tick=tick)


def _take(lab: Session, key: str, found: _Read | ValueError | None) -> None:
    """Start over with the images that were read, or say why they cannot be."""
    if isinstance(found, ValueError):
        st.error(literal(found))
    elif found is not None:
        (lab.own, lab.notes), lab.own_key = found, key
        lab.configure(lambda p: p)


def _download(lab: Session) -> None:
    from resviz.data.datasets import CIFAR_MEGABYTES, download_cifar10

    def work(tick: Tick) -> bool:
        for fraction in download_cifar10():
            tick(fraction, f"{fraction * CIFAR_MEGABYTES:.0f} of {CIFAR_MEGABYTES} MB")
        return True

    st.caption(f"CIFAR-10 is not on this machine yet: 60,000 pictures of 32×32 pixels, {CIFAR_MEGABYTES} MB.")
    if st.button("Download CIFAR-10", icon=":material/download:") or st.session_state.get("lab.downloading"):
        st.session_state["lab.downloading"] = True
        if result_of("cifar10", "cifar10", "Downloading CIFAR-10", work):
            st.session_state["lab.downloading"] = False
            st.rerun()


def _estimate(lab: Session, place: DeltaGenerator) -> None:
    """What a step will cost, from a few steps of shallow networks of the same designs."""
    plan = lab.plan

    def work(tick: Tick) -> Estimate:
        from resviz.data.datasets import named_sets
        from resviz.machine import fitting_threads
        from resviz.training.lab import estimate

        with fitting_threads(DATASETS[plan.data].side):
            return estimate(plan, (lab.own or named_sets(plan.data))[0] if plan.data == "own" else named_sets(plan.data)[0])

    key = ("estimate", tuple(replace(spec, seed=0) for spec in plan.contenders), plan.data, plan.batch)
    found = result_of("estimate", key, "Estimating", work)
    if found is None:
        return
    if lab.lab is None and not lab.error and found.seconds < _SHORT:
        lab.run_to(1)  # so that there is something to see
    with place:
        st.caption(
            f"Estimated: {captions.pace(found.seconds)}, {found.memory / 2**30:.2f} GiB. SGD, momentum 0.9, {plan.batch} images a batch, {DATASETS[plan.data].side} px.",
        )


def transport(lab: Session) -> None:
    """Start, pause, step, stop, reset, and how fast."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="transport"):
        # the one answer for this drawing: when the job ends meanwhile, the stage sees that it is another one and draws anew
        live = st.session_state["lab.live"] = lab.running
        _buttons(lab, live)
        st.selectbox(
            "Speed",
            list(_PACES),
            width=130,
            label_visibility="collapsed",
            **_bound(
                "lab.pace", next(n for n, pace in _PACES.items() if pace == lab.pace), lambda v: setattr(lab, "pace", _PACES[v])
            ),
        )


def _buttons(lab: Session, live: bool) -> None:
    """What can be done in the state that the run is in."""
    replay = lab.step < lab.plan.steps

    def start() -> None:
        lab.run_to(lab.plan.steps) if replay else lab.run_to()

    def reset(keep: bool) -> None:
        plan = lab.current
        lab.reset(plan if keep else replace(plan, edits=(), steps=0))

    if live and lab.until > 1:
        st.button("Pause", on_click=lab.pause, type="primary", icon=":material/pause:", width=150)
    elif not lab.over:
        label = f"Replay to {lab.plan.steps:,}" if replay else "Start" if lab.step <= 1 else "Continue"
        st.button(
            label,
            on_click=start,
            type="primary",
            icon=":material/play_arrow:",
            width=150,
            disabled=not lab.ready,
            key="lab.start",
        )
        st.button("Step", on_click=lambda: lab.run_to(lab.step + 1), icon=":material/skip_next:", disabled=not lab.ready)
    if lab.step and not lab.over:
        st.button("Stop", on_click=lab.stop, icon=":material/stop:", help="End the run; what was recorded stays.")
    if lab.step or lab.failed:
        st.button("Reset", on_click=reset, args=(False,), icon=":material/restart_alt:", help="Back to step 0, nothing changed.")
    if lab.step > 1 and not live:
        st.button(
            "Again",
            on_click=reset,
            args=(True,),
            icon=":material/replay:",
            help="Back to step 0, to replay every change at its step.",
        )


def _in_flight(lab: Session, what: Rate, label: str, choices: tuple[float, ...], show: Callable[[float], str]) -> None:
    value = lab.current.value_at(what, lab.step + 1)

    def write(chosen: float) -> None:
        if lab.step and lab.lab is not None:
            lab.ask(Edit(1, what, value=chosen))
        else:
            lab.configure(lambda p: replace(p, lr=chosen) if what == "lr" else replace(p, clip=chosen))

    st.selectbox(
        label,
        sorted({*choices, value}),
        format_func=show,
        disabled=lab.over,
        help="Changes the running networks from the next step on.",
        **_bound(f"lab.{what}", value, write),
    )
