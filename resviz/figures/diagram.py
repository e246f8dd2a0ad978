"""The block diagram: He et al.'s figures 3 and 5 as a list of shapes, and that list as SVG text.

A `Diagram` is plain data. The page's component draws it and adds the clicks; `to_svg` writes the same shapes to a file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from resviz.figures.theme import CUT, IDENTITY, RESIDUAL, count
from resviz.results import LayerRow, LayerTable
from resviz.spec.net import NetSpec, Shortcut

__all__ = ["STYLE", "Diagram", "Shape", "block_diagram", "network_diagram", "to_svg"]

# The component and the file share this sheet; the variables are the page's theme, the fallbacks a light one.
STYLE: Final = f"""
text {{ font: 12px system-ui, 'Segoe UI', Roboto, sans-serif; fill: var(--st-text-color, #1B2430); }}
text.small {{ font-size: 10.5px; opacity: .78; }}
text.on {{ fill: #0d1726; font-weight: 600; }}
text.title {{ font-weight: 600; }}
.band {{ fill: var(--st-secondary-background-color, #F4F6F8); }}
.trunk {{ stroke: var(--st-text-color, #1B2430); stroke-width: 1.5; opacity: .55; fill: none; }}
.layer {{ stroke: rgba(27,36,48,.45); stroke-width: 1; }}
.minor {{ fill: var(--st-background-color, #FFFFFF); stroke: var(--st-text-color, #1B2430); stroke-opacity: .45; }}
.hollow {{ fill: none; stroke: {CUT}; stroke-dasharray: 3 2; }}
.stack {{ fill: none; stroke: {RESIDUAL}; opacity: .5; }}
.add {{ fill: var(--st-background-color, #FFFFFF); stroke: {IDENTITY}; stroke-width: 1.8; }}
.addcut {{ fill: var(--st-background-color, #FFFFFF); stroke: {CUT}; stroke-width: 1.2; stroke-dasharray: 2 2; }}
.plus {{ stroke: {IDENTITY}; stroke-width: 1.6; }}
.arc {{ fill: none; stroke: {IDENTITY}; stroke-width: 2.2; }}
.zeropad {{ stroke-dasharray: 1.5 3 1.5 3 1.5 3 1.5 3 2000; }}
.cut {{ stroke: {CUT}; stroke-width: 1.8; stroke-dasharray: 5 5; opacity: .75; }}
.projection {{ fill: {IDENTITY}; }}
""".strip()


@dataclass(frozen=True)
class Shape:
    """One SVG element. `name` is the layer or block it stands for, `action` what a click does, `label` what a reader hears."""

    tag: str
    attrs: Mapping[str, float | str]
    css: str = ""
    text: str = ""
    name: str = ""
    label: str = ""
    action: str = ""
    pressed: bool | None = None


@dataclass(frozen=True)
class Diagram:
    width: float
    height: float
    shapes: tuple[Shape, ...] = field(default=())

    def data(self) -> dict[str, Any]:
        """For the component: JSON-able."""
        return {"width": self.width, "height": self.height, "shapes": [_lean(shape) for shape in self.shapes]}


def _lean(shape: Shape) -> dict[str, Any]:
    return {key: value for key, value in vars(shape).items() if value not in ("", None)}


class _Canvas:
    """Collects shapes drawn left to right; `vertical` turns the page so that forward is down."""

    def __init__(self, vertical: bool) -> None:
        self.vertical = vertical
        self.shapes: list[Shape] = []

    def at(self, x: float, y: float) -> tuple[float, float]:
        return (round(y, 1), round(x, 1)) if self.vertical else (round(x, 1), round(y, 1))

    def rect(self, x: float, y: float, w: float, h: float, css: str, radius: float = 3, **more: Any) -> None:
        (left, top), (wide, high) = self.at(x, y), self.at(w, h)
        fill = {"fill": more.pop("fill")} if "fill" in more else {}
        attrs = {"x": left, "y": top, "width": wide, "height": high, "rx": radius} | fill
        self.shapes.append(Shape("rect", attrs, css, **more))

    def circle(self, x: float, y: float, r: float, css: str, **more: Any) -> None:
        cx, cy = self.at(x, y)
        self.shapes.append(Shape("circle", {"cx": cx, "cy": cy, "r": r}, css, **more))

    def line(self, x0: float, y0: float, x1: float, y1: float, css: str) -> None:
        a, b = self.at(x0, y0), self.at(x1, y1)
        self.shapes.append(Shape("path", {"d": f"M{a[0]} {a[1]}L{b[0]} {b[1]}"}, css))

    def arc(self, x0: float, x1: float, base: float, top: float, css: str, **more: Any) -> None:
        """A flat-topped arch from x0 to x1, standing on `base` and reaching `top`."""
        r = min((x1 - x0) / 2, abs(base - top), 14)
        points = [
            ("M", [(x0, base)]), ("L", [(x0, top + r)]), ("Q", [(x0, top), (x0 + r, top)]),
            ("L", [(x1 - r, top)]), ("Q", [(x1, top), (x1, top + r)]), ("L", [(x1, base)]),
        ]  # fmt: skip
        path = "".join(letter + " ".join(f"{a} {b}" for a, b in (self.at(*p) for p in pair)) for letter, pair in points)
        self.shapes.append(Shape("path", {"d": path}, css, **more))

    def text(self, x: float, y: float, text: str, css: str = "", anchor: str = "middle", **more: Any) -> None:
        cx, cy = self.at(x, y)
        self.shapes.append(Shape("text", {"x": cx, "y": cy, "text-anchor": anchor}, css, text, **more))


def _tint(channels: int, top: int) -> str:
    """White-blue to deep blue as channels grow; dark text stays legible on all of them."""
    t = 0.15 + 0.85 * math.log2(max(2, channels)) / math.log2(max(4, top))
    red, green, blue = (round(a + (b - a) * max(0.0, min(1.0, t * 1.3 - 0.3))) for a, b in ((226, 74), (238, 158), (248, 214)))
    return f"rgb({red},{green},{blue})"


@dataclass(frozen=True)
class _Item:
    """A block to draw, or a run of equal blocks folded into one."""

    name: str
    count: int


def _items(spec: NetSpec, stage: int, unfolded: frozenset[str], fold: bool) -> list[_Item]:
    layer, total = f"layer{stage + 1}", spec.blocks[stage]
    names = [f"{layer}.{i}" for i in range(total)]
    if not fold or layer in unfolded or total <= 4:
        return [_Item(name, 1) for name in names]
    state = [(i == 0, name in spec.cut, name in spec.dropped) for i, name in enumerate(names)]
    items: list[_Item] = []
    for i, name in enumerate(names):
        if items and state[i] == state[i - 1]:
            items[-1] = _Item(items[-1].name, items[-1].count + 1)
        else:
            items.append(_Item(name, 1))
    return items


_HALF: Final = 52  # px that the tallest layer reaches below the trunk; what counts equal blocks stands under it
_BAND: Final = 118  # and a stage's band, with its name and size in it


def network_diagram(
    spec: NetSpec,
    table: LayerTable,
    *,
    unfolded: frozenset[str] = frozenset(),
    paint: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
    vertical: bool = False,
    room: int = 30,
    scale: tuple[str, Sequence[str], str] | None = None,
) -> Diagram:
    """The whole network, forward from left to right (`vertical`: top to bottom).

    More than `room` blocks fold stage by stage. `paint` colours layers by name, `notes` adds a line to their label,
    `scale` is the legend of that paint: what its lowest colour means, the colours, what the highest means.
    """
    canvas, rows = _Canvas(vertical), {row.name: row for row in table.rows}
    notes, paint = notes or {}, paint or {}
    fold = sum(spec.blocks) > room
    convs = spec.block.convs
    bar, gap = (9.0, 3.0) if convs == 2 else (7.0, 2.5)
    step = convs * (bar + gap) + 20
    top_channels = max(row.out_shape[0] for row in table.rows if row.kind.startswith("conv"))
    tallest = rows["conv1"].out_shape[1]
    middle = 128.0

    def height(side: int) -> float:
        return 20 + (2 * _HALF - 20) * math.log2(side + 1) / math.log2(tallest + 1)

    def label(row: LayerRow) -> str:
        note = notes.get(row.name)
        return _describe(row) + (f" · {note}" if note else "")

    def layer_bar(x: float, row: LayerRow, hollow: bool = False) -> None:
        h = height(row.out_shape[1])
        fill: dict[str, Any] = {} if hollow else {"fill": paint.get(row.name) or _tint(row.out_shape[0], top_channels)}
        canvas.rect(x, middle - h / 2, bar, h, "hollow" if hollow else "layer", name=row.name, label=label(row),
                    action=f"select:{row.name}", **fill)  # fmt: skip

    x = 14.0
    start = len(canvas.shapes)
    layer_bar(x + 12, rows["conv1"])
    canvas.text(x + 10, middle + _HALF + 15, "image", "small", anchor="start" if vertical else "middle")
    if "maxpool" in rows:
        h = height(rows["maxpool"].out_shape[1])
        canvas.rect(x + 12 + bar + 5, middle - h / 2, bar - 2, h, "minor", name="maxpool", label=label(rows["maxpool"]))
        x += bar + 5
    x += 12 + bar + 14
    for stage in range(len(spec.blocks)):
        left = x
        band = len(canvas.shapes)
        items = _items(spec, stage, unfolded, fold)
        for item in items:
            _draw_block(canvas, spec, rows, item, x, middle, height, layer_bar, bar, gap, step, notes)
            x += step
        out = rows[f"layer{stage + 1}.{spec.blocks[stage] - 1}.conv{convs}"].out_shape
        _draw_band(canvas, band, stage, left - 5, x + 1, middle, out, items, spec, fold, vertical)
        x += 12
    trunk_end = x + 6
    canvas.rect(x, middle - 8, 8, 16, "minor", name="avgpool", label=label(rows["avgpool"]))
    canvas.rect(x + 14, middle - 16, 10, 32, "layer", fill=paint.get("fc", "#E8D9B5"), name="fc", label=label(rows["fc"]),
                action="select:fc")  # fmt: skip
    canvas.text(x + 9, middle + _HALF + 15, f"{spec.classes} classes", "small", anchor="start" if not vertical else "middle")
    line = Shape("path", {"d": _straight(canvas, 18, trunk_end + 8, middle)}, "trunk")
    canvas.shapes.insert(start, line)
    # bands lie below the trunk
    bands = [shape for shape in canvas.shapes if shape.css == "band"]
    rest = [shape for shape in canvas.shapes if shape.css != "band"]
    if scale is not None and not vertical:
        _draw_scale(canvas, rest, middle + _BAND + 24, *scale)
    wide, high = (x + 88, middle + _BAND + (14.0 if scale is None or vertical else 32.0))
    width, tall = (high, wide) if vertical else (wide, high)
    return Diagram(width + (64 if vertical else 0), tall, tuple(bands + rest))


def _draw_scale(canvas: _Canvas, shapes: list[Shape], y: float, low: str, colours: Sequence[str], high: str) -> None:
    before = len(canvas.shapes)
    canvas.text(14, y, f"gradient {low}", "small", "start")
    for i, colour in enumerate(colours):
        canvas.rect(112 + 6 * i, y - 9, 6.5, 10, "", radius=0, fill=colour)
    canvas.text(118 + 6 * len(colours), y, high, "small", "start")
    shapes.extend(canvas.shapes[before:])


def _straight(canvas: _Canvas, x0: float, x1: float, y: float) -> str:
    a, b = canvas.at(x0, y), canvas.at(x1, y)
    return f"M{a[0]} {a[1]}L{b[0]} {b[1]}"


def _draw_band(
    canvas: _Canvas, index: int, stage: int, left: float, right: float, middle: float, out: tuple[int, ...],
    items: list[_Item], spec: NetSpec, fold: bool, vertical: bool,
) -> None:  # fmt: skip
    layer, channels, side = f"layer{stage + 1}", out[0], out[1]
    canvas.rect(left, 6, right - left, middle + _BAND - 6 + (50 if vertical else 0), "band", radius=8)
    canvas.shapes.insert(index, canvas.shapes.pop())
    folded = any(item.count > 1 for item in items)
    foldable = fold and spec.blocks[stage] > 4
    action = f"fold:{layer}" if foldable else ""
    sign = (" ▸" if folded else " ▾") if foldable else ""
    centre = (left + right) / 2
    hint = ("Unfold" if folded else "Fold") + f" {layer}" if foldable else ""
    name = middle + _HALF + 33
    if vertical:
        beside = middle + _HALF + 38  # of what counts equal blocks
        canvas.text(left + 18, beside, f"{layer}{sign}", "title", "start", action=action, label=hint)
        canvas.text(left + 34, beside, f"{side}×{side}", "small", "start")
        canvas.text(left + 50, beside, f"{channels} ch", "small", "start")
        return
    canvas.text(centre, name, f"{layer}{sign}", "title", action=action, label=hint)
    if right - left < 76:
        canvas.text(centre, name + 14, f"{side}×{side}", "small")
        canvas.text(centre, name + 26, f"{channels} ch", "small")
    else:
        canvas.text(centre, name + 16, f"{side}×{side} · {channels} ch", "small")


def _draw_block(
    canvas: _Canvas, spec: NetSpec, rows: Mapping[str, LayerRow], item: _Item, x: float, middle: float,
    height: Callable[[int], float], layer_bar: Callable[..., None], bar: float, gap: float, step: float,
    notes: Mapping[str, str],
) -> None:  # fmt: skip
    name, convs = item.name, spec.block.convs
    dropped = name in spec.dropped
    last = rows[f"{name}.conv{convs}"]
    tall = max(height(rows[f"{name}.conv{i}"].out_shape[1]) for i in range(1, convs + 1))
    first_x, plus_x = x + 4, x + step - 10
    if item.count > 1:
        for shift in (4, 2):
            h = height(last.out_shape[1])
            canvas.rect(first_x + shift, middle - h / 2 - shift * 1.5, convs * (bar + gap) - gap, h, "stack")
    for i in range(convs):
        layer_bar(first_x + i * (bar + gap), rows[f"{name}.conv{i + 1}"], hollow=dropped)
    if item.count > 1:
        under, anchor = (middle + tall / 2 + 8, "start") if canvas.vertical else (middle + tall / 2 + 14, "middle")
        canvas.text(x + step / 2 - 3, under, f"×{item.count}", "title", anchor, action=f"fold:{name.split('.')[0]}",
                    label=f"Unfold {item.count} equal blocks")  # fmt: skip
    if not spec.residual:
        return
    cut = name in spec.cut
    row = rows[name]
    arch_top = middle - 62 - (0 if tall < 96 else 12)
    kind = "zeropad" if row.in_shape != row.out_shape or _pads(spec, rows, name) else ""
    projection = f"{name}.downsample.0" in rows
    css = "arc cut" if cut else f"arc {kind if not projection else ''}".strip()
    what = f"{item.count} equal blocks from {name}" if item.count > 1 else name
    state = "cut" if cut else "on"
    then = "unfold them" if item.count > 1 else ("restore" if cut else "cut") + " this skip"
    shape = "projection" if projection else "zero-padded" if kind else "identity"
    canvas.arc(
        x - 1, plus_x, middle, arch_top, css, name=name,  # from the trunk into the addition, which is drawn over its end
        label=f"{shape} skip of {what}, {state}; click to {then}",
        action=f"fold:{name.split('.')[0]}" if item.count > 1 else f"cut:{name}", pressed=not cut,
    )  # fmt: skip
    if projection and not cut:
        canvas.rect((x + plus_x) / 2 - 6, arch_top - 5, 11, 10, "projection", radius=2, name=f"{name}.downsample.0",
                    label=_describe(rows[f"{name}.downsample.0"]))  # fmt: skip
    canvas.circle(plus_x, middle, 5, "addcut" if cut else "add", name=name, label=_describe(row) + (
        f" · {notes[name]}" if name in notes else ""), action=f"open:{name}")  # fmt: skip
    if not cut:
        canvas.line(plus_x - 3, middle, plus_x + 3, middle, "plus")
        canvas.line(plus_x, middle - 3, plus_x, middle + 3, "plus")


def _pads(spec: NetSpec, rows: Mapping[str, LayerRow], name: str) -> bool:
    """Whether an option A skip changes shape at this block: what enters its first conv differs from what leaves."""
    entered, left = rows[f"{name}.conv1"].in_shape, rows[name].out_shape
    return spec.shortcut is Shortcut.A and entered != left


def _describe(row: LayerRow) -> str:
    def size(shape: tuple[int, ...]) -> str:
        return "×".join(map(str, shape))

    parts = [row.name, row.kind, f"{size(row.in_shape)} → {size(row.out_shape)}"]
    if row.params:
        parts.append(f"{row.params:,} parameters")
    if row.macs:
        parts.append(count(row.macs, "MACs"))
    if row.skip_from:
        parts.append("skip cut" if row.cut else f"skip from {row.skip_from}")
    return " · ".join(parts)


def block_diagram(spec: NetSpec, table: LayerTable, name: str, *, vertical: bool = False) -> Diagram:
    """One block opened: each inner layer with its sizes, the skip around it and the addition. `name` is the block's."""
    canvas = _Canvas(vertical)
    rows = [row for row in table.rows if row.name == name or row.name.startswith(f"{name}.")]
    side_rows = [row for row in rows if ".downsample." in row.name]
    main = [row for row in rows if row not in side_rows and row.kind != "add"]
    addition = next((row for row in rows if row.kind == "add"), None)
    after = main.pop() if addition is not None and not spec.block.preact else None
    if addition is None and not spec.block.preact:
        after = None
    w, h, gap = (58.0, 150.0, 22.0) if vertical else (86.0, 58.0, 18.0)
    middle = 130.0
    x = 30.0
    top_channels = max(row.out_shape[0] for row in rows)

    def box(row: LayerRow, x: float) -> None:
        conv = row.kind.startswith("conv")
        hollow = name in spec.dropped and row is not after
        fill: dict[str, Any] = {"fill": _tint(row.out_shape[0], top_channels)} if conv and not hollow else {}
        css = "hollow" if hollow else "layer" if conv else "minor"
        canvas.rect(x, middle - h / 2, w, h, css, radius=6, name=row.name, label=_describe(row),
                    action=f"select:{row.name}" if conv else "", **fill)  # fmt: skip
        short = {"batch norm": "BN", "group norm": "GN", "relu": "ReLU", "gelu": "GELU"}.get(row.kind, row.kind.split(",")[0])
        on = "on" if conv and not hollow else ""
        second = f"{row.in_shape[0]} → {row.out_shape[0]}" if conv else f"{row.out_shape[0]} ch"
        lines = [(short, on or "title"), (second, f"{on} small".strip())]
        if conv:
            lines.append((f"{row.out_shape[1]}×{row.out_shape[2]}", f"{on} small".strip()))
        for i, (text, css) in enumerate(lines):
            offset = (i - (len(lines) - 1) / 2) * 16 + 4
            if vertical:
                canvas.text(x + w / 2 + offset, middle, text, css)
            else:
                canvas.text(x + w / 2, middle + offset, text, css)

    branch_start = x - 14
    for row in main:
        box(row, x)
        x += w + gap
    end = x
    if addition is not None:
        plus_x, cut = x + 2, addition.cut
        kind = side_rows[0] if side_rows else None
        entered = main[0].in_shape
        css = "arc cut" if cut else "arc zeropad" if kind is None and entered != addition.out_shape else "arc"
        words = "projection 1×1" if kind else "zero-padded" if entered != addition.out_shape else "identity"
        canvas.arc(branch_start, plus_x, middle, middle - h / 2 - 38, css, name=name,
                   label=f"{words} skip of {name}; click to {'restore' if cut else 'cut'} it",
                   action=f"cut:{name}", pressed=not cut)  # fmt: skip
        text = f"{words}{', cut' if cut else ''}"
        if vertical:
            canvas.text(branch_start - 8, middle - h / 2 - 34, text, "small", "start")
        else:
            canvas.text((branch_start + plus_x) / 2, middle - h / 2 - 46, text, "small")
        if kind is not None and not cut:
            canvas.rect((branch_start + plus_x) / 2 - 11, middle - h / 2 - 46, 22, 16, "projection", name=kind.name,
                        label=_describe(kind))  # fmt: skip
            canvas.shapes[-2], canvas.shapes[-1] = canvas.shapes[-1], canvas.shapes[-2]
            if not vertical:
                moved = canvas.shapes.pop()
                canvas.shapes.append(Shape("text", dict(moved.attrs) | {"y": middle - h / 2 - 54}, moved.css, moved.text))
        canvas.circle(plus_x, middle, 11, "addcut" if cut else "add", name=name, label=_describe(addition))
        if not cut:
            canvas.line(plus_x - 6, middle, plus_x + 6, middle, "plus")
            canvas.line(plus_x, middle - 6, plus_x, middle + 6, "plus")
        x += 32
    if after is not None:
        box(after, x)
        end = x + w
    trunk = Shape("path", {"d": _straight(canvas, 4, max(x, end) + 14, middle)}, "trunk")
    canvas.shapes.insert(0, trunk)
    wide, high = max(x, end) + 20, middle + h / 2 + 18
    width, tall = (high, wide) if vertical else (wide, high)
    return Diagram(width, tall, tuple(canvas.shapes))


def to_svg(diagram: Diagram, title: str) -> str:
    """The diagram as an SVG document of its own, in light colours."""
    style = STYLE
    for variable in ("text-color", "secondary-background-color", "background-color"):
        head, *tails = style.split(f"var(--st-{variable}, ")
        style = head + "".join(tail.replace(")", "", 1) for tail in tails)
    body = []
    for shape in diagram.shapes:
        attrs = " ".join(f"{key}={quoteattr(str(value))}" for key, value in shape.attrs.items())
        inside = escape(shape.text) if shape.tag == "text" else f"<title>{escape(shape.label)}</title>" if shape.label else ""
        css = f" class={quoteattr(shape.css)}" if shape.css else ""
        body.append(f"<{shape.tag}{css} {attrs}>{inside}</{shape.tag}>")
    w, h = diagram.width, diagram.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="img">'
        f"<title>{escape(title)}</title><style>{style}</style>"
        f'<rect width="100%" height="100%" fill="#FFFFFF"/>{"".join(body)}</svg>'
    )
