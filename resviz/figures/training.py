"""Recorded and running training: error curves, losses, branch ratios."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from resviz.figures.gradients import log_axis, log_range, logs
from resviz.figures.theme import PLAIN, RESIDUAL, WARNING, base_figure, number
from resviz.results import Run
from resviz.spec import from_query, name_of

__all__ = ["branch_ratios", "error_curves", "title_of"]

_COLOURS = {"residual": RESIDUAL, "plain": PLAIN}


def title_of(run: Run) -> str:
    """The run's network in short: ResNet-56."""
    return name_of(from_query(run.card["spec"])[0])


def error_curves(runs: Sequence[Run], epoch: int | None = None, logarithmic: bool = False, top: float = 60.0) -> go.Figure:
    """Error against epoch, training dashed and test solid as in the paper's figure 6; deeper networks are drawn stronger."""
    figure = base_figure(380)
    depths = sorted({from_query(run.card["spec"])[0].depth for run in runs})
    decades = (-1, 2)
    for run in runs:
        spec = from_query(run.card["spec"])[0]
        colour = _COLOURS["residual" if spec.residual else "plain"]
        for field, word, dash in (("train_error", "training", "dash"), ("test_error", "test", "solid")):
            values = run.column(field)
            figure.add_scatter(
                x=[record.epoch for record in run.epochs],
                y=logs(values, decades) if logarithmic else values,
                mode="lines",
                name=f"{title_of(run)} {word}",
                line={"color": colour, "dash": dash, "width": 2},
                opacity=1.0 if spec.depth == depths[-1] else 0.55,
                customdata=[[f"epoch {r.epoch}", f"{v:.2f} %"] for r, v in zip(run.epochs, values, strict=True)],
            )
    if epoch is not None:
        figure.add_vline(x=epoch, line={"color": WARNING, "width": 2})
    figure.update_xaxes(title="epoch", range=[0, max((len(run.epochs) for run in runs), default=1) + 0.5])
    if logarithmic:
        figure.update_yaxes(
            title="error, %", tickvals=[0, 0.7, 1, 1.3, 1.7, 2], ticktext=["1", "5", "10", "20", "50", "100"], range=[0.5, 2]
        )
    else:
        figure.update_yaxes(title="error, %", range=[0, top])
    return figure


def branch_ratios(runs: Sequence[Run], epoch: int) -> go.Figure:
    """‖F(x)‖ / ‖x‖ of every block after an epoch, on an axis that all epochs share."""
    figure = base_figure(300)
    every = np.concatenate([record.branch_ratio for run in runs for record in run.epochs])
    decades = log_range(every, -1, 1)
    for run in runs:
        record = run.epochs[epoch - 1]
        assert record.probe is not None  # a recorded run holds one an epoch
        names, values = record.probe.signal.names, np.array(record.branch_ratio)
        figure.add_scatter(
            x=list(range(1, len(values) + 1)),
            y=logs(values, decades),
            mode="lines+markers",
            name=title_of(run),
            line={"color": RESIDUAL},
            marker={"size": 6},
            customdata=[[name, number(float(v))] for name, v in zip(names, values, strict=True)],
        )
    figure.update_xaxes(title="block, input → output")
    figure.update_yaxes(title="‖F(x)‖ / ‖x‖", **log_axis(decades))
    return figure
