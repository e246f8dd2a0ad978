"""One figure of a page by itself, inside somebody else's page: `?embed=true&show=gradients.profile`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from resviz.guard import quoted
from resviz.ui.components.link import here
from resviz.ui.markdown import literal
from resviz.ui.state import SHOW

__all__ = ["FIGURES", "Figure", "code", "embed_popover", "refusal", "shown", "style", "way_back"]


@dataclass(frozen=True)
class Figure:
    """A figure that can stand by itself: its page, its title, the keys of what it consists of with its controls, and its height.

    `height` is in pixels, of a frame some 900 wide.
    """

    page: str
    title: str
    keys: tuple[str, ...]
    height: int


_NETWORK: Final = ("preset", "skips", "cuts")
_PHOTOGRAPH: Final = (
    "explain-source",
    "explain-sample",
    "explain-file",
    "explain-camera",
    "explain-forget",
    "explain-network",
)
FIGURES: Final[Mapping[str, Figure]] = {
    "home": Figure("Home", "With the skip and without", ("home-stage",), 800),
    "build.diagram": Figure("Build", "The network's diagram", ("diagram", *_NETWORK), 410),
    "build.block": Figure("Build", "One block", ("block", "block-diagram", "preset"), 510),
    "gradients.profile": Figure(
        "Gradients", "Every layer's gradient, with skips and without", ("stage", *_NETWORK, "spec-norm"), 920
    ),
    "gradients.diagram": Figure("Gradients", "The network, painted with its gradients", ("diagram", *_NETWORK, "spec-norm"), 430),
    "gradients.signal": Figure(
        "Gradients", "What passes through the blocks", ("gradient_norms", "activation_std", *_NETWORK), 530
    ),
    "degradation": Figure("Degradation", "The errors of deep networks while they learn", ("stage", "depths", "designs"), 910),
    "lab": Figure("Lab", "Networks that learn side by side", ("stage", "lab-compare", "lab-depth"), 1160),
    "explain.compare": Figure("Explain", "Which pixels decided", ("panels-compare", "look", "predictions", *_PHOTOGRAPH), 1230),
    "inside": Figure(
        "Inside", "x, F(x) and their sum", ("inside-diagram", "rows", "first-rows", "inside-sliders", *_PHOTOGRAPH), 950
    ),
    "anatomy": Figure("Anatomy", "A trained network without some of its parts", ("stage", "anatomy-mode"), 650),
    "landscape": Figure("Landscape", "The loss around a network", ("stage", "landscape-depth", "landscape-view"), 790),
}
_NEVER: Final = (".st-key-strip", ".st-key-chips", ".stTabs")  # what leads away from the figure, and more measurements
_ALWAYS: Final = (".st-key-embedded", ".stAlert", ".stProgress")  # what is wrong, or under way, is said
_LAYOUT: Final = """
.stMainBlockContainer { padding: .5rem !important; }
:is(.st-key-stage, [class*="st-key-reserve-"]) { min-height: 0 !important; }
.stHorizontalBlock:has(> .stColumn > * .st-key-drawer) { flex-direction: column !important; }
.stHorizontalBlock:has(> .stColumn > * .st-key-drawer) > .stColumn { width: 100% !important; flex: none !important; min-width: 0; }
.st-key-drawer { position: static !important; flex-flow: row wrap !important; align-items: end !important; }
.st-key-drawer > * { width: auto !important; flex: 0 1 auto; min-width: 11rem; }
"""  # its few controls stand over it in a line


def shown(page: str) -> Figure | None:
    """The figure of this page that the link shows by itself, if it asks for one."""
    figure = FIGURES.get(st.query_params.get(SHOW, ""))
    return figure if figure is not None and figure.page == page else None


def refusal(page: str) -> str:
    """What is said of a link that asks for a figure that this page has none of, and is then one to the page; "" for any other."""
    if st.query_params.get(SHOW) is None or shown(page) is not None:
        return ""
    own = ", ".join(each for each, figure in FIGURES.items() if figure.page == page) or "none"
    return f"{SHOW}={quoted(st.query_params.pop(SHOW))} is no figure of this page, so all of it is here; its figures are: {own}."


def style(figure: Figure) -> str:
    """The rules that hide everything but the figure, what holds it, and what is in it."""
    kept = f":is({', '.join((*(f'.st-key-{key}' for key in figure.keys), *_ALWAYS))})"
    hidden = f".stMainBlockContainer :is(.stVerticalBlock, .stHorizontalBlock) > *:not(:has({kept}), {kept}, {kept} *)"
    return f"{hidden}, {', '.join(_NEVER)} {{ display: none !important; }}{_LAYOUT}"


def way_back(page: str, question: str) -> None:
    """Under an embedded figure, the link to the whole page as it is here; it opens beside the page around."""
    state = {name: text for name, text in st.query_params.items() if name != SHOW}
    url = (st.context.url or "").partition("?")[0]
    with st.container(key="embedded"):
        st.markdown(f"[**ResViz · {page}**: {literal(question)}]({url}?{urlencode(state)})")


def code(url: str, title: str, height: int) -> str:
    """The HTML that puts `url` into another page."""
    return (
        f'<iframe src="{escape(url)}" title="{escape(title)}" width="100%" height="{height}" style="border: 0" loading="lazy" '
        'allow="clipboard-write; camera; fullscreen"></iframe>'
    )


@st.fragment
def embed_popover(page: str) -> None:
    """A button with the HTML that shows one of this page's figures, as it is now, in another page."""
    if not any(figure.page == page for figure in FIGURES.values()):
        return
    with st.popover("Embed", icon=":material/frame_source:", type="tertiary", key="embed", on_change="rerun") as popover:
        if popover.open:
            _frame(page)


def _frame(page: str) -> None:
    offered = {name: figure.title for name, figure in FIGURES.items() if figure.page == page}
    name = next(iter(offered))
    if len(offered) > 1:
        name = st.selectbox("Figure", list(offered), format_func=offered.__getitem__, key="embed.figure")
    figure = FIGURES[name]
    way = here(urlencode({**st.query_params.to_dict(), "embed": "true", SHOW: name}))
    st.code(code(way.url, f"ResViz: {figure.title}", figure.height), language="html", wrap_lines=True)
    st.caption(
        "It follows the reader's light or dark theme; `embed_options=light_theme` or `dark_theme` at the end of the address keeps one. "
        + way.note
    )
