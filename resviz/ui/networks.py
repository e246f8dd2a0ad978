"""The network that is asked on the Explain page: bundled, downloaded on demand, or a file of the visitor's own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from resviz.progress import Tick
from resviz.ui import cache
from resviz.ui.markdown import literal, sentence
from resviz.ui.own_network import Network, own_network
from resviz.ui.shelf import my_networks, put, shelf, shelved
from resviz.ui.waiting import result_of

__all__ = ["Network", "bundled_titles", "choose_network", "come_back", "offer_imagenet"]

OWN: Final = "your own checkpoint"
_OFFERED: Final = "resnet50.V2"
_LINE = 12.5e6  # bytes a second of a line of 100 Mbit/s


def bundled_titles() -> dict[str, str]:
    """Every bundled network with its data, by name."""
    from resviz.zoo.bundled import bundled_names, card

    return {
        name: f"{card(name)['title'].split(' · ')[0].split(' (')[0]} · {card(name)['data'].split(',')[0].split(' (')[0]}"
        for name in bundled_names()
    }


def choose_network(banner: DeltaGenerator) -> Network | None:
    """The network to ask; while the chosen one is on its way, or cannot be had, the one that answered last.

    What is missing is said in `banner`. None where no network is left.
    """
    from resviz.zoo.bundled import bundled_problems
    from resviz.zoo.imagenet import weights
    from resviz.zoo.readouts import readouts_problems

    for problem in (*bundled_problems(), *readouts_problems()):
        banner.warning(literal(problem))
    titles = bundled_titles() | {
        name: f"{name} · ImageNet, {item.top1:.1f} % top-1{'' if item.cached else f' · download {item.megabytes:.0f} MB'}"
        for name, item in weights().items()
    }
    titles |= {shelved(name): f"{name} · on your shelf" for name in shelf().names()}
    if st.session_state.get("explain.network") not in (*titles, OWN):
        st.session_state.pop("explain.network", None)  # it was taken off the shelf
    chosen = st.selectbox(
        "Network",
        [*titles, OWN],
        format_func=lambda name: titles.get(name, name),
        key="explain.network",
        help="Bundled networks work offline; ImageNet weights are downloaded once and checked by their hash.",
    )
    find: Callable[[], Network | None] = partial(_bundled, chosen)
    if chosen == OWN:
        find = partial(own_network, banner)
    elif chosen in weights():
        find = partial(_imagenet, chosen, banner)
    own = next((name for name in shelf().names() if shelved(name) == chosen), "")
    if own:
        find = partial(_shelved, own)
    st.session_state["own.chosen"], st.session_state["own.shelved"] = chosen == OWN, own
    my_networks()
    held = st.session_state.get("explain.answering")
    if chosen == OWN and held is not None and held.key.startswith("own "):
        st.button("Put your file on the shelf", icon=":material/bookmark_add:", key="own.keep", on_click=_keep, args=(held,))
    found = _said(find, banner)
    if found is None:
        found = st.session_state.get("explain.answering") or _first(banner)
        if found is not None:
            banner.caption(f"Meanwhile **{literal(found.classifier.name)}** answers.")
    st.session_state["explain.answering"] = found
    return found


def come_back() -> str:
    """On entering the page: choose the visitor's own file again where it was chosen on leaving; its network's key, or nothing."""
    state = st.session_state
    if (name := state.get("own.shelved")) and name in shelf().names():
        state["explain.network"] = shelved(name)
        return shelf().key(name)
    if not (state.get("own.chosen") and state.get("own.file")):
        return ""
    state["explain.network"] = OWN
    held = state.get("explain.answering")
    return held.key if held is not None else ""


def _said(find: Callable[[], Network | None], banner: DeltaGenerator) -> Network | None:
    """What a reader refuses is a sentence of the page's."""
    try:
        return find()
    except ValueError as error:
        banner.error(literal(error))
        return None


def _first(banner: DeltaGenerator) -> Network | None:
    """The first bundled network that can be read."""
    found = (_said(partial(_bundled, name), banner) for name in bundled_titles())
    return next((network for network in found if network is not None), None)


def _bundled(name: str) -> Network:
    from resviz.zoo.bundled import card

    about = card(name)
    words = f"{about['measured']['test_error']:.2f} % test error on {about['data']}. {about['caveat']}"
    return Network(
        name, cache.bundled(name), words, f"from resviz.zoo.bundled import load_bundled\nclassifier = load_bundled({name!r})"
    )


def _keep(network: Network) -> None:
    """As it answers now, with what was told of it."""
    from resviz.training.transfer.keep import checkpoint_of

    put(network.classifier.name.rpartition(".")[0] or network.classifier.name, partial(checkpoint_of, network.classifier))


def _shelved(name: str) -> Network:
    """One of the visitor's own; no link can hold it."""
    card = shelf().card(name)
    words = (
        f"On your shelf, trained on {literal(card.get('data', 'what its file does not say'))}. {literal(card.get('caveat', ''))}"
    )
    return Network(shelf().key(name), shelf().load(name), words)


# ------------------------------------------------------------------------------------------- ImageNet


def _imagenet(name: str, banner: DeltaGenerator) -> Network | None:
    from resviz.zoo.imagenet import weights

    item = weights()[name]
    if not item.cached or not _whole(name):
        with banner:
            _offer(name, "is not here yet" if not item.cached else "lies damaged on this disk and is not used")
        if not item.cached or not _whole(name):
            return None
    about = f"torchvision's published weights: {item.top1:.2f} % top-1, {item.top5:.2f} % top-5 on ImageNet-1K."
    load = f"from resviz.zoo.imagenet import load_imagenet\nclassifier = load_imagenet({name!r})"
    return Network(name, cache.imagenet(name), about, load)


def _whole(name: str) -> bool:
    """Whether the file on disk has its hash; measured off the page's thread."""
    from resviz.zoo.imagenet import weights

    item = weights()[name]
    key = "intact", name, item.path.stat().st_mtime_ns
    found = result_of("intact", key, f"Checking {name}", lambda tick: "whole" if item.intact else "damaged")
    return bool(found == "whole")


def _offer(name: str, state: str) -> None:
    """Size and time before the click, then the download with its progress."""
    from resviz.zoo.imagenet import weights

    item, tries = weights()[name], st.session_state.setdefault("download.tries", {})
    size = f"{item.megabytes:.0f} MB, about {max(1, round(item.megabytes * 1e6 / _LINE))} s on a line of 100 Mbit/s"
    if name not in tries:
        st.info(f"**{name}** {state}: {size}. It is kept on the server and checked by its hash.")
        st.button("Download", key="download.start", icon=":material/download:", on_click=tries.update, args=({name: 1},))
        return
    result = result_of(
        "download", ("download", name, tries[name]), f"Downloading {name} ({size})", lambda tick: _download(name, tick)
    )
    if result is None:
        return
    if result == "done":
        del tries[name]
        st.rerun()
    st.error(sentence(result))
    st.button("Try again", key="download.again", on_click=tries.update, args=({name: tries[name] + 1},))


def _download(name: str, tick: Tick) -> str:
    """ "done", or what went wrong."""
    from resviz.data.download import DownloadError
    from resviz.zoo.imagenet import download, weights

    item = weights()[name]
    try:
        with closing(download(item)) as fractions:
            for fraction in fractions:
                tick(fraction, f"{fraction * item.megabytes:.0f} of {item.megabytes:.0f} MB")
    except DownloadError as error:
        return str(error)
    return "done"


def offer_imagenet(network: Network) -> None:
    """Beside a bundled network's answer: the 1,000 names of ImageNet, with what they cost, until they are asked."""
    from resviz.zoo.imagenet import weights

    item = weights()[_OFFERED]
    if network.key not in bundled_titles() or st.session_state["explain.network"] == _OFFERED:
        return
    costs = "already on this server" if item.cached else f"{item.megabytes:.0f} MB, once"
    st.button(
        f"Ask ImageNet's 1,000 names instead: ResNet-50, {costs}",
        icon=":material/travel_explore:",
        key="download.offered",
        on_click=_take_up,
        help=f"{item.top1:.1f} % of ImageNet's validation pictures get their name first (torchvision's figure).",
    )


def _take_up() -> None:
    """Choose it, and begin to fetch it where it is not here."""
    from resviz.zoo.imagenet import weights

    st.session_state["explain.network"] = _OFFERED
    if not weights()[_OFFERED].cached:
        st.session_state.setdefault("download.tries", {}).setdefault(_OFFERED, 1)
