"""Home: the story in short, one live figure, and ways into each page."""

import streamlit as st

from resviz.ui import frame

frame.open_page(
    "Home",
    "Why do skip connections work?",
    "Before 2015, making a network deeper made it *worse*. The remedy is one addition: **y = F(x) + x**.",
)

# after the title: figures and pandas take a moment to import
from resviz.figures import gradients, words
from resviz.spec import PRESETS, NetSpec
from resviz.ui import diagram
from resviz.ui.charts import line_chart
from resviz.ui.first import meanwhile, profiles
from resviz.ui.measure import probes_of

left, right = st.columns([3, 2], gap="large")
with left, st.container(key="reserve-live"):
    if not meanwhile("gradients", profiles):
        probes = probes_of({"residual": NetSpec(), "plain": NetSpec().plain()}, "digits", 64, 8)
        if probes is not None:
            live = {key: probe.profile for key, probe in probes.items()}
            line_chart(
                gradients.gradient_profiles(live, gradients.log_range([])),
                "home",
                "Gradient norms by layer, with and without skips",
            )
            st.markdown(words.comparison(live, NetSpec().classes))
            st.caption("Measured here: 56 layers with batch norm, before training, on handwritten digits of 8×8 pixels.")
with right:
    st.subheader("Take one apart", anchor=False)
    frame.ways()
    st.subheader("The problem", anchor=False)
    st.markdown(
        "A 56-layer plain network had a higher **training** error than a 20-layer one "
        "([He et al. 2015](https://arxiv.org/abs/1512.03385), figure 1). It is called degradation, and it is not overfitting: "
        "the deeper network contains the shallower one, if only its extra layers could learn to do nothing."
    )
st.subheader("The idea", anchor=False)
st.markdown(
    "Let the layers learn the **residual** F(x) = H(x) − x instead of the mapping H(x), and add x back: **y = F(x) + x**. "
    "The skip costs no parameters."
)
diagram.show_example("idea", PRESETS["resnet20"], 32, "layer1.0")
why, led = st.columns(2, gap="large")
with why:
    st.subheader("Why it works", anchor=False)
    st.markdown(
        "- **A gradient highway**: ∂y/∂x = ∂F/∂x + 1, so the loss reaches early layers directly.\n"
        "- **The identity is easy**: to pass x on, F's weights only need to go to 0.\n"
        "- **A residual is easier to learn** than the whole mapping: most blocks change the signal only a little.\n\n"
        "How far each of these holds depends on the normalisation and the initialisation; the pages measure it."
    )
with led:
    st.subheader("Where it led", anchor=False)
    st.markdown(
        "- **152 layers** and ILSVRC 2015, won with 3.57 % top-5 error ([He et al. 2015](https://arxiv.org/abs/1512.03385)); "
        "**1001 layers** a year later ([He et al. 2016](https://arxiv.org/abs/1603.05027)).\n"
        "- Skips in **DenseNet** ([2016](https://arxiv.org/abs/1608.06993)), **U-Net** "
        "([2015](https://arxiv.org/abs/1505.04597)) and the **Transformer** ([2017](https://arxiv.org/abs/1706.03762)).\n"
        "- **Transfer learning**: pretrained ResNets as the start of detection, segmentation and much else."
    )
frame.close()
