"""A diagram as a file of its own, and the style sheet that file and page share."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from resviz.figures.diagram.shapes import Diagram, Shape
from resviz.figures.theme import CUT, IDENTITY, RESIDUAL

__all__ = ["STYLE", "to_svg"]

# The component and the file share this sheet; the variables are the page's theme, the fallbacks a light one.
STYLE: Final = f"""
text {{ font: 12px system-ui, 'Segoe UI', Roboto, sans-serif; fill: var(--st-text-color, #1B2430); }}
text.small {{ font-size: 10.5px; opacity: .78; }}
text.on {{ fill: #0d1726; font-weight: 600; }}
text.title {{ font-weight: 600; }}
.band {{ fill: var(--st-secondary-background-color, #F4F6F8); }}
.trunk {{ stroke: var(--st-text-color, #1B2430); stroke-width: 1.5; opacity: .55; fill: none; }}
.layer {{ stroke: rgba(27,36,48,.45); stroke-width: 1; }}
.minor {{ fill: var(--st-background-color, #FFFFFF); stroke: var(--st-text-color, #1B2430); stroke-opacity: .45; }}
.hollow {{ fill: none; stroke: {CUT}; stroke-dasharray: 3 2; }}
.stack {{ fill: none; stroke: {RESIDUAL}; opacity: .5; }}
.add {{ fill: var(--st-background-color, #FFFFFF); stroke: {IDENTITY}; stroke-width: 1.8; }}
.addcut {{ fill: var(--st-background-color, #FFFFFF); stroke: {CUT}; stroke-width: 1.2; stroke-dasharray: 2 2; }}
.plus {{ stroke: {IDENTITY}; stroke-width: 1.6; }}
.arc {{ fill: none; stroke: {IDENTITY}; stroke-width: 2.2; }}
.zeropad {{ stroke-dasharray: 1.5 3 1.5 3 1.5 3 1.5 3 2000; }}
.cut {{ stroke: {CUT}; stroke-width: 1.8; stroke-dasharray: 5 5; opacity: .75; }}
.projection {{ fill: {IDENTITY}; }}
""".strip()


def to_svg(diagram: Diagram, title: str) -> str:
    """The diagram as an SVG document of its own, in light colours."""
    style = STYLE
    for variable in ("text-color", "secondary-background-color", "background-color"):
        head, *tails = style.split(f"var(--st-{variable}, ")
        style = head + "".join(tail.replace(")", "", 1) for tail in tails)
    body = "".join(map(_element, diagram.shapes))
    w, h = diagram.width, diagram.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="img">'
        f"<title>{escape(title)}</title><style>{style}</style>"
        f'<rect width="100%" height="100%" fill="#FFFFFF"/>{body}</svg>'
    )


def _element(shape: Shape) -> str:
    attrs = " ".join(f"{key}={quoteattr(str(value))}" for key, value in shape.attrs.items())
    inside = escape(shape.text) if shape.tag == "text" else f"<title>{escape(shape.label)}</title>" if shape.label else ""
    css = f" class={quoteattr(shape.css)}" if shape.css else ""
    return f"<{shape.tag}{css} {attrs}>{inside}</{shape.tag}>"
