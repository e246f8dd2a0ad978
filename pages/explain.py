"""Which pixels decided?"""

import streamlit as st

from resviz.figures import attribution as pictures
from resviz.figures import words
from resviz.images import ImageError, decode
from resviz.ui import cache, frame

frame.open_page(
    "Explain", "Which pixels decided?", "A photograph, a trained network's answer, and the evidence laid over the picture."
)
figure_column, control_column = st.columns([3, 1], gap="large")
with control_column:
    upload = st.file_uploader("Photograph", max_upload_size=20, help="PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF, at most 20 MB.")
    samples = cache.samples()
    sample = st.selectbox("or a sample", list(samples))
    from resviz.zoo.bundled import bundled_names, card
    from resviz.zoo.checkpoint import CheckpointError, load
    from resviz.zoo.imagenet import DownloadError, download, weights

    own = st.file_uploader("Your own checkpoint", help="A state_dict of a ResNet: .safetensors, .pth or .th.")
    chosen = st.selectbox("Network", [*bundled_names(), *weights()], help="Bundled networks work offline.")
image = samples[sample]
if upload is not None:
    try:
        decoded = decode(upload.getvalue())
        image = decoded.image
        for note in decoded.notes:
            st.info(note)
    except ImageError as error:
        st.error(str(error))
name = chosen
try:
    if own is not None:
        classifier = load(own.getvalue(), own.name)
        name = f"{own.name}:{hash(own.getvalue())}"
    else:
        if "." in chosen and not weights()[chosen].cached:
            bar = st.progress(0.0, f"Downloading {chosen}")
            for fraction in download(weights()[chosen]):
                bar.progress(fraction)
            bar.empty()
        classifier = cache.classifier_of(chosen)
except (CheckpointError, DownloadError) as error:
    st.error(str(error))
    name, classifier = bundled_names()[0], cache.bundled(bundled_names()[0])
prediction = cache.prediction(name, image, classifier)
with control_column:
    top = [category for category, _ in prediction.top(5)]
    target = st.selectbox("Class to explain", top, key=f"class.{name}.{top[0]}")
    layers = list(classifier.spec.block_names())
    layer = st.select_slider("Grad-CAM layer", layers, value=layers[-1], key=f"layer.{name}")
    opacity = st.slider("Overlay", 0.0, 1.0, 0.75, help="How much the map covers the photograph.")
    absolute = st.toggle("Absolute", help="Strength only, whether for or against the class.")
with figure_column:
    st.markdown(words.prediction_note(prediction))
    seen, bars = st.columns([1, 2])
    seen.image(classifier.preprocessing.seen(image), caption="As the network sees it", width=150)
    bars.plotly_chart(pictures.prediction_bars(prediction), key="bars", alt="Top five classes")
    window = classifier.preprocessing.window(image)
    index = classifier.categories.index(target)
    from resviz.attribution.methods import METHODS

    for column, (method, about) in zip(st.columns(len(METHODS)), METHODS.items(), strict=True):
        options = (("layer", layer),) if about.layer else ()
        result = cache.attribution(name, image, method, index, options, classifier)
        with column:
            st.markdown(f"**{about.title}**", help=f"{about.answers} ({about.paper})")
            st.plotly_chart(
                pictures.attribution_figure(window, result, opacity, absolute), key=method, alt=f"{about.title} for {target}"
            )
            if note := words.attribution_note(result.delta, result.target_change):
                st.caption(note)
    if own is None and "." not in chosen:
        about_net = card(chosen)
        st.caption(
            f"{about_net['title']}: {about_net['measured']['test_error']:.2f} % test error on {about_net['data']}. {about_net['caveat']}"
        )
frame.close()
