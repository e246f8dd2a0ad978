"""What the page about blocks computes, kept for all sessions: values in, frozen results out, and never a hook on a shared network.

A network's and a photograph's keys tell what was computed from everything else: hashing a large photograph takes longer than a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from resviz.attribution import neuron as attribution
from resviz.machine import device
from resviz.probes import inside, taken_apart
from resviz.progress import Tick
from resviz.results import Arithmetic, Attribution, Excitement, Field, Forward, Inside, Prediction, Readout
from resviz.results.inside import Order
from resviz.ui import cache
from resviz.ui.networks import bundled_titles
from resviz.ui.subject import Subject
from resviz.ui.waiting import result_of
from resviz.zoo.readouts import readouts_of

__all__ = ["answer", "apart", "excited", "neuron", "passed", "ratios", "read", "read_early", "seen", "sight"]

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
    return subject.network.classifier.prediction(torch.from_numpy(logits))


@st.cache_data(max_entries=256, show_spinner=False)
def _answer(key: str, photograph: str, change: tuple[str, float, float], _about: Subject) -> np.ndarray:
    return inside.changed(_about.network.classifier.private_view(), _picture(_about), *change)


def read(subject: Subject, unit: str = "", skip: float = 1.0) -> dict[str, Prediction]:
    """What the network's own head says behind each block of the last stage, with the skip of `unit` multiplied."""
    found, classifier = _read(subject.network.key, subject.photograph.key, (unit, skip), subject), subject.network.classifier
    return {name: classifier.prediction(torch.from_numpy(each)) for name, each in zip(found.units, found.logits, strict=True)}


def read_early(subject: Subject, unit: str = "", skip: float = 1.0) -> dict[str, Prediction]:
    """What a bundled network's read-outs at the ends of the earlier stages say; nothing where none were fitted."""
    if subject.network.key not in bundled_titles():
        return {}
    found, names = (
        _read(subject.network.key, subject.photograph.key, (unit, skip), subject),
        subject.network.classifier.categories,
    )
    early = {}
    for name, (weights, biases) in readouts_of(subject.network.key).items():
        logits = torch.from_numpy(weights @ found.pooled[name] + biases).double()
        early[name] = Prediction(names, torch.softmax(logits, 0).numpy(), logits.numpy())
    return early


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


def excited(subject: Subject, unit: str, channel: int) -> list[tuple[Image.Image, Excitement]] | None:
    """What one channel makes of this picture and of every sample, the picture that excites it most first; None while that is computed."""
    whole = subject.photograph
    pictures = {f"sample {name}": (name, image) for name, image in cache.samples().items()}
    pictures.setdefault(whole.key, ("your picture", whole.image))
    maps = result_of(
        "inside.excited",
        ("excited", subject.network.key, whole.key, unit, channel),
        "Asking the other pictures",
        partial(_excited, subject, pictures, unit, channel),
    )
    if maps is None:
        return None
    shows = {title: _window(subject.network.key, key, subject, image) for key, (title, image) in pictures.items()}
    return [(shows[each.title], each) for each in sorted(maps, key=lambda each: -each.most)]


@st.cache_data(max_entries=32, show_spinner=False)
def _window(key: str, photograph: str, _about: Subject, _image: Image.Image) -> Image.Image:
    """What the network sees of a picture, small; cutting a large photograph takes longer than a block."""
    return _about.network.classifier.preprocessing.window(_image, 224)


def _excited(
    subject: Subject, pictures: Mapping[str, tuple[str, Image.Image]], unit: str, channel: int, tick: Tick
) -> list[Excitement]:
    found = []
    for done, (key, (title, image)) in enumerate(pictures.items()):
        tick(done / len(pictures))
        values = _returned(subject.network.key, key, unit, subject, image)[channel]
        found.append(Excitement(title, values.astype(np.float32)))
    return found


@st.cache_resource(max_entries=12, show_spinner=False)
def _returned(key: str, photograph: str, unit: str, _about: Subject, _image: Image.Image) -> np.ndarray:
    """In 16 bits, which is enough for a picture: 1.6 MB for ResNet-152's first stage."""
    classifier = _about.network.classifier
    x = classifier.preprocessing.tensor(_image).to(device())
    return inside.returned(classifier.fast_view(), x, unit).astype(np.float16)


def _picture(about: Subject) -> Tensor:
    return about.network.classifier.preprocessing.tensor(about.photograph.image)
