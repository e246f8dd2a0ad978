"""A chart as an SVG that stands still: for notebooks and mails, where no script runs."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Sequence
from typing import Final, cast
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from resviz.figures.chart import Axis, Chart, Heat, Rule, Series
from resviz.figures.theme import GRID, INK, OVERFLOW, PAPER, ZERO, rgb, signal

__all__ = ["chart_svg"]

_LEFT, _RIGHT, _TOP, _BOTTOM, _TYPE = 62, 14, 10, 44, 12
_BAR: Final = 58  # beside a heatmap, for its scale
_Place = tuple[float, float, float, float]  # of the axes: left, top, right, bottom


def chart_svg(chart: Chart, title: str, width: int = 520) -> str:
    """The chart in light colours on the project's paper; `title` is what a screen reader says of it."""
    place = (_LEFT, _TOP, width - _RIGHT - (_BAR if chart.heat else 0), chart.height - _BOTTOM)
    x = _Scale(chart.x, [series.x for series in chart.series], place[0], place[2])
    y = _Scale(chart.y, [series.y for series in chart.series], place[3], place[1])
    parts = [*_axes(chart, x, y, place)]
    if chart.heat is not None:
        parts += _cells(chart.heat, x, y)
        parts += _scale(chart.heat, place)
    parts += [part for rule in chart.rules for part in _rule(rule, x, y, place)]
    parts += [part for series in chart.series for part in _line(series, x, y)]
    parts += [_text(place[2], y(note.y) - 3, note.text, "end") for note in chart.notes if note.y is not None]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {chart.height}" width="{width}" height="{chart.height}" role="img" '
        f'style="background: {PAPER}; max-width: 100%"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


class _Scale:
    """From an axis' numbers to pixels."""

    def __init__(self, axis: Axis, values: list[Sequence[float] | np.ndarray], start: float, end: float) -> None:
        self.low, self.high = cast(list[float], axis.data(values)["range"])
        self.start, self.end = start, end
        self.ticks = axis.ticks if axis.ticks is not None else tuple((v, f"{v:g}") for v in _round(self.low, self.high))

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def _round(low: float, high: float) -> Iterator[float]:
    """About five round numbers."""
    power = 10 ** math.floor(math.log10((high - low) / 5))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= (high - low) / 5)
    for i in range(math.ceil(low / step), math.floor(high / step) + 1):
        yield round(i * step, 10)


def _text(x: float, y: float, text: str, anchor: str = "middle", turn: bool = False) -> str:
    turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
    font = f'font-family="system-ui, sans-serif" font-size="{_TYPE}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}" {font}{turned}>{escape(text)}</text>'


def _straight(x0: float, y0: float, x1: float, y1: float, look: str) -> str:
    return f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" {look}/>'


def _axes(chart: Chart, x: _Scale, y: _Scale, place: _Place) -> Iterator[str]:
    left, top, right, bottom = place
    for value, text in x.ticks:
        yield _straight(x(value), top, x(value), bottom, f'stroke="{GRID}"')
        yield _text(x(value), bottom + 15, text)
    for value, text in y.ticks:
        yield _straight(left, y(value), right, y(value), f'stroke="{GRID}"')
        yield _text(left - 6, y(value) + 4, text, "end")
    yield _text((left + right) / 2, chart.height - 8, chart.x.title)
    yield _text(13, (top + bottom) / 2, chart.y.title, turn=True)


def _rule(rule: Rule, x: _Scale, y: _Scale, place: _Place) -> Iterator[str]:
    left, top, right, bottom = place
    look = f'stroke="{rule.colour}" stroke-width="{rule.width}"' + (' stroke-dasharray="2 4"' if rule.dotted else "")
    if rule.x is not None:
        yield _straight(x(rule.x), top, x(rule.x), bottom, look)
    elif rule.y is not None:
        yield _straight(left, y(rule.y), right, y(rule.y), look)


def _line(series: Series, x: _Scale, y: _Scale) -> Iterator[str]:
    """Pieces between gaps."""
    look = f'fill="none" stroke="{series.style.colour}" stroke-width="{series.width}" opacity="{series.opacity or 1}"'
    values = np.asarray(series.y, np.float64)
    pieces = np.split(np.arange(len(values)), np.flatnonzero(~np.isfinite(values)))
    for piece in pieces:
        points = " ".join(f"{x(float(series.x[i])):.1f},{y(values[i]):.1f}" for i in piece if math.isfinite(values[i]))
        if points:
            yield f'<polyline points="{points}" {look}/>'
    if series.markers is not None:
        for place, value in zip(series.x, values.tolist(), strict=True):
            if math.isfinite(value):
                yield f'<circle cx="{x(float(place)):.1f}" cy="{y(value):.1f}" r="2.5" fill="{series.style.colour}"/>'


def _cells(heat: Heat, x: _Scale, y: _Scale) -> Iterator[str]:
    """One column of pixels for each pixel of the axis: a step lasts until the next one that was recorded."""
    wide = round(x.end - x.start)
    places = x.low + (np.arange(wide) + 0.5) / wide * (x.high - x.low)
    shown = np.clip(np.searchsorted(heat.x, places, side="right") - 1, 0, None)
    ramp = np.array([rgb(colour) for colour in (ZERO, *signal(253), OVERFLOW)], np.uint8)
    cells = np.frombuffer(base64.b64decode(str(heat.data()["cells"])), np.uint8).reshape(len(heat.names), -1)
    pixels = np.dstack([ramp[cells[::-1, shown]], np.broadcast_to(np.where(places < heat.x[0], 0, 255), (len(cells), wide))])
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8), "RGBA").save(buffer, "PNG")
    top, bottom = y(len(heat.names) - 0.5), y(-0.5)
    yield (
        f'<image href="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}" x="{x.start:.1f}" y="{top:.1f}" '
        f'width="{wide}" height="{bottom - top:.1f}" preserveAspectRatio="none" style="image-rendering: pixelated"/>'
    )


def _scale(heat: Heat, place: _Place) -> Iterator[str]:
    _, top, right, bottom = place
    for i, colour in enumerate(signal(32)):
        height = (bottom - top) / 32
        yield f'<rect x="{right + 8}" y="{bottom - (i + 1) * height:.1f}" width="8" height="{height + 0.5:.1f}" fill="{colour}"/>'
    for value, text in heat.ticks:
        yield _text(right + 20, bottom - (value - heat.low) / (heat.high - heat.low) * (bottom - top) + 4, text, "start")
