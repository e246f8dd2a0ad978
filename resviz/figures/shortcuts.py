"""A race of shortcuts: the loss by step, and the final errors beside the papers'."""

from __future__ import annotations

from html import escape

import numpy as np

from resviz.figures.chart import Axis, Chart, Series
from resviz.figures.theme import PLAIN, RESIDUAL_LINE, LineStyle, method_styles, number
from resviz.results import RaceRecord
from resviz.spec.shortcuts import KINDS

__all__ = ["race_csv", "race_lines", "race_table"]

_CLASSES = 10
_WINDOW = 10  # steps of a mean


def race_lines(record: RaceRecord) -> Chart:
    """Each contender's training loss, the mean of about ten steps, as the median over the seeds."""
    top = 1.3 * float(np.log(_CLASSES))
    lines = []
    for kind, loss, style in zip(record.kinds, record.loss, _styles(record.kinds), strict=True):
        middle = np.median([_smoothed(each) for each in np.asarray(loss, np.float64)], axis=0)
        at = np.arange(1, len(middle) + 1)
        points = tuple((f"step {step}", number(value)) for step, value in zip(at.tolist(), middle.tolist(), strict=True))
        width = 3.0 if kind == record.kinds[0] else 1.6
        lines.append(Series(KINDS[kind].title, at, np.clip(middle, 0, top), style, points, width=width))
    return Chart(380, Axis("step", (1, record.steps + 0.5)), Axis("training loss", (0, top)), tuple(lines))


def _styles(kinds: tuple[str, ...]) -> list[LineStyle]:
    others = iter(method_styles())
    return [RESIDUAL_LINE if kind == kinds[0] else LineStyle(PLAIN) if kind == "bare" else next(others) for kind in kinds]


def _smoothed(values: np.ndarray) -> np.ndarray:
    """The mean of the last steps; what is no number stays none."""
    return np.array([values[max(0, i + 1 - _WINDOW) : i + 1].mean() for i in range(len(values))])


def race_table(record: RaceRecord) -> str:
    """Each contender's held-out error here, the least and the greatest of its seeds, and what its paper says, as an HTML table."""
    few = record.seeds > 1
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("", f"held-out error after {record.steps} steps", *(["seeds"] * few), "the paper says")
    )
    rows = []
    for place, kind in enumerate(record.kinds):
        about, (low, high) = KINDS[kind], record.spread(place)
        cells = [f"{record.error[place]:.1f} %", *([f"{low:.1f} to {high:.1f} %"] if few else [])]
        source = f"<br><small>{escape(about.source)}</small>" if about.source else ""
        said = f"{escape(about.published)}{source}" if about.published != "none" else "no number"
        rows.append(
            f'<tr><th scope="row">{escape(about.title)}</th>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + f"<td>{said}</td></tr>"
        )
    return f'<table class="answers race"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def race_csv(record: RaceRecord) -> str:
    """Every seed's loss at every step and its held-out error at the end."""
    lines = ["contender,seed,step,training loss,held-out error %"]
    for place, kind in enumerate(record.kinds):
        for seed, losses in enumerate(np.asarray(record.loss[place]).tolist()):
            for step, loss in enumerate(losses, start=1):
                error = f"{float(record.held_out[place, seed]):.6g}" if step == record.steps else ""
                lines.append(f"{kind},{seed},{step},{loss:.6g},{error}")
    return "\n".join(lines) + "\n"
