"""What does a skip connection do to the gradient?"""

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from resviz.figures import gradients, words
from resviz.figures.theme import number
from resviz.results import DepthSweep
from resviz.spec import PRESETS, Block, Init, Norm, SpecError, Stem, cifar_blocks, to_query_string
from resviz.ui import cache, controls, diagram, frame
from resviz.ui.state import bound, current_spec

frame.open_page(
    "Gradients",
    "What does a skip connection do to the gradient?",
    "One backward pass through two networks with the same weights and the same batch, one with skips and one without.",
)
frame.network_strip()
spec = current_spec()
imagenet = spec.stem is Stem.IMAGENET
figure_column, control_column = st.columns([3, 1], gap="large")
with control_column:
    controls.preset_control()
    controls.design_controls(spec)
    with st.expander("More"):
        batch = st.selectbox("Batch", ["digits", "noise"], help="Handwritten digits, or standard normal noise.")
        side = st.select_slider("Image side", [8, 16, 32, 64], value=64 if imagenet else 8, help="Pixels; larger takes longer.")
        st.number_input("Seed", 0, 2**31 - 1, help="The same seed draws the same weights.", **bound("seed"))
residual = replace(spec, residual=True)
size = 16 if imagenet else 64
try:
    probes = {key: cache.probe(net, batch, size, side, 0) for key, net in (("residual", residual), ("plain", spec.plain()))}
except SpecError as error:
    st.error(str(error))
    frame.close()
    st.stop()
profiles = {key: probe.profile for key, probe in probes.items()}
decades = gradients.log_range(np.concatenate([profile.norms for profile in profiles.values()]))
with figure_column:
    figure = gradients.gradient_profiles(profiles, decades, st.session_state.get("selected"), residual.cut)
    event = st.plotly_chart(
        figure, key="profile", on_select="rerun", selection_mode="points", alt="Gradient norm of every layer, with and without skips",
        config={"toImageButtonOptions": {"format": "svg", "filename": "gradients"}, "displaylogo": False},
    )  # fmt: skip
    if points := event["selection"]["points"]:
        st.session_state.selected = points[0]["customdata"][0]
    st.markdown(words.comparison(profiles, spec.classes))
shown = profiles["residual" if spec.residual else "plain"]
notes = {name: f"‖∂L/∂W‖ = {number(norm)}" for name, norm in zip(shown.names, shown.norms, strict=True)}
diagram.show_network("diagram", side, notes=notes)
signals = {key: measured.signal for key, measured in probes.items()}
for column, (field, title) in zip(st.columns(2, gap="large"), gradients.SIGNALS.items(), strict=True):
    column.markdown(f"**{title[0].upper()}{title[1:]}**")
    column.plotly_chart(gradients.signal_figure(signals, field), key=field, alt=title)
data = pd.DataFrame([(key, n, v) for key, p in profiles.items() for n, v in zip(p.names, p.norms, strict=True)])
st.download_button(
    "Download the norms (CSV)", data.to_csv(index=False, header=["net", "layer", "norm"]), "gradients.csv", "text/csv"
)
st.markdown("**Try this**")
with st.container(horizontal=True):
    for label, other in (
        ("Take the batch norm away", replace(spec, norm=Norm.NONE, init=Init.PYTORCH)),
        ("110 layers", PRESETS["resnet110"]),
    ):
        st.link_button(label, f"?{to_query_string(other)}")
if not imagenet and st.toggle("Sweep the depth", help="Measures 8 to 56 layers of both designs."):
    depths, bar, sweeps = (8, 14, 20, 32, 44, 56), st.progress(0.0, "Measuring"), {}
    for n, key in enumerate(("residual", "plain")):
        rows = []
        for i, depth in enumerate(depths):
            net = replace(
                residual if n == 0 else spec.plain(),
                block=Block.BASIC,
                groups=1,
                width_per_group=64,
                blocks=cifar_blocks(depth),
                cut=frozenset(),
            )
            rows.append(cache.sweep_row(net, side, 0))
            bar.progress((n * len(depths) + i + 1) / (2 * len(depths)), f"{key}, {depth} layers")
        sweeps[key] = DepthSweep(depths, rows[0].positions, np.concatenate([row.norms for row in rows]))
    bar.empty()
    st.plotly_chart(gradients.depth_heatmaps(sweeps), key="sweep", alt="Gradient norm by depth and position")
with st.expander("Why"):
    st.markdown(
        r"With $y = x + F(x)$ the loss reaches $x$ as $\partial L/\partial y\,(1 + \partial F/\partial x)$: the 1 is the highway. "
        "Batch norm alone already keeps the forward signal healthy (He et al. 2015, §4.1, arXiv 1512.03385), yet at initialisation "
        "it makes deep plain networks explode towards the input; without a norm and with PyTorch's default init they vanish."
    )
frame.close()
