"""One photograph's case on the Explain page, and how its answers are drawn: the part that every view shares."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from resviz.attribution.baselines import BASELINES
from resviz.attribution.faithfulness import faithfulness
from resviz.attribution.question import Asked, Case, attribute, snippet
from resviz.figures import captions
from resviz.figures.overlay import Look
from resviz.figures.paper import Maps
from resviz.progress import Tick
from resviz.results import Attribution, Faithfulness, Prediction, Scope
from resviz.spec.names import describe
from resviz.ui import waiting
from resviz.ui.components.evidence import panel, photo_url
from resviz.ui.drawn import note as note_drawn
from resviz.ui.networks import Network
from resviz.ui.widgets.pickers import Photograph

__all__ = ["PageCase", "grid"]


@dataclass(frozen=True)
class PageCase:
    """A case with the keys that tell its network and photograph from others, and what each chosen method is asked."""

    case: Case
    network: Network
    photograph: Photograph
    prediction: Prediction
    scope: Scope | None
    methods: Sequence[Asked]
    look: Look
    shown: dict[str, tuple[Attribution, float | None]] = field(
        default_factory=dict
    )  # the maps so far, and what has the full colour

    @property
    def about(self) -> str:
        """The network in words."""
        spec, shown = self.case.network.spec, self.case.network.preprocessing
        return f"{describe(spec)}. {self.network.about} It sees the photograph with the {shown.describe()}."

    @property
    def key(self) -> tuple[Hashable, ...]:
        """What tells the case from every other one."""
        return self.network.key, self.photograph.key, self.case.target, self.case.against

    @property
    def side(self) -> int:
        """The network's input in pixels."""
        return self.case.network.preprocessing.crop

    @cached_property
    def window(self) -> Image.Image:
        """The part of the photograph that the network sees, to draw maps on."""
        return self.case.network.preprocessing.window(self.case.photograph)

    @cached_property
    def photo(self) -> str:
        """The same as the pictures carry it."""
        return photo_url(self.window)

    # ------------------------------------------------------------------------------------------- maps

    def map_key(self, asked: Asked) -> tuple[Hashable, ...]:
        """What tells a method's map from every other one."""
        return "attribution", *self.key, asked.key

    def map_job(self, asked: Asked, slot: str = "map") -> waiting.Wanted[Attribution]:
        """The job that makes a method's map."""

        def work(tick: Tick) -> Attribution:
            return attribute(self.case, asked, tick)

        return f"{slot}.{asked.name}", self.map_key(asked), asked.title, work

    def maps(self) -> Mapping[Asked, Attribution]:
        """The maps that are there, by what was asked."""
        remembered = {asked: waiting.manager().remembered(self.map_key(asked)) for asked in self.methods}
        return {asked: attribution for asked, attribution in remembered.items() if attribution is not None}

    def check(self, asked: Asked, attribution: Attribution) -> str:
        """A map's own check in words, or how concentrated it is."""
        note = captions.attribution_note(attribution.delta, attribution.target_change, asked.entry.remedy)
        return note or captions.focus_note(attribution)

    def code(self, asked: Asked) -> str:
        """The Python that makes the map again; none for a visitor's own checkpoint."""
        return snippet(self.network.load, self.case, asked) if self.network.load else ""

    def draw(
        self,
        key: str,
        title: str,
        alt: str,
        attribution: Attribution | None,
        note: str = "",
        *,
        photo: str | None = None,
        top: float | None = None,
        waiting: bool = False,
    ) -> None:
        """One picture among those that zoom and point together."""
        panel(photo or self.photo, self.side, key, title, alt, attribution, note=note, top=top, waiting=waiting)
        if attribution is not None:
            self.shown[title] = attribution, top
            maps = {name: each for name, (each, _) in self.shown.items()}
            tops = {name: full for name, (_, full) in self.shown.items() if full is not None}
            note_drawn("maps", f"Evidence for {self.case.words}", Maps(self.window, maps, self.look, tops))

    # ------------------------------------------------------------------------------------------- how far they can be trusted

    @property
    def empty(self) -> str:
        """What deletion puts in a pixel's place: the Trust view's choice."""
        chosen: str = st.session_state.get("deletion.baseline", BASELINES[0])
        return chosen

    def trust_key(self, asked: Asked) -> tuple[Hashable, ...]:
        """What tells a map's faithfulness from every other one."""
        return "faithfulness", self.empty, *self.map_key(asked)

    def trust_job(self, asked: Asked, attribution: Attribution) -> waiting.Wanted[Faithfulness]:
        """The job that measures how far a map can be trusted."""
        empty = self.empty

        def work(tick: Tick) -> Faithfulness:
            return faithfulness(self.case, asked, attribution, tick, empty)

        return f"trust.{asked.name}", self.trust_key(asked), f"Faithfulness of {asked.title}", work

    def measured(self, asked: Asked) -> Faithfulness | None:
        """How far a method's map can be trusted, where that was measured."""
        measured: Faithfulness | None = waiting.manager().remembered(self.trust_key(asked))
        return measured


def grid(key: str) -> DeltaGenerator:
    """A place whose pictures stand side by side, as many as there is room for."""
    return st.container(key=f"panels-{key}")
