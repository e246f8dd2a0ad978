"""The frame every page stands in: configuration, navigation, the network's strip, notices."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from resviz.spec import describe, to_query, to_query_string
from resviz.ui import cache, jobs
from resviz.ui.state import current_spec, reset, sync_url, undo

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
    query = to_query(current_spec())
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="navigation"):
        st.markdown("**ResViz**", width="content")
        for path, (label, _, _) in PAGES.items():
            st.page_link(path, label=label, query_params=query)
    if not style:
        st.warning(f"assets/{cache.STYLE.name} is missing or damaged, so the page looks plainer; copy it from the project again.")
    st.title(question, anchor=False)
    st.markdown(lead)
    if notice := st.session_state.pop("notice", None):
        st.warning(notice, icon=":material/info:")


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


def close(more: Mapping[str, str] | None = None) -> None:
    """Write the address bar, with what the page adds to the network's link; call it last."""
    sync_url(more or {})
