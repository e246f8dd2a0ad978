"""Gradient profiles, block signals and depth sweeps as figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from resviz.figures.axes import edge_marks, log_axis, log_range, log_ticks, logs, odd_symbols, stage_axis
from resviz.figures.chart import Axis, Band, Chart, Markers, Rule, Series, base_figure
from resviz.figures.theme import CONTROL, CUT, PLAIN, RESIDUAL_LINE, LineStyle, number, signal
from resviz.results import BlockSignal, DepthSweep, GradientProfile
from resviz.spec.net import Design

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = [
    "SIGNALS",
    "block_frame",
    "depth_heatmaps",
    "gradient_paint",
    "gradient_profiles",
    "layer_frame",
    "signal_figure",
]

_STYLES: Final[Mapping[Design, LineStyle]] = {"residual": RESIDUAL_LINE, "plain": LineStyle(PLAIN, "dash", "square")}
_FLOOR = -18  # decades below which the sweep has one colour


def gradient_profiles(
    profiles: Mapping[Design, GradientProfile],
    decades: tuple[int, int],
    selected: str | None = None,
    cuts: frozenset[str] = frozenset(),
    height: int = 400,
    ghosts: Mapping[Design, GradientProfile] | None = None,
    dense: bool = False,
) -> Chart:
    """Weight-gradient norm of every layer in forward order on a log axis; `profiles` is keyed "residual" and "plain".

    A `dense` network is called so, where its skips do not add.

    `ghosts` are an earlier setting's, pale behind them, from the first layer to the last whatever their depth.
    """
    names = max(profiles.values(), key=lambda profile: len(profile.names)).names
    index = {name: i for i, name in enumerate(names)}
    rules, notes = edge_marks(np.concatenate([profile.norms for profile in profiles.values()]), decades)
    if selected in index:
        rules += (Rule(CONTROL, x=index[selected]),)
    starts = (index[first] for block in cuts for first in _first(block) if first in index)
    return Chart(
        height,
        stage_axis(names, level=True),
        log_axis(decades, "weight gradient, L2 norm"),
        (
            *(_ghost(key, profile, len(names), decades) for key, profile in (ghosts or {}).items()),
            *(
                replace(_profile_line(key, profile, index, decades, selected), name=_called(key, dense))
                for key, profile in profiles.items()
            ),
        ),
        bands=tuple(
            Band(start - 0.5, start + (1.5 if names[start + 1].endswith((".conv2", ".out_proj", ".mlp.3")) else 0.5), CUT)
            for start in starts
        ),
        rules=rules,
        notes=notes,
    )


def _first(block: str) -> tuple[str, ...]:
    """What a unit's first layer may be called."""
    return f"{block}.conv1", f"{block}.0", f"{block.removesuffix('attention')}self_attention.in_proj"


def _called(key: Design, dense: bool) -> str:
    return "dense" if dense and key == "residual" else key


def _ghost(key: Design, profile: GradientProfile, layers: int, decades: tuple[int, int]) -> Series:
    places = np.linspace(0, layers - 1, len(profile.names))
    return Series(key, places, logs(profile.norms, decades), _STYLES[key], opacity=0.35, legend=False)


def _profile_line(
    key: Design, profile: GradientProfile, index: Mapping[str, int], decades: tuple[int, int], selected: str | None
) -> Series:
    style, norms = _STYLES[key], profile.norms
    odd = (norms == 0) | ~np.isfinite(norms)
    sizes = np.where(odd, 9, np.where(np.array(profile.names) == (selected or ""), 14, 6))
    return Series(
        key,
        [index[name] for name in profile.names],
        logs(norms, decades),
        style,
        tuple((name, _named(norm)) for name, norm in zip(profile.names, norms.tolist(), strict=True)),
        Markers(odd_symbols(norms, style.symbol), tuple(sizes.tolist()), outline=1.5),
    )


def gradient_paint(profile: GradientProfile, decades: tuple[int, int]) -> dict[str, str]:
    """Each layer's colour for the diagram: the ramp over the decades, zero at its beginning and overflow at its end."""
    low, high = decades
    shares = np.clip((logs(profile.norms, decades) - low) / (high - low), 0, 1)
    colours = signal(256)
    return {name: colours[round(255 * share)] for name, share in zip(profile.names, shares.tolist(), strict=True)}


def _named(norm: float) -> str:
    if norm == 0:
        return "0 (underflow, or not on the path)"
    return number(norm) if math.isfinite(norm) else f"{number(norm)} (overflow)"


SIGNALS = {
    "gradient_norms": "gradient at the block's output, L2 norm",
    "activation_std": "activation after the block, standard deviation",
}


def signal_figure(signals: Mapping[Design, BlockSignal], field: str, dense: bool = False) -> Chart:
    """One of `SIGNALS` for every block, in forward order on a log axis."""
    measured = {key: np.asarray(getattr(signal, field)) for key, signal in signals.items()}
    decades = log_range(np.concatenate(list(measured.values())), -3, 3)
    lines = tuple(
        Series(
            _called(key, dense),
            list(range(1, len(values) + 1)),
            logs(values, decades),
            _STYLES[key],
            tuple((name, _named(v)) for name, v in zip(signals[key].names, values.tolist(), strict=True)),
            Markers(_STYLES[key].symbol, 5),
        )
        for key, values in measured.items()
    )
    return Chart(300, Axis("block, input → output"), log_axis(decades), lines)


def layer_frame(profiles: Mapping[Design, GradientProfile]) -> pd.DataFrame:
    """Every network's profile as rows (net, layer, norm)."""
    import pandas as pd

    rows = [(key, name, norm) for key, p in profiles.items() for name, norm in zip(p.names, p.norms, strict=True)]
    return pd.DataFrame(rows, columns=["net", "layer", "norm"])


def block_frame(signals: Mapping[Design, BlockSignal]) -> pd.DataFrame:
    """Every network's blocks as rows (net, block, output gradient norm, activation std)."""
    import pandas as pd

    rows = [(key, *row) for key, s in signals.items() for row in zip(s.names, s.gradient_norms, s.activation_std, strict=True)]
    return pd.DataFrame(rows, columns=["net", "block", "output gradient norm", "activation std"])


def depth_heatmaps(sweeps: Mapping[Design, DepthSweep]) -> go.Figure:
    """Depth × relative layer position for each design, on one shared colour scale."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=len(sweeps), shared_yaxes=True, horizontal_spacing=0.05, subplot_titles=list(sweeps))
    figure.update_layout(base_figure(340).layout)
    low, high = log_range(np.concatenate([sweep.norms.ravel() for sweep in sweeps.values()]))
    low = max(low, _FLOOR)
    for column, sweep in enumerate(sweeps.values(), start=1):
        with np.errstate(divide="ignore"):
            z = np.clip(np.nan_to_num(np.log10(sweep.norms), nan=high), low, high)
        figure.add_heatmap(
            x=sweep.positions,
            y=[str(d) for d in sweep.depths],
            z=z,
            coloraxis="coloraxis",
            row=1,
            col=column,
            customdata=[[_named(v) for v in row] for row in sweep.norms],
            hovertemplate="depth %{y}, position %{x:.2f}<br>‖∂L/∂W‖ = %{customdata}<extra></extra>",
        )
    places, words = zip(*log_ticks((low, high), 6, _FLOOR), strict=True)
    bar = {"title": {"text": "norm"}, "tickvals": places, "ticktext": words}
    figure.update_layout(coloraxis={"colorscale": list(signal(64)), "cmin": low, "cmax": high, "colorbar": bar}, margin={"t": 48})
    figure.update_xaxes(title="first layer → last layer", range=[0, 1], showgrid=False)
    figure.update_yaxes(type="category", showgrid=False)
    figure.update_yaxes(title="depth", row=1, col=1)
    return figure
