"""A diagram as a file of its own, and the style sheet that file and page share."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from resviz.figures.diagram.shapes import WORDS, Diagram, Shape
from resviz.figures.theme import CUT, IDENTITY, INK, PAPER, SHADE, on_screen

__all__ = ["STYLE", "to_svg"]

# The component and the file share this sheet; a file has the light one of each pair.
STYLE: Final = f"""
text {{ font: calc({WORDS}px * var(--shrink, 1)) system-ui, 'Segoe UI', Roboto, sans-serif; fill: {on_screen(INK)}; }}
text.small {{ opacity: .78; }}
text.on {{ fill: {INK}; font-weight: 600; opacity: 1; }}
text.title {{ font-weight: 600; }}
.band {{ fill: {on_screen(SHADE)}; }}
.trunk {{ stroke: {on_screen(INK)}; stroke-width: 1.5; opacity: .55; fill: none; }}
.layer {{ stroke: {on_screen(INK)}; stroke-opacity: .45; stroke-width: 1; }}
.minor {{ fill: {on_screen(PAPER)}; stroke: {on_screen(INK)}; stroke-opacity: .45; }}
.hollow {{ fill: none; stroke: {on_screen(CUT)}; stroke-dasharray: 3 2; }}
.stack {{ fill: none; stroke: {on_screen(INK)}; opacity: .5; }}
.add {{ fill: {on_screen(PAPER)}; stroke: {on_screen(IDENTITY)}; stroke-width: 1.8; }}
.addcut {{ fill: {on_screen(PAPER)}; stroke: {on_screen(CUT)}; stroke-width: 1.2; stroke-dasharray: 2 2; }}
.plus {{ stroke: {on_screen(IDENTITY)}; stroke-width: 1.6; }}
.arc {{ fill: none; stroke: {on_screen(IDENTITY)}; stroke-width: 2.2; }}
.zeropad {{ stroke-dasharray: 1.5 3 1.5 3 1.5 3 1.5 3 2000; }}
.cut {{ stroke: {on_screen(CUT)}; stroke-width: 1.8; stroke-dasharray: 5 5; }}
.projection {{ fill: {on_screen(IDENTITY)}; }}
""".strip()


def to_svg(diagram: Diagram, title: str) -> str:
    """The diagram as an SVG document of its own, in light colours."""
    style = re.sub(r"light-dark\((#\w+), #\w+\)", r"\1", STYLE).replace("var(--shrink, 1)", "1")
    body = "".join(map(_element, diagram.shapes))
    w, h = diagram.width, diagram.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="img">'
        f"<title>{escape(title)}</title><style>{style}</style>"
        f'<rect width="100%" height="100%" fill="{PAPER}"/>{body}</svg>'
    )


def _element(shape: Shape) -> str:
    attrs = " ".join(f"{key}={quoteattr(str(value))}" for key, value in shape.attrs.items())
    inside = escape(shape.text) if shape.tag == "text" else f"<title>{escape(shape.label)}</title>" if shape.label else ""
    css = f" class={quoteattr(shape.css)}" if shape.css else ""
    return f"<{shape.tag}{css} {attrs}>{inside}</{shape.tag}>"
