"""Explain: a photograph, a trained network's answer, and the evidence for a class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from resviz.attribution.methods.table import FIRST, METHODS, available
from resviz.attribution.question import Case
from resviz.export.notebook import explain_notebook
from resviz.figures import captions
from resviz.figures.overlay import Look
from resviz.figures.prediction import prediction_bars
from resviz.figures.reports.gallery import cell
from resviz.results import Scope
from resviz.ui import cache, networks
from resviz.ui.components.chart import chart
from resviz.ui.components.evidence import look_bar
from resviz.ui.components.link import link_popover
from resviz.ui.explain.case import PageCase
from resviz.ui.explain.link import LEFT_OUT, keep, link, restore, valid
from resviz.ui.explain.parameters import with_parameters
from resviz.ui.explain.views import VIEWS, WITH_MAPS
from resviz.ui.grammar import beside, chips, why
from resviz.ui.left_out import say_left_out
from resviz.ui.markdown import literal, sentence, with_literal_classes
from resviz.ui.networks import Network
from resviz.ui.page import Address
from resviz.ui.subject import Subject, choose_subject, warn_of_unknown
from resviz.ui.widgets import pickers
from resviz.zoo.bundled import card
from resviz.zoo.scope import scope_of

__all__ = ["show"]


@dataclass(frozen=True)
class _Question:
    """The controls' values: classes by name, methods without their layers, and the other networks that are asked too."""

    target: str
    against: str | None
    methods: tuple[str, ...]
    layers: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every method, a layer method once for each layer: "grad-cam@layer3.1"."""
        return tuple(
            name
            for method in self.methods
            for name in ([f"{method}@{layer}" for layer in self.layers] if METHODS[method].layer else [method])
        )


def show(address: Address) -> None:
    """The controls beside the answer and the chosen view; the address holds what differs from the usual."""
    restore()
    figure_column, control_column = beside()
    chosen = figure_column.container()
    subject = choose_subject(control_column, figure_column)
    if subject is None:
        return
    with control_column:
        question = _controls(subject)
    with figure_column:
        view = _view(subject, question)
        _said(subject)
        _answer(subject, question)
    with chosen:
        say_left_out()
        _try_this(subject)
    why(_WHY + f"\n\nA guess among {len(subject.ranked)} classes has an entropy of {math.log2(len(subject.ranked)):.2f} bits.")
    with st.expander(f"The {len(METHODS)} methods"):
        rows = [(m.title, m.answers, m.assumes, m.family, m.paper) for m in METHODS.values()]
        columns = ["method", "what it answers", "what it assumes", "family", "paper"]
        st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True)
    query = _link(subject, question, view)
    with figure_column:
        _share(subject, query)
    address.add(query)


def _controls(subject: Subject) -> _Question:
    """Which class, rather than which other one, by which methods at which layers, and who else is asked."""
    ranked, place, spec = list(subject.ranked), subject.place, subject.network.classifier.spec
    target = st.selectbox(
        "Class to explain",
        ranked,
        key=valid(f"class.{place}", ranked, ranked[0]),
        help="The most probable first; type to search.",
    )
    against = st.selectbox(
        "Rather than",
        [name for name in ranked if name != target],
        index=None,
        placeholder="any other class",
        key=valid(f"against.{place}.{target}", ranked),
        help="Evidence for the one class and not for this one: the difference of their scores.",
    )
    methods = st.multiselect(
        "Methods",
        available(spec),
        key=valid("explain.methods", available(spec), list(FIRST), 8),
        format_func=lambda name: METHODS[name].title,
        max_selections=8,
        placeholder="choose methods to compare",
        help="Side by side, on one scale of colour.",
    )
    layers = _layers(subject.network, methods)
    titles = networks.bundled_titles()
    others = [name for name in titles if name != subject.network.key]
    more = st.multiselect(
        "What other networks say",
        others,
        format_func=titles.__getitem__,
        placeholder="none",
        key=valid("explain.others", others, [], len(others)),
    )
    return _Question(target, against, tuple(methods), layers, tuple(more))


def _layers(network: Network, methods: list[str]) -> tuple[str, ...]:
    """Where the layer methods look: the last block unless something else is chosen."""
    blocks = list(network.classifier.spec.block_names())
    last = blocks[-1:]
    if not any(METHODS[method].layer for method in methods):
        return tuple(last)
    return tuple(
        st.multiselect(
            "Layers",
            blocks,
            key=valid(f"layers.{network.key}", blocks, last, 6),
            max_selections=6,
            help="Where the layer methods look, one map for each: deep blocks see objects, early ones edges.",
        )
    )


def _scope(network: Network) -> Scope | None:
    """How well a bundled network tells its classes' pictures from others."""
    return scope_of(network.key) if network.key in networks.bundled_titles() else None


def _said(subject: Subject) -> None:
    """What the network says, and whether it can know."""
    st.markdown(captions.prediction_note(with_literal_classes(subject.prediction), _scope(subject.network)))
    warn_of_unknown(subject)
    networks.offer_imagenet(subject.network)


def _answer(subject: Subject, question: _Question) -> None:
    """The likeliest classes of all it knows, what it sees of the photograph, what other networks say, and the answer as a file."""
    classifier, image = subject.network.classifier, subject.photograph.image
    names = captions.counted(len(subject.ranked), "name")
    few = len(subject.ranked) <= 20
    listed = ", ".join(classifier.categories) if few else "they are listed under Class to explain"
    st.caption(" ".join([f"It knows {names}: {listed}.", *_measured(subject.network)]))
    seen, bars = st.columns([2, 3], vertical_alignment="center")
    with seen, st.container(horizontal=True, vertical_alignment="bottom"):
        st.image(
            classifier.preprocessing.framed(image, 150),
            caption="1. The clear part is cut out",
            width=150,
            alt="The photograph, veiled where it is cut off",
        )
        st.image(
            classifier.preprocessing.seen(image),
            caption=f"2. As the network sees it: {classifier.preprocessing.crop} px",
            width=150,
            alt="The pixels that reach the network",
        )
    with bars:
        chart(prediction_bars(subject.prediction), "predictions", "Probabilities of the five most probable classes")
    _other_networks(subject, question.others)
    ranked = subject.prediction.top(len(subject.ranked))
    table = pd.DataFrame({"class": [cell(name) for name, _ in ranked], "probability": [p for _, p in ranked]})
    with st.container(horizontal=True):
        st.download_button(
            "Download all predictions (CSV)", table.to_csv(index=False), "predictions.csv", "text/csv", on_click="ignore"
        )
        if subject.sample and subject.network.key in networks.bundled_titles():
            made = partial(explain_notebook, subject.network.key, subject.photograph.name, question.target, question.names)
            st.download_button("Notebook", made, "explain.ipynb", "application/x-ipynb+json", on_click="ignore")


def _measured(network: Network) -> list[str]:
    """What a bundled network's card says of its answers and of their certainty."""
    if network.key not in networks.bundled_titles():
        return []
    about, scope = card(network.key), _scope(network)
    said = []
    if (answers := about.get("answers")) is not None:
        said.append(captions.answers_note(answers, about["measured"]["test_error"]))
    if (calibration := about.get("calibration")) is not None:
        said.append(captions.calibration_note(calibration, scope.certain if scope is not None else None))
    return said


def _other_networks(subject: Subject, names: tuple[str, ...]) -> None:
    """Each other network's answer to the same photograph."""
    for column, name in zip(st.columns(max(1, len(names))), names, strict=False):
        with column:
            st.markdown(f"**{networks.bundled_titles()[name]}**")
            try:
                answer = cache.prediction(name, subject.photograph.image, cache.bundled(name))
            except ValueError as error:
                st.error(sentence(error))
                continue
            chart(prediction_bars(answer), f"predictions-{name}", f"Probabilities by {name}")


def _view(subject: Subject, question: _Question) -> str:
    """The chosen view of the case, whose name is returned."""
    classifier = subject.network.classifier
    usual_view = next(iter(VIEWS))
    view = st.segmented_control(
        "View", VIEWS, required=True, key=valid("explain.view", VIEWS, usual_view), label_visibility="collapsed"
    )
    view = view or usual_view
    figure = st.container()  # before what is set on it
    part, look = classifier.preprocessing.crop / classifier.preprocessing.resize, Look()
    if view in WITH_MAPS:
        look = look_bar(lambda x, y, zoom: pickers.crop_to(subject.whole, "crop", part, x, y, zoom))
    index = classifier.categories.index
    against = index(question.against) if question.against else None
    page = PageCase(
        Case(classifier, subject.photograph.image, index(question.target), against),
        subject.network,
        subject.photograph,
        subject.prediction,
        scope=_scope(subject.network),
        methods=[with_parameters(name, subject.network) for name in question.names],
        look=look,
    )
    with figure:
        VIEWS[view](page)
    st.caption(literal(page.about))
    return view


def _share(subject: Subject, query: dict[str, str]) -> None:
    """What is asked here, to hand on."""
    note = "" if subject.sample else "Your own photograph, crop or network stays with you: the link holds the rest."
    link_popover(urlencode(query, safe=",@"), f"{subject.network.classifier.name} asked here", "explain-link", note)


def _try_this(subject: Subject) -> None:
    samples = {"explain.source": "Sample"}
    settings = {
        "The runner-up's evidence": {f"class.{subject.place}": subject.ranked[min(1, len(subject.ranked) - 1)]},
        "A cat, seen by ResNet-20": samples | {"explain.sample": "Cat", "explain.network": "resnet20-cifar10"},
        "Nothing it knows: coffee": samples | {"explain.sample": "Coffee", "explain.network": "resnet18-imagenette"},
    }
    chips({label: partial(st.session_state.update, values) for label, values in settings.items()})


_WHY: Final = (
    "**Saliency** is the gradient of the class score at the picture. **Integrated Gradients** adds gradients up on the way "
    r"from an empty picture: $(x_i - x'_i)\int_0^1 \partial f(x' + \alpha(x - x'))/\partial x_i\,d\alpha$, whose sum must equal "
    "the change of the score, so it carries its own check. **Grad-CAM** weights a layer's channels by their mean gradient: "
    "in a residual network the map of an early block still holds what the skips carry past it. **Occlusion** covers a "
    "square and measures how far the score falls. None of them shows what the network *would* do with another picture."
)


def _link(subject: Subject, question: _Question, view: str) -> dict[str, str]:
    """What the address says of the case; a visitor's own checkpoint, photograph or crop stays with them, and so do its questions."""
    place, sample = subject.place, subject.sample
    keep({f"class.{place}": question.target, f"against.{place}.{question.target}": question.against})
    state = {
        "model": subject.network.key if subject.network.load else None,
        "photo": subject.photograph.name if sample else None,
        "class": question.target if sample else None,
        "against": question.against if sample else None,
        "methods": ",".join(question.methods),
        "layers": ",".join(question.layers),
        "view": view,
    }
    *_, last = subject.network.classifier.spec.block_names()
    first = LEFT_OUT | {
        "class": subject.ranked[0],
        "methods": ",".join(FIRST),
        "layers": last,
        "view": next(iter(VIEWS)),
    }
    return link(state, first)
