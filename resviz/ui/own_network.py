"""A visitor's own checkpoint: read once, kept for the session, and asked about where the file is silent."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from resviz.progress import Tick
from resviz.spec.names import describe
from resviz.spec.net import Activation
from resviz.ui.markdown import literal, sentence
from resviz.ui.waiting import result_of
from resviz.ui.widgets.pickers import digest

if TYPE_CHECKING:
    from resviz.zoo.checkpoint import Answers
    from resviz.zoo.classifier import Classifier

__all__ = ["Network", "give", "own_network"]

V = TypeVar("V")


@dataclass(frozen=True)
class Network:
    """A classifier to ask; `key` tells it from every other one, `about` is the word under it, `load` the Python that makes it."""

    key: str
    classifier: Classifier
    about: str
    load: str = ""


@dataclass(frozen=True)
class _File:
    """An upload, and the card that was given with it; kept by this session alone, while it lasts."""

    name: str
    data: bytes
    card: str | None
    key: str


def own_network(banner: DeltaGenerator) -> Network | None:
    """The visitor's own network; None, with a sentence in `banner`, until there is one."""
    file = _given()
    if file is None:
        banner.info("Give a checkpoint file under Network: a ResNet's weights as torch.save or safetensors writes them.")
        return None
    answers = _answers(file)
    try:
        classifier = _loaded(file, answers, banner)
    except ValueError as error:
        _, answers, classifier = _before(file, answers, error)
        st.session_state["own.trouble"] = file.key, str(error)
    if classifier is None:
        return None
    st.session_state["own.good"] = file.key, answers, classifier
    _questions(file, classifier, answers)
    of, trouble = st.session_state.get("own.trouble", ("", ""))
    if of == file.key:
        st.error(sentence(trouble))
    spec = classifier.spec
    said = f"{literal(classifier.name)}: {describe(spec)}, {spec.classes} classes."
    if classifier.guesses:
        said += f" Not in the file and taken so: {'; '.join(literal(guess) for guess in classifier.guesses)}."
    said += "".join(f" {sentence(note)}" for note in classifier.notes)
    st.caption(said)
    return Network(f"own {file.key} {digest(repr(answers).encode())}", classifier, said)


def give(name: str, data: bytes) -> None:
    """A checkpoint of this session's own as the network that pages about photographs ask next."""
    st.session_state["own.file"] = _File(name, data, None, digest(data))
    st.session_state["own.chosen"] = True


def _given() -> _File | None:
    """The file that was given last: it stays while the visitor is on other pages."""
    files = st.file_uploader(
        "Checkpoint file",
        key="explain.checkpoint",
        accept_multiple_files=True,
        help="The weights of a ResNet, whatever their ending; with them the .json card of a training here, where there is one.",
    )
    cards = [file for file in files if file.name.lower().endswith(".json")]
    others = [file for file in files if file not in cards]
    if others:
        card = cards[-1].getvalue()[: 1 << 20].decode(errors="replace") if cards else None
        data = others[-1].getvalue()
        key = digest(data + (card or "").encode())
        st.session_state["own.file"] = _File(others[-1].name, data, card, key)
    file: _File | None = st.session_state.get("own.file")
    if file is not None and not others:
        st.caption(f"{literal(file.name)} is still here.")
    return file


def _before(file: _File, answers: Answers, error: ValueError) -> tuple[str, Answers, Classifier]:
    """The answers with which this file could last be read, taken back; the error where there are none."""
    good: tuple[str, Answers, Classifier] | None = st.session_state.get("own.good")
    if good is None or good[0] != file.key or good[1] == answers:
        raise error
    st.session_state["own.answers"][file.key] = good[1]
    return good


def _answers(file: _File) -> Answers:
    from resviz.zoo.checkpoint import Answers

    told: dict[str, Answers] = st.session_state.setdefault("own.answers", {})
    return told.setdefault(file.key, Answers())


def _loaded(file: _File, answers: Answers, banner: DeltaGenerator) -> Classifier | None:
    """The file read with these answers, once; None while it is read, and where it cannot be."""
    from resviz.zoo.checkpoint import CheckpointError, load

    state, key = st.session_state, (file.key, answers)

    def read(tick: Tick) -> list[Classifier | CheckpointError]:
        try:
            return [load(file.data, file.name, answers, file.card, tick)]
        except CheckpointError as error:
            return [error]

    if state.get("own.loaded", (None, None))[0] != key:
        place = state.setdefault("own.place", os.urandom(8).hex())  # nobody else takes the result
        tries = state.setdefault("own.tries", 0)
        with banner:
            found = result_of("checkpoint", ("checkpoint", key, place, tries), "Reading the file", read)
        if found is None:
            return None
        state["own.loaded"], state["own.tries"] = (key, found.pop()), tries + 1  # it stays with this session alone
    loaded: Classifier | CheckpointError = state["own.loaded"][1]
    if isinstance(loaded, CheckpointError):
        raise loaded
    return loaded


def _questions(file: _File, classifier: Classifier, answers: Answers) -> None:
    """What the file does not say, to be said; and what the network is shown and answers."""
    open_ = {guess.field for guess in classifier.guesses}

    def control(field: str, make: Callable[..., object], label: str, value: V, read: Callable[[V], Any], **more: object) -> None:
        key = f"own.{file.key}.{field}"

        def write() -> None:
            try:
                told = read(st.session_state[key])
                st.session_state["own.answers"][file.key] = replace(answers, **{field: told})
                st.session_state.pop("own.trouble", None)
            except ValueError as error:
                st.session_state["own.trouble"] = file.key, str(error)

        st.session_state[key] = value
        make(label, key=key, on_change=write, **more)

    with st.popover("What the file does not say", icon=":material/help:", width="stretch"):
        spec, shown = classifier.spec, classifier.preprocessing
        if len(classifier.copies) > 1:
            value = answers.network or classifier.copies[0]
            control("network", st.selectbox, "Network in the file", value, str, options=classifier.copies)
        if "plain" in open_ or answers.plain is not None:
            control("plain", st.checkbox, "It was trained without skips", not spec.residual, bool)
        if "preact" in open_ or answers.preact is not None:
            control("preact", st.checkbox, "Pre-activation blocks", spec.block.preact, bool)
        if "pool" in open_ or answers.pool is not None:
            control("pool", st.checkbox, "A max pool behind its 3×3 stem", bool(answers.pool), bool)
        if "groups" in open_ or answers.groups is not None:
            control(
                "groups",
                st.number_input,
                "Groups of its norms",
                answers.groups,
                lambda n: n,
                min_value=1,
                max_value=1024,
                placeholder="16 channels each",
            )
        control("activation", st.selectbox, "Activation", spec.activation, Activation, options=list(Activation))
        control("size", st.number_input, "Picture's side, px", shown.crop, int, min_value=8, max_value=1024)
        control("mean", st.text_input, "Mean by channel", _row(shown.mean), _numbers)
        control("std", st.text_input, "Standard deviation by channel", _row(shown.std), _numbers)
        control(
            "classes", st.text_area, "Class names, one a line", "\n".join(classifier.categories), _lines(spec.classes), height=160
        )


def _row(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is no row of numbers; write for example 0.49, 0.48, 0.45") from error


def _lines(classes: int) -> Callable[[str], tuple[str, ...]]:
    """Class names from lines, as many as there are classes."""

    def read(text: str) -> tuple[str, ...]:
        names = tuple(line.strip() for line in text.splitlines() if line.strip())
        if len(names) != classes:
            raise ValueError(f"{len(names)} names for {classes} classes; write one a line")
        return names

    return read
