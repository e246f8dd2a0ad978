"""Controls that are views of the spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import Final

import streamlit as st

from resviz.spec.choices import Around
from resviz.spec.dense import DenseSpec
from resviz.spec.families import ALL_PRESETS, SPECS, Network, preset_of
from resviz.spec.fields import fields_of
from resviz.spec.names import describe, name_of
from resviz.spec.net import Block, NetSpec, Order
from resviz.spec.plane import MOST_BLOCKS, Feature, PlaneSpec
from resviz.spec.transformer import TransformerSpec
from resviz.spec.unet import UNetSpec
from resviz.spec.words import word
from resviz.ui.grammar import chips
from resviz.ui.state import bound, change, current_spec
from resviz.ui.tied import tied

__all__ = [
    "block_control",
    "design_controls",
    "drop_control",
    "family_control",
    "features_control",
    "preset_control",
    "seed_control",
    "shape_controls",
    "skip_control",
    "titles_of",
    "try_this",
]

_SIDE_BY_SIDE = 3  # choices that stand beside each other; more are a list


def _control(name: str, choices: Sequence[StrEnum] = ()) -> None:
    """The widget of one field of the spec, as the field describes it; `choices` may be fewer than it has."""
    field = fields_of(type(current_spec()))[name]
    offered = list(choices or field.choices)
    if not field.choices:
        st.number_input(field.label, field.low, field.high, step=field.step, help=field.help, **bound(name))
    elif len(field.choices) <= _SIDE_BY_SIDE:
        st.segmented_control(field.label, offered, format_func=word, required=True, help=field.help, **bound(name))
    else:
        st.selectbox(field.label, offered, format_func=word, help=field.help, **bound(name))


def family_control() -> None:
    """Which family the network is of; another begins as its paper's own."""
    names = {kind: name for name, kind in SPECS.items()}
    current = names[type(current_spec())]

    def choose(chosen: str) -> None:
        if chosen != current:
            change(lambda spec: SPECS[chosen]() if spec.residual else SPECS[chosen]().plain())

    st.pills(
        "Family",
        list(SPECS),
        format_func=word,
        required=True,
        help="What the skips join, and around what.",
        **tied("family", current, choose),
    )


def preset_control() -> None:
    """Start from one of the papers' networks of the family."""
    kind = type(current_spec())
    names = [name for name, spec in ALL_PRESETS.items() if spec.residual and type(spec) is kind]
    current, residual = preset_of(current_spec()), current_spec().residual

    def apply(chosen: str) -> None:
        change(lambda spec: ALL_PRESETS[chosen] if spec.residual else ALL_PRESETS[chosen].plain())

    titles = titles_of(names, plain=not residual)
    st.selectbox(
        "Network",
        names,
        format_func=titles.__getitem__,
        index=None,
        placeholder="your own design",
        help="A network of the papers to start from.",
        **tied("preset", current, apply),
    )


def titles_of(names: Sequence[str], plain: bool = False) -> dict[str, str]:
    """What each of these presets, or its plain version, is called, no two alike: a list of choices tells them apart by that alone."""
    specs = {name: ALL_PRESETS[name].plain() if plain else ALL_PRESETS[name] for name in names}
    short = {name: name_of(spec) + (f", k={spec.growth}" if isinstance(spec, DenseSpec) else "") for name, spec in specs.items()}
    often = Counter(short.values())
    titles = {name: short[name] if often[short[name]] == 1 else describe(spec) for name, spec in specs.items()}
    often = Counter(titles.values())  # without skips, networks that differ in theirs are one and the same
    return {name: title if often[title] == 1 else f"{title} · {name}" for name, title in titles.items()}


def skip_control() -> None:
    """All skips, none of them, or each block's own choice."""
    spec = current_spec()
    names = list(spec.skips() if isinstance(spec, UNetSpec) else spec.block_names())
    has = [name for name in names if spec.has_skip(name)]

    def choose(chosen: str) -> None:
        if chosen == "each block":
            st.session_state.each = True
        else:
            st.session_state.each = False
            cut = frozenset(names) if chosen == "none" else frozenset()
            change(lambda s: _cutting(s, cut))

    some = bool(st.session_state.get("each")) or 0 < len(has) < len(names)
    st.segmented_control(
        "Skip connections",
        ["all", "none", "each block"],
        required=True,
        help="Behind a layer without its skip zeros stand in place of what came before it; weights and shapes stay. Clicking an arc does the same."
        if isinstance(spec, DenseSpec)
        else "A block without its skip passes only F(x), with the same weights. Clicking an arc of the diagram does the same.",
        **tied("skips", "each block" if some else "all" if has else "none", choose),
    )
    if some:
        shown = tied(
            "cuts",
            [name for name in names if name not in has],
            lambda chosen: change(lambda s: _cutting(s, frozenset(chosen))),
        )
        st.multiselect("Cut in", names, placeholder="no block", **shown)


def _cutting(spec: Network, cut: frozenset[str]) -> Network:
    """With every skip but those."""
    if isinstance(spec, TransformerSpec):
        spec = replace(spec, around=Around.BOTH)
    return replace(spec, residual=True, cut=cut, dropped=spec.dropped - cut)


def drop_control(spec: Network) -> None:
    """Branches taken out: what is left of such a block is its skip."""

    def write(chosen: list[str]) -> None:
        dropped = frozenset(chosen)
        change(lambda s: replace(s, dropped=dropped, cut=s.cut - dropped))

    dense = isinstance(spec, DenseSpec)
    can = [name for name in spec.block_names() if not (isinstance(spec, UNetSpec) and not spec.drops(name))]
    st.multiselect(
        "Drop the layers" if dense else "Drop the residual branch in",
        can,
        placeholder="no layer" if dense else "no block",
        help="A lesion: the layer's channels are zeros." if dense else "A lesion: the block passes x alone.",
        **tied("drops", [name for name in spec.block_names() if name in spec.dropped], write),
    )


def design_controls(spec: Network) -> None:
    """Norm, initialisation, activation and, where it means something, the shortcut."""
    _control("norm")
    _control("init", spec.inits())
    _control("activation")
    if isinstance(spec, TransformerSpec) and spec.mlp and spec.residual:
        _control("around")
    if not isinstance(spec, NetSpec) or not spec.residual:
        return
    _control("shortcut")
    _control("carry")
    if spec.carry.gates:
        _control("gate")
    _control("scale")
    _control("survival")


def shape_controls(spec: Network) -> None:
    """How many blocks each stage holds, the stem, and the widths; of a Transformer its image, patches, layers and tokens."""
    if isinstance(spec, TransformerSpec):
        reads = ("image", "vocabulary") if spec.vocabulary else ("image", "patch", "in_channels")
        for name in (*reads, "num_layers", "heads", "dim", "classes"):
            _control(name)
        return
    _counted_controls(spec)


_HELD: Final[Mapping[type, tuple[str, int]]] = {
    DenseSpec: ("Layers in denseblock", 128),
    UNetSpec: ("Blocks in level ", 16),
    PlaneSpec: ("Blocks in layer", MOST_BLOCKS),
}


def _counted_controls(spec: NetSpec | DenseSpec | UNetSpec | PlaneSpec) -> None:
    """Of a network in stages."""

    def holding(stage: int, blocks: int) -> None:
        counts = tuple(blocks if n == stage else each for n, each in enumerate(spec.blocks))
        change(lambda current: current.resized(blocks=counts))

    def stages(counts: tuple[int, ...]) -> None:
        change(lambda current: current.resized(blocks=counts))

    held, most = _HELD.get(type(spec), ("Blocks in layer", 512))
    for stage, blocks in enumerate(spec.blocks):
        st.number_input(f"{held}{stage + 1}", 1, most, **tied(f"blocks.{stage}", blocks, partial(holding, stage)))
    if isinstance(spec, PlaneSpec):
        _control("width")
        return
    with st.container(horizontal=True):
        least, what = (2, "level") if isinstance(spec, UNetSpec) else (1, "stage")
        st.button(f"Add a {what}", on_click=stages, args=((*spec.blocks, 1),), disabled=len(spec.blocks) == 6)
        st.button("Remove the last", on_click=stages, args=(spec.blocks[:-1],), disabled=len(spec.blocks) == least)
    if not isinstance(spec, UNetSpec):
        _control("stem")
    _control("width")
    if isinstance(spec, DenseSpec):
        _control("bottleneck")
        _control("compression")
    elif isinstance(spec, NetSpec) and spec.block.bottleneck:
        _control("groups")
        _control("width_per_group")
    _control("classes")
    _control("in_channels")


def block_control() -> None:
    """The residual unit, and in which order its norm and its activation stand; of a DenseNet how much each layer adds, of a Transformer its MLP."""
    drawn = current_spec()
    if isinstance(drawn, PlaneSpec):
        features_control()
        return
    if isinstance(drawn, UNetSpec):
        if drawn.residual:
            _control("span")
        return
    if not isinstance(drawn, NetSpec):
        _control("growth" if isinstance(drawn, DenseSpec) else "mlp")
        return
    field, block = fields_of(NetSpec)["block"], drawn.block

    def of_kind(kind: str) -> None:
        chosen = Block.REP if kind == Block.REP else Block.of(block.order, kind == Block.BOTTLENECK)
        change(lambda spec: spec.resized(block=chosen))

    def ordered(order: Order) -> None:
        change(lambda spec: spec.resized(block=Block.of(order, block.bottleneck)))

    rep = block is Block.REP
    kinds = [str(Block.BASIC), str(Block.BOTTLENECK), str(Block.REP)]
    kind = str(Block.REP if rep else Block.BOTTLENECK if block.bottleneck else Block.BASIC)
    st.pills(field.label, kinds, format_func=word, required=True, help=field.help, **tied("unit.kind", kind, of_kind))
    st.selectbox(
        "Norm, activation and addition",
        list(Order),
        disabled=rep,
        format_func=word,
        help="Where the unit's last norm and activation stand, as in Table 2 of He et al. 2016 (arXiv 1603.05027).",
        **tied("unit.order", block.order, ordered),
    )


def features_control() -> None:
    """What a network for points reads of each; the last one stays."""
    field = fields_of(PlaneSpec)["features"]

    def write(chosen: list[Feature]) -> None:
        if chosen:
            change(lambda spec: spec.resized(features=tuple(each for each in Feature if each in chosen)))

    st.pills(
        field.label,
        list(Feature),
        selection_mode="multi",
        format_func=word,
        help=field.help,
        **tied("spec.features", list(getattr(current_spec(), "features", ())), write),
    )


def seed_control() -> None:
    """What the initial weights are drawn from."""
    _control("seed")


def try_this(settings: Mapping[str, Network]) -> None:
    """Telling networks as chips."""
    chips({label: partial(_choose, spec) for label, spec in settings.items()})


def _choose(spec: Network) -> None:
    change(lambda _: spec)
