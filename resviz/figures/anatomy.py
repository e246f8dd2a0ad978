"""Trained networks taken apart: a diagram painted with what each lesion costs, errors and shares as lines, and the numbers as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from resviz.figures.axes import stage_axis
from resviz.figures.chart import Axis, Chart, Markers, Note, Rule, Series
from resviz.figures.theme import CUT, PLAIN, RESIDUAL_LINE, SIGNAL, LineStyle, number, signal
from resviz.results import Draws, LayerTable, Lesions, PathLengths, Refinement

__all__ = [
    "KINDS",
    "cosine_line",
    "draws_csv",
    "draws_lines",
    "error_paint",
    "lesion_csv",
    "lesion_lines",
    "path_csv",
    "path_lines",
    "read_line",
    "refine_csv",
]

_SHADES: Final = 24
KINDS: Final[Mapping[str, tuple[str, LineStyle]]] = {
    "dropped": ("without its branch", RESIDUAL_LINE),
    "cut": ("without its skip", LineStyle(CUT, "dash", "triangle-up-open")),
    "bypassed": ("identity in a layer's place", LineStyle(PLAIN, "dash", "square")),
}
_ERROR: Final = Axis("error (%)", (-2.0, 102.0))


def error_paint(
    errors: Mapping[str, float], base: float, chance: float, table: LayerTable
) -> tuple[dict[str, str], dict[str, str], tuple[str, Sequence[str], str]]:
    """Of each layer its colour and its note, by what the error is without its block, or without itself; and the colours' legend.

    errors: percent, by the names of blocks or of layers; base is the error of the whole network, chance that of guessing.
    """
    ramp, paint, notes = signal(_SHADES), {}, {}
    for unit in table.units:
        for row in (*unit.convs, *((unit.join,) if unit.join else ())):
            error = errors.get(row.name, errors.get(unit.name))
            if error is not None:
                share = (error - base) / max(chance - base, 1e-9)
                paint[row.name] = ramp[round(max(0.0, min(1.0, share)) * (_SHADES - 1))]
                notes[row.name] = f"error {error:.1f} %"
    return paint, notes, (f"error {base:.1f} %", ramp, f"{chance:.0f} %, guessing")


def lesion_lines(found: Lesions, beside: Lesions | None = None) -> Chart:
    """The error without each part, in forward order; `beside` is a network without skips, layer by layer on the same axis."""
    blocks = list(dict.fromkeys([*found.of("dropped"), *found.of("cut"), *map(_block, found.of("bypassed"))]))
    lines = [_line(kind, found.of(kind), blocks) for kind in KINDS if found.of(kind)]
    if beside is not None and (layers := beside.of("bypassed")):
        lines.append(_line("bypassed", layers, blocks))
    rule = (Rule(SIGNAL, y=found.base, dotted=True),)
    said = (Note(f"as it is, {found.base:.1f} %", y=found.base),)
    return Chart(340, stage_axis(blocks, "block, input → output"), _ERROR, tuple(lines), rules=rule, notes=said)


def _block(layer: str) -> str:
    return layer.rsplit(".", 1)[0]


def _line(kind: str, errors: Mapping[str, float], blocks: Sequence[str]) -> Series:
    title, style = KINDS[kind]
    within: dict[str, int] = {}
    for name in errors:
        if kind == "bypassed":
            within[_block(name)] = within.get(_block(name), 0) + 1
    places, before = [], dict.fromkeys(blocks, 0)
    for name in errors:
        block = _block(name) if kind == "bypassed" else name
        places.append(blocks.index(block) + before[block] / within.get(block, 1))
        before[block] += 1
    points = tuple((f"{name}, {title}", f"{error:.1f} %") for name, error in errors.items())
    return Series(title, places, list(errors.values()), style, points, Markers(style.symbol, 6))


def draws_lines(drawn: Mapping[str, Draws]) -> Chart:
    """The error with several parts taken away or changed at once: the median of the draws, and pale their least and most."""
    styles = (RESIDUAL_LINE, LineStyle(CUT, "dot", "triangle-up-open"))
    series = []
    for (title, found), style in zip(drawn.items(), styles, strict=False):
        counts = [0, *found.counts]
        for edge in (found.errors.min(1), found.errors.max(1)):
            series.append(Series(title, counts, [found.base, *edge], style, opacity=0.35, width=1.3, legend=False))
        ranges = zip(found.counts, found.median, found.errors.min(1), found.errors.max(1), strict=True)
        points = tuple((f"{n} {title}", f"{median:.1f} %, from {low:.1f} to {high:.1f} %") for n, median, low, high in ranges)
        points = (("as it is", f"{found.base:.1f} %"), *points)
        series.append(Series(title, counts, [found.base, *found.median], style, points, Markers(style.symbol, 7), width=2.6))
    most = max((found.counts[-1] for found in drawn.values()), default=1)
    return Chart(320, Axis("how many at once", (-0.3, most + 0.3)), _ERROR, tuple(series))


def path_lines(found: PathLengths) -> Chart:
    """How many of all paths have each length, and how much of the gradient comes back by them, in percent."""
    lengths = np.arange(found.units + 1)
    shares = {"of all paths": (found.paths, LineStyle(PLAIN, "dash", "square")), "of the gradient": (found.share, RESIDUAL_LINE)}
    series = tuple(
        Series(
            title,
            lengths,
            100 * values,
            style,
            tuple((f"{n} blocks", f"{number(100 * float(value))} % {title}") for n, value in zip(lengths, values, strict=True)),
            Markers(style.symbol, 6),
        )
        for title, (values, style) in shares.items()
    )
    top = 108 * max(float(found.paths.max()), float(found.share.max()))
    return Chart(320, Axis("blocks that a path goes through", (-0.5, found.units + 0.5)), Axis("share (%)", (0.0, top)), series)


def cosine_line(found: Refinement) -> Chart:
    """cos(F(x), −∂L/∂x) of every block; a gap where a block changes the shape."""
    at = np.arange(len(found.units), dtype=np.float64)
    points = tuple((name, number(float(value))) for name, value in zip(found.units, found.cosines, strict=True))
    line = Series("cos(F(x), −∂L/∂x)", at, found.cosines, RESIDUAL_LINE, points, Markers(size=7))
    finite = found.cosines[np.isfinite(found.cosines)]
    reach = 1.2 * max(0.05, float(np.abs(finite).max(initial=0.0)))
    axis = stage_axis(found.units, "block, input → output")
    return Chart(280, axis, Axis("cosine", (-reach, reach)), (line,), rules=(Rule(SIGNAL, y=0.0, dotted=True),))


def read_line(found: Refinement) -> Chart:
    """What the network's own head gets wrong behind each block of the last stage."""
    names, errors = list(found.read), list(found.read.values())
    points = tuple((f"read after {name}", f"{error:.1f} %") for name, error in found.read.items())
    step = max(1, len(names) // 9)
    ticks = tuple((float(i), names[i]) for i in range(0, len(names), step))
    line = Series("error", list(range(len(names))), errors, RESIDUAL_LINE, points, Markers(size=7))
    return Chart(280, Axis("read out after", (-0.3, len(names) - 0.7), ticks), _ERROR, (line,))


def _csv(head: str, rows: Iterable[Iterable[object]]) -> str:
    lines = [head, *(",".join(f"{cell:.9g}" if isinstance(cell, float) else str(cell) for cell in row) for row in rows)]
    return "\n".join(lines) + "\n"


def lesion_csv(found: Lesions) -> str:
    """Every lesion of one part, and its error in percent."""
    rows = [
        ("", "", float(found.base)),
        *((kind, name, float(error)) for kind in KINDS for name, error in found.of(kind).items()),
    ]
    return _csv("lesion,part,error", rows)


def draws_csv(drawn: Mapping[str, Draws]) -> str:
    """Every draw's error in percent."""
    return _csv(
        "what,count,draw,error",
        (
            (title, count, n, float(error))
            for title, found in drawn.items()
            for count, errors in zip(found.counts, found.errors, strict=True)
            for n, error in enumerate(errors)
        ),
    )


def path_csv(found: PathLengths) -> str:
    """Of each length: its share of the paths, its gradient's norm and share, and its part along the whole gradient."""
    columns = (found.paths, found.norms, found.share, found.along)
    return _csv("blocks,paths,norm,share,along", ((n, *map(float, row)) for n, row in enumerate(zip(*columns, strict=True))))


def refine_csv(found: Refinement) -> str:
    """Of each block: cosine, ratio, and the head's error behind it where it was read out."""
    rows = zip(found.units, found.cosines, found.ratios, strict=True)
    return _csv("block,cosine,ratio,error", ((name, float(c), float(r), found.read.get(name, "")) for name, c, r in rows))
