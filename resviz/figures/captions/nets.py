"""What a network's layers cost."""

from __future__ import annotations

from typing import Final

from resviz.figures.captions.numbers import counted, percent
from resviz.figures.theme import count, number
from resviz.results import Differing, LayerTable, NetworkDifference, UnitRows

__all__ = ["bottleneck_note", "dense_note", "difference_note", "sublayer_note", "table_note"]

_READ: Final = {"features": "a point", "embedding": "a sequence"}  # by what the first layer is


def bottleneck_note(table: LayerTable, block: str) -> str:
    """What a bottleneck's three convolutions cost beside two 3×3 convolutions of the block's own width; of RepVGG's what its skip adds, of a long skip what it carries."""
    convs = [row for row in table.rows if row.name.startswith(f"{block}.conv")]
    if (long := next((unit for unit in table.units if unit.name == block and unit.across), None)) is not None:
        return _across_note(long)
    channels, inside = convs[-1].out_shape[0], convs[0].out_shape[0]
    pixels = convs[-1].out_shape[1] * convs[-1].out_shape[2]
    weights = sum(row.macs // (row.out_shape[1] * row.out_shape[2]) for row in convs)
    pair = 2 * 9 * channels * channels
    if len(convs) == 1:
        unit = next(unit for unit in table.units if unit.name == block)
        beside = sum(row.params for row in unit.skip if row.kind.startswith("conv"))
        folds = "" if unit.carries == "averaged projection" else "; once trained, both and x fold into the 3×3"
        more = f" A 1×1 beside it has {count(beside)} more{folds}." if beside else ""
        return f"`{block}`: one 3×3 convolution to {channels} channels, {count(weights)} weights.{more}"
    if len(convs) == 2 and convs[0].kind == "linear":
        return f"`{block}`: two fully connected layers of {channels} units, {count(weights)} weights."
    if len(convs) == 2:
        return f"`{block}`: two 3×3 convolutions of {channels} channels, {count(weights)} weights, {count(weights * pixels, 'MACs')}."
    saved = 1 - weights / pair
    return (
        f"`{block}`: {convs[0].in_shape[0]} → {inside} → {inside} → {channels} channels, {count(weights)} weights. Two 3×3 convolutions "
        f"on {channels} channels would hold {count(pair)}: the bottleneck {'saves' if saved >= 0 else 'costs'} {percent(abs(saved))}"
        f"{'' if saved >= 0 else ' more'}."
    )


def _across_note(unit: UnitRows) -> str:
    """What a long skip puts beside what."""
    assert unit.join is not None  # it is one
    up = unit.convs[0]
    beside = unit.join.channels - up.channels
    carried = f"{beside} zeros a pixel, since it is cut," if unit.cut else f"the {beside} channels of `{unit.join.skip_from}`"
    return f"`{unit.name}` puts {carried} beside {up.channels} that come up from below: {unit.join.channels} go on, {up.places} each."


def dense_note(table: LayerTable, layer: str) -> str:
    """What a dense layer reads and makes, and what its bottleneck costs beside one 3×3 convolution of all that it reads."""
    unit = next(unit for unit in table.units if unit.name == layer)
    sources, made, after = unit.branch[0].sources, unit.convs[-1].out_shape[0], unit.handed_on.channels
    read, zeros = sum(source.channels for source in sources), sum(source.channels for source in sources if source.cut)
    said = (
        f"`{layer}` reads {counted(read, 'channel')} of {counted(len(sources), 'source')} side by side"
        + (f", {zeros} of them as zeros," if zeros else "")
        + f" and puts {made}{' (zeros: it is dropped)' if unit.dropped else ''} beside them: {after} go on"
        + (f", of which the {read} before it are zeros from here on, since its skip is cut." if unit.cut else ".")
    )
    direct = 9 * read * made
    weights = sum(row.in_shape[0] * row.out_shape[0] * (9 if row.kind == "conv 3×3" else 1) for row in unit.convs)
    if len(unit.convs) == 1:
        return f"{said} {count(weights)} weights."
    saved = 1 - weights / direct
    return (
        f"{said} {count(weights)} weights, where a 3×3 convolution of all that it reads would hold {count(direct)}: the bottleneck "
        f"{'saves' if saved >= 0 else 'costs'} {percent(abs(saved))}{'' if saved >= 0 else ' more'}."
    )


def difference_note(found: NetworkDifference, first: str, second: str) -> str:
    """How many layers two networks have alike, and in what the others differ; and what the second costs beside the first."""
    if first == second:
        first, second = f"{first} above", f"{second} below"
    ways = (
        (Differing.FIRST, f"only in {first}"),
        (Differing.SECOND, f"only in {second}"),
        (Differing.CHANGED, "of another kind, shape or size"),
        (Differing.CUT, "cut or dropped in one of them"),
    )
    said = [f"{counted(len(names), 'layer')} {what}" for how, what in ways if (names := found.of(how))]
    same = f"{counted(found.same, 'layer')} alike in both" if found.same else "no layer alike in both"
    cost = (
        _beside("parameters", found.first.params, found.second.params),
        _beside("multiply-adds an input", found.first.macs, found.second.macs),
    )
    return f"{same[0].upper()}{same[1:]}{', ' if said else ''}{', '.join(said)}. {second} has {' and '.join(cost)}."


def _beside(what: str, first: int, second: int) -> str:
    if first == second:
        return f"as many {what} ({count(second)})"
    return f"{count(second)} {what}, {number(second / max(first, 1))} times {count(first)}"


def sublayer_note(table: LayerTable, name: str) -> str:
    """What a Transformer's sub-layer holds and costs, and which of it is attention's own, that grows with the tokens' square."""
    unit = next(unit for unit in table.units if unit.name == name)
    weights, macs = sum(row.params for row in unit.rows), sum(row.macs for row in unit.rows)
    between = sum(row.macs for row in unit.rows if row.kind == "attention")
    said = f"`{name}`: {unit.handed_on.places} of {unit.handed_on.channels} numbers, {count(weights)} parameters, {count(macs, 'MACs')}"
    if not between:
        return f"{said}, the same for each token by itself." if macs else f"{said}: it is dropped."
    return (
        f"{said}, of which {percent(between / macs)} are between tokens: what queries and keys have in common, and the mean of the values. "
        "That part grows with the square of the tokens, the matrices' with their number."
    )


def table_note(table: LayerTable) -> str:
    """How large the network is, what an image costs, and which layer holds the most."""
    read = next((_READ.get(row.kind) for row in table.rows[:1]), None) or "an image"
    said = f"{count(table.params)} parameters and {count(table.macs, 'MACs')} {read}"
    if not table.params:
        return f"{said}."
    heaviest = max(table.rows, key=lambda row: row.params)
    return f"{said}; the heaviest layer, `{heaviest.name}`, holds {percent(heaviest.params / table.params)} of the parameters."
