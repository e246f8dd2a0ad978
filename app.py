"""Home: the story in short, one live figure, and ways into each page."""

import streamlit as st

from resviz.figures import gradients, words
from resviz.spec import PRESETS
from resviz.ui import cache, frame

frame.open_page(
    "Home",
    "Why do skip connections work?",
    "Before 2015, making a network deeper made it *worse*: a 56-layer plain network had a higher **training** error than a "
    "20-layer one ([He et al. 2015](https://arxiv.org/abs/1512.03385), figure 1). That is degradation, not overfitting. "
    "The remedy is one addition: let a block learn **F(x) = H(x) − x** and output **y = F(x) + x**.",
)


@st.fragment
def live_figure() -> None:
    spec = PRESETS["resnet56"]
    probes = {key: cache.probe(net, "digits", 64, 8, 0) for key, net in (("residual", spec), ("plain", spec.plain()))}
    profiles = {key: probe.profile for key, probe in probes.items()}
    st.plotly_chart(gradients.gradient_profiles(profiles, gradients.log_range([])), key="home", alt="Gradient norms by layer")
    st.markdown(words.comparison(profiles, spec.classes) + " *Measured here: 56 layers with batch norm, before training.*")


left, right = st.columns([3, 2], gap="large")
with right:
    st.subheader("Why it helps", anchor=False)
    st.markdown(
        "- **A gradient highway**: ∂y/∂x = ∂F/∂x + 1, so the loss reaches early layers directly.\n"
        "- **Identity is easy**: to pass x on, F's weights only need to go to 0.\n"
        "- **A residual is easier to learn** than the whole mapping.\n\n"
        "It led to 152 layers and ILSVRC 2015 (3.57 % top-5 error), then to 1000+ layers, to the skips of DenseNet, U-Net "
        "and the Transformer, and to transfer learning from pretrained ResNets."
    )
    st.page_link("pages/build.py", label="**Build** a ResNet and cut its skips", icon=":material/account_tree:")
    st.page_link("pages/gradients.py", label="**Gradients**: with and without skips", icon=":material/show_chart:")
    st.page_link("pages/explain.py", label="**Explain** a photograph", icon=":material/image_search:")
with left:
    slot = st.container(height=470, border=False)
    if st.session_state.get("warm") or not cache.warm_up().is_alive():
        st.session_state.warm = True
        with slot:
            live_figure()
    else:
        with slot:
            st.info("Loading PyTorch to measure the figure…")

            @st.fragment(run_every=0.5)
            def wait() -> None:
                if not cache.warm_up().is_alive():
                    st.session_state.warm = True
                    st.rerun()

            wait()
frame.close()
