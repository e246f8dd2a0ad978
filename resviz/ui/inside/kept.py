"""What the page about blocks computes, kept for all sessions: values in, frozen results out, and never a hook on a shared network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from PIL import Image

from resviz.probes import inside, taken_apart
from resviz.results import Arithmetic, Field, Forward, Inside, Prediction, Readout
from resviz.results.inside import Order
from resviz.ui.subject import Subject
from resviz.zoo.classifier import Classifier

__all__ = ["answer", "apart", "passed", "ratios", "read", "seen", "sight"]

_KEPT = 4  # networks' passes; the largest here, ResNet-152 at 224 px, keeps 80 MB


def passed(subject: Subject) -> Forward:
    """The one forward pass that every block's pictures are made of."""
    return _passed(subject.network.key, subject.photograph.image, subject.network.classifier)


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _passed(key: str, photograph: Image.Image, _classifier: Classifier) -> Forward:
    return inside.forward(_classifier.private_view(), _classifier.preprocessing.tensor(photograph))


def seen(subject: Subject, unit: str, order: Order, target: int, branch: float, skip: float) -> Inside:
    """A block's tensors; with the effect on a class where the channels are ordered by it."""
    net = subject.network.classifier.net  # asked for modules' functions alone: nothing is hung on it
    found = inside.look(net, passed(subject), unit, branch, skip)
    if order != "effect":
        return found
    image, classifier = subject.photograph.image, subject.network.classifier
    return replace(found, effect=_effect(subject.network.key, image, unit, target, classifier))


@st.cache_data(max_entries=128, show_spinner=False)
def _effect(key: str, photograph: Image.Image, unit: str, target: int, _classifier: Classifier) -> np.ndarray:
    return inside.effect(_classifier.private_view(), _classifier.preprocessing.tensor(photograph), unit, target)


def ratios(subject: Subject) -> dict[str, float]:
    """‖F‖/‖x‖ of every block."""
    return _ratios(subject.network.key, subject.photograph.image, subject.network.classifier)


@st.cache_data(max_entries=64, show_spinner=False)
def _ratios(key: str, photograph: Image.Image, _classifier: Classifier) -> dict[str, float]:
    kept = _passed(key, photograph, _classifier)
    return {unit: inside.look(_classifier.net, kept, unit).ratio for unit in kept.entered}


def answer(subject: Subject, unit: str, branch: float, skip: float) -> Prediction:
    """What the network says with a block's branch and skip multiplied."""
    if branch == skip == 1:
        return subject.prediction
    classifier = subject.network.classifier
    logits = _answer(subject.network.key, subject.photograph.image, (unit, branch, skip), classifier)
    return _prediction(classifier, logits)


@st.cache_data(max_entries=256, show_spinner=False)
def _answer(key: str, photograph: Image.Image, change: tuple[str, float, float], _classifier: Classifier) -> np.ndarray:
    return inside.changed(_classifier.private_view(), _classifier.preprocessing.tensor(photograph), *change)


def read(subject: Subject, unit: str = "", skip: float = 1.0) -> dict[str, Prediction]:
    """What the network's own head says behind each block of the last stage, with the skip of `unit` multiplied."""
    classifier = subject.network.classifier
    found = _read(subject.network.key, subject.photograph.image, (unit, skip), classifier)
    return {name: _prediction(classifier, logits) for name, logits in zip(found.units, found.logits, strict=True)}


@st.cache_data(max_entries=128, show_spinner=False)
def _read(key: str, photograph: Image.Image, change: tuple[str, float], _classifier: Classifier) -> Readout:
    picture = _classifier.preprocessing.tensor(photograph)
    return inside.readout(_classifier.private_view(), picture, change[0], skip=change[1])


def apart(subject: Subject, unit: str, at: tuple[int, int, int], branch: float, skip: float) -> Arithmetic:
    """One number taken apart; raises ValueError where it cannot be."""
    return taken_apart.arithmetic(subject.network.classifier.private_view(), passed(subject), unit, at, branch, skip)


def sight(subject: Subject, unit: str, at: tuple[int, int, int]) -> Field:
    """What a number sees of the picture."""
    return _sight(subject.network.key, subject.photograph.image, (unit, at), subject.network.classifier)


@st.cache_data(max_entries=64, show_spinner=False)
def _sight(key: str, photograph: Image.Image, spot: tuple[str, tuple[int, int, int]], _classifier: Classifier) -> Field:
    picture = _classifier.preprocessing.tensor(photograph)
    return taken_apart.field(_classifier.private_view(), picture, _passed(key, photograph, _classifier), *spot)


def _prediction(classifier: Classifier, logits: np.ndarray) -> Prediction:
    exact = logits.astype(np.float64)
    likely = np.exp(exact - exact.max())
    return Prediction(classifier.categories, likely / likely.sum(), exact)
