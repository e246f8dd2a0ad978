"""One colour a meaning, one template, one way to write numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple, Protocol

__all__ = [
    "CUT",
    "GRID",
    "IDENTITY",
    "INK",
    "NEGATIVE",
    "PAPER",
    "PLAIN",
    "POSITIVE",
    "RESIDUAL",
    "SHADE",
    "STRENGTH",
    "STROKE",
    "WARNING",
    "WEAKER",
    "ZERO",
    "LineStyle",
    "contender_styles",
    "count",
    "css_variables",
    "number",
    "power_of_ten",
    "rgb",
    "viridis",
]

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
ZERO: Final = "#000000"  # of a heatmap's cell that is exactly 0
GRID: Final = "rgba(128,138,150,0.22)"
# files that are always light
INK: Final = "#1B2430"
PAPER: Final = "#FFFFFF"
STROKE: Final = "#D5DBE3"
SHADE: Final = "#F4F6F8"

# what style sheets and scripts call them
_VARIABLES: Final = {"warning": WARNING, "cut": CUT, "ink": INK, "paper": PAPER, "stroke": STROKE}

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class LineStyle(NamedTuple):
    """How a line looks: dash and symbol by Plotly's names."""

    colour: str
    dash: str = "solid"
    symbol: str = "circle"


def css_variables() -> str:
    """The colours that our views share, as a rule that declares them for a whole component."""
    return ":host {" + "".join(f" --{name}: {colour};" for name, colour in _VARIABLES.items()) + " }"


def rgb(colour: str) -> tuple[int, int, int]:
    """ "#rrggbb" as three numbers from 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


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


# a second, third … network of the same family: the family's hue, told apart by lightness, dash and symbol
_FAMILIES: Final = {
    True: (
        LineStyle(RESIDUAL),
        LineStyle("#56B4E9", "dot", "triangle-up-open"),
        LineStyle("#004C78", "dashdot", "square"),
        LineStyle("#8FA8C8", "dash"),
    ),
    False: (
        LineStyle(PLAIN, "dash", "square"),
        LineStyle("#E69F00", "dashdot", "triangle-up-open"),
        LineStyle("#8C3B00", "dot"),
        LineStyle("#C98B62", "solid", "square"),
    ),
}


class _Contender(Protocol):
    @property
    def residual(self) -> bool:
        """Whether it has skips."""


def contender_styles(contenders: Sequence[_Contender]) -> list[LineStyle]:
    """A style for each, no two alike."""
    counts = {True: 0, False: 0}
    styles = []
    for contender in contenders:
        styles.append(_FAMILIES[contender.residual][counts[contender.residual]])
        counts[contender.residual] += 1
    return styles
