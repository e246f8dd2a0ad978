"""Each method's parameters: kept for the session, drawn where its map is."""

from __future__ import annotations

import streamlit as st

from resviz.attribution.method import Choice, Parameter, Value
from resviz.attribution.methods.table import METHODS
from resviz.attribution.question import Asked
from resviz.spec.net import NetSpec
from resviz.ui.networks import Network

__all__ = ["parameter_controls", "with_parameters"]


def _kept() -> dict[str, Value]:
    kept: dict[str, Value] = st.session_state.setdefault("options", {})
    return kept


def _slot(asked: Asked, parameter: str, network: Network) -> str:
    return f"{asked.name}.{parameter}.{network.key}"


def _worded(choice: str) -> str:
    """A choice that is a method goes by its title."""
    return METHODS[choice].title if choice in METHODS else choice


def with_parameters(name: str, network: Network) -> Asked:
    """A method, which may name its layer, with what the visitor chose for it and the defaults elsewhere."""
    usual = Asked.of(name).complete(network.classifier)
    chosen = {parameter: _kept().get(_slot(usual, parameter, network), value) for parameter, value in usual.values.items()}
    return Asked(usual.method, usual.layer, chosen)


def parameter_controls(asked: Asked, network: Network) -> None:
    """A control for each parameter of a method."""
    for name, parameter in asked.entry.parameters.items():
        slot = _slot(asked, name, network)
        st.session_state[f"option.{slot}"] = asked.values[name]
        _control(slot, parameter, network.classifier.spec)


def _control(slot: str, parameter: Parameter | Choice, spec: NetSpec) -> None:
    key = f"option.{slot}"

    def keep() -> None:
        _kept()[slot] = st.session_state[key]

    if isinstance(parameter, Choice):
        choices = [word for word in parameter.choices if word not in METHODS or not METHODS[word].unfit(spec)]
        st.selectbox(parameter.title, choices, format_func=_worded, help=parameter.help, key=key, on_change=keep)
    else:
        st.slider(parameter.title, parameter.low, parameter.high, help=parameter.help, key=key, on_change=keep)
