"""What a block did to a picture, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from resviz.figures.captions.numbers import counted, percent
from resviz.figures.theme import number
from resviz.results import Arithmetic, Attribution, Excitement, Field, Inside, Prediction, ReadoutsCard

__all__ = [
    "apart_note",
    "changed_note",
    "early_note",
    "excited_note",
    "field_note",
    "filters_note",
    "forming_note",
    "neuron_note",
    "unit_note",
]

_GREY = 0.05  # of a filter's energy may differ between the colours, for it to be called grey

_BRINGS = {
    "identity": "the x that its skip brings as it came",
    "weighed": "what its skip leaves of x by its factor or gate",
    "zero-pad": "the x that its skip brings, every second pixel and padded with zero channels",
    "projection": "what its skip makes of x by a 1×1 convolution",
    "parallel": "what its skip makes of x by a norm and a 1×1 convolution beside it",
}


def unit_note(seen: Inside) -> str:
    """How much a block adds to what passes by, and what the colours say."""
    colours = "Amber is above zero, violet below"
    if seen.mapped == "none":
        return f"**{seen.unit}** has no skip: what leaves it is F(x) alone, and nothing of x is added. {colours}."
    ratio = seen.ratio
    if not math.isfinite(ratio):
        return f"**{seen.unit}**: its skip brings nothing, so the sum is F(x) alone. {colours}."
    added = f"**{seen.unit}** adds an F(x) that is **{number(ratio)} times** as strong as {_BRINGS[seen.mapped]} (‖F(x)‖/‖x‖)"
    return f"{added}: {_judged(ratio)}. {colours}."


def _judged(ratio: float) -> str:
    if ratio == 0:
        return "it adds nothing"
    if ratio < 0.1:
        return "it leaves what passes by almost as it is"
    if ratio < 0.5:
        return "it corrects what passes by"
    if ratio < 1:
        return "it changes what passes by with more than half of its strength"
    return "what it adds outweighs what it was given"


def changed_note(before: Prediction, after: Prediction, factors: tuple[float, float]) -> str:
    """What the answer becomes with F and x multiplied."""
    (first, p), (now, q) = before.top(1)[0], after.top(1)[0]
    names = [f"{what} × {factor:g}" for what, factor in zip(("F(x)", "x"), factors, strict=True) if factor != 1]
    if not names:
        return f"**{first}** with {percent(p)}, with this block as it is."
    changed = f"With {' and '.join(names)} in this block alone"
    if now != first:
        left = after.probabilities[after.categories.index(first)]
        return f"{changed} the answer is **{now}** with {percent(q)} and no longer **{first}**, which keeps {percent(left)} of {percent(p)}."
    return f"{changed} the answer is still **{first}**, with {percent(q)} instead of {percent(p)}."


def forming_note(read: Mapping[str, Prediction], without: Mapping[str, Prediction] | None, unit: str) -> str:
    """How the answer comes about along the last stage."""
    units = list(read)
    final, p = read[units[-1]].top(1)[0]
    at = read[units[0]].categories.index(final)
    since = next(
        name for i, name in enumerate(units) if all(int(read[later].probabilities.argmax()) == at for later in units[i:])
    )
    first = percent(float(read[units[0]].probabilities[at]))
    said = f"Read out after {units[0]}, the head gives **{final}** {first}; after {units[-1]}, {percent(p)}. "
    said += "It leads all the way." if since == units[0] else f"It leads from {since} on."
    if without is None:
        return said
    other, q = without[units[-1]].top(1)[0]
    end = f"still **{final}**, with {percent(q)}" if other == final else f"**{other}** with {percent(q)}"
    return f"{said} Without the skip of {unit} the end is {end}."


def early_note(readouts: ReadoutsCard) -> str:
    """What the earlier stages' own read-outs are, and how often they are right."""
    right = [f"{unit} ({percent(1 - error / 100)})" for unit, error in readouts["errors"].items()]
    listed = " and ".join([", ".join(right[:-1]), right[-1]] if len(right) > 1 else right)
    return (
        f"Behind {listed} a linear read-out of the pooled channels answers, fitted on {counted(readouts['fitted'], 'training picture')}; "
        "in brackets, how many of the held-out pictures it names rightly."
    )


def apart_note(found: Arithmetic) -> str:
    """Where the number comes from, and how exactly the arithmetic meets it."""
    inputs, height, width = found.weights.shape
    off = abs(found.joined - found.shown_joined)
    reads = f"{counted(inputs, 'channel')} × {height}×{width} = {counted(found.weights.size, 'product')}"
    met = "exactly" if off == 0 else f"to {number(off)}"
    return (
        f"`{found.conv}` reads {reads} for channel {found.channel} at row {found.row}, column {found.column}. Added up here in "
        f"64 bits, they meet the network's own number, computed in 32, {met}."
    )


def field_note(found: Field) -> str:
    """How much of the picture a number can see, and how much of that moves it."""
    box, (height, width) = found.box, found.strength.shape
    high, wide = box.bottom - box.top, box.right - box.left
    if (high, wide) == (height, width):
        reach = f"This number can see the whole picture, {width}×{height} pixels"
    else:
        share = percent(high * wide / (height * width))
        reach = f"This number can see the {wide}×{high} pixels in the box, {share} of the picture"
    if not found.core:
        return f"{reach}; none of them moves it now."
    return (
        f"{reach}. What moves it is less: half of the gradient lies on {percent(found.core)} of them, the brighter the stronger."
    )


def neuron_note(found: Attribution, title: str) -> str:
    """Which way the pixels moved a number, and whether they account for all of it."""
    change = found.target_change or 0.0
    for_it, against = float(found.values[found.values > 0].sum()), float(-found.values[found.values < 0].sum())
    moved = f"It is {number(abs(change))} {'above' if change > 0 else 'below'} its value for the mean-coloured picture"
    if change == 0:
        moved = "It is what it is for the mean-coloured picture"
    if for_it + against == 0:
        return f"{moved}, and no pixel moves it: {title} is nothing everywhere."
    shares = f"{percent(for_it / (for_it + against))} of {title}'s evidence made it larger, the rest smaller"
    if found.delta is None or change == 0:
        return f"{moved}. {shares}."
    return f"{moved}. {shares}; together they miss that by {percent(abs(found.delta / change))}."


def excited_note(found: Sequence[Excitement], unit: str, channel: int) -> str:
    """Which picture turns a channel on most, and which leave it off; `found` begins with the strongest."""
    off = [each.title for each in found if each.most <= 0]
    if len(off) == len(found):
        return f"Channel {channel} of {unit} is on for none of these {counted(len(found), 'picture')}."
    first = found[0]
    said = f"Channel {channel} of {unit} is on most for **{first.title}**, {number(first.most)} at its strongest place"
    if len(found) > len(off) > 0:
        said += f", and nowhere for {' and '.join(off) if len(off) < 3 else counted(len(off), 'picture')}"
    return f"{said}. What is clear has at least half of the picture's strongest value."


def filters_note(weights: np.ndarray) -> str:
    """How many of the first layer's filters, (n, 1 or 3, height, width), tell colours apart."""
    count, channels, height, width = weights.shape
    sizes = f"{counted(count, 'filter')} of {height}×{width} pixels"
    if channels == 1:
        return f"{sizes} in grey: light is a positive weight, dark a negative one."
    energy = np.square(weights, dtype=np.float64).sum((1, 2, 3))
    common = channels * np.square(weights.mean(1), dtype=np.float64).sum((1, 2))
    grey = int((energy - common <= _GREY * energy).sum())
    return f"{sizes}: {grey} weigh the three colours alike, to {percent(_GREY)} of their energy, and see light and dark alone; {count - grey} tell colours apart."
