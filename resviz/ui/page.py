"""The frame every page stands in: configuration, navigation, the question, notices, the address bar."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from resviz.figures.theme import css_variables
from resviz.guard import quoted
from resviz.process import settle
from resviz.spec.names import describe
from resviz.spec.query import to_query, to_query_string
from resviz.ui import cache, drawn, embed, landmarks, waiting
from resviz.ui.address import Address
from resviz.ui.components.link import link_popover
from resviz.ui.grammar import entered
from resviz.ui.left_out import refused
from resviz.ui.markdown import literal, sentence
from resviz.ui.pages import PAGES, Page, nearest
from resviz.ui.state import current_spec, follow_back, present, presenting, reset, sync_url, undo
from resviz.ui.tied import seen
from resviz.ui.tour import progress as tour

__all__ = ["Address", "network_strip", "page", "ways"]


_STYLING: Final = 0.2  # seconds in which a browser fetches what it needs to apply a style sheet
_TURNING: Final = 0.15  # seconds in which it begins to hold what it shows, before the measured page takes its place


@contextmanager
def page(title: str) -> Iterator[Address]:
    """One of `PAGES`: its frame, then whatever is drawn inside, then the address bar. Call it first.

    A body that returns early has its address written too; one that raises, or is run again by Streamlit, has not.
    """
    about = next(each for each in PAGES if each.title == title)
    drawn.forget()
    _open(about)
    from resviz.ui import idle  # half of what a page imports, which its title does without

    idle.begin()
    address = Address(about.network)
    if tour.asks(title):
        tour.keep_address()
        _sign()
        st.stop()
    yield address
    seen()
    if address.kept:
        tour.keep_address()
    else:
        sync_url(address.more | tour.query(), address.network)
    _after(about)


def _sign() -> None:
    """The page's icon; last, since Streamlit imports numpy to look at it."""
    st.set_page_config(page_icon=str(cache.MARK) if cache.mark() else ":material/add_circle:")


def _after(about: Page) -> None:
    """The next question of the path, which the last page has none of, and the stage alone for a projector."""
    _sign()
    if embed.shown(about.title) is not None:
        embed.way_back(about.title, about.question)
        return
    after = PAGES[PAGES.index(about) + 1 :]
    with st.container(key="next", horizontal=True, gap="large"):
        if about.path and after:
            label = f"Next: **{after[0].question}**"
            query = to_query(current_spec()) | tour.query()
            st.page_link(after[0].file, label=label, icon=":material/arrow_forward:", query_params=query)
        if presenting():
            st.button("Leave (Esc)", icon=":material/close:", type="tertiary", on_click=present, args=(False,))
            return
        if about.path:
            st.button("Present", icon=":material/present_to_all:", type="tertiary", on_click=present, args=(True,))
        embed.embed_popover(about.title)
        if about.path:
            _paper(about.title)


@st.fragment
def _paper(page: str) -> None:
    """A button with the figures of this page as a paper prints them; nothing is loaded for it before it is opened."""
    with st.popover("For a paper", icon=":material/article:", type="tertiary", key="paper", on_change="rerun") as popover:
        if popover.open:
            from resviz.ui.printing import sheet

            sheet(page)


def _open(about: Page) -> None:
    entered(about.title)
    lost = "" if about.path else _lost()
    name = "No such page" if lost else about.title
    mark, style = cache.mark(), cache.style()
    # the style sheet makes it wide: Streamlit's own layout would move what already stands there, as would a late style sheet
    st.set_page_config(page_title=f"{name} · ResViz", initial_sidebar_state="collapsed")
    if style:
        alone = embed.shown(about.title)
        st.html(f"<style>{css_variables(':root')}\n{style}\n{embed.style(alone) if alone else ''}</style>")
    navigation = st.container(
        horizontal=True, gap="medium", vertical_alignment="center", key="navigation", height=44, border=False
    )
    with navigation:
        st.html(f'<b><img class="mark" src="{mark}" alt="">ResViz</b>' if mark else "<b>ResViz</b>", width="content")
    if not style:
        st.warning(f"assets/{cache.STYLE.name} is missing or damaged, so the page looks plainer; copy it from the project again.")
    if not mark:
        st.warning(f"assets/{cache.MARK.name} is missing or damaged; copy it from the project again.")
    tour.arrive()
    if tour.current() is not None:
        from resviz.ui.tour import card

        card.show(about.title)
    if not tour.asks(about.title):
        # on its way before what takes longer
        with st.container(key="question" if about.path else "headline"):
            st.title(f"There is no page /{literal(lost)}" if lost else about.question, anchor=False)
        with st.container(key="lead"):
            st.markdown("Its address may be misspelt, or the page was never here." if lost else about.lead)
    marks = st.container(key="landmarks")
    loading = bool(about.first) and cache.warm_up().is_alive()
    settle()
    waiting.keep()
    follow_back()
    query = to_query(current_spec()) | tour.query()
    with navigation:
        for each in PAGES:
            st.page_link(each.file, label=each.title, query_params=query)
        tour.way()
    with marks:
        landmarks.mark("" if lost else about.title, _unsaved(), presenting(), loading)
    if about.path:
        _let_the_browser(about.title, loading)
    if lost:
        _offer_instead(lost)
        _sign()
        st.stop()
    for said in filter(None, (refused(), st.session_state.pop("notice", None) or embed.refusal(about.title))):
        st.warning(sentence(said), icon=":material/info:")


def _let_the_browser(title: str, loading: bool) -> None:
    """Wait where what is sent at once would be painted in the wrong place: before a session's first figure, and before it is measured anew."""
    before = st.session_state.get("loading", "")
    if before == "":
        time.sleep(_STYLING)
    elif before == title and not loading:
        time.sleep(_TURNING)
    st.session_state["loading"] = title if loading else None


def _lost() -> str:
    """The path that was asked for, where Streamlit answers with Home because it knows no page of that name."""
    path = urlsplit(st.context.url or "").path.strip("/").removeprefix(st.get_option("server.baseUrlPath").strip("/")).strip("/")
    return quoted(path)


def _offer_instead(lost: str) -> None:
    """The page that was probably meant, then all of them."""
    query = to_query(current_spec())
    if (meant := nearest(lost)) is not None:
        st.markdown("Did you mean this one?")
        st.page_link(meant.file, label=f"**{meant.title}**: {meant.question}", icon=meant.icon or None, query_params=query)
    st.header("All pages", anchor=False)
    st.page_link(PAGES[0].file, label=f"**{PAGES[0].title}**: {PAGES[0].question}", query_params=query)
    ways()


def _unsaved() -> bool:
    """Whether a lab of this session has steps that loading the page anew would lose; its link repeats them, it does not keep them."""
    lab = st.session_state.get("lab")
    return lab is not None and lab.step > 1


def ways() -> None:
    """A way into each page, with the question it answers."""
    query = to_query(current_spec()) | tour.query()
    for each in PAGES:
        if each.invitation:
            st.page_link(each.file, label=f"**{each.title}**: {each.invitation}", icon=each.icon, query_params=query)


def network_strip() -> None:
    """The current network in words, with its link, undo and reset."""
    spec = current_spec()
    with st.container(horizontal=True, vertical_alignment="center", key="strip"):
        st.markdown(f"**{describe(spec)}**", width="content")
        link_popover(to_query_string(spec), describe(spec), "link")
        st.button("Undo", on_click=undo, disabled=not st.session_state.get("undo"), icon=":material/undo:")
        st.button("Reset", on_click=reset, icon=":material/restart_alt:", help="Back to ResNet-56")
