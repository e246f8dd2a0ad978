"""Which pixels decided?"""

import streamlit as st

from resviz.ui import frame

frame.open_page(
    "Explain", "Which pixels decided?", "A photograph, a trained network's answer, and the evidence laid over the picture."
)

# after the title: figures and pandas take a moment to import
import math

import pandas as pd

from resviz.figures import attribution as pictures
from resviz.figures import words
from resviz.spec import describe
from resviz.ui import cache, inputs
from resviz.ui.charts import chart

figure_column, control_column = st.columns([3, 1], gap="large")
with control_column:
    photograph = inputs.choose_photograph("explain")
    with st.popover("Crop and rotate", icon=":material/crop:"):
        photograph = inputs.crop(photograph, "crop")
    network = inputs.choose_network()
if network is None:
    figure_column.info("Until these weights are here, a bundled network answers at once: choose one under Network.")
    frame.close()
    st.stop()
from resviz.attribution.methods import FIRST, METHODS, available
from resviz.attribution.run import default_options
from resviz.figures.attribution import STYLES, Look
from resviz.ui.studio import VIEWS, Studio

classifier, image = network.classifier, photograph.image
prediction = cache.prediction(network.key, image, classifier)
ranked = [category for category, _ in prediction.top(len(classifier.categories))]
with control_column:
    target = st.selectbox(
        "Class to explain", ranked, key=f"class.{network.key}.{photograph.key}", help="The most probable first; type to search."
    )
    against = st.selectbox(
        "Rather than", [name for name in ranked if name != target], index=None, placeholder="any other class",
        key=f"against.{network.key}.{photograph.key}.{target}", help="Evidence for the one class and not for this one: the difference of their scores.",
    )  # fmt: skip
    methods = st.multiselect(
        "Methods", available(classifier.spec), default=FIRST, key="explain.methods", format_func=lambda m: METHODS[m].title,
        max_selections=8, placeholder="choose methods to compare", help="Side by side, on one scale of colour.",
    )  # fmt: skip
    with st.expander("More"):
        layers = list(classifier.spec.block_names())
        layer = st.select_slider(
            "Layer",
            layers,
            value=layers[-1],
            key=f"layer.{network.key}",
            help="What Grad-CAM and the other layer methods look at: deep layers see objects, early ones edges.",
        )
        options = {}
        for method in methods:
            defaults = default_options(method, classifier.preprocessing.crop)
            options[method] = {"layer": layer} if METHODS[method].layer else {}
            for name, p in METHODS[method].parameters.items():
                options[method][name] = inputs.option(
                    f"{METHODS[method].title}: ", p, defaults[name], f"{method}.{name}.{network.key}"
                )
        style = st.segmented_control(
            "Overlay style", STYLES, default="heat", required=True, key="look.style", format_func=str.capitalize,
            help="Colour over the photograph, a line round the strongest part, or that part of the photograph alone.",
        )  # fmt: skip
        opacity = st.slider("Overlay", 0.0, 1.0, 0.75, help="How much the map covers the photograph.")
        percentile = 90
        if style != "heat":
            percentile = st.slider("Percentile", 50, 99, 90, help="How strong evidence must be to lie inside.")
        wipe = st.slider("Wipe", 0, 100, 100, format="%d %%", help="Right of this line the photograph stays bare.")
        absolute = st.toggle("Absolute", help="Strength only, whether for or against the class.")
index = classifier.categories.index(target)
other = classifier.categories.index(against) if against else None
studio = Studio(
    classifier,
    network.key,
    f"{describe(classifier.spec)}. {network.about} It sees the photograph with the {classifier.preprocessing.describe()}.",
    network.load,
    photograph.key,
    image,
    classifier.preprocessing.window(image),
    prediction,
    index,
    other,
    methods,
    options,
    Look(opacity, absolute, style, percentile, wipe / 100),
)
with figure_column:
    st.markdown(words.prediction_note(prediction))
    seen, bars = st.columns([1, 3])
    seen.image(classifier.preprocessing.seen(image), caption="As the network sees it", width=150)
    with bars:
        chart(pictures.prediction_bars(prediction), "predictions", "Probabilities of the five most probable classes")
    others = [name for name in inputs.bundled_titles() if name != network.key]
    asked = st.pills(
        "What other networks say", others, selection_mode="multi", format_func=inputs.bundled_titles().get, key="explain.others"
    )
    for column, name in zip(st.columns(max(1, len(asked))), asked, strict=False):
        with column:
            st.markdown(f"**{inputs.bundled_titles()[name]}**")
            answer = cache.prediction(name, image, cache.bundled(name))
            chart(pictures.prediction_bars(answer), f"predictions-{name}", f"Probabilities by {name}")
    view = st.segmented_control("View", VIEWS, default="Compare", required=True, key="explain.view", label_visibility="collapsed")
    VIEWS[view](studio)
    st.caption(studio.about)
    every = pd.DataFrame({"class": ranked, "probability": [p for _, p in prediction.top(len(ranked))]})
    st.download_button(
        "Download all predictions (CSV)", every.to_csv(index=False), "predictions.csv", "text/csv", on_click="ignore"
    )

st.markdown("**Try this**")
sample = {"explain.source": "Sample"}
with st.container(horizontal=True):
    for label, settings in {
        "The runner-up's evidence": {f"class.{network.key}.{photograph.key}": ranked[min(1, len(ranked) - 1)]},
        "A cat, seen by ResNet-20": sample | {"explain.sample": "Cat", "explain.network": "resnet20-cifar10"},
        "Nothing it knows: coffee": sample | {"explain.sample": "Coffee", "explain.network": "resnet18-imagenette"},
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
frame.close()
