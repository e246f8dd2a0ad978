"""Which pixels decided?"""

import streamlit as st

from resviz.ui import page

page.open_page(
    "Explain", "Which pixels decided?", "A photograph, a trained network's answer, and the evidence laid over the picture."
)

from resviz.ui.first import explanation, meanwhile
from resviz.ui.state import EXPLAIN_PARAMETERS

if meanwhile("explain", explanation, usual=not EXPLAIN_PARAMETERS & st.query_params.keys()):
    st.stop()
# after the first figure: what follows imports PyTorch
import math

import pandas as pd

from resviz.figures import captions
from resviz.spec.names import describe
from resviz.ui import cache, networks
from resviz.ui.components.chart import chart
from resviz.ui.explain.link import keep, link, restore, usual, valid
from resviz.ui.markdown import literal, with_literal_classes
from resviz.ui.widgets import pickers

restore()
figure_column, control_column = st.columns([3, 1], gap="large")
with control_column:
    taken = pickers.choose_photograph("explain")
    with st.popover("Crop and rotate", icon=":material/crop:"):
        photograph = pickers.crop(taken, "crop")
    network = networks.choose_network(figure_column.container())
if network is None:
    figure_column.info("No network is left to ask; give a checkpoint of your own, or ImageNet's weights, under Network.")
    page.close()
    st.stop()
from resviz.attribution.methods.table import FIRST, METHODS, available
from resviz.figures.overlay import Look
from resviz.figures.prediction import prediction_bars
from resviz.figures.reports.gallery import cell
from resviz.ui.components.evidence import look_bar
from resviz.ui.explain.case import Studio
from resviz.ui.explain.parameters import options_of
from resviz.ui.explain.views import VIEWS, WITH_MAPS
from resviz.zoo.scope import scope_of, shows_known

classifier, image = network.classifier, photograph.image
scope = scope_of(network.key) if network.key in networks.bundled_titles() else None
preprocessing = classifier.preprocessing
prediction = cache.prediction(network.key, image, classifier)
ranked = [category for category, _ in prediction.top(len(classifier.categories))]
with control_column:
    target = st.selectbox(
        "Class to explain",
        ranked,
        key=valid(f"class.{network.key}.{photograph.key}", ranked),
        help="The most probable first; type to search.",
    )
    against = st.selectbox(
        "Rather than", [name for name in ranked if name != target], index=None, placeholder="any other class",
        key=valid(f"against.{network.key}.{photograph.key}.{target}", ranked), help="Evidence for the one class and not for this one: the difference of their scores.",
    )  # fmt: skip
    chosen = st.multiselect(
        "Methods", available(classifier.spec), key=valid("explain.methods", available(classifier.spec), list(FIRST), 8), format_func=lambda m: METHODS[m].title,
        max_selections=8, placeholder="choose methods to compare", help="Side by side, on one scale of colour.",
    )  # fmt: skip
    layers = list(classifier.spec.block_names())
    at = layers[-1:]
    if any(METHODS[method].layer for method in chosen):
        at = st.multiselect(
            "Layers", layers, key=valid(f"layers.{network.key}", layers, at, 6), max_selections=6,
            help="Where the layer methods look, one map for each: deep blocks see objects, early ones edges.",
        )  # fmt: skip
    others = [name for name in networks.bundled_titles() if name != network.key]
    asked = st.multiselect(
        "What other networks say",
        others,
        format_func=networks.bundled_titles().get,
        placeholder="none",
        key=valid("explain.others", others, [], len(others)),
    )
methods = [name for method in chosen for name in ([f"{method}@{layer}" for layer in at] if METHODS[method].layer else [method])]
with figure_column:
    st.markdown(captions.prediction_note(with_literal_classes(prediction), scope))
    names = captions.counted(len(ranked), "name")
    if st.session_state["explain.source"] == "Sample" and not shows_known(taken.name, classifier.categories):
        st.warning(
            f"None of the {names} that this network knows is what the sample *{taken.name}* shows: no answer of its can be right.",
            icon=":material/info:",
        )
    listed = ", ".join(classifier.categories) if len(ranked) <= 20 else "they are listed under Class to explain"
    st.caption(f"It knows {names}: {listed}.")
    given, bars = st.columns([2, 3], vertical_alignment="center")
    with given, st.container(horizontal=True, vertical_alignment="bottom"):
        st.image(
            preprocessing.framed(image, 150),
            caption="1. The clear part is cut out",
            width=150,
            alt="The photograph, veiled where it is cut off",
        )
        st.image(
            preprocessing.seen(image),
            caption=f"2. As the network sees it: {preprocessing.crop} px",
            width=150,
            alt="The pixels that reach the network",
        )
    with bars:
        chart(prediction_bars(prediction), "predictions", "Probabilities of the five most probable classes")
    for column, name in zip(st.columns(max(1, len(asked))), asked, strict=False):
        with column:
            st.markdown(f"**{networks.bundled_titles()[name]}**")
            try:
                answer = cache.prediction(name, image, cache.bundled(name))
            except ValueError as error:
                st.error(literal(error))
                continue
            chart(prediction_bars(answer), f"predictions-{name}", f"Probabilities by {name}")
    view = st.segmented_control(
        "View", VIEWS, required=True, key=valid("explain.view", VIEWS, "Compare"), label_visibility="collapsed"
    )
    part = preprocessing.crop / preprocessing.resize
    look = Look()
    if view in WITH_MAPS:
        look = look_bar(lambda x, y, zoom: pickers.crop_to(taken, "crop", part, x, y, zoom))
    studio = Studio(
        classifier,
        network.key,
        f"{describe(classifier.spec)}. {network.about} It sees the photograph with the {preprocessing.describe()}.",
        network.load,
        photograph.key,
        image,
        prediction,
        scope,
        classifier.categories.index(target),
        classifier.categories.index(against) if against else None,
        methods,
        {name: options_of(name, classifier, network.key) for name in methods},
        look,
    )
    VIEWS[view](studio)
    st.caption(literal(studio.about))
    every = pd.DataFrame({"class": [cell(name) for name in ranked], "probability": [p for _, p in prediction.top(len(ranked))]})
    st.download_button(
        "Download all predictions (CSV)", every.to_csv(index=False), "predictions.csv", "text/csv", on_click="ignore"
    )

st.markdown("**Try this**")
samples = {"explain.source": "Sample"}
with st.container(horizontal=True):
    for label, settings in {
        "The runner-up's evidence": {f"class.{network.key}.{photograph.key}": ranked[min(1, len(ranked) - 1)]},
        "A cat, seen by ResNet-20": samples | {"explain.sample": "Cat", "explain.network": "resnet20-cifar10"},
        "Nothing it knows: coffee": samples | {"explain.sample": "Coffee", "explain.network": "resnet18-imagenette"},
    }.items():
        st.button(label, on_click=st.session_state.update, args=(settings,))
with st.expander("Why"):
    st.markdown(
        "**Saliency** is the gradient of the class score at the picture. **Integrated Gradients** adds gradients up on the way "
        r"from an empty picture: $(x_i - x'_i)\int_0^1 \partial f(x' + \alpha(x - x'))/\partial x_i\,d\alpha$, whose sum must equal "
        "the change of the score, so it carries its own check. **Grad-CAM** weights a layer's channels by their mean gradient: "
        "in a residual network the map of an early block still holds what the skips carry past it. **Occlusion** covers a "
        "square and measures how far the score falls. None of them shows what the network *would* do with another picture."
    )
    st.caption(f"A guess among {len(ranked)} classes has an entropy of {math.log2(len(ranked)):.2f} bits.")
with st.expander(f"The {len(METHODS)} methods"):
    rows = [(m.title, m.answers, m.assumes, m.family, m.paper) for m in METHODS.values()]
    st.dataframe(pd.DataFrame(rows, columns=["method", "what it answers", "what it assumes", "family", "paper"]), hide_index=True)
# a visitor's own checkpoint, photograph or crop stays with them, and so does what is asked about it
sample = network.load != "" and st.session_state["explain.source"] == "Sample" and photograph is taken
place = f"{network.key}.{photograph.key}"
keep({f"class.{place}": target, f"against.{place}.{target}": against})
state = {
    "model": network.key if network.load else None, "photo": photograph.name if sample else None, "class": target if sample else None,
    "against": against if sample else None, "methods": ",".join(chosen), "layers": ",".join(at), "view": view,
}  # fmt: skip
first = {
    "model": usual()[0], "photo": usual()[1], "class": ranked[0],
    "methods": ",".join(FIRST), "layers": layers[-1], "view": next(iter(VIEWS)),
}  # fmt: skip
page.close(link(state, first))
