"""What the page about lesions shows, as one value: its widgets, its diagram and its address are views of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from resviz.data.datasets import cifar10_there
from resviz.spec.lesion import MODES, Lesion, Mode, lesion_from_query, lesion_to_query, lost
from resviz.ui.left_out import followed, leave_out
from resviz.ui.state import ANATOMY_PARAMETERS, went_back
from resviz.ui.tied import Bound, tied
from resviz.zoo.bundled import bundled_names, card, digits_names

__all__ = ["View", "bound", "change", "current", "kept", "networks", "to_query", "twin"]

_KEPT: Final = "anatomy.view"
_WHOLE: Final = Lesion()
_CHOICES: Final = (200, 1000)  # of pictures where there are more than these; 0 is all


@dataclass(frozen=True)
class View:
    """The network by its bundled name, what is taken from it, what a click takes away, and how many pictures it is asked about (0: all).

    `again` estimates batch norms' statistics anew for each lesion.
    """

    model: str
    lesion: Lesion = _WHOLE
    mode: Mode = "drop"
    pictures: int = 0
    again: bool = False


def current(names: Sequence[str]) -> View:
    """As the visitor left it; as the address says to who comes for the first time or goes back. `names` are the networks there are."""
    state = st.session_state
    if _KEPT not in state or went_back():
        state[_KEPT] = asked = _addressed(st.query_params, names)
        followed({name: text for name, text in st.query_params.items() if name in ANATOMY_PARAMETERS})
        leave_out(_lost(st.query_params, asked))
    view: View = state[_KEPT]
    return view if view.model in names else replace(view, model=names[0])


def kept() -> View:
    """What was asked for last, which a click may just have changed."""
    view: View = st.session_state[_KEPT]
    return view


def _addressed(query: Mapping[str, str], names: Sequence[str]) -> View:
    """Never raises: nonsense is ignored."""
    model, mode, pictures = (query.get(name, "") for name in ("model", "mode", "pictures"))
    return View(
        model if model in names else names[0],
        lesion_from_query(query),
        next((each for each in MODES if each == mode), MODES[0]),
        next((count for count in _CHOICES if str(count) == pictures), 0),
        query.get("again") == "1",
    )


def _lost(query: Mapping[str, str], view: View) -> dict[str, str]:
    """What of a query's parameters the view does not hold."""
    held = {"model": view.model, "mode": view.mode, "pictures": str(view.pictures), "again": "1" if view.again else "0"}
    named = {name: query[name] for name, text in held.items() if query.get(name, text) != text}
    return named | lost(query, view.lesion)


def to_query(view: View, names: Sequence[str]) -> dict[str, str]:
    """What differs from what the page begins with, as the address holds it."""
    usual = View(names[0])
    fields = {name: str(getattr(view, name)) for name in ("model", "mode", "pictures")}
    changed = {name: text for name, text in fields.items() if text != str(getattr(usual, name))}
    return changed | ({"again": "1"} if view.again else {}) | lesion_to_query(view.lesion)


def change(edit: Callable[[View], View]) -> None:
    """Show something else from now on."""
    st.session_state[_KEPT] = edit(st.session_state[_KEPT])


def bound(view: View, name: str) -> Bound:
    """`key` and `on_change` for a widget that shows one field of the view and writes it back."""
    return tied(
        f"anatomy.{name}",
        getattr(view, name),
        lambda value: change(lambda before: replace(before, **{name: value})),
    )


def networks() -> tuple[str, ...]:
    """Those that can be asked about labelled pictures here: ResNet-56 of the digits first, CIFAR's where CIFAR-10 lies on the disk."""
    digits = sorted(digits_names(), key=lambda name: name != "resnet56-digits-0")
    cifar = [name for name in bundled_names() if card(name)["data"].startswith("CIFAR-10")] if cifar10_there() else []
    return (*digits, *cifar)


def twin(name: str) -> str:
    """The network of the same depth and seed without skips; nothing where there is none."""
    other = name.replace("resnet", "plain", 1)
    return other if other != name and other in {*digits_names(), *bundled_names()} else ""
