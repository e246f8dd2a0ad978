"""What the Explain page asks of one photograph, and how its answers are drawn: the part that every view shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import streamlit as st
from PIL import Image

from resviz.attribution.faithfulness import faithfulness
from resviz.attribution.method import BASELINE
from resviz.attribution.methods.snippet import snippet
from resviz.attribution.methods.table import METHODS, at_layer, title_of
from resviz.attribution.question import attribute
from resviz.figures import captions
from resviz.figures.overlay import Look
from resviz.results import Attribution, Faithfulness, Prediction, Scope
from resviz.ui import jobs
from resviz.ui.components.evidence import panel, photo_url
from resviz.zoo.classifier import Classifier

__all__ = ["Studio", "Wanted", "grid"]

Wanted = tuple[str, Any, str, Any]  # a job's place on the page, its key, its title, its work


@dataclass(frozen=True)
class Studio:
    """`methods` may name their layer ("grad-cam@layer3.1"); `options` are each one's parameters."""

    classifier: Classifier
    network: str
    about: str
    load: str
    photograph: str
    image: Image.Image
    prediction: Prediction
    scope: Scope | None
    target: int
    against: int | None
    methods: Sequence[str]
    options: Mapping[str, Mapping[str, Any]]
    look: Look

    @property
    def asked(self) -> str:
        names = self.classifier.categories
        return names[self.target] + ("" if self.against is None else f" rather than {names[self.against]}")

    @property
    def question(self) -> tuple[Any, ...]:
        return self.network, self.photograph, self.target, self.against

    @property
    def side(self) -> int:
        return self.classifier.preprocessing.crop

    @cached_property
    def window(self) -> Image.Image:
        """The part of the photograph that the network sees, to draw maps on."""
        return self.classifier.preprocessing.window(self.image)

    @cached_property
    def photo(self) -> str:
        return photo_url(self.window)

    # ------------------------------------------------------------------------------------------- maps

    def key(self, name: str) -> tuple[Any, ...]:
        return "attribution", *self.question, name, tuple(sorted(self.options[name].items()))

    def wanted(self, name: str, slot: str = "map") -> Wanted:
        def work(tick: jobs.Tick) -> Attribution:
            return attribute(self.classifier, self.image, name, self.target, self.options[name], tick, self.against)

        return f"{slot}.{name}", self.key(name), title_of(name), work

    def found(self) -> dict[str, Attribution]:
        """The maps that are there."""
        maps = {name: jobs.manager().remembered(self.key(name)) for name in self.methods}
        return {name: found for name, found in maps.items() if found is not None}

    def check(self, name: str, found: Attribution) -> str:
        """A map's own check in words, or how concentrated it is."""
        remedy = METHODS[at_layer(name)[0]].remedy
        return captions.attribution_note(found.delta, found.target_change, remedy) or captions.focus_note(found)

    def code(self, name: str) -> str:
        """The Python that makes the map again; none for a visitor's own checkpoint."""
        method, _ = at_layer(name)
        channels = len(self.classifier.preprocessing.mean)
        return snippet(self.load, method, self.target, self.options[name], self.against, channels) if self.load else ""

    def draw(self, key: str, title: str, alt: str, found: Attribution | None, note: str = "", **more: Any) -> None:
        """One picture among those that zoom and point together."""
        panel(more.pop("photo", self.photo), self.side, key, title, alt, found, note, **more)

    # ------------------------------------------------------------------------------------------- how far they can be trusted

    @property
    def empty(self) -> str:
        """What deletion puts in a pixel's place: the Trust view's choice."""
        chosen: str = st.session_state.get("deletion.baseline", BASELINE.default)
        return chosen

    def measuring(self, name: str, found: Attribution) -> Wanted:
        empty = self.empty

        def work(tick: jobs.Tick) -> Faithfulness:
            return faithfulness(self.classifier, self.image, found, self.options[name], tick, self.against, empty)

        return f"trust.{name}", self.trust_key(name), f"Faithfulness of {title_of(name)}", work

    def trust_key(self, name: str) -> tuple[Any, ...]:
        return "faithfulness", self.empty, *self.key(name)

    def measured(self, name: str) -> Faithfulness | None:
        found: Faithfulness | None = jobs.manager().remembered(self.trust_key(name))
        return found


def grid(key: str) -> Any:
    """A place whose pictures stand side by side, as many as there is room for."""
    return st.container(key=f"panels-{key}")
