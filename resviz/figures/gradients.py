"""Gradient profiles, block signals and depth sweeps as figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from resviz.figures.theme import (
    CUT,
    PLAIN,
    RESIDUAL,
    WARNING,
    Sketch,
    add_line,
    base_figure,
    number,
    power_of_ten,
    set_axes,
    sketch,
    viridis,
)
from resviz.results import BlockSignal, DepthSweep, GradientProfile

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "SIGNALS",
    "block_frame",
    "depth_heatmaps",
    "edge_marks",
    "gradient_paint",
    "gradient_profiles",
    "layer_frame",
    "log_axis",
    "log_range",
    "logs",
    "signal_figure",
    "stage_starts",
]

_STYLES = {  # colour, dash, marker
    "residual": (RESIDUAL, "solid", "circle"),
    "plain": (PLAIN, "dash", "square"),
}


def log_range(values: Sequence[float] | np.ndarray, low: int = -6, high: int = 3) -> tuple[int, int]:
    """Decades that hold every finite value above zero, widened in threes so that toggles keep the axis still."""
    every = np.asarray(values, np.float64)
    finite = every[np.isfinite(every) & (every > 0)]
    if finite.size:
        low = min(low, 3 * math.floor(math.log10(finite.min()) / 3))
        high = max(high, 3 * math.ceil(math.log10(finite.max()) / 3))
    return low, high


def log_axis(decades: tuple[int, int]) -> dict[str, Any]:
    """Range and ticks of an axis that shows log10 of what it means, with room for zero below and overflow above."""
    low, high = decades
    step = max(1, round((high - low) / 7))
    ticks = list(range(low, high + 1, step))
    return {"tickvals": ticks, "ticktext": [power_of_ten(t) for t in ticks], "range": [low - 0.6, high + 0.6]}


def logs(values: np.ndarray, decades: tuple[int, int]) -> np.ndarray:
    """log10, with zeros drawn on the floor and overflow on the ceiling of the axis."""
    low, high = decades
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(values)
    logs = np.where(values == 0, low - 0.45, logs)
    return np.where(np.isfinite(values), logs, high + 0.45)


def stage_starts(names: Sequence[str]) -> dict[str, int]:
    """Where each stage begins along the layer axis, for ticks that never overlap."""
    starts: dict[str, int] = {}
    for i, name in enumerate(names):
        starts.setdefault(name.split(".")[0], i)
    if "layer1" in starts:
        starts.pop("conv1", None)  # they stand side by side
    return starts


def gradient_profiles(
    profiles: Mapping[str, GradientProfile],
    decades: tuple[int, int],
    selected: str | None = None,
    cuts: frozenset[str] = frozenset(),
    height: int = 400,
) -> Sketch:
    """Weight-gradient norm of every layer in forward order on a log axis; `profiles` is keyed "residual" and "plain"."""
    figure = sketch(height)
    longest = max(profiles.values(), key=lambda p: len(p.names))
    index = {name: i for i, name in enumerate(longest.names)}
    for key, profile in profiles.items():
        colour, dash, marker = _STYLES[key]
        odd = (profile.norms == 0) | ~np.isfinite(profile.norms)
        symbols = np.where(profile.norms == 0, "x-thin-open", np.where(odd, "triangle-up-open", marker))
        sizes = np.where(odd, 9, np.where(np.array(profile.names) == (selected or ""), 14, 6))
        add_line(
            figure,
            profile.names,
            [_named(norm) for norm in profile.norms.tolist()],
            x=[index[name] for name in profile.names],
            y=logs(profile.norms, decades),
            name=key,
            line={"color": colour, "dash": dash, "width": 2},
            marker={"color": colour, "symbol": symbols.tolist(), "size": sizes.tolist(), "line": {"width": 1.5, "color": colour}},
        )
    upright = {"xref": "x", "yref": "y domain", "y0": 0, "y1": 1}
    shapes, notes = edge_marks(np.concatenate([p.norms for p in profiles.values()]), decades)
    for block in cuts:
        if (first := f"{block}.conv1") in index:
            edges = {"x0": index[first] - 0.5, "x1": index[first] + 1.5}
            shapes.append(upright | edges | {"type": "rect", "fillcolor": CUT, "opacity": 0.18, "line": {"width": 0}})
    if selected in index:
        at = {"x0": index[selected], "x1": index[selected]}
        shapes.append(upright | at | {"type": "line", "line": {"color": WARNING, "width": 1.5}})
    figure["layout"] |= {"shapes": shapes, "annotations": notes}
    starts = stage_starts(longest.names)
    x = {
        "title": "layer, input → output",
        "tickvals": list(starts.values()),
        "ticktext": list(starts),
        "showgrid": True,
        "tickangle": 0,
    }
    set_axes(figure, x | {"range": [-1, len(longest.names)]}, {"title": "weight gradient, L2 norm"} | log_axis(decades))
    return figure


def gradient_paint(profile: GradientProfile, decades: tuple[int, int]) -> dict[str, str]:
    """Each layer's colour for the diagram: viridis over the decades, zero darkest and overflow brightest."""
    low, high = decades
    shares = np.clip((logs(profile.norms, decades) - low) / (high - low), 0, 1)
    colours = viridis(256)
    return {name: colours[round(255 * share)] for name, share in zip(profile.names, shares.tolist(), strict=True)}


def _named(norm: float) -> str:
    if norm == 0:
        return "0 (underflow, or not on the path)"
    return number(norm) if math.isfinite(norm) else f"{number(norm)} (overflow)"


def edge_marks(norms: np.ndarray, decades: tuple[int, int]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Shapes and annotations that say what the floor and the ceiling mean, wherever one of the norms is drawn on them."""
    shapes, notes = [], []
    for present, y, text in (
        ((norms == 0).any(), decades[0] - 0.45, "exactly 0"),
        ((~np.isfinite(norms)).any(), decades[1] + 0.45, "overflow (∞ or NaN)"),
    ):
        if present:
            line = {"color": WARNING, "width": 1, "dash": "dot"}
            shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line})
            notes.append(
                {"x": 1, "xref": "paper", "y": y, "text": text, "showarrow": False, "xanchor": "right", "yanchor": "bottom",
                 "font": {"color": WARNING, "size": 12}}
            )  # fmt: skip
    return shapes, notes


SIGNALS = {
    "gradient_norms": "gradient at the block's output, L2 norm",
    "activation_std": "activation after the block, standard deviation",
}


def signal_figure(signals: Mapping[str, BlockSignal], field: str) -> Sketch:
    """One of `SIGNALS` for every block, in forward order on a log axis."""
    figure = sketch(300)
    decades = log_range(np.concatenate([getattr(signal, field) for signal in signals.values()]), -3, 3)
    for key, signal in signals.items():
        colour, dash, marker = _STYLES[key]
        values = getattr(signal, field)
        add_line(
            figure,
            signal.names,
            [_named(v) for v in values.tolist()],
            x=list(range(1, len(values) + 1)),
            y=logs(values, decades),
            name=key,
            line={"color": colour, "dash": dash},
            marker={"color": colour, "symbol": marker, "size": 5},
        )
    set_axes(figure, {"title": "block, input → output"}, log_axis(decades))
    return figure


def layer_frame(profiles: Mapping[str, GradientProfile]) -> pd.DataFrame:
    """Every network's profile as rows (net, layer, norm)."""
    import pandas as pd

    rows = [(key, name, norm) for key, p in profiles.items() for name, norm in zip(p.names, p.norms, strict=True)]
    return pd.DataFrame(rows, columns=["net", "layer", "norm"])


def block_frame(signals: Mapping[str, BlockSignal]) -> pd.DataFrame:
    """Every network's blocks as rows (net, block, output gradient norm, activation std)."""
    import pandas as pd

    rows = [(key, *row) for key, s in signals.items() for row in zip(s.names, s.gradient_norms, s.activation_std, strict=True)]
    return pd.DataFrame(rows, columns=["net", "block", "output gradient norm", "activation std"])


def depth_heatmaps(sweeps: Mapping[str, DepthSweep]) -> go.Figure:
    """Depth × relative layer position for each design, on one shared colour scale."""
    figure = make_subplots(rows=1, cols=len(sweeps), shared_yaxes=True, horizontal_spacing=0.05, subplot_titles=list(sweeps))
    figure.update_layout(base_figure(340).layout)
    low, high = log_range(np.concatenate([sweep.norms.ravel() for sweep in sweeps.values()]))
    low = max(low, -18)
    for column, sweep in enumerate(sweeps.values(), start=1):
        with np.errstate(divide="ignore"):
            logs = np.log10(sweep.norms)
        figure.add_heatmap(
            x=sweep.positions, y=[str(d) for d in sweep.depths], z=np.clip(np.nan_to_num(logs, nan=high), low, high),
            coloraxis="coloraxis", row=1, col=column,
            customdata=[[_named(v) for v in row] for row in sweep.norms],
            hovertemplate="depth %{y}, position %{x:.2f}<br>‖∂L/∂W‖ = %{customdata}<extra></extra>",
        )  # fmt: skip
    step = max(1, round((high - low) / 6))
    ticks = list(range(low, high + 1, step))
    text = [("≤ " if t == low and low == -18 else "") + power_of_ten(t) for t in ticks]
    figure.update_layout(
        coloraxis={"colorscale": "Viridis", "cmin": low, "cmax": high,
                   "colorbar": {"title": {"text": "norm"}, "tickvals": ticks, "ticktext": text}},
        margin={"t": 48},
    )  # fmt: skip
    figure.update_xaxes(title="first layer → last layer", range=[0, 1], showgrid=False)
    figure.update_yaxes(type="category", showgrid=False)
    figure.update_yaxes(title="depth", row=1, col=1)
    return figure
