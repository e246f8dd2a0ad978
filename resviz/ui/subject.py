"""What a page about photographs looks at: the photograph, whole and cropped, the network, and what it says of it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from resviz.figures.captions import counted
from resviz.results import Prediction
from resviz.ui import cache, networks
from resviz.ui.networks import Network
from resviz.ui.widgets import pickers
from resviz.ui.widgets.pickers import Photograph
from resviz.zoo.scope import shows_known

__all__ = ["Subject", "choose_subject", "warn_of_unknown"]


@dataclass(frozen=True)
class Subject:
    """The photograph, whole and as it is asked about, the network, and what it says; `ranked` is its classes, likeliest first."""

    whole: Photograph
    photograph: Photograph
    network: Network
    prediction: Prediction
    ranked: tuple[str, ...]

    @property
    def place(self) -> str:
        """What keeps the questions about this photograph and network from those about others."""
        return f"{self.network.key}.{self.photograph.key}"

    @property
    def sample(self) -> bool:
        """Whether a link can hold it: a bundled photograph, uncropped, and no network of the visitor's own."""
        bundled = st.session_state["explain.source"] == "Sample"
        return self.network.load != "" and bundled and self.photograph is self.whole


def choose_subject(controls: DeltaGenerator, figures: DeltaGenerator) -> Subject | None:
    """What is looked at; None after saying that no network is left to ask."""
    with controls:
        whole = pickers.choose_photograph("explain")
        with st.popover("Crop and rotate", icon=":material/crop:"):
            photograph = pickers.crop(whole, "crop")
        network = networks.choose_network(figures.container())
    if network is None:
        figures.info("No network is left to ask; give a checkpoint of your own, or ImageNet's weights, under Network.")
        return None
    prediction = cache.prediction(network.key, photograph.image, network.classifier)
    ranked = tuple(category for category, _ in prediction.top(len(prediction.categories)))
    return Subject(whole, photograph, network, prediction, ranked)


def warn_of_unknown(subject: Subject) -> None:
    """Where the sample shows nothing that the network has a name for."""
    if st.session_state["explain.source"] == "Sample" and not shows_known(
        subject.whole.name, subject.network.classifier.categories
    ):
        st.warning(
            f"None of the {counted(len(subject.ranked), 'name')} that this network knows is what the sample *{subject.whole.name}* shows: "
            "no answer of its can be right.",
            icon=":material/info:",
        )
