"""A network as a piece of a notebook: diagram, gradient and maps, without a script."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from PIL import Image

from resviz.figures.chart import Chart
from resviz.figures.overlay import Look, overlay_image
from resviz.figures.reports.html import paragraphs, picture
from resviz.figures.still import chart_svg
from resviz.results import Attribution

__all__ = ["network_in_notebook"]


def network_in_notebook(
    title: str,
    notes: Sequence[str],
    diagram: str,
    profile: Chart | None,
    seen: Image.Image | None,
    maps: Sequence[tuple[str, Attribution]],
) -> str:
    """HTML that needs nothing else; the `diagram` is an SVG document, which stands as a picture, so that its style stays its own."""
    drawn = base64.b64encode(diagram.encode()).decode()
    figures = "" if profile is None else chart_svg(profile, f"Gradient of every layer: {title}")
    if seen is not None:
        figures += picture(seen, "What it was shown")
        figures += "".join(picture(overlay_image(seen, found, Look()), name) for name, found in maps)
    return (
        f"<div>{paragraphs(notes)}"
        f'<div style="overflow-x: auto"><img style="max-width: none" alt="{escape(title)}" src="data:image/svg+xml;base64,{drawn}"></div>'
        f'<div style="display: flex; flex-wrap: wrap; gap: 8px; align-items: flex-start">{figures}</div></div>'
    )
