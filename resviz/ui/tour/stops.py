"""The stops of the tour, one table: where, in what setting, what is asked, what is to be done, and what that shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import streamlit as st

from resviz.figures import captions
from resviz.figures.captions import Seen
from resviz.judgement import judge
from resviz.results import LabRecord
from resviz.spec.families import Network
from resviz.spec.lab import Edit, LabPlan, plan_to_query
from resviz.spec.net import Design, Init, NetSpec, Norm
from resviz.spec.query import to_query
from resviz.ui import cache, probing
from resviz.ui.state import change, current_spec

__all__ = ["STOPS", "Stop"]

_SHALLOW, _DEEP = "plain20-cifar10", "plain56-cifar10"
_SKIPS: Final = replace(NetSpec(), norm=Norm.NONE, init=Init.PYTORCH)
_NO_SKIPS: Final = replace(_SKIPS, cut=frozenset(_SKIPS.block_names()))
_NORMED: Final = replace(_SKIPS, norm=Norm.BATCH)
_LEARNED: Final = 100  # steps after which the skip is to be cut
_PLAN: Final = LabPlan((replace(_SKIPS, in_channels=1),))
_MAP: Final = "occlusion"


@dataclass(frozen=True)
class Stop:
    """`setting` is the page's own query; `mark` the keys of the controls that are pointed at, the first one that is there.

    `do` does what `action` asks for, `done` says whether it was done, and `seen` is what was measured of it, None before.
    """

    page: str
    title: str
    setting: Mapping[str, str]
    question: str
    choices: tuple[str, str, str]
    action: str
    mark: tuple[str, ...]
    do: Callable[[], None]
    done: Callable[[], bool]
    seen: Callable[[], Seen | None]
    why: str
    source: tuple[str, str]
    before: Mapping[str, object] = field(default_factory=dict)  # what else the page begins with, in its session

    @property
    def file(self) -> str:
        """The page's own."""
        return f"pages/{self.page.lower()}.py"


# ------------------------------------------------------------------------------------------ 1: why deep plain nets fail


def _play() -> None:
    st.session_state.update({"epoch": 1, "playing": True})


def _played() -> bool:
    """The epochs ran, or were moved, from the first one to the last."""
    return bool(st.session_state.get("epoch", 1) >= len(cache.run(_DEEP).epochs))


def _seen_in_depth() -> Seen:
    return captions.seen_in_depth(cache.run(_SHALLOW), cache.run(_DEEP))


# ------------------------------------------------------------------------------------------ 2 and 3: skips, norm


def _shows(spec: NetSpec) -> Callable[[], bool]:
    return lambda: current_spec() == spec


def _becomes(spec: NetSpec) -> Callable[[], None]:
    return lambda: change(lambda _: spec)


def _seen_on_gradients(spec: NetSpec, said: Callable[..., Seen], *designs: Design) -> Callable[[], Seen | None]:
    """From the very passes that the page has drawn."""

    def seen() -> Seen | None:
        nets: dict[Design, Network] = {"plain": spec.plain(), "residual": spec}
        probes = probing.measured({design: nets[design] for design in designs}, "digits", 64, 8)
        if probes is None:
            return None
        return said(*(judge(probe.profile, nets[design], probe.signal) for design, probe in probes.items()))

    return seen


# ------------------------------------------------------------------------------------------ 4: a cut while it learns


def _record() -> LabRecord | None:
    held = st.session_state.get("lab")
    return held.lab.record() if held is not None and held.lab is not None else None


def _cut_it() -> None:
    from resviz.ui.lab.session import session

    block = list(_PLAN.contenders[0].block_names())[13]  # in the middle
    lab = session()
    lab.reset(replace(_PLAN, edits=(Edit(_LEARNED + 1, "cut", 0, block),)))
    lab.run_to(_LEARNED + 1 + captions.AFTER_A_CUT)


def _seen_of_a_cut() -> Seen | None:
    record = _record()
    return captions.seen_of_a_cut(record) if record is not None else None


# ------------------------------------------------------------------------------------------ 5: what it looked at


def _add_the_map() -> None:
    st.session_state["explain.methods"] = [*st.session_state.get("explain.methods", []), _MAP]


def _added() -> bool:
    return _MAP in st.session_state.get("explain.methods", [])


def _seen_of_a_map() -> Seen | None:
    """Of the sample that the page begins with, as it was measured for the page's first figure."""
    from resviz.ui.first import reading

    values = reading("explain").values
    return captions.seen_of_a_map(values["maps"][_MAP], _MAP.capitalize(), values["sample"])


STOPS: Final = (
    Stop(
        page="Degradation",
        title="Twenty layers or fifty-six",
        setting={},
        question="Two plain networks of 20 and of 56 layers learn from the same pictures by the same recipe. Which one makes more mistakes on "
        "its *training* pictures in the end?",
        choices=(
            "The one of 20 layers: it can hold less",
            "Neither: they end alike",
            "The one of 56 layers, although it can hold more",
        ),
        action="Press **Play** above the curves, and watch 30 epochs go by.",
        mark=("play",),
        do=_play,
        done=_played,
        seen=_seen_in_depth,
        why="A deeper network contains the shallower one: its extra layers need only pass on what they get. Mistakes on the training "
        "pictures are no overfitting; the optimiser does not find what the network could hold.",
        source=("He et al. 2015, §1", "https://arxiv.org/abs/1512.03385"),
        before={"epoch": 1, "playing": False},
    ),
    Stop(
        page="Gradients",
        title="The gradient's way past",
        setting=to_query(_NO_SKIPS),
        question="56 layers, no norm, and all 27 skips are cut: the gradient has to pass through every layer. Now the skips are given "
        "back. How much of it arrives at the first layer, beside what the last convolution gets?",
        choices=(
            "Next to nothing, with skips or without",
            "A little: less than a hundredth",
            "About as much, within a factor of a hundred",
        ),
        action="Under **Skip connections** choose **all**.",
        mark=("skips",),
        do=_becomes(_SKIPS),
        done=_shows(_SKIPS),
        seen=_seen_on_gradients(_SKIPS, captions.seen_of_the_skips, "plain", "residual"),
        why="A plain stack multiplies the gradient by ∂F/∂x once a block, and here each one shrinks it. At an addition it is multiplied by "
        "1 + ∂F/∂x: what does not pass F passes it by.",
        source=("He et al. 2016", "https://arxiv.org/abs/1603.05027"),
    ),
    Stop(
        page="Gradients",
        title="Who decides: norm and initialisation",
        setting=to_query(_SKIPS),
        question="Now every convolution is followed by batch norm, and nothing else changes. What does the gradient of the *plain* network, "
        "which has no skips, do on its way back from the last convolution to the first layer?",
        choices=(
            "It shrinks to less than a hundredth",
            "It stays level, within a factor of a hundred",
            "It grows more than a hundredfold",
        ),
        action="Set **Normalisation** to **BN**.",
        mark=("spec-norm",),
        do=_becomes(_NORMED),
        done=_shows(_NORMED),
        seen=_seen_on_gradients(_NORMED, captions.seen_of_the_norm, "plain"),
        why="Batch norm holds the signal's size on its way forwards and divides by it on the way back, so before training the gradient of a "
        "deep plain network grows with every layer. Whether it grows, vanishes or stays level is up to norm and initialisation, "
        "not to depth alone.",
        source=("Philipp et al. 2018", "https://arxiv.org/abs/1712.05577"),
    ),
    Stop(
        page="Lab",
        title="Cut one while it learns",
        setting=plan_to_query(_PLAN),
        question=f"ResNet-56 without a norm has learned for {_LEARNED} steps. Then one of its 27 skips is cut, and it goes on learning. What "
        f"happens in the next {captions.AFTER_A_CUT} steps to how many pictures it gets right?",
        choices=("Hardly anything: 26 skips are left", "It stumbles and finds its way back", "It is lost and does not come back"),
        action=f"Press **Start**. After step {_LEARNED} click or tap an arc of the network to cut a skip, and let it run on for "
        f"{captions.AFTER_A_CUT} steps.",
        mark=("lab-start", "lab-diagram"),
        do=_cut_it,
        done=lambda: _seen_of_a_cut() is not None,
        seen=_seen_of_a_cut,
        why="A residual network is a bundle of paths of many lengths, and a cut skip closes all that pass by its block: they go through "
        "F now, which has learned to be added to something. The other blocks keep their skips, so the gradient still arrives and can "
        "mend what is left.",
        source=("Veit et al. 2016", "https://arxiv.org/abs/1605.06431"),
    ),
    Stop(
        page="Explain",
        title="What did it look at?",
        setting={"methods": "saliency"},
        question="A trained network names what a photograph shows. Cover one square of it after the other and see how far its score falls: "
        "how much of the picture holds half of the evidence?",
        choices=("At most a tenth: one telling spot", "Up to a quarter: the thing it names", "More: the scene as a whole"),
        action="Add **Occlusion** under **Methods**, and look where its map is strong.",
        mark=("explain-methods",),
        do=_add_the_map,
        done=_added,
        seen=_seen_of_a_map,
        why="Occlusion covers a square and measures how far the score falls, so what it marks did matter for this answer, with this network. "
        "It does not say what the network would do with another picture.",
        source=("Zeiler and Fergus 2014", "https://arxiv.org/abs/1311.2901"),
    ),
)
