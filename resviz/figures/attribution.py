"""A photograph, the evidence laid over it, and the classes it speaks for."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from resviz.figures.theme import NEGATIVE, POSITIVE, RESIDUAL, base_figure
from resviz.results import Attribution, Prediction

__all__ = ["attribution_figure", "overlay_image", "photograph", "prediction_bars"]


def _rgb(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))


def _scale(signed: bool) -> list[list[object]]:
    positive, negative = _rgb(POSITIVE), _rgb(NEGATIVE)
    if not signed:
        return [[0, f"rgba({positive},0)"], [0.5, f"rgba({positive},0.6)"], [1, f"rgba({positive},1)"]]
    return [[0, f"rgba({negative},1)"], [0.5, "rgba(255,255,255,0)"], [1, f"rgba({positive},1)"]]


def _shown(attribution: Attribution, absolute: bool) -> tuple[np.ndarray, bool]:
    """Values scaled so that the 99.5th percentile of magnitude is 1, and whether they have a sign."""
    values = np.abs(attribution.values) if absolute else attribution.values
    top = float(np.percentile(np.abs(values), 99.5)) or float(np.abs(values).max()) or 1.0
    return np.clip(values / top, -1, 1), attribution.signed and not absolute


def photograph(image: Image.Image, height: int = 420) -> go.Figure:
    """The picture alone, on the same canvas as its maps."""
    figure = base_figure(height)
    side = image.width
    figure.add_layout_image(source=image, x=0, y=0, sizex=side, sizey=side, xref="x", yref="y", layer="below", sizing="stretch")
    figure.update_xaxes(visible=False, range=[0, side], constrain="domain")
    figure.update_yaxes(visible=False, range=[side, 0], scaleanchor="x", constrain="domain")
    figure.update_layout(margin={"l": 4, "r": 4, "t": 28, "b": 4})
    return figure


def attribution_figure(image: Image.Image, attribution: Attribution, opacity: float, absolute: bool) -> go.Figure:
    """The map over the photograph: blue speaks for the class, vermilion against it, nothing where it is zero."""
    figure = photograph(image)
    values, signed = _shown(attribution, absolute)
    step = image.width / values.shape[1]
    figure.add_heatmap(
        z=values.astype(np.float32),
        x0=step / 2,
        dx=step,
        y0=step / 2,
        dy=step,
        zmin=-1 if signed else 0,
        zmax=1,
        colorscale=_scale(signed),
        opacity=opacity,
        zsmooth="best" if values.shape[0] < 100 else False,
        customdata=attribution.values,
        hovertemplate="%{customdata:.3g}<extra></extra>",
        colorbar={
            "orientation": "h", "thickness": 8, "y": -0.01, "yanchor": "top", "len": 0.6, "outlinewidth": 0,
            "tickvals": [-1, 0, 1] if signed else [0, 1],
            "ticktext": ["against", "0", "for"] if signed else ["0", "strong"],
        },
    )  # fmt: skip
    figure.update_layout(margin={"b": 44})
    return figure


def overlay_image(image: Image.Image, attribution: Attribution, opacity: float, absolute: bool) -> Image.Image:
    """The same picture as plain pixels, for files."""
    values, signed = _shown(attribution, absolute)
    resized = np.asarray(
        Image.fromarray(values.astype(np.float32)).resize(image.size, Image.Resampling.BILINEAR), dtype=np.float64
    )
    colours = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (POSITIVE, NEGATIVE)], dtype=np.float64)
    colour = np.where((resized >= 0)[..., None], colours[0], colours[1])
    alpha = (np.abs(resized) if signed else np.clip(resized, 0, 1))[..., None] * opacity
    return Image.fromarray(np.rint(np.asarray(image.convert("RGB")) * (1 - alpha) + colour * alpha).astype(np.uint8))


def prediction_bars(prediction: Prediction, k: int = 5) -> go.Figure:
    """The k most probable classes."""
    top = prediction.top(k)[::-1]
    figure = base_figure(60 + 30 * len(top))
    figure.add_bar(
        x=[100 * p for _, p in top],
        y=[name for name, _ in top],
        orientation="h",
        marker={"color": RESIDUAL},
        text=[f"{100 * p:.1f} %" for _, p in top],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
    )
    figure.update_xaxes(visible=False, range=[0, 118])
    figure.update_yaxes(automargin=True, ticksuffix="  ")
    figure.update_layout(margin={"l": 8, "r": 8, "t": 28, "b": 4})
    return figure
