"""What the lab records: lines over time, layers and blocks at one step, waterfalls of step × layer.

Each figure is a `Sketch`, which `plotly.graph_objects.Figure` takes as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from resviz.figures.gradients import edge_marks, log_axis, log_range, logs, stage_starts
from resviz.figures.theme import (
    CUT,
    IDENTITY,
    PLAIN,
    RESIDUAL,
    WARNING,
    Sketch,
    add_line,
    contender_styles,
    number,
    power_of_ten,
    set_axes,
    sketch,
)
from resviz.results import LabRecord
from resviz.spec.lab import Edit

__all__ = ["block_lines", "gradient_decades", "layer_lines", "line_over_time", "propagation", "row_at", "waterfall"]

_TRAIL = ((1, 0.4), (3, 0.25), (7, 0.15), (15, 0.08))  # rows back, opacity
_FLOOR = -12  # decades below which a waterfall has one colour
_UPRIGHT = {"type": "line", "yref": "paper", "y0": 0, "y1": 1}


def row_at(steps: np.ndarray, at: int) -> int:
    """The last row recorded at or before a step."""
    return max(0, int(np.searchsorted(steps, at, side="right")) - 1)


def gradient_decades(record: LabRecord) -> tuple[int, int]:
    """Decades that hold every gradient norm so far: the profile and the waterfalls share them."""
    return log_range(np.concatenate([track.gradients.ravel() for track in record.tracks]), -6, 3)


def _line(figure: Sketch, names: Sequence[str], values: np.ndarray, **trace: Any) -> None:
    add_line(figure, names, [number(v) for v in values.tolist()], **trace)


def _horizon(step: int, whole: int) -> int:
    """Where a time axis ends: it grows in leaps, so that lines don't creep."""
    end = 100
    while end < step:
        end = end * 2 if str(end)[0] in "15" else end * 5 // 2
    return min(end, whole) if whole > step else end


def _time_axis(figure: Sketch, record: LabRecord, at: int | None, contender: int | None, y: dict[str, Any]) -> None:
    """Steps on x, what was changed when as marks, and the step that is looked at."""
    set_axes(figure, {"title": "step", "range": [0, _horizon(record.step, record.plan.steps)]}, y, "steps")
    layout = figure["layout"]
    for edit in record.plan.edits:
        if edit.step > record.step + 1 or (contender is not None and edit.block and edit.contender != contender):
            continue
        layout["shapes"].append(
            _UPRIGHT | {"x0": edit.step, "x1": edit.step, "line": {"color": CUT, "width": 1.5, "dash": "dot"}}
        )
        layout["annotations"].append(
            {"x": edit.step, "y": 1, "yref": "paper", "text": _short(edit), "showarrow": False, "yanchor": "bottom",
             "hovertext": f"step {edit.step}: {_in_words(edit, record)}", "font": {"color": CUT, "size": 12}}
        )  # fmt: skip
    if at is not None:
        layout["shapes"].append(_UPRIGHT | {"x0": at, "x1": at, "line": {"color": WARNING, "width": 2}})


def _short(edit: Edit) -> str:
    return {"cut": "✂", "restore": "↺", "lr": f"lr {edit.value:g}", "clip": f"clip {edit.value:g}"}[edit.what]


def _in_words(edit: Edit, record: LabRecord) -> str:
    if edit.what in ("cut", "restore"):
        done = "cut" if edit.what == "cut" else "restored"
        return f"skip of {edit.block} {done} in {record.tracks[edit.contender].label}"
    return (
        f"learning rate {edit.value:g}" if edit.what == "lr" else f"clipping at {edit.value:g}" if edit.value else "no clipping"
    )


def line_over_time(record: LabRecord, quantity: str, at: int | None = None) -> Sketch:
    """ "loss" or "accuracy" of every contender: each batch smoothed (lines), held-out images (dotted)."""
    figure = sketch(300)
    loss = quantity == "loss"
    top = 1.6 * float(np.log(record.classes)) if loss else 100.0
    names = [f"step {step}" for step in record.line_steps.tolist()]
    looks = [f"step {step}" for step in record.held_out_steps.tolist()]
    for track, (colour, dash, marker) in zip(record.tracks, contender_styles(record.tracks), strict=True):
        shown = _smoothed(np.asarray(track.loss if loss else track.accuracy, np.float64))
        _line(figure, names, shown, x=record.line_steps, y=np.clip(shown, 0, top), mode="lines", name=track.label,
              line={"color": colour, "dash": dash, "width": 2})  # fmt: skip
        held = np.asarray(track.held_out[:, 0 if loss else 1], np.float64)
        _line(figure, looks, held, x=record.held_out_steps, y=np.clip(held, 0, top), name=f"{track.label}, held out", opacity=0.75,
              line={"color": colour, "dash": "dot", "width": 1.2}, marker={"color": colour, "symbol": marker, "size": 7})  # fmt: skip
    title = "loss, mean of about 10 steps" if loss else "accuracy, %, mean of about 10 steps"
    _time_axis(figure, record, at, None, {"title": title, "range": [0, top]})
    return figure


def _smoothed(values: np.ndarray, window: int = 10) -> np.ndarray:
    """Mean of the last rows; a row that is not finite stays a gap."""
    finite = np.isfinite(values)
    sums, counts = np.cumsum(np.where(finite, values, 0.0)), np.cumsum(finite)
    sums[window:], counts[window:] = sums[window:] - sums[:-window], counts[window:] - counts[:-window]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(finite, sums / counts, np.nan)


def layer_lines(
    record: LabRecord, quantity: str, at: int, decades: tuple[int, int] | None = None, selected: str | None = None
) -> Sketch:
    """ "gradients" or "updates" of every layer at one step, the steps before it as a fading trail."""
    figure = sketch(300)
    row = row_at(record.steps, at)
    values = [np.asarray(getattr(track, quantity), np.float64) for track in record.tracks]
    decades = decades or log_range(np.concatenate([v.ravel() for v in values]), -6, 0)
    longest = max(record.tracks, key=lambda track: len(track.layers))
    index = {name: i for i, name in enumerate(longest.layers)}
    for track, rows, (colour, dash, marker) in zip(record.tracks, values, contender_styles(record.tracks), strict=True):
        x = [index.get(name, len(index) - 1) for name in track.layers]
        for back, opacity in reversed(_TRAIL):
            if back <= row:
                figure["data"].append(
                    {"type": "scatter", "mode": "lines", "x": x, "y": logs(rows[row - back], decades), "opacity": opacity,
                     "name": f"{track.label}, {back} rows before", "showlegend": False, "hoverinfo": "skip",
                     "line": {"color": colour, "width": 1.5}}
                )  # fmt: skip
        now = rows[row]
        symbols = np.where(now == 0, "x-thin-open", np.where(np.isfinite(now), marker, "triangle-up-open"))
        _line(figure, track.layers, now, x=x, y=logs(now, decades), name=track.label,
              line={"color": colour, "dash": dash, "width": 2}, marker={"color": colour, "symbol": symbols.tolist(), "size": 6})  # fmt: skip
    starts = stage_starts(longest.layers)
    title = "weight gradient, L2 norm" if quantity == "gradients" else "update / weight, ‖Δw‖/‖w‖"
    set_axes(
        figure,
        {
            "title": "layer, input → output",
            "tickvals": list(starts.values()),
            "ticktext": list(starts),
            "range": [-1, len(index)],
        },
        {"title": title} | log_axis(decades),
        "layers",
    )
    layout = figure["layout"]
    layout["shapes"], layout["annotations"] = edge_marks(np.concatenate([rows[row] for rows in values]), decades)
    if selected in index:
        place = {"x0": index[selected], "x1": index[selected]}
        layout["shapes"].append(_UPRIGHT | place | {"line": {"color": WARNING, "width": 1.5}})
    return figure


def waterfall(record: LabRecord, contender: int, decades: tuple[int, int], at: int | None = None) -> Sketch:
    """Gradient norm of every layer at every recorded step; an exact zero lies below the scale, an overflow is missing."""
    figure = sketch(260)
    track = record.tracks[contender]
    low, high = max(_FLOOR, decades[0]), decades[1]
    norms = np.asarray(track.gradients, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.clip(np.log10(norms), low, high)
    z = np.where(norms == 0, low - 1.0, np.where(np.isfinite(norms), z, np.nan)).T  # (layers, rows)
    ticks = list(range(low, high + 1, max(1, round((high - low) / 5))))
    text = [("≤ " if tick == low == _FLOOR else "") + power_of_ten(tick) for tick in ticks]
    figure["data"].append(
        {"type": "heatmap", "x": record.steps, "y": list(range(len(track.layers))), "z": z, "zmin": low, "zmax": high,
         "colorscale": "Viridis", "name": track.label, "meta": list(track.layers),
         "colorbar": {"title": {"text": "norm"}, "tickvals": ticks, "ticktext": text}}
    )  # fmt: skip
    starts = stage_starts(track.layers)
    y = {"tickvals": list(starts.values()), "ticktext": list(starts), "range": [-0.5, len(track.layers) - 0.5]}
    _time_axis(figure, record, at, contender, y)
    return figure


_BLOCK_TITLES = {
    "std": "activation, standard deviation",
    "variance": "channel variance",
    "dead": "dead ReLU units, %",
}


def block_lines(record: LabRecord, quantity: str, at: int) -> Sketch:
    """ "std", "variance" (log axes) or "dead" (percent) after every block, all contenders."""
    figure = sketch(280)
    row, share = row_at(record.signal_steps, at), quantity == "dead"
    decades = log_range(np.concatenate([track.signals[quantity].ravel() for track in record.tracks]), -2, 1)
    for track, (colour, dash, marker) in zip(record.tracks, contender_styles(record.tracks), strict=True):
        now = np.asarray(track.signals[quantity][row], np.float64)
        _line(figure, track.blocks, 100 * now if share else now, x=list(range(1, len(now) + 1)),
              y=100 * now if share else logs(now, decades), name=track.label,
              line={"color": colour, "dash": dash}, marker={"color": colour, "symbol": marker, "size": 5})  # fmt: skip
    y = {"range": [-2, 102]} if share else log_axis(decades)
    set_axes(figure, {"title": "block, input → output"}, {"title": _BLOCK_TITLES[quantity]} | y, "blocks")
    return figure


_PROPAGATION = {  # Brock et al. 2021, arXiv 2101.08692, figure 1
    "mean_square": ("mean of squared channel means", IDENTITY, "dot", "square"),
    "variance": ("mean channel variance", RESIDUAL, "solid", "circle"),
    "branch_variance": ("residual branch's channel variance", PLAIN, "dash", "triangle-up-open"),
}


def propagation(record: LabRecord, contender: int, at: int) -> Sketch:
    """The signal propagation plot of one contender."""
    figure = sketch(280)
    track, row = record.tracks[contender], row_at(record.signal_steps, at)
    decades = log_range(np.concatenate([track.signals[name][row] for name in _PROPAGATION]), -3, 1)
    for name, (title, colour, dash, marker) in _PROPAGATION.items():
        now = np.asarray(track.signals[name][row], np.float64)
        _line(figure, track.blocks, now, x=list(range(1, len(now) + 1)), y=np.where(np.isnan(now), np.nan, logs(now, decades)),
              name=title, line={"color": colour, "dash": dash}, marker={"color": colour, "symbol": marker, "size": 5})  # fmt: skip
    set_axes(figure, {"title": "block, input → output"}, {"title": "at the block's end"} | log_axis(decades), "propagation")
    return figure
