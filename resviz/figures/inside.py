"""One number taken apart, and answers beside each other, as tables for a page; blocks as bars and the answer's way as lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from resviz.figures.chart import Axis, Chart, Markers, Series
from resviz.figures.theme import RESIDUAL_LINE, method_styles, number
from resviz.results import Arithmetic, Box, Excitement, Prediction

__all__ = ["answers", "boxed", "exciting", "filters", "fixed", "forming", "ledger", "products", "ratio_line", "window"]

_FEW: Final = 4  # input channels that are named in the ledger


def fixed(values: Sequence[float], digits: int = 4) -> list[str]:
    """Numbers that are added up have equally many decimals: so many digits of the largest. Nothing is no less than zero."""
    most = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    decimals = min(9, max(0, digits - 1 - math.floor(math.log10(most)))) if most else 1
    return [f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−") for value in values]


def ledger(found: Arithmetic) -> str:
    """From the products to what leaves the block, a line each, as an HTML table."""
    by_channel = found.by_channel
    strongest = np.argsort(-np.abs(by_channel), kind="stable")[:_FEW]
    rest = float(by_channel.sum() - by_channel[strongest].sum())
    lines = [(f"input channel {found.first + i}: window × weights", float(by_channel[i])) for i in strongest]
    if by_channel.size > len(lines):
        lines.append((f"the other {by_channel.size - len(lines)} input channels", rest))
    if found.bias:
        lines.append(("bias", found.bias))
    convolved = [*(value for _, value in lines), found.convolved]
    rows = _summed([name for name, _ in lines], convolved, f"<b>{escape(found.conv.rsplit('.', 1)[-1])}</b>")
    whole = found.scale * found.convolved + found.shift
    if found.norm:
        scaled, shift, total = fixed([found.scale * found.convolved, found.shift, whole])
        rows += _row(f"× {number(found.scale)}, the {found.norm}'s scale", scaled)
        rows += _row("the norm's shift", shift, "+") + _row("<b>F(x)</b>", total, "=", "total")
    rows += _joined(found, whole)
    return f'<table class="ledger"><caption>How the number comes about</caption><tbody>{rows}</tbody></table>'


def _joined(found: Arithmetic, whole: float) -> str:
    """The lines from F(x) on."""
    rows, residual, identity = "", found.residual, found.skip * found.identity
    parts = [residual] if found.mapped == "none" else [residual, identity, found.joined]
    texts = fixed([*parts, found.shown_output])
    if found.branch != 1:
        rows += _row(f"× {found.branch:g}, your slider: {fixed([whole])[0]} becomes", texts[0], "", "total")
    elif not found.norm:
        rows += _row("<b>F(x)</b>, nothing stands behind the convolution", texts[0], "=", "total")
    if found.mapped != "none":
        scaled = f" × {found.skip:g}, your slider" if found.skip != 1 else ""
        rows += _row(f"<b>x</b>{scaled}", texts[1], "+", "skip") + _row("<b>x + F(x)</b>", texts[2], "=", "total")
    if found.activation:
        rows += _row(f"<b>after {escape(found.activation)}</b>", texts[-1], "→", "total")
    return rows


def _summed(names: Sequence[str], values: Sequence[float], total: str) -> str:
    texts = fixed(values)
    rows = "".join(_row(name, text, "+" if i else "") for i, (name, text) in enumerate(zip(names, texts, strict=False)))
    return rows + _row(total, texts[-1], "=", "total")


def _row(name: str, value: str, sign: str = "", css: str = "") -> str:
    return f'<tr class="{css}"><th scope="row"><i>{sign}</i>{name}</th><td>{value}</td></tr>'


def window(found: Arithmetic) -> str:
    """The input channel that adds most: its window, its weights and their products, as small tables."""
    strongest = int(np.abs(found.by_channel).argmax())
    grids = [("window", found.window[strongest]), ("weights", found.weights[strongest]), ("products", found.products[strongest])]
    drawn = [_grid(title, np.asarray(values, np.float64)) for title, values in grids]
    return f'<div class="grids">{drawn[0]}<span>×</span>{drawn[1]}<span>=</span>{drawn[2]}</div>'


def _grid(title: str, values: np.ndarray) -> str:
    top = float(np.abs(values).max()) or 1.0
    texts = iter(fixed([float(value) for value in values.ravel()], 3))
    rows = "".join(
        "<tr>" + "".join(f'<td style="background:{_ground(value / top)}">{next(texts)}</td>' for value in row) + "</tr>"
        for row in values
    )
    return f"<table><caption>{title}</caption><tbody>{rows}</tbody></table>"


def _ground(share: float) -> str:
    """Amber above zero, violet below, so pale that words stay readable on it."""
    return f"color-mix(in srgb, var(--{'for' if share > 0 else 'against'}) {round(38 * abs(share))}%, transparent)"


def products(found: Arithmetic) -> str:
    """Every product as CSV."""
    lines = ["input channel,row,column,input,weight,product"]
    for (channel, row, column), product in np.ndenumerate(found.products):
        given, weight = float(found.window[channel, row, column]), float(found.weights[channel, row, column])
        lines.append(f"{found.first + channel},{row},{column},{given:.9g},{weight:.9g},{product:.17g}")
    return "\n".join(lines) + "\n"


def answers(given: Mapping[str, Prediction]) -> str:
    """The likeliest classes of each of several answers side by side; what one answer names has its line in all."""
    shown: list[str] = []
    for prediction in given.values():
        shown += [name for name, _ in prediction.top(5) if name not in shown]
    first = next(iter(given.values()))
    shown = sorted(shown, key=lambda name: -first.probabilities[first.categories.index(name)])[:7]
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in given if len(given) > 1)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>' + "".join(_bar(each, name) for each in given.values()) + "</tr>"
        for name in shown
    )
    return f'<table class="answers">{head and f"<thead><tr><td></td>{head}</tr></thead>"}<tbody>{body}</tbody></table>'


def _bar(prediction: Prediction, name: str) -> str:
    p = 100 * float(prediction.probabilities[prediction.categories.index(name)])
    best = " class='best'" if name == prediction.top(1)[0][0] else ""
    return f"<td{best}><span style='width:{p * 0.6:.2f}%'></span>{p:.1f} %</td>"


def forming(read: Mapping[str, Prediction], beside: Mapping[str, Prediction] | None = None) -> Chart:
    """The final answer's five likeliest classes, read out after every block of the last stage.

    `beside` is what another chart shows, in which the same class has the same line.
    """
    units, final = list(read), list(read.values())[-1]
    known = [name for name, _ in list((beside or read).values())[-1].top(5)]
    known += [name for name, _ in final.top(5) if name not in known]
    styles, at = method_styles(), np.arange(len(units), dtype=np.float64)
    series = []
    for name, _ in final.top(5):
        values = [100 * float(each.probabilities[each.categories.index(name)]) for each in read.values()]
        points = tuple((f"{name}, after {unit}", f"{value:.1f} %") for unit, value in zip(units, values, strict=True))
        series.append(Series(name, at, np.array(values), styles[known.index(name) % len(styles)], points, Markers()))
    ticks = tuple((float(i), unit) for i, unit in enumerate(units))
    reach = (-0.15, len(units) - 0.85)
    return Chart(280, Axis("read out after", reach, ticks), Axis("probability (%)", (-2.0, 102.0)), tuple(series))


def ratio_line(ratios: Mapping[str, float]) -> Chart:
    """‖F(x)‖/‖x‖ of every block."""
    names, values = list(ratios), np.array(list(ratios.values()))
    at = np.arange(len(names), dtype=np.float64)
    points = tuple((name, number(value)) for name, value in ratios.items())
    step = max(1, len(names) // 9)
    top = 1.1 * float(values.max(initial=0.1))
    ticks = tuple((float(i), names[i]) for i in range(0, len(names), step))
    line = Series("‖F(x)‖/‖x‖", at, values, RESIDUAL_LINE, points, Markers(size=8))
    return Chart(260, Axis("block", ticks=ticks), Axis("‖F(x)‖ / ‖x‖", (0.0, top)), (line,))


def boxed(photograph: Image.Image, box: Box, side: int) -> Image.Image:
    """The photograph, which shows `side` pixels of the network's, with a rectangle around the box."""
    shown, scale = photograph.copy(), photograph.width / side
    pen = ImageDraw.Draw(shown)
    edges = [box.left * scale, box.top * scale, box.right * scale - 1, box.bottom * scale - 1]
    for colour, width, inset in (("black", 5, 0), ("white", 3, 1)):
        near = [edges[0] + inset, edges[1] + inset, edges[2] - inset, edges[3] - inset]
        if near[2] >= near[0] and near[3] >= near[1]:
            pen.rectangle(near, outline=colour, width=width)
    return shown


def exciting(photograph: Image.Image, found: Excitement) -> Image.Image:
    """The photograph with all veiled where the channel has less than half of its strongest value; wholly where it is nowhere on."""
    values = Image.fromarray(np.asarray(found.values, np.float32)).resize(photograph.size, Image.Resampling.BILINEAR)
    on = (np.asarray(values) >= found.most / 2) & (found.most > 0)
    veiled = Image.blend(photograph, Image.new("RGB", photograph.size, (128, 128, 128)), 0.8)
    return Image.composite(photograph, veiled, Image.fromarray(on.astype(np.uint8) * 255))


def filters(weights: np.ndarray, scale: int = 6) -> Image.Image:
    """The first layer's filters, (n, 1 or 3, height, width), as colours: grey is zero, the strongest weight of each filter is full."""
    count, channels, height, width = weights.shape
    across = min(16, count)
    top = np.abs(weights).max((1, 2, 3), keepdims=True)
    shades = np.rint(127.5 * (1 + weights / np.where(top == 0, 1, top))).astype(np.uint8)
    sheet = np.full((-(-count // across), across, height * scale + 2, width * scale + 2, 3), 255, np.uint8)
    for place, each in enumerate(shades):
        colours = np.broadcast_to(each, (3, height, width)) if channels == 1 else each
        sheet[divmod(place, across)][1:-1, 1:-1] = colours.transpose(1, 2, 0).repeat(scale, 0).repeat(scale, 1)
    return Image.fromarray(sheet.transpose(0, 2, 1, 3, 4).reshape(-1, across * (width * scale + 2), 3))
