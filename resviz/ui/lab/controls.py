"""The lab's controls: what is compared, on which images, and the transport."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from resviz.nets.families import FAMILIES
from resviz.spec.choices import Span
from resviz.spec.comparisons import COMPARISONS, as_deep, comparison_of, depth_of
from resviz.spec.datasets import DATASETS
from resviz.spec.dense import DenseSpec
from resviz.spec.families import Network
from resviz.spec.fields import fields_of
from resviz.spec.lab import MOST, Edit, LabPlan, Rate, fitting_data, labels_of
from resviz.spec.net import Block
from resviz.spec.plane import Feature, PlaneSpec
from resviz.spec.transformer import TransformerSpec
from resviz.spec.unet import UNetSpec
from resviz.spec.words import word
from resviz.ui.lab.before import download, estimated
from resviz.ui.lab.own_images import own_images
from resviz.ui.lab.session import Session
from resviz.ui.tied import Bound, tied

__all__ = ["setup", "transport"]

_COMPARED = {name: make for family in FAMILIES.values() for name, make in family.comparisons.items()}
_USUAL_OF = {
    "resnet": 56,
    "densenet": 40,
    "transformer": 6,
    "unet": 18,
    "plane": 20,
}  # depth: of DenseNets the paper's shallowest
_USUAL = {name: depth for family, depth in _USUAL_OF.items() for name in FAMILIES[family].comparisons}
_DEPTHS = (20, 32, 44, 56, 80, 110, 200, 1202)
_DENSE_DEPTHS = (13, 22, 40, 64, 100)
_PLANE_DEPTHS = (4, 10, 20, 30, 50, 100)
_UNET_DEPTHS = (18, 32, 46, 74)
_LAYERS = (2, 4, 6, 12, 24)
_PACES = {"1 step/s": 1.0, "5 steps/s": 5.0, "full speed": math.inf}
_RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_CLIPS = (0.0, 0.1, 0.5, 1.0, 5.0)


def setup(lab: Session) -> None:
    """Comparison, depth, data and seed, which start over; rate and clipping, which change in flight. Takes the first step once it is known to be a short one."""
    plan = lab.plan
    _choices(lab)
    place = st.container()
    _in_flight(lab, "lr", "Learning rate", _RATES, "{:g}".format)
    _in_flight(lab, "clip", "Clip gradient at", _CLIPS, lambda v: f"{v:g}" if v else "not")
    if plan.data == "own":
        own_images(lab)
    elif not lab.ready:
        download(lab)
    if lab.ready:
        estimated(lab, place)


def _choices(lab: Session) -> None:
    """Comparison, depth, images, seed, and every contender by itself."""
    plan = lab.plan
    _comparison(lab)
    st.selectbox(
        "Points" if DATASETS[plan.data].points else "Images",
        [name for name in DATASETS if name in fitting_data(plan.contenders)],
        format_func=lambda name: DATASETS[name].title,
        **tied("lab.data", plan.data, lambda v: lab.configure(lambda p: replace(p, data=v))),
    )
    if DATASETS[plan.data].points:
        _points(lab)
    st.number_input(
        "Seed",
        0,
        2**31 - 1,
        help="Draws the weights and the order of the batches.",
        **tied("lab.seed", plan.seed, lambda v: lab.configure(lambda p: _seeded(p, int(v)))),
    )
    with st.popover("Contenders", icon=":material/tune:", help="Every network by itself; two to six of them."):
        _contenders(lab)


def _comparison(lab: Session) -> None:
    """What differs between the contenders, of which family, at which depth."""
    plan = lab.plan
    depth = depth_of(plan.contenders)

    def compare(name: str) -> None:
        usual = _USUAL[name]
        chosen = _COMPARED[name](depth if name in COMPARISONS and depth in _DEPTHS else usual)
        data = plan.data if plan.data in fitting_data(chosen.contenders) else chosen.data
        lab.configure(lambda p: _seeded(replace(chosen, data=data, batch=p.batch, noise=p.noise, share=p.share), p.seed))

    def deepen(wanted: int) -> None:
        name = comparison_of(plan)
        if name:
            lab.configure(lambda p: _seeded(replace(p, contenders=_COMPARED[name](wanted).contenders), p.seed))
        else:
            lab.configure(lambda p: replace(p, contenders=tuple(as_deep(spec, wanted) for spec in p.contenders)))

    family = next(name for name, each in FAMILIES.items() if type(plan.contenders[0]) is each.spec)
    st.pills(
        "Family",
        list(FAMILIES),
        format_func=word,
        required=True,
        help="Of the first network; another family begins with its first comparison.",
        **tied("lab.family", family, lambda name: compare(next(iter(FAMILIES[name].comparisons)))),
    )
    st.selectbox(
        "Compare",
        list(FAMILIES[family].comparisons),
        index=None,
        placeholder="your own contenders",
        help="What differs between the networks; everything else is shared.",
        **tied("lab.compare", comparison_of(plan), compare),
    )
    depths = sorted({depth, *_offered(plan.contenders[0])})
    st.selectbox("Depth", depths, help="Layers of the deepest network.", **tied("lab.depth", depth, deepen))


def _points(lab: Session) -> None:
    """How points are scattered and shared out, and what every contender reads of them."""
    plan = lab.plan

    def read(chosen: list[Feature]) -> None:
        kept = tuple(each for each in Feature if each in chosen)
        if kept:
            lab.configure(lambda p: replace(p, contenders=tuple(spec.resized(features=kept) for spec in p.contenders)))

    st.slider(
        "Noise (%)",
        0,
        50,
        step=5,
        help="How far points are scattered, as in TensorFlow Playground; of circle and exclusive or, how many change their class.",
        **tied("lab.noise", plan.noise, lambda v: lab.configure(lambda p: replace(p, noise=int(v)))),
    )
    st.slider(
        "Learned from (%)",
        10,
        90,
        step=10,
        help="Of 500 points; the others are held out.",
        **tied("lab.share", plan.share, lambda v: lab.configure(lambda p: replace(p, share=int(v)))),
    )
    first = plan.contenders[0]
    st.pills(
        "Features",
        list(Feature),
        selection_mode="multi",
        format_func=word,
        help="What the first layer reads of a point.",
        **tied("lab.features", list(first.features) if isinstance(first, PlaneSpec) else [], read),
    )


def _offered(spec: Network) -> tuple[int, ...]:
    kinds = {DenseSpec: _DENSE_DEPTHS, TransformerSpec: _LAYERS, UNetSpec: _UNET_DEPTHS, PlaneSpec: _PLANE_DEPTHS}
    return kinds.get(type(spec), _DEPTHS)


def _seeded(plan: LabPlan, seed: int) -> LabPlan:
    return replace(plan, seed=seed, contenders=tuple(replace(spec, seed=seed) for spec in plan.contenders))


def _contenders(lab: Session) -> None:
    plan = lab.plan

    def edit(i: int, **changes: Any) -> None:
        specs = list(plan.contenders)
        specs[i] = specs[i].resized(**changes)
        if not specs[i].residual:
            specs[i] = specs[i].plain()
        lab.configure(lambda p: replace(p, contenders=tuple(specs)))

    def deepen(i: int, depth: int) -> None:
        lab.configure(
            lambda p: replace(p, contenders=(*p.contenders[:i], as_deep(p.contenders[i], depth), *p.contenders[i + 1 :]))
        )

    for i, (spec, label) in enumerate(zip(plan.contenders, labels_of(plan.contenders), strict=True)):
        st.markdown(f"**{label}**")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):

            def field(name: str, i: int = i, spec: Network = spec) -> Bound:
                return tied(f"lab.{i}.{name}", getattr(spec, name), lambda value: edit(i, **{name: value}))

            st.toggle("Skips", **field("residual"))
            _of_its_family(spec, field)
            st.selectbox("Norm", fields_of(type(spec))["norm"].choices, format_func=word, width=100, **field("norm"))
            st.selectbox("Init", spec.inits(), format_func=word, width=150, **field("init"))
            layers = sorted({*(d for d in _offered(spec) if as_deep(spec, d).depth == d), spec.depth})
            st.selectbox("Depth", layers, width=100, **tied(f"lab.{i}.depth", spec.depth, partial(deepen, i)))
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
        "Batch", 2, 512, width=120, **tied("lab.batch", plan.batch, lambda v: lab.configure(lambda p: replace(p, batch=int(v))))
    )


def _of_its_family(spec: Network, field: Callable[[str], Bound]) -> None:
    """What tells a contender from another of its family."""
    if isinstance(spec, DenseSpec):
        st.number_input("Growth k", 1, 256, width=150, **field("growth"))
    elif isinstance(spec, UNetSpec):
        st.selectbox("Of them", list(Span), format_func=word, disabled=not spec.residual, width=100, **field("span"))
    elif isinstance(spec, PlaneSpec):
        st.number_input("Width", 1, 256, width=150, **field("width"))
    elif isinstance(spec, TransformerSpec):
        st.number_input("MLP ratio", 0, 8, width=150, **field("mlp"))
    else:
        st.selectbox("Unit", list(Block), format_func=word, width=150, **field("block"))


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
            **tied(
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
        **tied(f"lab.{what}", value, write),
    )
