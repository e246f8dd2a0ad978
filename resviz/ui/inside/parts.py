"""What stands under a block's rows: the answer, one number taken apart with what it sees, every block, and the answer as it forms."""

from __future__ import annotations

import io
from functools import partial
from typing import Final

import streamlit as st
from PIL import Image

from resviz.attribution.methods.table import METHODS
from resviz.attribution.neuron import neuron_methods
from resviz.figures import captions, inside
from resviz.figures.theme import number as worded
from resviz.results import Attribution, Prediction
from resviz.spec.spot import Spot
from resviz.ui.components.chart import line_chart
from resviz.ui.components.evidence import panel, photo_url
from resviz.ui.explain.link import valid
from resviz.ui.inside import kept
from resviz.ui.markdown import sentence, with_literal_classes
from resviz.ui.subject import Subject
from resviz.zoo.bundled import card

__all__ = ["answer", "blocks", "excites", "filters", "forms", "number"]

_STRENGTH: Final = "Gradient"


def answer(before: Prediction, after: Prediction) -> None:
    """The likeliest classes, beside those with the block changed."""
    given = {"as it is": before}
    if after is not before:
        given["with this block changed"] = after
    st.html(inside.answers(given))


def number(subject: Subject, spot: Spot, factors: tuple[float, float]) -> None:
    """The chosen number as arithmetic, beside the pixels that it sees."""
    assert spot.channel is not None  # the page has chosen what was left open
    assert spot.pixel is not None
    at = (spot.channel, *spot.pixel)
    st.header(f"One number, taken apart: channel {at[0]}, row {at[1]}, column {at[2]}", anchor=False)
    sums, sees = st.columns([7, 4], gap="medium")
    with sums:
        try:
            found = kept.apart(subject, spot.unit, at, *factors)
        except ValueError as error:
            st.info(sentence(error))
        else:
            st.html(inside.ledger(found))
            st.html(inside.window(found))
            st.caption(captions.apart_note(found))
            name = f"{spot.unit}-{at[0]}-{at[1]}-{at[2]}.csv"
            st.download_button("Every product (CSV)", inside.products(found), name, "text/csv", on_click="ignore")
    with sees:
        _sight(subject, spot.unit, at)


def _sight(subject: Subject, unit: str, at: tuple[int, int, int]) -> None:
    """The photograph with the box of pixels that can reach the number, and how strongly each moves it, or made it what it is."""
    found, shown = kept.sight(subject, unit, at), subject.network.classifier.preprocessing
    photo = photo_url(inside.boxed(shown.window(subject.photograph.image), found.box, shown.crop))
    choices = [_STRENGTH, *neuron_methods(subject.network.classifier)]
    how = st.selectbox(
        "Why is it what it is?",
        choices,
        format_func=lambda name: METHODS[name].title if name in METHODS else name,
        key=valid("inside.why", choices, _STRENGTH),
        help="Gradient: how strongly each pixel moves this number, and no sign. The others say which pixels made it larger or smaller.",
    )
    strength, note = Attribution("gradient", 0, found.strength, signed=False), captions.field_note(found)
    if how != _STRENGTH:
        evidence = kept.neuron(subject, unit, at, how)
        if evidence is None:
            return
        strength, note = evidence, captions.neuron_note(evidence, METHODS[how].title)
    box = found.box
    alt = f"The photograph with a box from row {box.top} to {box.bottom - 1} and column {box.left} to {box.right - 1}"
    panel(photo, shown.crop, "inside-sight", "What this number sees", alt, found=strength, note=note)


def excites(subject: Subject, spot: Spot) -> None:
    """The parts of this picture and of the samples that turn the chosen channel on."""
    assert spot.channel is not None
    st.subheader(f"What turns channel {spot.channel} on", anchor=False)
    found = kept.excited(subject, spot.unit, spot.channel)
    if found is None:
        return
    st.markdown(captions.excited_note([each for _, each in found], spot.unit, spot.channel))
    with st.container(horizontal=True):
        for photograph, each in found:
            alt = f"{each.title}, clear where the channel is on"
            st.image(inside.exciting(photograph, each), caption=f"{each.title} · {worded(each.most)}", width=150, alt=alt)


def filters(subject: Subject) -> None:
    """The first layer's weights as colour pictures."""
    layer, weights = next(iter(subject.network.classifier.net.weights().items()))
    values = weights.detach().float().cpu().numpy()
    sheet = inside.filters(values)
    st.subheader(f"The first layer's filters ({layer})", anchor=False)
    st.markdown(captions.filters_note(values))
    st.image(sheet, alt=f"{len(values)} small pictures, one for each filter of {layer}")
    st.download_button("Filters (PNG)", partial(_png, sheet), "filters.png", "image/png", on_click="ignore")


def _png(sheet: Image.Image) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def blocks(subject: Subject) -> None:
    """How much every block adds."""
    ratios = {unit: ratio for unit, ratio in kept.ratios(subject).items() if ratio < float("inf")}
    if ratios:
        line_chart(inside.ratio_line(ratios), "inside-ratios", "‖F(x)‖/‖x‖ of every block for this picture")


def forms(subject: Subject, unit: str, skips: bool) -> None:
    """What the answer is along the trunk, and what it becomes without the chosen skip."""
    read, early = kept.read(subject), kept.read_early(subject)
    without = kept.read(subject, unit, 0.0) if skips else None
    worded = {name: with_literal_classes(each) for name, each in read.items()}
    other = without and {name: with_literal_classes(each) for name, each in without.items()}
    st.markdown(captions.forming_note(worded, other, unit))
    ways = [("As it is", early | read)]
    if without:
        ways.append((f"Without the skip of {unit}", kept.read_early(subject, unit, 0.0) | without))
    for place, (title, found) in zip(st.columns(len(ways)), ways, strict=True):
        with place:
            st.markdown(f"**{title}**")
            label = f"{title}: probabilities along the trunk"
            line_chart(inside.forming(found, early | read), f"inside-forms-{title[:2]}", label)
    if early:
        st.caption(captions.early_note(card(subject.network.key)["readouts"]))
    st.caption(
        "The head was trained to read the last block alone; what it makes of earlier ones shows how far the answer has come."
    )
