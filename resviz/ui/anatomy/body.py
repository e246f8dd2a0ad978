"""Anatomy: a trained network without some of its parts, what carries its gradient, and what its blocks do to an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import streamlit as st

from resviz.figures import captions
from resviz.results import Card, Lesions
from resviz.spec.lesion import MODES, Lesion, Mode, lesion_to_query, lost
from resviz.spec.names import describe
from resviz.spec.net import NetSpec
from resviz.spec.query import resnet_of
from resviz.ui import waiting
from resviz.ui.anatomy import parts, work
from resviz.ui.anatomy.picture import answered, convolutions, painted
from resviz.ui.anatomy.view import View, bound, change, current, kept, networks, to_query, twin
from resviz.ui.grammar import beside, chips, why
from resviz.ui.left_out import leave_out, say_left_out
from resviz.ui.markdown import literal
from resviz.ui.page import Address
from resviz.zoo.bundled import bundled_problems, card

__all__ = ["show"]

_MODES: Final = {"drop": "Drop its branch", "cut": "Cut its skip"}
_STATISTICS: Final = {
    False: "Batch norms keep the statistics of training",
    True: "Batch norms' statistics are estimated again after each lesion, on training pictures",
}


def show(address: Address) -> None:
    """The network with what was taken from it, its error, and under it what lesions, paths and steps say of it."""
    names = networks()
    stage, drawer = beside()
    for problem in bundled_problems("digits"):
        stage.warning(literal(problem))
    if not names:
        stage.info("No network is left to take apart; copy assets/checkpoints/digits from the project again.")
        return
    view = current(names)
    about = card(view.model)
    spec = resnet_of(about["spec"])
    lesion = view.lesion.within(spec, convolutions(spec, about["image_size"]))
    leave_out(lost(lesion_to_query(view.lesion), lesion))
    view = replace(view, lesion=lesion)
    change(lambda _: view)  # what a link names in vain does not come back in the address
    with drawer:
        _controls(view, about, spec, names)
    asked = (view.model, view.pictures, view.again)
    with stage:
        say_left_out()
        _try_this(view, spec, waiting.manager().remembered(work.singles(asked)[1]))
        found = _stage(view, spec, about)
    parts.lesions(asked, found, twin(view.model), spec.residual)
    if spec.residual:
        whole = (view.model, view.pictures, False)
        parts.paths(whole)
        parts.steps(whole)
        parts.without_skips(whole)
    why(_WHY)
    address.add(to_query(view, names))


def _title(name: str) -> str:
    about = card(name)
    spec = resnet_of(about["spec"])
    return f"{spec.title} · {about['data'].split(',')[0].split(' (')[0]}{f' · seed {spec.seed}' if spec.seed else ''}"


def _controls(view: View, about: Card, spec: NetSpec, names: tuple[str, ...]) -> None:
    st.selectbox(
        "Network",
        names,
        format_func=_title,
        help="All were trained here; their cards say how. The networks of CIFAR-10 join them where that data lies on the disk.",
        **bound(view, "model"),
    )
    if spec.residual:
        st.segmented_control(
            "A click on a block",
            MODES,
            required=True,
            format_func=_MODES.__getitem__,
            help="Without its branch a block passes x on as it is; without its skip only F(x) is left of it.",
            **bound(view, "mode"),
        )
    if about["data"].startswith("CIFAR-10"):
        st.select_slider(
            "Pictures",
            (200, 1000, 0),
            format_func=lambda count: f"{count:,}" if count else "all",
            help="A fixed choice of the held-out pictures.",
            **bound(view, "pictures"),
        )
    st.toggle(
        "Estimate norms again",
        help="Batch norms keep the statistics of training, though a lesion shifts what they see. On: after each lesion they are estimated "
        "anew on training pictures, weights untouched, so that what is left of a rise is not that shift.",
        **bound(view, "again"),
    )
    st.button(
        "Put everything back",
        icon=":material/undo:",
        on_click=change,
        args=(lambda before: replace(before, lesion=Lesion()),),
        disabled=not view.lesion.names,
    )
    st.caption(
        literal(
            f"{describe(spec)}. {about['data']}, {about['epochs']} epochs; its card says {about['measured']['test_error']:.2f} % error on "
            f"{about['measured']['test_images']:,} held-out pictures. {_STATISTICS[view.again]}."
        )
    )


def _stage(view: View, spec: NetSpec, about: Card) -> Lesions | None:
    """The painted network and the error; what all lesions cost, once it is known."""
    side, tested = about["image_size"], about["measured"]["test_images"]
    picture = st.container(key="reserve-anatomy")
    asked = (view.model, view.pictures, view.again)
    now = waiting.result_of(*work.one(asked, view.lesion)) if view.lesion.names else None

    def act(part: str) -> None:
        change(lambda before: replace(before, lesion=before.lesion.toggled(before.mode, part)))

    def draw(_slot: str, so_far: Lesions | None) -> None:
        if kept() != view:
            st.rerun()  # a click while the colours still arrive
        kind = ("dropped" if view.mode == "drop" else "cut") if spec.residual else "bypassed"
        errors, base = (so_far.of(kind), so_far.base) if so_far else ({}, about["measured"]["test_error"])
        painted("anatomy-diagram", spec, side, view.lesion, view.mode, errors=errors, base=base, act=act)
        known = now if view.lesion.names else so_far
        error = None if known is None else (known.base, known.errors.get(view.lesion, known.base))
        answered(view.lesion, error, known.pictures if known else view.pictures or tested, known.estimated_on if known else 0)

    (found,) = waiting.results_of([work.singles(asked)], [picture], draw)
    if found is not None:
        with picture, st.container():  # as what watches a job stands in one: nothing stale is then left beside it
            draw("", found)
            st.markdown(captions.lesions_note(found))
    return found


def _try_this(view: View, spec: NetSpec, found: Lesions | None) -> None:
    settings: dict[str, Callable[[], None]] = {}

    def setting(label: str, lesion: Lesion, mode: Mode | None = None) -> None:
        settings[label] = partial(change, lambda before: replace(before, lesion=lesion, mode=mode or before.mode))

    if spec.residual:
        blocks = list(spec.block_names())
        few = np.random.default_rng(spec.seed).choice(blocks, min(4, len(blocks)), replace=False)
        setting(f"Drop {len(few)} at random", Lesion(frozenset(few.tolist())), "drop")
        setting("Cut one skip", Lesion(cut=frozenset({blocks[len(blocks) // 2]})), "cut")
        if other := twin(view.model):
            settings["The network without skips"] = partial(change, lambda before: replace(before, model=other, lesion=Lesion()))
        if found is not None and (errors := found.of("dropped")):  # last, so that its coming moves no other
            setting("Drop the block that costs most", Lesion(frozenset({max(errors, key=errors.__getitem__)})), "drop")
    else:
        middle = sorted(convolutions(spec, 8))[len(convolutions(spec, 8)) // 2]
        setting("The identity in one layer's place", Lesion(bypassed=frozenset({middle})))
        other = view.model.replace("plain", "resnet", 1)
        settings["The network with skips"] = partial(change, lambda before: replace(before, model=other, lesion=Lesion()))
    chips(settings)


_WHY: Final = (
    "Unrolled, a residual network of L blocks is a sum over 2^L paths, each block taken or passed by; Veit, Wilber & Belongie 2016 (arXiv "
    "1605.06431) concluded from lesions like these that the paths hardly depend on each other and that short ones do most of the work. A plain "
    "network has one path, which every lesion breaks. A lesion also shifts what batch norms behind it see, so that a rise in error is partly "
    "theirs: *Estimate norms again* takes that part away. Greff et al. 2017 (arXiv 1612.07771) read the same lesions otherwise: the blocks of a stage "
    "*refine one estimate*, so that losing a step costs little; Jastrzębski et al. 2018 (arXiv 1710.04773) show that the steps point down the "
    "loss. Neither is the last word: networks with skips also learn better functions than plain ones that train as well (Mehmeti-Göpel & Wand 2025, "
    "arXiv 2506.14386). Everything here is of small networks and small pictures; three trainings of each show a direction, not a spread."
)
