"""What the page about blocks computes, kept for all sessions: values in, frozen results out, and never a hook on a shared network.

A network's and a photograph's keys tell what was computed from everything else: hashing a large photograph takes longer than a block.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from torch import Tensor

from resviz.attribution import neuron as attribution
from resviz.probes import inside, taken_apart
from resviz.results import Arithmetic, Attribution, Field, Forward, Inside, Prediction, Readout
from resviz.results.inside import Order
from resviz.ui.subject import Subject
from resviz.ui.waiting import result_of
from resviz.zoo.classifier import Classifier

__all__ = ["answer", "apart", "neuron", "passed", "ratios", "read", "seen", "sight"]

_KEPT = 4  # passes: 53 MB each for ResNet-152 at 224 px, the largest here
_LOOKS = 24  # blocks' tensors: 13 MB each at the most, of a ResNet-152's first stage


def passed(subject: Subject) -> Forward:
    """The one forward pass that every block's pictures are made of."""
    return _passed(subject.network.key, subject.photograph.key, subject)


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _passed(key: str, photograph: str, _about: Subject) -> Forward:
    return inside.forward(_about.network.classifier.private_view(), _picture(_about))


def seen(subject: Subject, unit: str, order: Order, target: int, branch: float, skip: float) -> Inside:
    """A block's tensors; with the effect on a class where the channels are ordered by it."""
    found = _looked(subject.network.key, subject.photograph.key, (unit, branch, skip), subject)
    if order != "effect":
        return found
    return replace(found, effect=_effect(subject.network.key, subject.photograph.key, unit, target, subject))


@st.cache_resource(max_entries=_LOOKS, show_spinner=False)
def _looked(key: str, photograph: str, change: tuple[str, float, float], _about: Subject) -> Inside:
    net = _about.network.classifier.net  # asked for modules' functions alone: nothing is hung on it
    return inside.look(net, _passed(key, photograph, _about), *change)


@st.cache_data(max_entries=128, show_spinner=False)
def _effect(key: str, photograph: str, unit: str, target: int, _about: Subject) -> np.ndarray:
    return inside.effect(_about.network.classifier.private_view(), _picture(_about), unit, target)


def ratios(subject: Subject) -> dict[str, float]:
    """‖F‖/‖x‖ of every block."""
    return _ratios(subject.network.key, subject.photograph.key, subject)


@st.cache_data(max_entries=64, show_spinner=False)
def _ratios(key: str, photograph: str, _about: Subject) -> dict[str, float]:
    units = _passed(key, photograph, _about).entered
    return {unit: _looked(key, photograph, (unit, 1.0, 1.0), _about).ratio for unit in units}


def answer(subject: Subject, unit: str, branch: float, skip: float) -> Prediction:
    """What the network says with a block's branch and skip multiplied."""
    if branch == skip == 1:
        return subject.prediction
    logits = _answer(subject.network.key, subject.photograph.key, (unit, branch, skip), subject)
    return _prediction(subject.network.classifier, logits)


@st.cache_data(max_entries=256, show_spinner=False)
def _answer(key: str, photograph: str, change: tuple[str, float, float], _about: Subject) -> np.ndarray:
    return inside.changed(_about.network.classifier.private_view(), _picture(_about), *change)


def read(subject: Subject, unit: str = "", skip: float = 1.0) -> dict[str, Prediction]:
    """What the network's own head says behind each block of the last stage, with the skip of `unit` multiplied."""
    found = _read(subject.network.key, subject.photograph.key, (unit, skip), subject)
    return {name: _prediction(subject.network.classifier, logits) for name, logits in zip(found.units, found.logits, strict=True)}


@st.cache_data(max_entries=128, show_spinner=False)
def _read(key: str, photograph: str, change: tuple[str, float], _about: Subject) -> Readout:
    return inside.readout(_about.network.classifier.private_view(), _picture(_about), change[0], skip=change[1])


def apart(subject: Subject, unit: str, at: tuple[int, int, int], branch: float, skip: float) -> Arithmetic:
    """One number taken apart; raises ValueError where it cannot be."""
    return taken_apart.arithmetic(subject.network.classifier.private_view(), passed(subject), unit, at, branch, skip)


def sight(subject: Subject, unit: str, at: tuple[int, int, int]) -> Field:
    """What a number sees of the picture."""
    return _sight(subject.network.key, subject.photograph.key, (unit, at), subject)


@st.cache_data(max_entries=64, show_spinner=False)
def _sight(key: str, photograph: str, spot: tuple[str, tuple[int, int, int]], _about: Subject) -> Field:
    kept = _passed(key, photograph, _about)
    return taken_apart.field(_about.network.classifier.private_view(), _picture(_about), kept, *spot)


def neuron(subject: Subject, unit: str, at: tuple[int, int, int], method: str) -> Attribution | None:
    """Which pixels made a number what it is; None while that is computed, which is drawn."""
    network, photograph = subject.network, subject.photograph
    work = partial(attribution.neuron, network.classifier, photograph.image, unit, at, method)
    key = ("neuron", network.key, photograph.key, unit, at, method)
    return result_of("inside.neuron", key, "Asking every pixel", lambda tick: work(tick=tick))


def _picture(about: Subject) -> Tensor:
    return about.network.classifier.preprocessing.tensor(about.photograph.image)


def _prediction(classifier: Classifier, logits: np.ndarray) -> Prediction:
    exact = logits.astype(np.float64)
    likely = np.exp(exact - exact.max())
    return Prediction(classifier.categories, likely / likely.sum(), exact)
