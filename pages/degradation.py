"""Why did deeper networks train worse?"""

import streamlit as st

from resviz.ui import page

page.open_page(
    "Degradation",
    "Why did deeper networks train worse?",
    "Networks trained by the same recipe for 30 epochs, from one seed, recorded after every epoch: what depth did to their **training** "
    "error, without skips and with them.",
)

# after the title: figures and pandas take a moment to import
import numpy as np
import pandas as pd

from resviz.figures import axes, captions, gradients, training
from resviz.spec.query import from_query
from resviz.ui import cache
from resviz.ui.components.chart import line_chart
from resviz.ui.lab import race
from resviz.ui.markdown import literal
from resviz.ui.networks import bundled_titles
from resviz.ui.widgets.epoch_player import epoch_player

recorded_runs, problems = cache.every_run()
for problem in problems:
    st.warning(literal(problem), icon=":material/info:")
runs = {}
for recorded in recorded_runs.values():
    if recorded.card["data"].startswith("CIFAR-10"):
        spec = from_query(recorded.card["spec"])[0]
        runs[spec.residual, spec.depth] = recorded
if not runs:
    st.info("No recorded training is left to show; copy assets/runs from the project again.")
    page.close()
    st.stop()
every_depth = sorted({depth for _, depth in runs})
st.markdown(captions.degradation(runs))
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    depths = st.pills(
        "Depth", every_depth, default=every_depth, selection_mode="multi", format_func=lambda d: f"{d} layers", key="depths"
    )
    designs = st.pills("Skips", ["without", "with"], default=["without", "with"], selection_mode="multi", key="designs")
    zoomed = st.segmented_control(
        "Look inside", every_depth, default=every_depth[-1], required=True, format_func=lambda d: f"{d} layers", key="zoomed",
        help="Whose gradients and blocks are drawn below the curves.",
    )  # fmt: skip
    logarithmic = st.toggle("Logarithmic error", help="Spreads the small errors of the last epochs.")
chosen = {(r, d): run for (r, d), run in runs.items() if d in depths and ("with" if r else "without") in designs}
inside = {"residual" if r else "plain": run for (r, d), run in sorted(runs.items(), reverse=True) if d == zoomed}
last = max(len(run.epochs) for run in runs.values())
norms = np.concatenate([record.probe.profile.norms for run in inside.values() for record in run.epochs])
decades, top = axes.log_range(norms, -3, 1), training.highest(runs.values())


@st.fragment(run_every=0.5 if st.session_state.get("playing") else None)
def figures() -> None:
    """Redrawn alone while the epochs play; every axis keeps its range."""
    epoch = epoch_player(last)
    for column, residual, title in zip(st.columns(2, gap="medium"), (False, True), ("Plain", "Residual"), strict=True):
        shown = [run for (r, _), run in sorted(chosen.items()) if r is residual]
        with column:
            st.markdown(f"**{title} networks** · training dashed, test solid")
            if shown:
                line_chart(
                    training.error_curves(shown, epoch, logarithmic, top),
                    f"errors-{title.lower()}",
                    f"{title} networks: error by epoch",
                )
            else:
                st.info("Choose a depth and a design to see its curves.")
    st.header(f"Inside the {zoomed}-layer networks after epoch {epoch}", anchor=False)
    probes = {key: run.epochs[epoch - 1].probe for key, run in inside.items()}
    profiles = {key: probe.profile for key, probe in probes.items()}
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Gradient of every layer's weights**")
        line_chart(
            gradients.gradient_profiles(profiles, decades, height=300), "epoch-profile", "Gradient norm by layer after this epoch"
        )
        st.markdown(captions.comparison(probes, {key: from_query(run.card["spec"])[0] for key, run in inside.items()}))
    with right:
        st.markdown("**What the residual blocks add:** ‖F(x)‖ against ‖x‖")
        if "residual" in inside:
            line_chart(
                training.branch_ratios([inside["residual"]], epoch),
                "branch-ratio",
                "Branch over identity by block after this epoch",
            )
            st.markdown(captions.branch_note(inside["residual"].epochs[epoch - 1]))


figures()

st.header("Not overfitting", anchor=False)
worst = max(runs.values(), key=lambda run: run.epochs[-1].train_error)
st.markdown(f"**{training.title_of(worst)}**: {captions.overfitting(worst)}")

st.header("Beside the paper", anchor=False)
paper = {20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.43}  # He et al. 2015, arXiv 1512.03385, Table 6
table = pd.DataFrame(
    {
        "network": training.title_of(run),
        "training error, %": run.epochs[-1].train_error,
        "test error, %": run.epochs[-1].test_error,
        "the paper's test error, %": f"{paper[depth]:.2f}" if residual and depth in paper else "not printed",
        "epochs": f"{len(run.epochs)}, the paper 164",
        "seed": run.card["seed"],
    }
    for (residual, depth), run in sorted(runs.items())
)
st.dataframe(table, hide_index=True, alt="Final errors beside the paper's")
st.caption(
    "The paper: He et al. 2015, arXiv 1512.03385, Table 6 (its figure 6 draws the plain networks without numbers). "
    f"{captions.beside_the_paper(runs, paper)} Training error is measured in "
    f"{next(iter(runs.values())).card['train_error_measured']}."
)
with st.container(horizontal=True):
    st.download_button("Errors (CSV)", table.to_csv(index=False), "errors.csv", "text/csv", on_click="ignore")
    with st.popover("Runs and checkpoints", icon=":material/download:"):
        for name in recorded_runs:
            st.markdown(f"**{name}**")
            with st.container(horizontal=True):
                st.download_button(
                    "Parquet", lambda n=name: cache.run_file(n), f"{name}.parquet", on_click="ignore", key=f"parquet.{name}"
                )
                st.download_button(
                    "CSV", lambda n=name: cache.run_csv(n), f"{name}.csv", "text/csv", on_click="ignore", key=f"csv.{name}"
                )
                if name in bundled_titles():
                    st.download_button(
                        "Checkpoint",
                        lambda n=name: cache.checkpoint_file(n),
                        f"{name}.safetensors",
                        on_click="ignore",
                        key=f"weights.{name}",
                    )

st.header("Race it yourself", anchor=False)
race.show()
with st.expander("Why"):
    st.markdown(
        "A deeper network contains the shallower one: its extra layers would only have to pass their input on. That the plain 56-layer "
        "network does worse *on its training images* means that the optimiser does not find such a solution, not that the network could "
        "not hold it (He et al. 2015, §1, arXiv 1512.03385). With skips, passing on is what a block does when F gives 0; with "
        "batch norm that takes a γ and β of 0, not small weights, which it scales up again. How much the blocks add is drawn above as "
        "‖F(x)‖/‖x‖: the paper expects little (§4.1, figure 7), and at the end 21 of the 27 blocks of our ResNet-56 add less than half, "
        "but one of nine in our ResNet-20. It argues (§4.1) that vanishing gradients are *unlikely* to be the cause, since batch norm "
        "keeps the signal healthy: our plain-56 has a level gradient in all 30 epochs, and 30.7 % training error all the same."
    )
page.close()
