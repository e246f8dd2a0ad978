"""One colour a meaning, light and dark; one template, one way to write numbers.

A figure is made of the light theme's colours, as files show it. On a page `on_screen` lets the browser choose, and `dark` is
for what the server has to choose itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple, Protocol

__all__ = [
    "AGAINST",
    "CONTROL",
    "CUT",
    "FOR",
    "GRID",
    "IDENTITY",
    "INK",
    "OVERFLOW",
    "PAPER",
    "PLAIN",
    "RAMP",
    "RESIDUAL_LINE",
    "SHADE",
    "SIGNAL",
    "STROKE",
    "TOKENS",
    "WARNING",
    "ZERO",
    "LineStyle",
    "Pair",
    "contender_styles",
    "count",
    "css_variables",
    "dark",
    "method_styles",
    "number",
    "on_screen",
    "power_of_ten",
    "rgb",
    "signal",
    "streamlit_theme",
    "tint",
]


class Pair(NamedTuple):
    """A colour of the light theme and of files, and its like in the dark theme."""

    light: str
    dark: str


# what style sheets and scripts call them; each light value is another, so that it says which colour is meant
TOKENS: Final = {
    "paper": Pair("#FFFFFF", "#11161D"),
    "shade": Pair("#F4F6F8", "#1B232D"),
    "stroke": Pair("#D5DBE3", "#35404D"),
    "ink": Pair("#1B2430", "#E8EDF2"),  # words, the trunk, and the line of what has skips
    "identity": Pair("#009E73", "#2FD6A2"),  # skips, and the marks of what has them
    "plain": Pair("#D55E00", "#FF8A4C"),  # what has none; its lines are dashed
    "cut": Pair("#C46D9E", "#CC79A7"),  # cut and dropped: dashed, with ✂
    "signal": Pair("#B85A1A", "#FFD166"),  # what has a size, in one line or bar; many sizes are the ramp
    "control": Pair("#0072B2", "#2E79B2"),  # what can be pressed or was chosen; no data
    "link": Pair("#00659E", "#6CB6E8"),
    "warning": Pair("#B87400", "#E69F00"),
    "for": Pair("#F5A623", "#F5A623"),  # evidence, over a photograph in grey, which is the same in both themes
    "against": Pair("#7B4EA3", "#7B4EA3"),
}
# strength, from the paper's end to what stands out most
RAMP: Final = (Pair("#EBDDCB", "#2B3542"), Pair("#C96620", "#C96620"), Pair("#7A3300", "#FFD166"))
_TINTS: Final = ("#E6E8EA", "#98A0A8")  # few channels and many, with dark words on them in both themes
_STEPS: Final = 256

PAPER: Final = TOKENS["paper"].light
SHADE: Final = TOKENS["shade"].light
STROKE: Final = TOKENS["stroke"].light
INK: Final = TOKENS["ink"].light
IDENTITY: Final = TOKENS["identity"].light
PLAIN: Final = TOKENS["plain"].light
CUT: Final = TOKENS["cut"].light
SIGNAL: Final = TOKENS["signal"].light
CONTROL: Final = TOKENS["control"].light
WARNING: Final = TOKENS["warning"].light
FOR: Final = TOKENS["for"].light
AGAINST: Final = TOKENS["against"].light
ZERO: Final = PAPER  # of a heatmap's cell that is exactly 0: below the ramp
OVERFLOW: Final = INK  # and of one that is not finite: beyond it
GRID: Final = "rgba(128,138,150,0.22)"

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class LineStyle(NamedTuple):
    """How a line looks: dash and symbol by Plotly's names; `mark` is the symbols' colour where it is not the line's."""

    colour: str
    dash: str = "solid"
    symbol: str = "circle"
    mark: str = ""


RESIDUAL_LINE: Final = LineStyle(INK, mark=IDENTITY)


def rgb(colour: str) -> tuple[int, int, int]:
    """ "#RRGGBB" as three numbers from 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _between(low: str, high: str, share: float) -> str:
    """The colour that far from one to another."""
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(rgb(low), rgb(high), strict=True))


@cache
def _ramp() -> tuple[Pair, ...]:
    """The whole scale of strength, step by step."""

    def at(place: float) -> Pair:
        lower = min(int(place), len(RAMP) - 2)
        low, high = RAMP[lower], RAMP[lower + 1]
        return Pair(_between(low.light, high.light, place - lower), _between(low.dark, high.dark, place - lower))

    return tuple(at(i / (_STEPS - 1) * (len(RAMP) - 1)) for i in range(_STEPS))


@cache
def signal(steps: int) -> tuple[str, ...]:
    """The scale of everything that has a size, from next to nothing to strong, as "#RRGGBB"."""
    return tuple(_ramp()[round(i / (steps - 1) * (_STEPS - 1))].light for i in range(steps))


def tint(share: float) -> str:
    """Of a layer by its channels, from few, 0, to many, 1."""
    return _between(*_TINTS, max(0.0, min(1.0, share)))


@cache
def _darks() -> dict[str, str]:
    """The dark theme's colours by the light one's."""
    pairs = (*_ramp(), *(shade for shades in _SHADES.values() for shade in shades), *TOKENS.values())
    return {pair.light: pair.dark for pair in pairs}


def dark(colour: str) -> str:
    """What stands for a colour in the dark theme."""
    return _darks().get(colour, colour)


def on_screen(colour: str) -> str:
    """A colour as CSS, in the theme that the page has."""
    return colour if dark(colour) == colour else f"light-dark({colour}, {dark(colour)})"


def css_variables(where: str = ":host") -> str:
    """The tokens as a rule that declares them for `where`, a whole component unless another is named."""
    return where + " {" + "".join(f" --{name}: {on_screen(pair.light)};" for name, pair in TOKENS.items()) + " }"


def streamlit_theme(of: str) -> dict[str, str]:
    """What .streamlit/config.toml has to say of the "light" or the "dark" theme."""
    names = {
        "primaryColor": "control",
        "linkColor": "link",
        "backgroundColor": "paper",
        "secondaryBackgroundColor": "shade",
        "textColor": "ink",
        "borderColor": "stroke",
        "yellowColor": "warning",
        "blueBackgroundColor": "shade",  # of notes, which are no controls
        "blueTextColor": "ink",
        "codeTextColor": "ink",  # green is the skips'
    }
    return {option: getattr(TOKENS[name], of) for option, name in names.items()}


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


# a second, third … of the same kind: its hue, told apart by lightness, dash and symbol
_SHADES: Final = {
    "ink": (TOKENS["ink"], Pair("#5A6675", "#9AA7B5"), Pair("#7C8794", "#6F7C8B"), Pair("#3D4856", "#C3CCD6")),
    "plain": (TOKENS["plain"], Pair("#A34700", "#D9642A"), Pair("#7A2E00", "#FFB48A"), Pair("#B0663A", "#C98B62")),
    "signal": (TOKENS["signal"], Pair("#8A4010", "#F0A24C"), Pair("#C46A2C", "#D97C30"), Pair("#5E2A08", "#FFE2A0")),
}
_LOOKS: Final = (("solid", "circle"), ("dot", "triangle-up-open"), ("dashdot", "square"), ("dash", "circle"))
_PLAIN_LOOKS: Final = (("dash", "square"), ("dashdot", "triangle-up-open"), ("dot", "circle"), ("solid", "square"))
_FAMILIES: Final = {
    True: tuple(LineStyle(pair.light, *look, IDENTITY) for pair, look in zip(_SHADES["ink"], _LOOKS, strict=True)),
    False: tuple(LineStyle(pair.light, *look) for pair, look in zip(_SHADES["plain"], _PLAIN_LOOKS, strict=True)),
}


def method_styles() -> tuple[LineStyle, ...]:
    """For methods side by side, which are neither residual nor plain: eight that differ in lightness, hue or dash."""
    pairs = zip(_SHADES["signal"], _SHADES["ink"], _LOOKS, strict=True)
    return tuple(LineStyle(shade.light, *look) for signals, inks, look in pairs for shade in (signals, inks))


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
