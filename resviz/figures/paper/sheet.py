"""The sheet that a figure is printed on, and the file that it becomes."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from resviz.figures.theme import rgb

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DASHES", "FORMATS", "MARKERS", "WIDTHS", "Paper", "saved"]

FORMATS: Final[Mapping[str, str]] = {"pdf": "application/pdf", "svg": "image/svg+xml", "png": "image/png"}
WIDTHS: Final[Mapping[str, float]] = {
    "one column": 3.25,
    "one and a half": 5.0,
    "both columns": 6.75,
}  # inches, as most two-column styles have them
DASHES: Final = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}
MARKERS: Final = {
    "circle": "o",
    "square": "s",
    "triangle-up-open": "^",
    "x-thin-open": "x",
}  # Plotly's names, matplotlib's letters
_LOCK: Final = threading.Lock()  # matplotlib's settings are the process's
_DPI: Final = 300


@dataclass(frozen=True)
class Paper:
    """Width in inches, type in points, and whether it is printed without colours."""

    width: float = WIDTHS["one column"]
    points: float = 8
    grey: bool = False

    def colour(self, colour: str) -> str:
        """A colour as it is printed: without colours, the grey that is as light (Rec. 709's luminance)."""
        if not self.grey or not colour.startswith("#"):
            return colour
        linear = [(part / 255) ** 2.2 for part in rgb(colour)]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return "#" + f"{round(255 * luminance ** (1 / 2.2)):02X}" * 3


def saved(figure: Figure, form: str, title: str) -> bytes:
    """The file: letters stay letters in SVG and are embedded in PDF; nothing in it depends on when it was made."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    about = {"pdf": {"Title": title, "CreationDate": None}, "svg": {"Title": title, "Date": None}, "png": {"Title": title}}
    with _LOCK, mpl.rc_context({"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": title, "axes.unicode_minus": True}):
        figure.savefig(buffer, format=form, dpi=_DPI, metadata=about[form])
    return buffer.getvalue()
