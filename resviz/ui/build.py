"""Build: one network as a diagram, its controls, its layers, and the family it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from resviz.figures import captions
from resviz.figures.theme import count
from resviz.nets.cost import layer_table
from resviz.results import LayerTable
from resviz.spec.comparisons import against_plain
from resviz.spec.dense import DENSE_PRESETS, DenseSpec
from resviz.spec.families import ALL_PRESETS, Network, side_of
from resviz.spec.names import name_of
from resviz.spec.net import NetSpec
from resviz.spec.presets import PRESETS
from resviz.spec.transformer import TRANSFORMER_PRESETS, TransformerSpec
from resviz.spec.unet import UNET_PRESETS
from resviz.ui import compare
from resviz.ui.components import diagram
from resviz.ui.foreign import foreign_graph
from resviz.ui.grammar import beside, why
from resviz.ui.lab.session import hand_over
from resviz.ui.page import Address, network_strip
from resviz.ui.state import current_spec
from resviz.ui.take import code_popover
from resviz.ui.whys import why_it_is_built_so
from resviz.ui.widgets import spec_controls

__all__ = ["show"]

# top-1 on ImageNet, single 224 px crop, of torchvision's V1 weights (their metadata)
_PUBLISHED = {"resnet18": 69.758, "resnet34": 73.314, "resnet50": 76.130, "resnet101": 77.374, "resnet152": 78.312}
_DENSE_PUBLISHED = {"densenet121": 74.434, "densenet169": 75.600, "densenet201": 76.896, "densenet161": 77.138}
_VIT_PUBLISHED = {"vit_b_16": 81.072, "vit_b_32": 75.912, "vit_l_16": 79.662}
_OTHERS: Final = {
    DenseSpec: ("DenseNet-121 to 161", _DENSE_PUBLISHED),
    TransformerSpec: ("ViT-B/16 to L/16", _VIT_PUBLISHED),
}
_ZOOM: Final = {DenseSpec: "Zoom into a layer", TransformerSpec: "Zoom into a sub-layer"}
_NOTES: Final = {DenseSpec: captions.dense_note, TransformerSpec: captions.sublayer_note}
_TELLING: Final[Mapping[str, Network]] = {
    "ResNet-50's bottlenecks": PRESETS["resnet50"],
    "Plain-20": PRESETS["plain20"],
    "Pre-activation ResNet-164": PRESETS["resnet164"],
    "ResNet-20 with one skip cut": replace(PRESETS["resnet20"], cut=frozenset({"layer2.1"})),
    "DenseNet-121": DENSE_PRESETS["densenet121"],
    "ViT-B/16": TRANSFORMER_PRESETS["vit_b_16"],
    "A U-Net": UNET_PRESETS["unet_small"],
}


def show(address: Address) -> None:
    """The whole network, the controls beside one of its blocks, its tables, and another network beside it; the address says which."""
    spec = current_spec()
    side = side_of(spec, 32, 224)
    table, found = layer_table(spec, side), compare.difference_of(spec)
    place, drawer = beside()
    with drawer:
        _controls(spec)
    with place:
        network_strip()
        spec_controls.try_this(_TELLING)
        if found is None:
            diagram.show_network("diagram", side)
        else:
            compare.stage(spec, found)
        st.markdown(captions.table_note(table))
        with st.container(horizontal=True, key="onward"):
            _to_the_lab(spec)
            code_popover(spec)
        _block(spec, side, table)
    layers, variants, differing = st.tabs(["Layers", "Variants", "Differences"])
    with layers:
        _layers(table, spec)
    with variants:
        _variants(spec, side)
    with differing:
        compare.differences(spec, found)
    foreign_graph()
    address.add(compare.address())
    why(why_it_is_built_so(spec))


def _to_the_lab(spec: Network) -> None:
    other = "plain" if spec.residual else "residual"
    if st.button(
        f"Train this against {other} in the Lab",
        icon=":material/science:",
        help="Both on the same data, from the same weights.",
    ):
        hand_over(against_plain(spec))
        st.switch_page("pages/lab.py", query_params={})


def _controls(spec: Network) -> None:
    spec_controls.family_control()
    spec_controls.preset_control()
    spec_controls.skip_control()
    spec_controls.block_control()
    compare.control()
    with st.expander("More"):
        spec_controls.shape_controls(spec)
        spec_controls.design_controls(spec)
        if spec.residual:
            spec_controls.drop_control(spec)
        spec_controls.seed_control()


def _block(spec: Network, side: int, table: LayerTable) -> None:
    """One block, drawn large."""
    names = list(spec.block_names())
    opened = st.session_state.get("opened")
    st.session_state["block"] = opened if opened in names else names[0]
    st.selectbox(
        _ZOOM.get(type(spec), "Zoom into a block"),
        names,
        key="block",
        on_change=lambda: st.session_state.update(opened=st.session_state["block"]),
    )
    diagram.show_block("block-diagram", side, st.session_state["block"])
    note = _NOTES.get(type(spec), captions.bottleneck_note)
    st.caption(note(table, st.session_state["block"]))


def _layers(table: LayerTable, spec: Network) -> None:
    """Every layer with its shapes and costs; a row that is chosen is the diagram's selection too."""
    rows = pd.DataFrame(
        {
            "layer": row.name,
            "kind": row.kind,
            "input": "×".join(map(str, row.in_shape)),
            "output": "×".join(map(str, row.out_shape)),
            "params": row.params,
            "MACs": row.macs,
            "activation bytes": row.memory,
            "receptive field": row.receptive_field,
            "skip from": row.skip_from or "",
            "skip": "cut" if row.cut else "arrives" if row.skip_from else "",
        }
        for row in table.rows
    )
    selected = table.row(st.session_state.get("selected", ""))
    st.caption(captions.layer_note(selected, {}) if selected else "Choose a layer in the diagram, or a row, to select it.")

    def pick() -> None:
        if chosen := st.session_state["layers"]["selection"]["rows"]:
            st.session_state.selected = table.rows[chosen[0]].name

    whole = {name: st.column_config.NumberColumn(format="localized") for name in ("params", "MACs", "activation bytes")}
    st.dataframe(
        rows,
        hide_index=True,
        height=320,
        key="layers",
        on_select=pick,
        selection_mode="single-row",
        column_config=whole,
        alt="Every layer",
    )
    totals = {"layer": "total", "params": table.params, "MACs": table.macs, "activation bytes": table.memory}
    st.dataframe(pd.DataFrame([totals]), hide_index=True, column_config=whole, alt="Totals of the columns")
    with st.container(horizontal=True):
        st.download_button("Download the table (CSV)", rows.to_csv(index=False), "layers.csv", "text/csv", on_click="ignore")
        _files(spec)


def _files(spec: Network) -> None:
    """The network as a notebook, a graph and weights, each made when it is asked for."""
    from resviz.export.graph import as_onnx, as_safetensors, has_onnx
    from resviz.export.notebook import build_notebook

    st.download_button("Notebook", partial(build_notebook, spec), "network.ipynb", "application/x-ipynb+json", on_click="ignore")
    st.download_button("Weights (safetensors)", partial(as_safetensors, spec), "network.safetensors", on_click="ignore")
    if has_onnx():
        help = "A graph with these weights, for any batch; it takes some seconds to be made."
        st.download_button("ONNX", partial(as_onnx, spec), "network.onnx", on_click="ignore", help=help)


def _variants(spec: Network, side: int) -> None:
    """ResNet-18 to 152, DenseNet-121 to 161 or ViT-B/16 to L/16 beside the current network."""
    others, published = _OTHERS.get(type(spec), ("ResNet-18 to 152", _PUBLISHED))
    entries = [(name_of(ALL_PRESETS[p]), ALL_PRESETS[p], 224, f"{top1:.2f} %") for p, top1 in published.items()]
    entries.append((f"▸ {name_of(spec)} (yours)", spec, side, "–"))
    family = pd.DataFrame(
        {
            "network": name,
            "layers": net.depth,
            "params": count(layer_table(net, px).params),
            "MACs": count(layer_table(net, px).macs),
            "image": f"{px} px",
            "ImageNet top-1": top1,
        }
        for name, net, px, top1 in entries
    )
    st.dataframe(family, hide_index=True, alt=f"{others} beside the current network")
    source = "Parameters and MACs are computed here. Top-1: torchvision's published V1 weights, one 224 px crop."
    stride = " The stride stands in the bottleneck's 3×3, as in torchvision, so MACs are above the paper's Table 1 (1.8, 3.6, 3.8, 7.6, 11.3 × 10⁹)."
    st.caption(source + stride if isinstance(spec, NetSpec) else source)
    st.download_button("Download the variants (CSV)", family.to_csv(index=False), "variants.csv", "text/csv", on_click="ignore")
