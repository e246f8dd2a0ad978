"""What teaching a network other classes gave: learning curves, courses, what moved, and who is taken for whom."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np

from resviz.figures.axes import log_axis, log_range, logs
from resviz.figures.chart import Axis, Chart, Markers, Series
from resviz.figures.theme import IDENTITY, INK, PLAIN, SIGNAL, LineStyle, number
from resviz.results import LearningCurve, Transferred
from resviz.spec.transfer import MODES, TransferMode

__all__ = ["confusion_table", "courses", "curve_chart", "layer_changes", "mode_table"]

_STYLES: Final[dict[TransferMode, LineStyle]] = {
    "head": LineStyle(INK, mark=IDENTITY),
    "finetune": LineStyle(SIGNAL),
    "scratch": LineStyle(PLAIN, dash="dash"),
}


def curve_chart(curve: LearningCurve, runs: Sequence[Transferred] = ()) -> Chart:
    """Held-out accuracy against pictures a class, on a line of doublings; thin lines hold eight of ten draws. The modes stand at the right end."""
    at = np.log2(curve.counts)
    lines = []
    for name, style in zip(curve.accuracy, (_STYLES["head"], LineStyle(PLAIN, dash="dash")), strict=True):
        low, high = curve.interval(name)
        lines += [Series(name, at, edge, style, width=1, opacity=0.45, legend=False) for edge in (low, high)]
        middle = curve.middle(name)
        points = tuple(
            (f"{count} a class", f"{mean:.0f} %, {a:.0f} to {b:.0f}")
            for count, mean, a, b in zip(curve.counts, middle, low, high, strict=True)
        )
        lines.append(Series(name, at, middle, style, points, Markers(size=6)))
    for run in runs:
        if run.plan.mode != "head":
            title = MODES[run.plan.mode]
            said = ((f"all {run.learned + run.watched} pictures", f"{run.accuracy:.0f} %"),)
            lines.append(Series(title, at[-1:], [run.accuracy], _STYLES[run.plan.mode], said, Markers("square", 11)))
    ticks = tuple((float(place), str(count)) for place, count in zip(at, curve.counts, strict=True))
    x = Axis("pictures a class to learn from", (float(at[0]) - 0.15, float(at[-1]) + 0.25), ticks)
    return Chart(420, x, Axis("held-out pictures named right, %", (0, 104)), tuple(lines))


def courses(runs: Sequence[Transferred], what: str = "loss") -> Chart:
    """By epoch: the "loss" of the pictures learned from and, dashed, of those watched, or "held_out" accuracy. The kept epoch has a mark."""
    lines = []
    for run in runs:
        if run.plan.mode == "head":
            continue
        title, style = MODES[run.plan.mode], _STYLES[run.plan.mode]
        epochs = [each.epoch for each in run.epochs]
        shown = {"loss": "learned from", "watched": "watched"} if what == "loss" else {"held_out": "held out"}
        for field, words in shown.items():
            values = [float(getattr(each, field)) for each in run.epochs]
            points = tuple((f"epoch {epoch}", number(value)) for epoch, value in zip(epochs, values, strict=True))
            own = style._replace(dash="dot" if field == "watched" else "solid")
            sizes = tuple(9.0 if epoch == run.best and field != "loss" else 0.1 for epoch in epochs)
            lines.append(Series(f"{title}, {words}", epochs, values, own, points, Markers(size=sizes)))
    top = (0.0, 104.0) if what == "held_out" else None
    return Chart(320, Axis("epoch"), Axis("held out, % right" if what == "held_out" else "loss", top), tuple(lines))


def layer_changes(runs: Sequence[Transferred], what: str = "moved") -> Chart:
    """By layer, at the kept epoch: ‖w − w₀‖/‖w₀‖ ("moved") or the mean gradient ("gradients"); a frozen layer's is 0."""
    lines, every = [], []
    for run in runs:
        if run.plan.mode == "head":
            continue
        values = np.asarray(getattr(run.epochs[run.best - 1], what), np.float64)
        every.append(values)
        points = tuple(
            (name, number(value) if value > 0 else "frozen") for name, value in zip(run.layers, values.tolist(), strict=True)
        )
        lines.append((MODES[run.plan.mode], values, _STYLES[run.plan.mode], points))
    decades = log_range(np.concatenate(every)) if every else (-3, 0)
    series = tuple(
        Series(name, np.arange(1, len(values) + 1), logs(values, decades), style, points, Markers(size=5))
        for name, values, style, points in lines
    )
    title = "‖w − w₀‖ / ‖w₀‖" if what == "moved" else "gradient norm"
    return Chart(320, Axis("layer"), log_axis(decades, title), series)


def confusion_table(run: Transferred) -> str:
    """True classes by answers as an HTML table, each cell as dark as its share of the true class."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in run.categories)
    rows = []
    for name, counts in zip(run.categories, run.confusion.tolist(), strict=True):
        total = max(1, sum(counts))
        cells = "".join(
            f'<td style="background:color-mix(in srgb, var(--signal) {round(70 * count / total)}%, transparent)">{count}</td>'
            for count in counts
        )
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return (
        f'<table class="answers few"><caption>Rows: what is shown; columns: the answer</caption><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def mode_table(runs: Sequence[Transferred], curve: LearningCurve | None, pixels: str) -> str:
    """Each mode's accuracy, kept epoch and seconds, and the probe of raw pixels, as an HTML table."""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", "named right", "kept epoch", "time"))
    rows = []
    for run in runs:
        kept = "–" if run.plan.mode == "head" else f"{run.best} of {len(run.epochs)}"
        cells = (f"{run.accuracy:.0f} % of {len(run.labels)}", kept, f"{run.seconds:.1f} s")
        rows.append(f'<tr><th scope="row">{MODES[run.plan.mode]}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    if curve is not None and runs:
        cells = (f"{curve.middle(pixels)[-1]:.0f} % of {len(runs[0].labels)}", "–", "–")
        rows.append(f'<tr><th scope="row">Linear head on raw pixels</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    return f'<table class="answers few"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
