"""Gradients: what skips do to the gradient of every layer, before training."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from resviz.figures import axes, captions, gradients
from resviz.figures.theme import number, power_of_ten, signal
from resviz.nets.cost import layer_table
from resviz.probes.depth import depth_sweep
from resviz.progress import Tick
from resviz.results import DepthSweep, GradientProfile, Probe
from resviz.shared import Public
from resviz.spec.dense import DENSE_PRESETS, DenseSpec
from resviz.spec.families import Network, things_of
from resviz.spec.names import describe
from resviz.spec.net import Block, Design, Init, NetSpec, Norm, SpecError
from resviz.spec.plane import PlaneSpec
from resviz.spec.presets import PRESETS
from resviz.spec.transformer import TRANSFORMER_PRESETS, TransformerSpec
from resviz.spec.unet import UNET_PRESETS, UNetSpec
from resviz.ui import cache, story
from resviz.ui.attention import attention_section, rank_section
from resviz.ui.components import diagram
from resviz.ui.components.chart import chart, line_chart
from resviz.ui.field import field_section
from resviz.ui.grammar import beside, why
from resviz.ui.page import network_strip
from resviz.ui.probing import begin, opening, probes_of
from resviz.ui.shatter import shatter_section
from resviz.ui.state import current_spec
from resviz.ui.swept import said_of
from resviz.ui.waiting import result_of
from resviz.ui.whys import why_gradients
from resviz.ui.widgets import pickers, spec_controls
from resviz.ui.widgets.pickers import Photograph

__all__ = ["TELLING", "show"]

_PAINTING = 0.08  # seconds in which a browser paints the figure: what follows at once would hold it up
_SIDES = [8, 16, 32, 64]
_SMALL = _SIDES[0]  # of the digits that the story is told of


@dataclass(frozen=True)
class _Batch:
    """What is sent through both networks: its kind, how many pictures, their side in pixels, and the one they are cut from."""

    kind: str
    size: int
    side: int
    photograph: Photograph | None = None

    @property
    def picture(self) -> tuple[str, Image.Image] | None:
        """Its key and its pixels."""
        return (self.photograph.key, self.photograph.image) if self.photograph else None


@dataclass(frozen=True)
class _Pinned:
    """A setting to compare with: its network in words, and both its profiles."""

    words: str
    profiles: Mapping[Design, GradientProfile]


TELLING: Final[Mapping[str, Network]] = {
    "Take the batch norm away": replace(PRESETS["resnet56"], norm=Norm.NONE, init=Init.PYTORCH),
    "110 layers": PRESETS["resnet110"],
    "ReLU before the addition": replace(PRESETS["resnet56"], block=Block.RELU_BEFORE_BASIC),
    "Cut every second skip": replace(PRESETS["resnet56"], cut=frozenset(list(PRESETS["resnet56"].block_names())[1::2])),
    "DenseNet-40": DENSE_PRESETS["densenet40_k12"],
    "A Transformer": TRANSFORMER_PRESETS["vit_digits"],
    "A U-Net without a norm": replace(UNET_PRESETS["unet_small"], norm=Norm.NONE, init=Init.PYTORCH),
}


def show() -> None:
    """Two networks' gradients beside the controls, the diagram painted with them, the signals, files and the depth sweep."""
    _body(current_spec())


@st.fragment
def _body(drawn: Network) -> None:
    """After an edit the figure comes first; the page around it, which still shows `drawn`, follows."""
    spec = current_spec()
    nets, _, size, own = opening(spec)
    imagenet = own > 32
    kind = _own_kind(spec) or st.session_state.get("batch", "digits")
    batch = _Batch(kind, size, _side(spec, own))
    if kind != "picture":
        begin(nets, kind, size, batch.side)
    figure_column, control_column = beside()
    above, figure_column = figure_column.container(), figure_column.container()
    if spec != drawn:
        if kind != "picture" and (probes := _measured(nets, batch, figure_column)):
            with figure_column:
                _profiles(nets, probes, batch.side)
            time.sleep(_PAINTING)
        st.rerun()
    with above:
        network_strip()
        spec_controls.try_this(TELLING)
    with control_column:
        batch = _controls(spec, size, own)
    probes = _measured(nets, batch, figure_column)
    if probes is None:
        return
    profiles = {key: probe.profile for key, probe in probes.items()}
    with figure_column:
        _profiles(nets, probes, batch.side)
    _painted(profiles[spec.design], batch.side)
    _signals(probes, isinstance(spec, DenseSpec), partial(_notebook, spec, batch))
    said_of(spec)
    if isinstance(spec, NetSpec):
        if not imagenet:
            _by_depth(spec, batch)
        _by_field(spec)
    if isinstance(spec, TransformerSpec):
        _by_token(spec)
    more = [batch.kind] if batch.kind != "digits" else []  # beside what its family reads
    more += [f"{batch.side} px"] if batch.side != _SMALL else []
    story.where_am_i(story.Here(spec, more=tuple(more)))
    why(why_gradients(spec))


def _own_kind(spec: Network) -> str:
    """The one batch for what reads no pictures; empty where there is a choice."""
    things = things_of(spec)
    return "" if things == "images" else things


def _side_key(spec: NetSpec | DenseSpec) -> str:
    return f"side.{spec.stem.value}"


def _side(spec: Network, usual: int) -> int:
    """The images' side that was chosen, or the usual one."""
    chosen: int = (
        usual if isinstance(spec, TransformerSpec | PlaneSpec | UNetSpec) else st.session_state.get(_side_key(spec), usual)
    )
    return chosen


def _by_depth(spec: NetSpec, batch: _Batch) -> None:
    """What takes a residual network at several depths."""
    if st.toggle("Sweep the depth", help="The same design at several depths, each with and without skips."):
        _sweep(spec, batch)
    if st.toggle("Shatter the gradient", help="∂f/∂x along a line of inputs, with skips, without, and without a norm."):
        with st.container(key="reserve-shatter"):
            shatter_section(spec, _SMALL)


def _by_field(spec: NetSpec) -> None:
    """How far back into the picture a residual network reaches."""
    if st.toggle(
        "See how far it sees", help="The effective receptive field: which pixels move the middle of the last feature map."
    ):
        with st.container(key="reserve-field"):
            field_section({"residual": replace(spec, residual=True), "plain": spec.plain()})


def _by_token(spec: TransformerSpec) -> None:
    """What attention makes of tokens."""
    if st.toggle("Compare the tokens", help="What is left of their differences behind each layer, with skips and without."):
        with st.container(key="reserve-rank"):
            rank_section(spec)
    if st.toggle(
        "See what attention reads",
        help="What the class token reads of each patch of a digit, or of each symbol, by layer and head.",
    ):
        with st.container(key="reserve-attention"):
            attention_section(spec)


def _controls(spec: Network, size: int, usual: int) -> _Batch:
    """The network's design and the batch; `usual` is the side that is taken where none was chosen."""
    spec_controls.family_control()
    spec_controls.preset_control()
    spec_controls.skip_control()
    spec_controls.design_controls(spec)
    kind, side = _own_kind(spec), usual
    with st.expander("More"):
        if not kind:
            kind = st.selectbox(
                "Batch",
                ["digits", "noise", "picture"],
                key="batch",
                help="Handwritten digits, normal noise, or crops of a picture.",
            )
        photograph = pickers.choose_photograph("batch") if kind == "picture" else None
        if not isinstance(spec, TransformerSpec | PlaneSpec | UNetSpec):  # whose positions are for one side
            key = _side_key(spec)
            st.session_state.setdefault(key, usual)
            side = st.select_slider("Image side", _SIDES, key=key, help="Pixels; larger takes longer.")
        spec_controls.block_control()
        spec_controls.shape_controls(spec)
        spec_controls.seed_control()
    return _Batch(kind, size, side, photograph)


def _measured(nets: Mapping[Design, Network], batch: _Batch, place: DeltaGenerator) -> dict[Design, Probe] | None:
    """Both networks over the batch; None where that is under way, or where one of them would not fit into memory."""
    try:
        with place:
            return probes_of(nets, batch.kind, batch.size, batch.side, batch.picture)
    except SpecError as error:
        place.error(str(error))
        return None


def _profiles(nets: Mapping[Design, Network], probes: Mapping[Design, Probe], side: int) -> None:
    """Every layer's gradient, what follows from it, and the layer that was chosen."""
    profiles = {key: probe.profile for key, probe in probes.items()}
    pinned: _Pinned | None = st.session_state.get("pinned")
    ghosts = pinned.profiles if pinned else {}
    decades = axes.log_range(np.concatenate([each.norms for each in (*profiles.values(), *ghosts.values())]), 0, 0)
    selected = st.session_state.get("selected")
    figure = gradients.gradient_profiles(
        profiles, decades, selected, nets["residual"].cut, ghosts=ghosts, dense=isinstance(nets["residual"], DenseSpec)
    )
    line_chart(
        figure,
        "profile",
        "Gradient norm of every layer, with and without skips",
        on_select=lambda name: st.session_state.update(selected=name),
    )
    _pin(pinned, _Pinned(describe(nets["residual"]), profiles))
    st.markdown(captions.comparison(probes, nets))
    row = layer_table(nets["residual"], side).row(st.session_state.get("selected") or profiles["residual"].names[0])
    st.caption(
        captions.layer_note(row, profiles, isinstance(nets["residual"], DenseSpec)) if row else "Choose a point to see its layer."
    )


def _pin(pinned: _Pinned | None, current: _Pinned) -> None:
    """What is kept as a ghost behind the next settings, on one axis with them."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Pin again" if pinned else "Pin to compare",
            on_click=lambda: st.session_state.update(pinned=current),
            icon=":material/keep:",
            help="Keeps these lines as pale ghosts behind the next settings, on one axis.",
        )
        if pinned:
            st.button("Unpin", on_click=lambda: st.session_state.pop("pinned"), icon=":material/keep_off:")
            st.caption(f"Pale lines: {pinned.words}.")


def _painted(profile: GradientProfile, side: int) -> None:
    """The session's network, each layer in the colour of its gradient."""
    notes = {name: f"‖∂L/∂W‖ = {number(norm)}" for name, norm in zip(profile.names, profile.norms, strict=True)}
    low, high = paint = axes.log_range(profile.norms, -3, 3)
    scale = (f"gradient {power_of_ten(low)}", signal(24), power_of_ten(high))
    diagram.show_network("diagram", side, gradients.gradient_paint(profile, paint), notes, scale)


def _signals(probes: Mapping[Design, Probe], dense: bool, more: Callable[[], None]) -> None:
    """What passes through the blocks forwards, and the files of all that was measured; `more` stands beside them."""
    profiles = {key: probe.profile for key, probe in probes.items()}
    signals = {key: probe.signal for key, probe in probes.items()}
    for column, (field, title) in zip(st.columns(2, gap="large"), gradients.SIGNALS.items(), strict=True):
        with column:
            st.markdown(f"**{title[0].upper()}{title[1:]}**")
            line_chart(gradients.signal_figure(signals, field, dense), field, title)

    def layers() -> str:
        return str(gradients.layer_frame(profiles).to_csv(index=False))

    def blocks() -> str:
        return str(gradients.block_frame(signals).to_csv(index=False))

    with st.container(horizontal=True):
        st.download_button("Layers (CSV)", layers, "gradients.csv", "text/csv", on_click="ignore")
        st.download_button("Blocks (CSV)", blocks, "signals.csv", "text/csv", on_click="ignore")
        more()


def _notebook(spec: Network, batch: _Batch) -> None:
    """It measures them again; a picture or noise is not in it."""
    if batch.kind != (_own_kind(spec) or "digits"):
        return
    from resviz.export.notebook import gradients_notebook

    made = partial(gradients_notebook, spec, batch.size, batch.side)
    st.download_button("Notebook", made, "gradients.ipynb", "application/x-ipynb+json", on_click="ignore")


def _sweep(spec: NetSpec, batch: _Batch) -> None:
    """The same design at several depths, each with and without skips."""
    depths = (20, 38, 56, 74, 92, 110) if spec.block.bottleneck else (8, 14, 20, 32, 44, 56, 80, 110)
    design = replace(spec, residual=True, cut=frozenset(), dropped=frozenset(), blocks=(1,))

    def work(tick: Tick) -> Mapping[Design, DepthSweep]:
        image = batch.photograph.image if batch.photograph else None
        return depth_sweep(design, depths, cache.batch_of(spec, batch.kind, 32, batch.side, 0, image), tick)

    with st.container(key="reserve-sweep"):
        asked = "sweep", design, depths, batch.kind, batch.side
        key = (*asked, batch.photograph.key) if batch.photograph else Public(asked)  # a photograph is the visitor's
        sweeps = result_of("sweep", key, "Sweeping the depth", work)
        if sweeps:
            chart(gradients.depth_heatmaps(sweeps), "sweep", "Gradient norm by depth and relative position")
            st.markdown(captions.sweep_note(sweeps))
