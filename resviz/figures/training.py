"""Recorded and running training: error curves, losses, branch ratios."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from resviz.figures.axes import log_axis, log_range, logs
from resviz.figures.chart import Axis, Chart, Markers, Rule, Series
from resviz.figures.theme import CONTROL, PLAIN, RESIDUAL_LINE, LineStyle, number
from resviz.results import Run
from resviz.spec.names import name_of
from resviz.spec.query import from_query

__all__ = ["branch_ratios", "error_curves", "highest", "title_of"]

_ERRORS: Final = {"train_error": ("training", "dash"), "test_error": ("test", "solid")}
_DECADES: Final = (-1, 2)
_LOGARITHMIC: Final = ((0, "1"), (0.7, "5"), (1, "10"), (1.3, "20"), (1.7, "50"), (2, "100"))


def title_of(run: Run) -> str:
    """The run's network in short: ResNet-56."""
    return name_of(from_query(run.card["spec"])[0])


def highest(runs: Iterable[Run]) -> float:
    """The end of an axis that holds every error of these runs, in percent."""
    return min(100.0, 10.0 * math.ceil(max(float(run.column(field).max()) for run in runs for field in _ERRORS) / 10))


def error_curves(runs: Sequence[Run], epoch: int | None = None, logarithmic: bool = False, top: float = 100.0) -> Chart:
    """Error against epoch, training dashed and test solid as in the paper's figure 6; the deepest network's lines are thick."""
    deepest = max((_depth(run) for run in runs), default=0)
    y = Axis("error, %", (0.5, 2), _LOGARITHMIC) if logarithmic else Axis("error, %", (0, top))
    return Chart(
        380,
        Axis("epoch", (0, max((len(run.epochs) for run in runs), default=1) + 0.5)),
        y,
        tuple(_error_line(run, field, _depth(run) == deepest, logarithmic) for run in runs for field in _ERRORS),
        rules=() if epoch is None else (Rule(CONTROL, x=epoch, width=2),),
    )


def _depth(run: Run) -> int:
    return from_query(run.card["spec"])[0].depth


def _error_line(run: Run, field: str, thick: bool, logarithmic: bool) -> Series:
    word, dash = _ERRORS[field]
    values = run.column(field)
    style = RESIDUAL_LINE if from_query(run.card["spec"])[0].residual else LineStyle(PLAIN)
    return Series(
        f"{title_of(run)} {word}",
        [record.epoch for record in run.epochs],
        logs(values, _DECADES) if logarithmic else values,
        style._replace(dash=dash),
        tuple((f"epoch {record.epoch}", f"{v:.2f} %") for record, v in zip(run.epochs, values.tolist(), strict=True)),
        Markers(size=5 if thick else 3) if style.mark else None,
        width=3.2 if thick else 1.3,
    )


def branch_ratios(runs: Sequence[Run], epoch: int) -> Chart:
    """‖F(x)‖ / ‖x‖ of every block after an epoch, on an axis that all epochs share."""
    decades = log_range(np.concatenate([record.branch_ratio for run in runs for record in run.epochs]), -1, 1)
    lines = tuple(_ratio_line(run, epoch, decades) for run in runs)
    return Chart(300, Axis("block, input → output"), log_axis(decades, "‖F(x)‖ / ‖x‖"), lines)


def _ratio_line(run: Run, epoch: int, decades: tuple[int, int]) -> Series:
    record = run.epochs[epoch - 1]
    assert record.probe is not None  # a recorded run holds one an epoch
    values = np.array(record.branch_ratio)
    return Series(
        title_of(run),
        list(range(1, len(values) + 1)),
        logs(values, decades),
        RESIDUAL_LINE,
        tuple((name, number(v)) for name, v in zip(record.probe.signal.names, values.tolist(), strict=True)),
        Markers(),
    )
