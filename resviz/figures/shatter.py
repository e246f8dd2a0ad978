"""∂f/∂x along a line of inputs, and how fast it forgets itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from resviz.figures.chart import Axis, Chart, Markers, Rule, Series
from resviz.figures.theme import PLAIN, RESIDUAL_LINE, STROKE, LineStyle, number
from resviz.results import Shattering

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["correlation_by_depth", "correlation_by_lag", "shatter_frame", "slopes"]

_STYLES: Final = {
    "residual": RESIDUAL_LINE,
    "plain": LineStyle(PLAIN, "dash", "square"),
    "plain, no norm": LineStyle("#A34700", "dot", "triangle-up-open"),
}
_NOTHING: Final = (Rule(STROKE, y=0.0, width=1),)
_CORRELATION: Final = Axis("autocorrelation", (-0.35, 1.05), tuple((v, f"{v:g}".replace("-", "−")) for v in (0.0, 0.5, 1.0)))


def slopes(found: Shattering, depth: int, name: str) -> Chart:
    """∂f/∂t of one design along the line, over its greatest size."""
    values = found.gradients[name][found.depths.index(depth)]
    size = float(np.abs(values).max()) or 1.0
    line = Series(
        name,
        found.places,
        values / size,
        _STYLES[name]._replace(dash="solid"),  # gaps would look like noise
        tuple(
            (f"t {place:.3f}", f"∂f/∂t {number(value)}")
            for place, value in zip(found.places.tolist(), values.tolist(), strict=True)
        ),
        width=1.2,
    )
    return Chart(
        170, Axis("", (0.0, 1.0), ((0.0, "x₀"), (1.0, "x₁"))), Axis("∂f/∂t", (-1.1, 1.1), ((0.0, "0"),)), (line,), rules=_NOTHING
    )


def correlation_by_lag(found: Shattering, depth: int) -> Chart:
    """The autocorrelation of each design's gradient at one depth."""
    row = found.depths.index(depth)
    lines = tuple(
        Series(
            name,
            np.arange(each.shape[1]),
            each[row],
            _STYLES[name],
            _said("lag", range(each.shape[1]), each[row]),
            Markers(_STYLES[name].symbol, 5),
        )
        for name, each in found.correlations.items()
    )
    return Chart(280, Axis("places apart on the line"), _CORRELATION, lines, rules=_NOTHING)


def correlation_by_depth(found: Shattering) -> Chart:
    """The correlation of neighbours on the line, by depth."""
    places = np.arange(len(found.depths))
    lines = tuple(
        Series(
            name, places, each[:, 1], _STYLES[name], _said("layers", found.depths, each[:, 1]), Markers(_STYLES[name].symbol, 6)
        )
        for name, each in found.correlations.items()
    )
    return Chart(
        280, Axis("layers", (-0.3, len(places) - 0.7), tuple((float(n), str(depth)) for n, depth in enumerate(found.depths))),
        _CORRELATION, lines, rules=_NOTHING,
    )  # fmt: skip


def _said(what: str, places: tuple[int, ...] | range, values: np.ndarray) -> tuple[tuple[str, str], ...]:
    return tuple((f"{what} {place}", number(value)) for place, value in zip(places, values.tolist(), strict=True))


def shatter_frame(found: Shattering) -> pd.DataFrame:
    """Every autocorrelation as a row (design, layers, lag, autocorrelation)."""
    import pandas as pd

    rows = [
        (name, depth, lag, float(value))
        for name, each in found.correlations.items()
        for depth, values in zip(found.depths, each, strict=True)
        for lag, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["design", "layers", "lag", "autocorrelation"])
