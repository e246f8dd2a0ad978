"""What does a skip connection do to the gradient?"""

import streamlit as st

from resviz.ui import page

page.open_page(
    "Gradients",
    "What does a skip connection do to the gradient?",
    "One backward pass through two networks with the same weights and the same batch, one with skips and one without.",
)

from resviz.spec.net import NetSpec
from resviz.ui.first import meanwhile, profiles
from resviz.ui.state import current_spec

page.network_strip()
if meanwhile("gradients", profiles, usual=current_spec() == NetSpec()):
    page.close()
    st.stop()
# after the first figure: what follows imports PyTorch
from dataclasses import replace

import numpy as np

from resviz.figures import axes, captions, gradients
from resviz.figures.theme import number, power_of_ten, viridis
from resviz.nets.cost import layer_table
from resviz.spec.net import Init, Norm, SpecError, Stem
from resviz.spec.presets import PRESETS
from resviz.ui import cache
from resviz.ui.components import diagram
from resviz.ui.components.chart import chart, line_chart
from resviz.ui.jobs import result_of
from resviz.ui.probing import begin, probes_of
from resviz.ui.widgets import pickers, spec_controls

spec = current_spec()
imagenet = spec.stem is Stem.IMAGENET
residual, size, sides = replace(spec, residual=True), 16 if imagenet else 64, [8, 16, 32, 64]
nets = {"residual": residual, "plain": spec.plain()}
usual, side_key = (64 if imagenet else 8), f"side.{spec.stem.value}"
if st.session_state.get("batch", "digits") != "picture":
    begin(nets, st.session_state.get("batch", "digits"), size, st.session_state.get(side_key, usual))
figure_column, control_column = st.columns([3, 1], gap="large")
photograph = None
with control_column:
    spec_controls.preset_control()
    spec_controls.skip_control()
    spec_controls.design_controls(spec)
    with st.expander("More"):
        batch = st.selectbox(
            "Batch", ["digits", "noise", "picture"], key="batch", help="Handwritten digits, normal noise, or crops of a picture."
        )
        if batch == "picture":
            photograph = pickers.choose_photograph("batch")
        st.session_state.setdefault(side_key, usual)
        side = st.select_slider("Image side", sides, key=side_key, help="Pixels; larger takes longer.")
        spec_controls.block_control()
        spec_controls.shape_controls(spec)
        spec_controls.seed_control()
try:
    with figure_column:
        probes = probes_of(nets, batch, size, side, (photograph.key, photograph.image) if photograph else None)
except SpecError as error:
    figure_column.error(str(error))
    probes = None
if probes is None:
    page.close()
    st.stop()
profiles = {key: probe.profile for key, probe in probes.items()}
decades = axes.log_range(np.concatenate([profile.norms for profile in profiles.values()]))
with figure_column:
    figure = gradients.gradient_profiles(profiles, decades, st.session_state.get("selected"), residual.cut)
    line_chart(
        figure,
        "profile",
        "Gradient norm of every layer, with and without skips",
        on_select=lambda name: st.session_state.update(selected=name),
    )
    st.markdown(captions.comparison(probes, nets))
    row = layer_table(residual, side).row(st.session_state.get("selected") or "conv1")
    st.caption(captions.layer_note(row, profiles) if row else "Choose a point to see its layer.")
shown = profiles["residual" if spec.residual else "plain"]
notes = {name: f"‖∂L/∂W‖ = {number(norm)}" for name, norm in zip(shown.names, shown.norms, strict=True)}
low, high = paint = axes.log_range(shown.norms, -3, 3)
scale = (power_of_ten(low), viridis(24), power_of_ten(high))
diagram.show_network("diagram", side, gradients.gradient_paint(shown, paint), notes, scale)
signals = {key: measured.signal for key, measured in probes.items()}
for column, (field, title) in zip(st.columns(2, gap="large"), gradients.SIGNALS.items(), strict=True):
    with column:
        st.markdown(f"**{title[0].upper()}{title[1:]}**")
        line_chart(gradients.signal_figure(signals, field), field, title)
with st.container(horizontal=True):
    for label, name, table in (
        ("Layers (CSV)", "gradients.csv", lambda: gradients.layer_frame(profiles)),
        ("Blocks (CSV)", "signals.csv", lambda: gradients.block_frame(signals)),
    ):
        st.download_button(label, lambda table=table: table().to_csv(index=False), name, "text/csv", on_click="ignore")
spec_controls.try_this(
    {
        "Take the batch norm away": replace(PRESETS["resnet56"], norm=Norm.NONE, init=Init.PYTORCH),
        "110 layers": PRESETS["resnet110"],
        "Cut every second skip": replace(
            PRESETS["resnet56"], cut=frozenset(n for i, n in enumerate(PRESETS["resnet56"].block_names()) if i % 2)
        ),
    }
)
if not imagenet and st.toggle("Sweep the depth", help="The same design at several depths, each with and without skips."):
    depths = (20, 38, 56, 74, 92, 110) if spec.block.bottleneck else (8, 14, 20, 32, 44, 56, 80, 110)
    design = replace(residual, cut=frozenset(), dropped=frozenset(), blocks=(1,))
    key = ("sweep", design, depths, batch, side, photograph and photograph.key)
    with st.container(key="reserve-sweep"):
        from resviz.probes.depth import depth_sweep

        def sweep(tick):
            measured = cache.batch_of(spec, batch, 32, side, 0, photograph and photograph.image)
            return depth_sweep(design, depths, measured, tick)

        sweeps = result_of("sweep", key, "Sweeping the depth", sweep)
        if sweeps:
            chart(gradients.depth_heatmaps(sweeps), "sweep", "Gradient norm by depth and relative position")
            st.markdown(captions.sweep_note(sweeps))
with st.expander("Why"):
    st.markdown(
        r"With $y = x + F(x)$ the loss reaches $x$ as $\partial L/\partial y\,(1 + \partial F/\partial x)$, where a plain stack "
        r"multiplies $\partial F/\partial x$ once a block. A chain of ones it is without a ReLU after the addition only (He et al. "
        "2016, arXiv 1603.05027). What comes of it depends on the norm and the initialisation. Measured here, before training: batch "
        "norm makes deep plain networks explode towards the input, as Philipp et al. 2018 (arXiv 1712.05577) showed of fully connected ones; without a "
        "norm and with PyTorch's default initialisation they vanish; residual networks without a norm run away forwards with "
        "Kaiming's initialisation, where each block adds as much variance as passes it (De & Smith 2020, arXiv 2002.10444), and stay "
        "level with PyTorch's. None of this says why plain networks end up worse: He et al. 2015 (§4.1, arXiv 1512.03385) call "
        "vanishing gradients *unlikely* with batch norm, and our plain-56 is level in all 30 recorded epochs, with 30.7 % training error."
    )
page.close()
