"""The frame every page stands in: configuration, navigation, the network's strip, notices."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import streamlit as st

from resviz.guard import quoted
from resviz.spec.names import describe
from resviz.spec.query import to_query, to_query_string
from resviz.ui import cache, jobs, landmarks
from resviz.ui.markdown import literal
from resviz.ui.state import current_spec, follow_back, reset, sync_url, undo

__all__ = ["PAGES", "close", "network_strip", "open_page", "ways"]

PAGES = {  # path: its name, what it answers, its icon
    "app.py": ("Home", "", ""),
    "pages/build.py": ("Build", "What is a ResNet made of? Build one and cut its skips.", ":material/account_tree:"),
    "pages/gradients.py": ("Gradients", "What does a skip do to the gradient of every layer?", ":material/show_chart:"),
    "pages/degradation.py": (
        "Degradation",
        "Why did deeper networks train worse? Watch four of them learn.",
        ":material/trending_down:",
    ),
    "pages/lab.py": (
        "Lab",
        "What happens to every layer while a network learns? Cut a skip in mid-training.",
        ":material/science:",
    ),
    "pages/explain.py": ("Explain", "Which pixels decided? Ask a trained network about a photograph.", ":material/image_search:"),
}


def open_page(title: str, question: str, lead: str) -> None:
    """Page configuration, navigation and the question; call it first."""
    st.set_page_config(page_title=f"{title} · ResViz", page_icon="➕", layout="wide", initial_sidebar_state="collapsed")
    style = cache.style()
    if style:
        st.html(f"<style>{style}</style>")
    cache.warm_up()
    jobs.keep()
    follow_back()
    query = to_query(current_spec())
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="navigation"):
        st.markdown("**ResViz**", width="content")
        for path, (label, _, _) in PAGES.items():
            st.page_link(path, label=label, query_params=query)
    landmarks.mark(title, _unsaved())
    if not style:
        st.warning(f"assets/{cache.STYLE.name} is missing or damaged, so the page looks plainer; copy it from the project again.")
    st.title(question, anchor=False)
    st.markdown(lead)
    if title == "Home" and (lost := _lost()):
        st.warning(
            f"There is no page /{literal(lost)} here; this is Home. Choose a page above.", icon=":material/wrong_location:"
        )
    if notice := st.session_state.pop("notice", None):
        st.warning(literal(notice), icon=":material/info:")


def _lost() -> str:
    """The path that was asked for, where Streamlit answers with Home because it knows no page of that name."""
    path = urlsplit(st.context.url or "").path.strip("/").removeprefix(st.get_option("server.baseUrlPath").strip("/")).strip("/")
    return quoted(path)


def _unsaved() -> bool:
    """Whether a lab of this session has steps that loading the page anew would lose; its link repeats them, it does not keep them."""
    lab = st.session_state.get("lab")
    return lab is not None and lab.step > 1


def ways() -> None:
    """A way into each page, with the question it answers."""
    for path, (label, question, icon) in PAGES.items():
        if question:
            st.page_link(path, label=f"**{label}**: {question}", icon=icon, query_params=to_query(current_spec()))


def network_strip() -> None:
    """The current network in words, with its link, undo and reset."""
    spec = current_spec()
    with st.container(horizontal=True, vertical_alignment="center", key="strip"):
        st.markdown(f"**{describe(spec)}**", width="content")
        with st.popover("Link", icon=":material/link:", help="A link that rebuilds exactly this network"):
            base = (st.context.url or "").split("?")[0]
            st.code(f"{base}?{to_query_string(spec)}", language=None, wrap_lines=True)
        st.button("Undo", on_click=undo, disabled=not st.session_state.get("undo"), icon=":material/undo:")
        st.button("Reset", on_click=reset, icon=":material/restart_alt:", help="Back to ResNet-56")


def close(more: Mapping[str, str] | None = None, network: bool = True) -> None:
    """Write the address bar: the network's link unless the page is about others, and what the page adds to it; call it last."""
    sync_url(more or {}, network)
