"""What happens to every layer while a network learns?"""

import streamlit as st

from resviz.ui import page

page.open_page(
    "Lab",
    "What happens to every layer while it learns?",
    "Networks that differ in one thing, trained side by side on the same batches. **Click or tap an arc to cut a skip in mid-training.**",
)

from resviz.spec.lab import PARAMETERS
from resviz.ui.first import meanwhile, step

if meanwhile("lab", step, usual=not {"lab", "lab.next"} & set(st.session_state) and not PARAMETERS & st.query_params.keys()):
    st.stop()
# after the first figure: what follows imports PyTorch
from resviz.spec.lab import COMPARISONS, plan_to_query
from resviz.ui.lab import controls, stage
from resviz.ui.lab.session import session
from resviz.ui.markdown import literal

lab = session()
if lab.notice:
    st.warning(literal(lab.notice), icon=":material/info:")
controls.setup(lab)
controls.transport(lab)
with st.container(key="reserve-lab"):
    stage.stage(lab)
stage.export(lab)
st.markdown("**Try this**")
with st.container(horizontal=True):
    for label, name, depth in (
        ("Where does batch norm help?", "Batch norm or none", 56),
        ("Watch one diverge", "Three initialisations", 56),
        ("Degradation, live", "Shallow and deep", 56),
    ):
        st.button(label, key=f"try.{name}", on_click=lab.reset, args=(COMPARISONS[name](depth),))
with st.expander("Why"):
    st.markdown(
        r"A step changes a weight by $\Delta w = -\eta\, m$ with $m \leftarrow 0.9\,m + \partial L/\partial w$: where the gradient is zero "
        r"nothing moves, and $\|\Delta w\|/\|w\|$ says how much of a weight is new after a step. The signal plots ask the same forwards: "
        "batch norm keeps each residual branch's variance at about one, so that the trunk's grows by a constant a block; without it "
        "every block multiplies it (De & Smith 2020, arXiv 2002.10444; Brock et al. 2021, arXiv 2101.08692). Gradients are recorded "
        "at every step and thinned once there are more than 512 of them, the signal every 16 steps, held-out images every 50."
    )
page.close(plan_to_query(lab.current), network=False)
