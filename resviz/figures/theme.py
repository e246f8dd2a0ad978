"""One colour a meaning, one template, one way to write numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import plotly.graph_objects as go

__all__ = [
    "CUT",
    "IDENTITY",
    "NEGATIVE",
    "PLAIN",
    "POSITIVE",
    "RESIDUAL",
    "STRENGTH",
    "WARNING",
    "WEAKER",
    "Sketch",
    "add_line",
    "base_figure",
    "contender_styles",
    "count",
    "number",
    "power_of_ten",
    "set_axes",
    "sketch",
    "viridis",
]

Sketch = dict[str, Any]

# Okabe & Ito's colour-blind safe palette
RESIDUAL: Final = "#0072B2"
PLAIN: Final = "#D55E00"
IDENTITY: Final = "#009E73"
CUT: Final = "#CC79A7"
POSITIVE: Final = RESIDUAL
NEGATIVE: Final = PLAIN
STRENGTH: Final = IDENTITY  # of a magnitude, which speaks neither for nor against
WEAKER: Final = CUT  # where a difference of magnitudes is negative
WARNING: Final = "#E69F00"
GRID: Final = "rgba(128,138,150,0.22)"

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@cache
def viridis(steps: int) -> tuple[str, ...]:
    """The scale of everything that has a size, dark to bright, as "#rrggbb"; Plotly looks all its scales over at every call."""
    from plotly.colors import sample_colorscale

    colours = sample_colorscale("Viridis", [i / (steps - 1) for i in range(steps)], colortype="tuple")
    return tuple("#" + "".join(f"{round(255 * part):02x}" for part in colour) for colour in colours)


def power_of_ten(exponent: int) -> str:
    """10⁻⁹ … 10³."""
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def number(value: float) -> str:
    """Three significant digits, powers of ten written as such; zero, infinity and NaN by name."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        digits = max(0, 2 - math.floor(math.log10(abs(value))))
        return f"{value:,.{digits}f}".replace("-", "−")
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}×{power_of_ten(int(exponent))}".replace("-", "−", 1 if value < 0 else 0)


def count(value: float, unit: str = "") -> str:
    """Three significant digits with k, M, G: `11.7 M`."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            digits = max(0, 2 - math.floor(math.log10(abs(value) / size)))
            return f"{value / size:.{digits}f} {letter}{unit}"
    return f"{value:.0f} {unit}".rstrip()


def sketch(height: int) -> Sketch:
    """An empty figure in the house style as Plotly's plain JSON: what is redrawn twice a second cannot wait for a checked one."""
    axis = {"gridcolor": GRID, "zeroline": False}
    return {
        "data": [],
        "layout": {
            "height": height,
            "margin": {"l": 64, "r": 16, "t": 36, "b": 48},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "hoverlabel": {"align": "left"},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "rgba(128,138,150,0.8)", "activecolor": RESIDUAL},
            "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "xanchor": "left"},
            "font": {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 13},
            "xaxis": dict(axis),
            "yaxis": dict(axis),
            "shapes": [],
            "annotations": [],
        },
    }


def add_line(figure: Sketch, names: Sequence[str], values: Sequence[str], **trace: Any) -> None:
    """Add a line to a sketch; `names` and `values` are what a reader sees of each point."""
    figure["data"].append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "customdata": list(zip(names, values, strict=True)),
            "hovertemplate": "<b>%{customdata[0]}</b><br>%{customdata[1]}<extra>" + trace["name"] + "</extra>",
        }
        | trace
    )


def set_axes(figure: Sketch, x: dict[str, Any], y: dict[str, Any], meaning: str | None = None) -> None:
    """`meaning` names what the x axis shows: a zoom is kept as long as it is the same, otherwise as long as the range is."""
    layout = figure["layout"]
    for name, axis in (("xaxis", x), ("yaxis", y)):
        layout[name] |= axis | ({"title": {"text": axis["title"]}} if "title" in axis else {})
    if meaning is not None:
        layout["uirevision"] = meaning


def base_figure(height: int) -> go.Figure:
    """An empty figure in the house style; colours of text and paper come from the page's theme."""
    return go.Figure(sketch(height))


# a second, third … network of the same family: the family's hue, told apart by lightness, dash and marker
_FAMILIES: Final = {
    True: ((RESIDUAL, "solid", "circle"), ("#56B4E9", "dot", "triangle-up-open"), ("#004C78", "dashdot", "square"), ("#8FA8C8", "dash", "circle")),
    False: ((PLAIN, "dash", "square"), ("#E69F00", "dashdot", "triangle-up-open"), ("#8C3B00", "dot", "circle"), ("#C98B62", "solid", "square")),
}  # fmt: skip


def contender_styles(tracks: Sequence[Any]) -> list[tuple[str, str, str]]:
    """(colour, dash, marker) for each of what has a `residual`, no two alike."""
    counts = {True: 0, False: 0}
    styles = []
    for track in tracks:
        styles.append(_FAMILIES[track.residual][counts[track.residual]])
        counts[track.residual] += 1
    return styles
