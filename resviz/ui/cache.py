"""Caches laid on from outside: values in, values out; the core has never heard of them."""

from __future__ import annotations

import threading
from typing import Any

import streamlit as st
from PIL import Image

from resviz.results import Prediction, Probe
from resviz.spec import NetSpec

__all__ = ["batch_of", "bundled", "imagenet", "prediction", "probe", "samples", "warm_up"]


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Import the heavy libraries in a thread at the first run, so that the first page need not wait for them."""

    def load() -> None:
        import gc

        import torchvision.models  # noqa: F401 - imported to be there

        gc.freeze()

    thread = threading.Thread(target=load, daemon=True, name="warm-up")
    thread.start()
    return thread


@st.cache_data(max_entries=256, show_spinner=False)
def probe(spec: NetSpec, batch: str, size: int, side: int, batch_seed: int, picture: Image.Image | None = None) -> Probe:
    """One pass of the spec's network at its initial weights over the named batch."""
    from resviz.nets.cost import check_memory
    from resviz.nets.resnet import build
    from resviz.probes.gradients import gradient_probe

    check_memory(spec, side, size)
    return gradient_probe(build(spec).train(), *batch_of(spec, batch, size, side, batch_seed, picture))


def batch_of(spec: NetSpec, batch: str, size: int, side: int, seed: int, picture: Image.Image | None = None) -> Any:
    """(images, targets) to probe with: "digits", "noise" or crops of a "picture"."""
    from resviz import data

    if batch == "noise":
        return data.noise_batch(size, spec.in_channels, side, spec.classes, seed)
    if batch == "picture" and picture is not None:
        return data.picture_batch(picture, size, spec.in_channels, side, spec.classes, seed)
    return data.probe_batch(size, spec.in_channels, side, spec.classes, seed)


@st.cache_resource(max_entries=8, show_spinner=False)
def bundled(name: str) -> Any:
    from resviz.zoo.bundled import load_bundled

    return load_bundled(name)


@st.cache_resource(max_entries=3, show_spinner=False)
def imagenet(name: str) -> Any:
    from resviz.zoo.imagenet import load_imagenet

    return load_imagenet(name)


@st.cache_data(max_entries=128, show_spinner=False)
def prediction(name: str, image: Image.Image, _classifier: Any) -> Prediction:
    from resviz.zoo.classifier import predict

    return predict(_classifier, image)


@st.cache_data(show_spinner=False)
def samples() -> dict[str, Image.Image]:
    """Photographs that the installed libraries carry."""
    from resviz.images import sample_photographs

    return sample_photographs()
