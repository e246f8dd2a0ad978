"""Recorded and running training: error curves, losses, branch ratios."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from resviz.figures.gradients import log_axis, log_range, logs
from resviz.figures.theme import PLAIN, RESIDUAL, WARNING, Sketch, add_line, number, set_axes, sketch
from resviz.results import Run
from resviz.spec.names import name_of
from resviz.spec.query import from_query

__all__ = ["branch_ratios", "error_curves", "highest", "title_of"]


_ERRORS = {"train_error": ("training", "dash"), "test_error": ("test", "solid")}


def title_of(run: Run) -> str:
    """The run's network in short: ResNet-56."""
    return name_of(from_query(run.card["spec"])[0])


def highest(runs: Iterable[Run]) -> float:
    """The end of an axis that holds every error of these runs, in percent."""
    return min(100.0, 10.0 * math.ceil(max(float(run.column(field).max()) for run in runs for field in _ERRORS) / 10))


def error_curves(runs: Sequence[Run], epoch: int | None = None, logarithmic: bool = False, top: float = 100.0) -> Sketch:
    """Error against epoch, training dashed and test solid as in the paper's figure 6; the deepest network's lines are thick."""
    figure = sketch(380)
    depths = sorted({from_query(run.card["spec"])[0].depth for run in runs})
    decades = (-1, 2)
    for run in runs:
        spec = from_query(run.card["spec"])[0]
        for field, (word, dash) in _ERRORS.items():
            values = run.column(field)
            add_line(
                figure,
                [f"epoch {record.epoch}" for record in run.epochs],
                [f"{v:.2f} %" for v in values.tolist()],
                x=[record.epoch for record in run.epochs],
                y=logs(values, decades) if logarithmic else values,
                mode="lines",
                name=f"{title_of(run)} {word}",
                line={
                    "color": RESIDUAL if spec.residual else PLAIN,
                    "dash": dash,
                    "width": 3.2 if spec.depth == depths[-1] else 1.3,
                },
            )
    if epoch is not None:
        mark = {
            "type": "line",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "x0": epoch,
            "x1": epoch,
            "line": {"color": WARNING, "width": 2},
        }
        figure["layout"]["shapes"].append(mark)
    y: dict[str, Any] = {"title": "error, %", "range": [0, top]}
    if logarithmic:
        y |= {"tickvals": [0, 0.7, 1, 1.3, 1.7, 2], "ticktext": ["1", "5", "10", "20", "50", "100"], "range": [0.5, 2]}
    set_axes(figure, {"title": "epoch", "range": [0, max((len(run.epochs) for run in runs), default=1) + 0.5]}, y)
    return figure


def branch_ratios(runs: Sequence[Run], epoch: int) -> Sketch:
    """‖F(x)‖ / ‖x‖ of every block after an epoch, on an axis that all epochs share."""
    figure = sketch(300)
    decades = log_range(np.concatenate([record.branch_ratio for run in runs for record in run.epochs]), -1, 1)
    for run in runs:
        record = run.epochs[epoch - 1]
        assert record.probe is not None  # a recorded run holds one an epoch
        values = np.array(record.branch_ratio)
        add_line(
            figure,
            record.probe.signal.names,
            [number(v) for v in values.tolist()],
            x=list(range(1, len(values) + 1)),
            y=logs(values, decades),
            name=title_of(run),
            line={"color": RESIDUAL},
            marker={"size": 6},
        )
    set_axes(figure, {"title": "block, input → output"}, {"title": "‖F(x)‖ / ‖x‖"} | log_axis(decades))
    return figure
