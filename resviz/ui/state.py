"""The spec of this session: seeded once from the URL, written back each run; widgets are views of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from resviz.spec.families import Network
from resviz.spec.lab import PARAMETERS
from resviz.spec.landscape import LANDSCAPE_PARAMETERS
from resviz.spec.lesion import LESION_PARAMETERS
from resviz.spec.net import NetSpec, SpecError
from resviz.spec.query import from_query, repeated, to_query
from resviz.spec.shortcuts import RACE_PARAMETERS
from resviz.spec.spot import SPOT_PARAMETERS
from resviz.spec.tour import TOUR_PARAMETERS, lost, tour_from_query
from resviz.ui.left_out import refuse
from resviz.ui.tied import Bound, tied

__all__ = [
    "ANATOMY_PARAMETERS",
    "EXPLAIN_PARAMETERS",
    "INSIDE_PARAMETERS",
    "RECORDINGS_PARAMETERS",
    "SHOW",
    "WITH",
    "bound",
    "change",
    "compare_with",
    "current_spec",
    "follow_back",
    "network_in",
    "present",
    "presenting",
    "reset",
    "sync_url",
    "undo",
    "went_back",
]

EXPLAIN_PARAMETERS = frozenset({"photo", "model", "class", "against", "methods", "layers", "view"})  # of that page's link
INSIDE_PARAMETERS = SPOT_PARAMETERS | {"photo", "model"}
RECORDINGS_PARAMETERS = frozenset({"run"})
ANATOMY_PARAMETERS = LESION_PARAMETERS | {"model", "mode", "pictures", "again"}
SHOW = "show"  # of a link: the figure that is shown by itself
WITH = "with"  # of Build's link: the network beside the current one
_HISTORY = 50


def went_back() -> bool:
    """Whether this run answers the browser's Back or Forward: the address is then what the visitor asks for."""
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))


def current_spec() -> Network:
    """This session's network; the address says which one at first."""
    if "spec" not in st.session_state:
        st.session_state.spec, st.session_state.undo = _addressed(), []
    spec: Network = st.session_state.spec
    return spec


def follow_back() -> None:
    """After the browser's Back or Forward the network is what the address says, and Undo leads to the one before."""
    if went_back():
        found = _addressed()
        change(lambda _: found)


def network_in(query: Mapping[str, str]) -> tuple[Network, Sequence[str]]:
    """The network that a page's query names, whatever else is in it, and what of it was not understood."""
    others = (
        PARAMETERS
        | EXPLAIN_PARAMETERS
        | INSIDE_PARAMETERS
        | RACE_PARAMETERS
        | ANATOMY_PARAMETERS
        | LANDSCAPE_PARAMETERS
        | TOUR_PARAMETERS
        | RECORDINGS_PARAMETERS
        | {"present", SHOW, WITH}
    )
    return from_query({name: text for name, text in query.items() if name not in others})


def _addressed() -> Network:
    """The network that the address names; what could not be read, of it or of what every page's address may hold, is said."""
    query = st.query_params.to_dict()
    spec, problems = network_in(query)
    strange = lost(query, tour_from_query(query))
    if not presenting() and "present" in query:
        strange["present"] = query["present"]
    refuse([*problems, *(f"{name}={text[:40]!r} cannot be read" for name, text in strange.items()), *repeated(_given())])
    return spec


def _given() -> list[tuple[str, str]]:
    """The address's parameters, one that comes again as often as it comes."""
    return [(name, text) for name in st.query_params for text in st.query_params.get_all(name)]


def presenting() -> bool:
    """Whether the link asks for the stage alone, to be seen from afar."""
    return st.query_params.get("present") == "1"


def present(alone: bool) -> None:
    """Leave the stage alone, or the whole page again."""
    if alone:
        st.query_params["present"] = "1"
    else:
        st.query_params.pop("present", None)


def sync_url(more: Mapping[str, str], network: bool = True) -> None:
    """Write the spec, and what else the page is about, to the URL, so that the address bar is the link to what is seen."""
    own = to_query(current_spec()) if network else {}
    shown = {name: st.query_params[name] for name in (SHOW,) if name in st.query_params}
    query = {**own, **more, **shown, **({"present": "1"} if presenting() else {})}
    if sorted(_given()) != sorted(query.items()):
        st.query_params.from_dict(query)


def change(edit: Callable[[Network], Network]) -> None:
    """Edit the spec; what cannot be built leaves it as it is and becomes the notice."""
    before = current_spec()
    try:
        after = edit(before)
    except SpecError as error:
        st.session_state.notice = str(error)
        return
    if after != before:
        _remember()
        st.session_state.spec = after


def compare_with(other: Network | None) -> None:
    """Put another network beside the current one, or none."""
    if other != st.session_state.get("other"):
        _remember()
        st.session_state.other = other


def _remember() -> None:
    st.session_state.undo = [*st.session_state.undo[-_HISTORY:], (current_spec(), st.session_state.get("other"))]


def undo() -> None:
    """Take the last change of the network, or of the one beside it, back."""
    if st.session_state.get("undo"):
        st.session_state.spec, st.session_state.other = st.session_state.undo.pop()


def reset() -> None:
    """Back to ResNet-56."""
    change(lambda _: NetSpec())


def bound(name: str) -> Bound:
    """`key` and `on_change` for a widget that shows one field of the spec and writes it back."""
    return tied(
        f"spec.{name}",
        getattr(current_spec(), name),
        lambda value: change(lambda spec: spec.resized(**{name: value})),
    )
