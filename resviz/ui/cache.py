"""Caches laid on from outside: values in, values out; the core has never heard of them."""

from __future__ import annotations

import importlib
import sys
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

import streamlit as st

from resviz.place import asset
from resviz.spec.families import Network

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from resviz.results import Prediction, Recording, Run
    from resviz.zoo.classifier import Classifier

__all__ = [
    "MARK",
    "STYLE",
    "batch_of",
    "bundled",
    "checkpoint_file",
    "every_run",
    "imagenet",
    "mark",
    "prediction",
    "recording",
    "run",
    "run_csv",
    "run_file",
    "run_names",
    "samples",
    "style",
    "warm_up",
]


_HEAVY = ("torchvision.models", "resviz.attribution.question")
STYLE = asset("style.css")
MARK = STYLE.with_name("mark.svg")
_FIRST_PAINT = 0.4  # seconds that the imports leave to the first page before they compete with it


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Import the heavy libraries in a thread at the first run, so that the first page need not wait for them; alive until they are there."""

    def load() -> None:
        import gc
        import time

        time.sleep(_FIRST_PAINT)
        for name in _HEAVY:
            importlib.import_module(name)
        gc.freeze()

    thread = threading.Thread(target=load, daemon=True, name="warm-up")
    if not all(name in sys.modules for name in _HEAVY):
        thread.start()
    return thread


def batch_of(
    spec: Network, batch: str, size: int, side: int, seed: int, picture: Image.Image | None = None
) -> tuple[Tensor, Tensor]:
    """(inputs, targets) to probe with: what the network reads, "noise" or crops of a "picture"."""
    from resviz.data import images
    from resviz.data.datasets import probed

    if batch == "noise":
        return images.noise_batch(size, spec.in_channels, side, spec.classes, seed)
    if batch == "picture" and picture is not None:
        return images.picture_batch(picture, size, spec.in_channels, side, spec.classes, seed)
    return probed(spec, size, side, seed)


@st.cache_resource(max_entries=8, show_spinner=False)
def bundled(name: str) -> Classifier:
    """A bundled network, loaded once for all sessions."""
    from resviz.zoo.bundled import load_bundled

    return load_bundled(name)


@st.cache_resource(max_entries=3, show_spinner=False)
def imagenet(name: str) -> Classifier:
    """A network with ImageNet's downloaded weights, loaded once for all sessions."""
    from resviz.zoo.imagenet import load_imagenet

    return load_imagenet(name)


@st.cache_data(max_entries=128, show_spinner=False)
def prediction(name: str, image: Image.Image, _classifier: Classifier) -> Prediction:
    """What the network answers about a picture, computed once."""
    from resviz.zoo.classifier import predict

    return predict(_classifier, image)


def style() -> str:
    """The pages' style sheet; nothing where it cannot be read whole."""
    try:
        text = STYLE.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    whole = text.count("{") == text.count("}") and text.rstrip().endswith("}")
    return text if whole else ""


def mark() -> str:
    """The project's sign, ⊕ on a line, as an image's address; nothing where it cannot be read whole."""
    try:
        text = MARK.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    whole = text.startswith("<svg") and text.rstrip().endswith("</svg>")
    return f"data:image/svg+xml,{quote(text)}" if whole else ""


def run_names() -> tuple[str, ...]:
    """The names of the recorded runs."""
    from resviz import recordings

    return recordings.run_names()


@st.cache_resource(show_spinner=False)
def run(name: str) -> Run:
    """A recorded run of the project, frozen."""
    from resviz import recordings

    return recordings.read_run(recordings.RUNS / f"{name}.parquet")


@st.cache_resource(max_entries=8, show_spinner=False)
def recording(name: str) -> Recording:
    """The same, as any training is drawn."""
    from resviz.watching.files import recording_of

    return recording_of(run(name))


def every_run() -> tuple[dict[str, Run], list[str]]:
    """The recorded runs that can be read, by name, and what is wrong with the others."""
    from resviz.recordings import RunError
    from resviz.zoo.bundled import every_name

    found, problems = {}, []
    for name in sorted({*run_names(), *every_name("photographs")}):
        try:
            found[name] = run(name)
        except RunError as error:
            problems.append(str(error))
    return found, problems


def run_file(name: str) -> bytes:
    """A recorded run as Parquet."""
    from resviz import recordings

    return (recordings.RUNS / f"{name}.parquet").read_bytes()


def run_csv(name: str) -> str:
    """A recorded run as CSV."""
    from resviz import recordings

    recorded = run(name)
    return recordings.to_frame(recorded.losses, recorded.epochs).to_csv(index=False)


def checkpoint_file(name: str) -> bytes:
    """A bundled network's weights as safetensors."""
    from resviz.zoo.bundled import bundled_file

    return bundled_file(name)


@st.cache_data(show_spinner=False)
def samples() -> dict[str, Image.Image]:
    """Photographs that the installed libraries carry."""
    from resviz.data.uploads import sample_photographs

    return sample_photographs()
