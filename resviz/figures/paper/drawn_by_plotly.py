"""Figures that Plotly draws, on paper: Plotly's own way to files takes a Chrome."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from resviz.figures.paper.sheet import Paper
from resviz.figures.recolour import recoloured

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["has_chrome", "plotly_file"]

_DOTS: Final = 96  # CSS pixels an inch
_LOCK: Final = threading.Lock()  # one browser at a time


def has_chrome() -> bool:
    """Whether Plotly finds a Chrome or Chromium on this machine."""
    try:
        from choreographer.browsers.chromium import Chromium

        return bool(Chromium.find_browser(skip_local=False))
    except Exception:  # what is missing there has a dozen names
        return False


def plotly_file(figure: go.Figure, form: str, paper: Paper) -> bytes:
    """The figure as a file of one of the formats. Raises `ValueError` where the browser does not draw it."""
    printed = recoloured(figure, paper.colour)
    size = paper.points * _DOTS / 72
    printed.update_layout(paper_bgcolor="white", plot_bgcolor="white", font={"size": size, "color": "black"})
    above = (
        {"t": 20 + 3 * size, "b": 8} if printed.layout.xaxis.side == "top" else {"t": 28, "b": 36}
    )  # where the axis has its words
    printed.update_layout(legend={"font": {"size": size}}, margin={"l": 48, "r": 8, **above})
    printed.update_xaxes(tickfont={"size": 0.9 * size}, title={"font": {"size": size}})
    printed.update_yaxes(tickfont={"size": 0.9 * size}, title={"font": {"size": size}})
    logging.getLogger("choreographer").setLevel(logging.CRITICAL)
    try:
        with _LOCK:
            return bytes(printed.to_image(form, width=round(paper.width * _DOTS), scale=1 if form != "png" else 300 / _DOTS))
    except Exception as error:  # the browser's driver has a dozen of its own
        raise ValueError("Plotly's Chrome did not draw this figure; its camera button saves SVG") from error
