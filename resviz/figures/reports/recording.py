"""A recorded training as a file of its own, and as a piece of a notebook."""

from __future__ import annotations

from collections.abc import Sequence

from resviz.figures import recording as drawn
from resviz.figures.captions import recording_note
from resviz.figures.reports.html import Section, document, paragraphs, table
from resviz.figures.still import chart_svg
from resviz.results import Quantity, Recording

__all__ = ["in_notebook", "recording_report"]


def recording_report(recording: Recording, found: Sequence[str]) -> str:
    """Everything of it: where it comes from, what was `found`, and every figure at its last step."""
    at, tables = recording.last, recording.tables
    sections: list[Section] = [
        ("Where it comes from", table(["what", "is"], _card(recording)), ()),
        ("The gradient of every layer, step by step", "", [drawn.recorded_waterfall(recording, tables["gradient"])]),
    ]
    if recording.losses.size:
        sections.append(("Loss", "", [drawn.loss_line(recording)]))
    titles: dict[Quantity, str] = {"gradient": "Gradients", "update": "Updates", "std": "Activations", "dead": "Dead units"}
    sections += [
        (f"{title} at the last {recording.unit}", "", [drawn.recorded_layers(recording, name, at, tables[name])])
        for name, title in titles.items()
        if name in tables
    ]
    return document(
        f"{recording.title}: what happened while it learned", paragraphs([recording_note(recording, at), *found]), sections
    )


def in_notebook(recording: Recording, found: Sequence[str]) -> str:
    """The waterfall beside the profile, in the layers that are judged, without a script."""
    shown = recording.tables["gradient"].only(recording.judged)
    charts = (
        (drawn.recorded_waterfall(recording, shown), "Gradient of every layer, step by step"),
        (drawn.recorded_layers(recording, "gradient", recording.last, shown), "Gradient of every layer at the last step"),
    )
    figures = "".join(chart_svg(chart, title) for chart, title in charts)
    words = paragraphs([f"**{recording.title}**. {recording_note(recording, recording.last)}", *found])
    return f'<div>{words}<div style="display: flex; flex-wrap: wrap; gap: 8px">{figures}</div></div>'


def _card(recording: Recording) -> list[tuple[str, str]]:
    rows = []
    for name, value in recording.card.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {each}" for key, each in value.items())
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            rows.append((name, str(value)))
    return rows
