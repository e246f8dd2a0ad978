"""How alike layers are, within a network and between two: one section for any page that has networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from resviz.figures import captions
from resviz.figures.similarity import similarity_frame, similarity_map
from resviz.machine import fitting_threads
from resviz.probes.similarity import similarity
from resviz.progress import Tick
from resviz.results import Similarity
from resviz.ui.components.chart import chart
from resviz.ui.waiting import result_of
from resviz.zoo.classifier import Classifier
from resviz.zoo.learned import pictures_of

__all__ = ["similarity_section"]

_PICTURES = 512


def similarity_section(networks: Sequence[Classifier], key: str) -> None:
    """Layers × layers of each network, and of the first with each other one, as the visitor chooses; `key` tells these networks from others.

    They were trained on the same classes; what is compared is what they make of pictures kept from their training.
    """
    names = [classifier.name for classifier in networks]
    pairs = {name: (n, n) for n, name in enumerate(names)} | {f"{names[0]} × {name}": (0, n) for n, name in enumerate(names) if n}
    chosen = st.segmented_control("Layers of", list(pairs), required=True, default=next(iter(pairs)), key=f"similarity.{key}")
    one, other = pairs[chosen or next(iter(pairs))]
    asked = "similarity", key, one, other
    work = partial(_work, networks[one], networks[other] if other != one else None)
    found = result_of("similarity", asked, "Comparing the layers", work)
    if found is None:
        return
    across = names[other] if other != one else None
    chart(similarity_map(found, names[one], names[other]), "similarity", f"How alike the layers of {chosen} are")
    st.markdown(captions.similarity_note(found, names[one], across))
    if across is not None and replace(networks[other].spec, seed=networks[one].spec.seed) == networks[one].spec:
        st.markdown(captions.similarity_claim(found))
    st.download_button(
        "Similarities (CSV)", lambda: similarity_frame(found).to_csv(), "similarity.csv", "text/csv", on_click="ignore"
    )


def _work(one: Classifier, other: Classifier | None, tick: Tick) -> Similarity:
    images, _ = pictures_of(one, _PICTURES, held_out=True)
    with fitting_threads(images.shape[-1]):
        return similarity(one.private_view(), images, None if other is None else other.private_view(), tick)
