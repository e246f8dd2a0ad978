"""The story on the pages: the map of its four chapters, and where among them the page that one looks at is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import streamlit as st

from resviz.figures import captions
from resviz.figures.story import story_markup
from resviz.results import Chapter, GradientProfile, LabRecord, Run
from resviz.spec.datasets import DATASETS
from resviz.spec.families import Network
from resviz.spec.lab import LabPlan
from resviz.spec.names import describe
from resviz.spec.net import DESIGNS, Design, NetSpec
from resviz.spec.query import from_query
from resviz.ui import cache as cached
from resviz.ui.components.story import show_map
from resviz.ui.first import reading
from resviz.ui.markdown import literal

__all__ = ["Here", "chapters", "here_in", "in_the_lab", "story_map", "where_am_i"]

_RUNS: dict[Design, str] = {"residual": "resnet56-cifar10", "plain": "plain56-cifar10"}


@dataclass(frozen=True)
class Here:
    """What a page shows: a network, its step or epoch, 0 before training, the data, and what else is not as on the map."""

    spec: Network
    at: int = 0
    data: str = "digits"
    more: tuple[str, ...] = ()


@cache
def chapters() -> tuple[Chapter, ...]:
    """All four, as recorded; raises ValueError where a recording is missing or damaged."""
    record: LabRecord = reading("story").values["record"]
    return (_first_pass(), _last_epoch(), _step(record, end=False), _step(record, end=True))


def _first_pass() -> Chapter:
    """What the Gradients page opens with."""
    profiles: dict[Design, GradientProfile] = {design: reading("gradients").values[design].profile for design in DESIGNS}
    specs: dict[Design, Network] = {"residual": NetSpec(), "plain": NetSpec().plain()}
    return Chapter("norm.start", specs, profiles, "digits")


def _last_epoch() -> Chapter:
    """What Degradation ends with."""
    runs: dict[Design, Run] = {design: cached.run(name) for design, name in _RUNS.items()}
    ends = {design: run.epochs[-1] for design, run in runs.items()}
    profiles = {design: end.probe.profile for design, end in ends.items() if end.probe is not None}
    if len(profiles) < len(DESIGNS):
        raise ValueError("a recorded run holds no gradients of its last epoch; copy assets/runs from the project again")
    plain = runs["plain"]
    return Chapter(
        "norm.end",
        {design: from_query(run.card["spec"])[0] for design, run in runs.items()},
        profiles,
        plain.card["data"].split(",")[0],
        length=len(plain.epochs),
        unit="epoch",
        outcome={design: end.train_error for design, end in ends.items()},
        counted="their training pictures wrong",
        decimals=1,
    )


def _step(record: LabRecord, end: bool) -> Chapter:
    """The comparison that the lab opens with, at its first step or at its last ones, judged as the lab judges it: by their median."""
    specs: dict[Design, Network] = dict(zip(DESIGNS, record.plan.contenders, strict=True))
    rows, line = (slice(1, None), -1) if end else (slice(0, 1), 0)
    profiles, right = {}, {}
    for design, track in zip(DESIGNS, record.tracks, strict=True):
        profile = GradientProfile(
            track.layers, np.asarray(np.median(track.gradients[rows], 0), np.float64), float(track.loss[line])
        )
        profiles[design], right[design] = profile, float(track.held_out[line][1])
    if not end:
        return Chapter("none.start", specs, profiles, "digits")
    return Chapter("none.end", specs, profiles, "digits", record.step, outcome=right, counted="unseen digits right")


def here_in(told: Sequence[Chapter], here: Here) -> tuple[str, tuple[str, ...]]:
    """The key of the chapter that is what a page shows, or ""; and in what that page differs from the nearest one."""

    def apart(chapter: Chapter) -> tuple[str, ...]:
        usual = describe(chapter.specs[here.spec.design]).split(" · ")
        words = [word for word in describe(here.spec).split(" · ") if word not in usual]
        data = [here.data] if here.data != chapter.data else []
        early = [f"{chapter.unit} {here.at:,} of {chapter.length:,}"] if 0 < here.at < chapter.length else []
        return (*words, *data, *early, *here.more)

    differences = {chapter.key: apart(chapter) for chapter in told if chapter.trained == (here.at > 0)}
    nearest = min(differences, key=lambda key: len(differences[key]))
    return ("" if differences[nearest] else nearest), differences[nearest]


def in_the_lab(plan: LabPlan, step: int) -> Here:
    """What the lab shows at a step: its network that has skips, or one that has none where there is no other."""
    spec = next((spec for spec in plan.contenders if spec.residual), plan.contenders[0])
    more = [f"learning rate {plan.lr:g}"] if plan.lr != LabPlan.lr else []
    if plan.edits:
        more.append(f"{captions.counted(len(plan.edits), 'change')} on the way")
    data = "digits" if plan.data == "digits" else DATASETS[plan.data].title
    return Here(spec, step if step > 1 else 0, data, tuple(more))


def story_map(here: Here | None = None) -> None:
    """Four small figures: the same layers with batch norm and without a norm, at the start and after training."""
    try:
        told = chapters()
    except ValueError as error:
        st.caption(f"The map of the story is missing: {literal(error)}.")
        return
    key = ""
    if here is None:
        st.header("One story, four measurements", anchor=False)
    else:
        key, differences = here_in(told, here)
        if not key:
            st.markdown(f"What this page shows is none of the four: it differs in **{literal(', '.join(differences))}**.")
    show_map(story_markup(told, key))


def where_am_i(here: Here) -> None:
    """The map, folded, with what the page shows marked on it."""
    with st.expander("Where am I in the story?"):
        story_map(here)
