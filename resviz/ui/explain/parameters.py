"""Each method's parameters: kept for the session, drawn where its map is."""

from __future__ import annotations

from typing import Any

import streamlit as st

from resviz.attribution.method import Choice
from resviz.attribution.methods.table import METHODS, at_layer
from resviz.attribution.question import default_options
from resviz.spec.net import Activation
from resviz.zoo.classifier import Classifier

__all__ = ["option_controls", "options_of"]


def _kept() -> dict[str, Any]:
    found: dict[str, Any] = st.session_state.setdefault("options", {})
    return found


def _slot(name: str, parameter: str, network: str) -> str:
    return f"{name}.{parameter}.{network}"


def _worded(choice: str) -> str:
    """A choice that is a method goes by its title."""
    return METHODS[choice].title if choice in METHODS else choice


def options_of(name: str, classifier: Classifier, network: str) -> dict[str, Any]:
    """What the visitor chose for a method, the defaults elsewhere."""
    method, layer = at_layer(name)
    defaults = default_options(method, classifier.preprocessing.crop)
    chosen = {parameter: _kept().get(_slot(name, parameter, network), value) for parameter, value in defaults.items()}
    return chosen | ({"layer": layer} if layer else {})


def option_controls(name: str, classifier: Classifier, network: str) -> None:
    """A control for each parameter of a method."""
    method, _ = at_layer(name)
    relu, options = classifier.spec.activation is Activation.RELU, options_of(name, classifier, network)
    for title, parameter in METHODS[method].parameters.items():
        slot = _slot(name, title, network)
        key = f"option.{slot}"

        def keep(key: str = key, slot: str = slot) -> None:
            _kept()[slot] = st.session_state[key]

        st.session_state[key] = options[title]
        if isinstance(parameter, Choice):
            choices = [c for c in parameter.choices if relu or c not in METHODS or not METHODS[c].relu_only]
            st.selectbox(parameter.title, choices, format_func=_worded, help=parameter.help, key=key, on_change=keep)
        else:
            low, high = parameter.low, parameter.high
            st.slider(parameter.title, low, high, help=parameter.help, key=key, on_change=keep)
