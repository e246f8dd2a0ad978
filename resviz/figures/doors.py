"""Small pictures for the ways into the pages, of what the pages themselves draw; they follow the page's theme."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from resviz.figures.overlay import Look, overlay_image
from resviz.figures.theme import PLAIN, RESIDUAL_LINE, LineStyle, on_screen
from resviz.results import Attribution, Stage

__all__ = ["explained", "learning_curves", "svg_url"]

_WIDTH, _HEIGHT, _ROOM = 320, 150, 82


def svg_url(svg: str) -> str:
    """An SVG document as an address of its own."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def learning_curves(stage: Stage) -> str:
    """How many held-out images both networks get right, step by step; each line ends at its last value."""
    end = _WIDTH - _ROOM
    steps, drawn = np.linspace(0, end, stage.accuracy.shape[1]), []
    for line, accuracy in zip((RESIDUAL_LINE, LineStyle(PLAIN, "7 5")), np.asarray(stage.accuracy, np.float64), strict=True):
        heights = _HEIGHT - 8 - accuracy / 100 * (_HEIGHT - 16)
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(steps, heights, strict=True))
        colour, y = on_screen(line.colour), heights[-1]
        dash = f' stroke-dasharray="{line.dash}"' if line.dash != "solid" else ""
        drawn += [
            f'<polyline points="{points}" fill="none" style="stroke: {colour}" stroke-width="2.5" stroke-linejoin="round"{dash}/>',
            f'<circle cx="{end}" cy="{y:.1f}" r="4.5" style="fill: {on_screen(line.mark or line.colour)}"/>',
            f'<text x="{end + 10}" y="{y + 6:.1f}" style="fill: {colour}">{accuracy[-1]:.1f} %</text>',
        ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">'
        f"<style>:root {{ color-scheme: light dark; }} text {{ font: 600 17px system-ui, sans-serif; }}</style>{''.join(drawn)}</svg>"
    )


def explained(photograph: Image.Image, evidence: Attribution) -> str:
    """A photograph beside where the evidence lies in it."""
    side = photograph.height
    both = Image.new("RGBA", (2 * photograph.width + side // 20, side))
    both.paste(photograph, (0, 0))
    both.paste(overlay_image(photograph, evidence, Look()), (both.width - photograph.width, 0))
    buffer = io.BytesIO()
    both.save(buffer, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
