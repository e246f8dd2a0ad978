"""Self-contained HTML: figures, words and tables that open anywhere, also offline."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

import plotly.graph_objects as go
from PIL import Image
from plotly.offline import get_plotlyjs

from resviz.figures import lab
from resviz.figures.chart import Chart, to_plotly
from resviz.figures.theme import INK, PAPER, SHADE, STROKE
from resviz.results import LabRecord
from resviz.spec.datasets import DATASETS
from resviz.spec.names import describe
from resviz.version import __version__

__all__ = ["Section", "document", "escape", "lab_report", "paragraphs", "picture", "table", "versions"]

escape = html.escape

Section = tuple[str, str, Sequence[go.Figure | Chart]]

_STYLE = f"""
body {{ font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; color: {INK}; background: {PAPER}; max-width: 1080px;
  margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.8rem; }} h2 {{ font-size: 1.2rem; margin-top: 2rem; }}
table {{ border-collapse: collapse; }} td, th {{ border-bottom: 1px solid {STROKE}; padding: .25rem .8rem .25rem 0; text-align: left; }}
code {{ background: {SHADE}; padding: 0 .25em; }} a {{ overflow-wrap: anywhere; }} img {{ max-width: 100%; }} figure {{ display: inline-block; margin: 0 1rem 1rem 0; max-width: 448px; }} figcaption {{ font-size: 13px; }}
"""


def versions() -> str:
    """What it was made with."""
    parts = [f"{name} {version(name)}" for name in ("torch", "torchvision", "captum", "plotly")]
    return f"ResViz {__version__}, {', '.join(parts)}; {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def document(title: str, lead: str, sections: Sequence[Section]) -> str:
    """One HTML file; `lead` and each section's text are HTML, figures are drawn by the Plotly inside it."""
    body = [f"<h1>{html.escape(title)}</h1>", lead]
    drawn = 0
    for heading, text, figures in sections:
        body += [f"<h2>{html.escape(heading)}</h2>", text]
        for figure in figures:
            drawn += 1
            drawing = to_plotly(figure) if isinstance(figure, Chart) else figure
            body.append(drawing.to_html(full_html=False, include_plotlyjs=False, div_id=f"figure-{drawn}"))
    script = f"<script>{get_plotlyjs()}</script>" if drawn else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style>{script}</head><body>{''.join(body)}<p><small>{html.escape(versions())}</small></p></body></html>"
    )


def paragraphs(notes: Sequence[str]) -> str:
    """Sentences with Markdown's bold and code as HTML."""
    text = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """An HTML table."""
    cells = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{html.escape(name)}</th>' for name in head)}</tr>{cells}</table>"


def picture(image: Image.Image, caption: str) -> str:
    """An image inside the file, with the words under it."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    data, safe = base64.b64encode(buffer.getvalue()).decode(), html.escape(caption)
    return f'<figure><img src="data:image/png;base64,{data}" alt="{safe}"><figcaption>{safe}</figcaption></figure>'


def lab_report(record: LabRecord, notes: Sequence[str], link: str) -> str:
    """The whole run: plan, changes, what was found, and every figure at its last step."""
    plan, at = record.plan, record.step
    decades = lab.gradient_decades(record)
    who = table(
        ["contender", "network"],
        [(track.label, describe(spec)) for track, spec in zip(record.tracks, plan.contenders, strict=True)],
    )
    how = (
        f"<p>{html.escape(DATASETS[plan.data].title)}, {plan.batch} {DATASETS[plan.data].things} a batch, SGD with momentum 0.9, learning rate {plan.lr:g}, "
        f"{f'gradient clipped at {plan.clip:g}' if plan.clip else 'no clipping'}, seed {plan.seed}, {at:,} steps.</p>"
    )
    edits = [
        (e.step, e.what, record.tracks[e.contender].label if e.block else "", e.block or f"{e.value:g}")
        for e in plan.edits
        if e.step <= at
    ]
    changed = table(["from step", "what", "contender", "where or value"], edits) if edits else "<p>Nothing.</p>"
    safe = html.escape(link)
    sections: list[Section] = [
        ("Contenders", who + how, ()),
        ("Changed in flight", changed, ()),
        ("Loss and accuracy", "", [lab.line_over_time(record, "loss"), lab.line_over_time(record, "accuracy")]),
        ("Gradients at the last step", "", [lab.layer_lines(record, "gradients", at, decades)]),
        *((f"Gradient, step by step: {t.label}", "", [lab.waterfall(record, i, decades)]) for i, t in enumerate(record.tracks)),
        ("Updates and activations", "", [lab.layer_lines(record, "updates", at), lab.block_lines(record, "std", at)]),
        *((f"Signal propagation: {t.label}", "", [lab.propagation(record, i, at)]) for i, t in enumerate(record.tracks)),
        ("Variance and dead units", "", [lab.block_lines(record, "variance", at), lab.block_lines(record, "dead", at)]),
    ]
    lead = paragraphs(notes) + f'<p>Replay it: <a href="{safe}">{safe}</a></p>'
    return document("What happened while they learned", lead, sections)
