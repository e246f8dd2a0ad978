"""What attention does to tokens, in words."""

from __future__ import annotations

import itertools

import numpy as np

from resviz.figures.captions.numbers import counted
from resviz.figures.theme import number, power_of_ten
from resviz.results import AttentionMaps, Collapse
from resviz.spec.datasets import symbol

__all__ = ["attention_note", "collapse_claim", "collapse_note"]

_GONE, _KEPT = 1e-8, 0.1  # of what tokens differ by: as good as nothing, and plenty
_FALLING = (1e-13, 0.3)  # between rounding and where a cube is no fall yet
_EVEN = 1.5  # times what each patch would get if all got the same


def collapse_note(found: Collapse, network: str) -> str:
    """What is left of the tokens' differences behind the last layer, variant by variant."""
    parts = [f"**{name}** {_ending(values)}" for name, values in found.residuals.items()]
    return (
        f"{network}, {counted(found.layers, 'layer')} at their initial weights, median of {counted(found.images, found.read)}: what is left of "
        f"‖res(X)‖ / ‖X‖, res(X) being the tokens less their mean, both in the Frobenius norm and double precision. {'; '.join(parts)}."
    )


def _ending(values: np.ndarray) -> str:
    last = float(values[-1])
    if not np.isfinite(last):
        return "overflows"
    if last <= _GONE:
        return f"{number(last)}, at most {power_of_ten(-8)} from layer {_gone(values)} on: one token, many times"
    return f"{number(last)}" + ("" if last >= _KEPT else f", from {number(float(values[0]))}")


def _gone(values: np.ndarray) -> int | None:
    """Behind how many layers nothing is left, if ever."""
    under = np.flatnonzero(values <= _GONE)
    return int(under[0]) if under.size else None


def collapse_claim(found: Collapse) -> str:
    """The paper's claim beside what was measured, and whether they agree."""
    plain, whole = found.residuals["without skips"], found.residuals["with skips"]
    bare = found.residuals.get("attention alone", plain)
    power = _power(bare)
    says = (
        "**The paper says** (Dong et al. 2021, arXiv 2103.03404): attention alone loses rank doubly exponentially, its residual at most "
        "a constant times its cube a layer, in √(‖·‖₁ ‖·‖∞); skips stop that, and MLPs slow it down."
    )
    fell = "" if power is None else f" On the way down each layer raises it to the power {power:.1f}, in the median."
    agrees = whole[-1] >= _KEPT and bare[-1] <= _GONE
    with_mlp, without = _gone(plain), _gone(bare)
    if bare is not plain and with_mlp and without:
        fell += f" With MLPs it is gone behind layer {with_mlp}, without them behind layer {without}."
    return (
        f"{says} **We measure** {number(float(whole[-1]))} with skips and {number(float(bare[-1]))} for attention alone behind "
        f"{counted(found.layers, 'layer')}.{fell} **{'Agrees' if agrees else 'Differs'}**"
        f"{'.' if agrees else f': to agree it would be 0.1 and more with skips, {power_of_ten(-8)} and less without.'}"
    )


def _power(values: np.ndarray) -> float | None:
    """By what the logarithm grows a layer, while it falls; None where it never does."""
    pairs = [
        float(np.log(after) / np.log(before))
        for before, after in itertools.pairwise(values)
        if before <= _FALLING[1] and after >= _FALLING[0]
    ]
    return float(np.median(pairs)) if pairs else None


def _named(found: AttentionMaps, row: int, column: int) -> str:
    return f", {symbol(round(float(found.picture[row, column])))}" if found.symbols else ""


def attention_note(found: AttentionMaps, network: str) -> str:
    """Where the class token looks: how far from even, and which head looks hardest at which patch."""
    own, rest = found.weights[:, :, 0, 0], found.weights[:, :, 0, 1:]
    layer, head, patch = map(int, np.unravel_index(int(rest.argmax()), rest.shape))
    share, even = float(rest[layer, head, patch]), 1 / found.weights.shape[-1]
    row, column = divmod(patch, found.side)
    things, one = ("sequences", "symbol") if found.symbols else ("digits", "patch")
    trained = f"after {counted(found.steps, 'step')} on {things}" if found.steps else "at its initial weights"
    asked = f"asked for {found.label} and saying" if found.symbols else f"of the digit {found.label}, which it takes for"
    said = (
        f"**{network}** {trained}, {asked} {found.answer}: what the class token reads of each {one}, layer by layer, "
        f"head by head. Spread evenly a token would get {number(even)}."
    )
    if share < _EVEN * even:
        return f"{said} No {one} gets {_EVEN:g} times that: nothing is looked at yet. Itself it gives {number(float(own.mean()))} on average."
    return (
        f"{said} The most is {number(share)}, in head {head} of layer {layer}, of the {one} in row {row + 1}, column {column + 1}{_named(found, row, column)}. "
        f"Itself it gives {number(float(own.mean()))} on average. A weight says what is read, not what the answer is made of "
        "(Jain & Wallace 2019, arXiv 1902.10186)."
    )
