"""What is a ResNet made of?"""

import pandas as pd
import streamlit as st

from resviz.figures import words
from resviz.figures.theme import count
from resviz.nets.cost import layer_table
from resviz.spec import PRESETS, Stem, name_of
from resviz.ui import controls, diagram, frame
from resviz.ui.state import bound, current_spec

frame.open_page(
    "Build",
    "What is a ResNet made of?",
    "Blocks on a trunk. Each adds its result to what came in: **click an arc to cut a skip.**",
)
frame.network_strip()
spec = current_spec()
side = 224 if spec.stem is Stem.IMAGENET else 32
diagram.show_network("diagram", side)
table = layer_table(spec, side)
st.markdown(words.table_note(table))

left, right = st.columns([1, 3], gap="large")
with left:
    controls.preset_control()
    controls.skip_control()
    with st.expander("More"):
        controls.shape_controls(spec)
        controls.design_controls(spec)
        st.number_input(
            "Width", 1, 1024, step=8, help="Planes of the first stage; each later stage doubles them.", **bound("width")
        )
        st.number_input("Seed", 0, 2**31 - 1, help="The same seed draws the same weights.", **bound("seed"))
with right:
    names = list(spec.block_names())
    opened = st.session_state.get("opened")
    st.session_state["block"] = opened if opened in names else names[0]
    st.selectbox("Block", names, key="block", on_change=lambda: st.session_state.update(opened=st.session_state["block"]))
    diagram.show_block("block-diagram", side, st.session_state["block"])

layers, variants = st.tabs(["Layers", "Variants"])
with layers:
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
            "cut": row.cut,
        }
        for row in table.rows
    )
    st.dataframe(rows, hide_index=True, height=320)
    st.download_button("Download the table (CSV)", rows.to_csv(index=False), "layers.csv", "text/csv", on_click="ignore")
with variants:
    # top-1 on ImageNet, single crop: torchvision's published V1 weights
    published = {"resnet18": 69.758, "resnet34": 73.314, "resnet50": 76.130, "resnet101": 77.374, "resnet152": 78.312}
    entries = [(name_of(PRESETS[p]), PRESETS[p], 224, f"{top1:.2f} %") for p, top1 in published.items()]
    entries.append((f"▸ {name_of(spec)} (yours)", spec, side, "–"))
    st.dataframe(
        pd.DataFrame(
            {
                "network": name,
                "layers": net.depth,
                "params": count(layer_table(net, px).params),
                "MACs": count(layer_table(net, px).macs),
                "image": f"{px} px",
                "ImageNet top-1": top1,
            }
            for name, net, px, top1 in entries
        ),
        hide_index=True,
    )
    st.caption("Top-1: torchvision's published V1 weights. Parameters and MACs are computed here.")
frame.close()
