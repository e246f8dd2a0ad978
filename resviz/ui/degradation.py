"""Degradation: the recorded trainings epoch by epoch, beside the paper, and a race of the visitor's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from resviz.figures import axes, captions, gradients, training
from resviz.results import Run
from resviz.spec.net import Design
from resviz.spec.query import from_query
from resviz.ui import cache, story, swept
from resviz.ui.components.chart import line_chart
from resviz.ui.grammar import beside, chips, why
from resviz.ui.lab import race
from resviz.ui.markdown import sentence
from resviz.ui.networks import bundled_titles
from resviz.ui.widgets.epoch_player import epoch_player

__all__ = ["show"]

_PAPER = {20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.43}  # He et al. 2015, arXiv 1512.03385, Table 6
_Runs = Mapping[tuple[bool, int], Run]  # by whether it has skips, and its depth


@dataclass(frozen=True)
class _View:
    """What is drawn: the runs whose errors are compared, and the depth that is looked into."""

    compared: _Runs
    depth: int
    inside: Mapping[Design, Run]  # "residual" and "plain" of that depth
    last: int  # epoch
    logarithmic: bool
    top: float  # of the error axis
    decades: tuple[int, int]  # of the gradient axis


def show() -> None:
    """The controls and curves, the table beside the paper, the files, and the race."""
    recorded, problems = cache.every_run()
    for problem in problems:
        st.warning(sentence(problem), icon=":material/info:")
    runs: dict[tuple[bool, int], Run] = {}
    for run in recorded.values():
        if run.card["data"].startswith("CIFAR-10"):
            spec = from_query(run.card["spec"])[0]
            runs[spec.residual, spec.depth] = run
    if not runs:
        st.info("No recorded training is left to show; copy assets/runs from the project again.")
        return
    # redrawn alone while the epochs play, and when one of its controls is used
    st.fragment(run_every=0.5 if st.session_state.get("playing") else None)(_figures)(runs)
    st.header("A race of your own, on handwritten digits", anchor=False)
    swept.said_of(race.show())
    st.header("Not overfitting", anchor=False)
    worst = max(runs.values(), key=lambda run: run.epochs[-1].train_error)
    st.markdown(f"**{training.title_of(worst)}**: {captions.overfitting(worst)}")
    st.header("Beside the paper", anchor=False)
    table = _beside_the_paper(runs)
    with st.container(horizontal=True):
        st.download_button("Errors (CSV)", table.to_csv(index=False), "errors.csv", "text/csv", on_click="ignore")
        with st.popover("Runs and checkpoints", icon=":material/download:"):
            _files(recorded)
    why(_WHY)


_TELLING: Final = {
    "Watch them learn": {"epoch": 1, "epoch.drawn": 0, "playing": True},
    "Plain networks alone": {"designs": ["without"]},
    "Residual networks alone": {"designs": ["with"]},
}


def _controls(runs: _Runs) -> _View:
    every_depth = sorted({depth for _, depth in runs})
    st.session_state.setdefault("depths", every_depth)
    st.session_state.setdefault("designs", ["without", "with"])
    depths = st.pills("Depth", every_depth, selection_mode="multi", format_func=lambda d: f"{d} layers", key="depths")
    designs = st.pills("Skips", ["without", "with"], selection_mode="multi", key="designs")
    zoomed = st.segmented_control(
        "Look inside",
        every_depth,
        default=every_depth[-1],
        required=True,
        format_func=lambda d: f"{d} layers",
        key="zoomed",
        help="Whose gradients and blocks are drawn below the curves.",
    )
    logarithmic = st.toggle("Logarithmic error", help="Spreads the small errors of the last epochs.")
    compared = {(r, d): run for (r, d), run in runs.items() if d in depths and ("with" if r else "without") in designs}
    inside: dict[Design, Run] = {
        "residual" if r else "plain": run for (r, d), run in sorted(runs.items(), reverse=True) if d == zoomed
    }
    norms = np.concatenate([each.probe.profile.norms for run in inside.values() for each in run.epochs if each.probe])
    return _View(
        compared,
        zoomed,
        inside,
        last=max(len(run.epochs) for run in runs.values()),
        logarithmic=logarithmic,
        top=training.highest(runs.values()),
        decades=axes.log_range(norms, -3, 1),
    )


def _figures(runs: _Runs) -> None:
    """The controls, the curves and what lies inside at the player's epoch; every axis keeps its range."""
    place, drawer = beside()
    with drawer:
        view = _controls(runs)
    with place:
        chips({label: partial(st.session_state.update, values) for label, values in _TELLING.items()})
        epoch = epoch_player(view.last)
        _curves(view, epoch)
        st.markdown(captions.degradation(runs))
    st.header(f"Inside the {view.depth}-layer networks after epoch {epoch}", anchor=False)
    left, right = st.columns(2, gap="medium")
    with left:
        _gradients(view, epoch)
    with right:
        _branches(view, epoch)
    inside = next(iter(view.inside.values()))
    story.where_am_i(story.Here(from_query(inside.card["spec"])[0], epoch, inside.card["data"].split(",")[0]))


def _curves(view: _View, epoch: int) -> None:
    """Plain networks on the left, residual ones on the right, on equal axes."""
    for column, residual, title in zip(st.columns(2, gap="medium"), (False, True), ("Plain", "Residual"), strict=True):
        shown = [run for (r, _), run in sorted(view.compared.items()) if r is residual]
        with column:
            st.markdown(f"**{title} networks** · training dashed, test solid")
            if shown:
                figure = training.error_curves(shown, epoch, view.logarithmic, view.top)
                line_chart(figure, f"errors-{title.lower()}", f"{title} networks: error by epoch")
            else:
                st.info("Choose a depth and a design to see its curves.")


def _gradients(view: _View, epoch: int) -> None:
    probes = {key: probe for key, run in view.inside.items() if (probe := run.epochs[epoch - 1].probe)}
    profiles = {key: probe.profile for key, probe in probes.items()}
    st.markdown("**Gradient of every layer's weights**")
    figure = gradients.gradient_profiles(profiles, view.decades, height=300)
    line_chart(figure, "epoch-profile", "Gradient norm by layer after this epoch")
    st.markdown(captions.comparison(probes, {key: from_query(run.card["spec"])[0] for key, run in view.inside.items()}))


def _branches(view: _View, epoch: int) -> None:
    st.markdown("**What the residual blocks add:** ‖F(x)‖ against ‖x‖")
    if "residual" in view.inside:
        run = view.inside["residual"]
        figure = training.branch_ratios([run], epoch)
        line_chart(figure, "branch-ratio", "Branch over identity by block after this epoch")
        st.markdown(captions.branch_note(run.epochs[epoch - 1]))


def _beside_the_paper(runs: _Runs) -> pd.DataFrame:
    """The final errors and the paper's, drawn and returned."""
    table = pd.DataFrame(
        {
            "network": training.title_of(run),
            "training error, %": run.epochs[-1].train_error,
            "test error, %": run.epochs[-1].test_error,
            "the paper's test error, %": f"{_PAPER[depth]:.2f}" if residual and depth in _PAPER else "not printed",
            "epochs": f"{len(run.epochs)}, the paper 164",
            "seed": run.card["seed"],
        }
        for (residual, depth), run in sorted(runs.items())
    )
    st.dataframe(table, hide_index=True, alt="Final errors beside the paper's")
    st.caption(
        "The paper: He et al. 2015, arXiv 1512.03385, Table 6 (its figure 6 draws the plain networks without numbers). "
        f"{captions.beside_the_paper(runs, _PAPER)} Training error is measured in "
        f"{next(iter(runs.values())).card['train_error_measured']}."
    )
    return table


def _files(recorded: Mapping[str, Run]) -> None:
    """Every recorded run as a table, and the weights that came of it."""
    for name in recorded:
        st.markdown(f"**{name}**")
        with st.container(horizontal=True):
            st.download_button(
                "Parquet", partial(cache.run_file, name), f"{name}.parquet", on_click="ignore", key=f"parquet.{name}"
            )
            st.download_button(
                "CSV", partial(cache.run_csv, name), f"{name}.csv", "text/csv", on_click="ignore", key=f"csv.{name}"
            )
            if name in bundled_titles():
                file = f"{name}.safetensors"
                st.download_button(
                    "Checkpoint", partial(cache.checkpoint_file, name), file, on_click="ignore", key=f"weights.{name}"
                )


_WHY: Final = (
    "A deeper network contains the shallower one: its extra layers would only have to pass their input on. That the plain 56-layer "
    "network does worse *on its training images* means that the optimiser does not find such a solution, not that the network could "
    "not hold it (He et al. 2015, §1, arXiv 1512.03385). With skips, passing on is what a block does when F gives 0; with "
    "batch norm that takes a γ and β of 0, not small weights, which it scales up again. How much the blocks add is drawn above as "
    "‖F(x)‖/‖x‖: the paper expects little (§4.1, figure 7), and at the end 21 of the 27 blocks of our ResNet-56 add less than half, "
    "but one of nine in our ResNet-20. It argues (§4.1) that vanishing gradients are *unlikely* to be the cause, since batch norm "
    "keeps the signal healthy: our plain-56 has a level gradient in all 30 epochs, and 30.7 % training error all the same."
)
