"""A traced network as a layer table: which of its layers are blocks, where their skips begin, and what each layer costs."""

from __future__ import annotations

import functools
import itertools
import operator
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from torch import nn

from resviz.results import LayerRow, LayerTable
from resviz.showing.trace import Step, Trace, common_path

__all__ = ["table_of"]

_KINDS: Final = (  # of modules in the words of a layer table; the first that fits
    (nn.MultiheadAttention, "linear, attention"),
    (nn.Linear, "linear"),
    (nn.Embedding, "embedding"),
    (nn.modules.batchnorm._NormBase, "batch norm"),
    (nn.GroupNorm, "group norm"),
    (nn.LayerNorm, "layer norm"),
    (nn.modules.pooling._MaxPoolNd, "max pool"),
    (nn.modules.pooling._AvgPoolNd, "average pool"),
    (nn.modules.pooling._AdaptiveAvgPoolNd, "average pool"),
    (nn.ReLU, "relu"),
    (nn.GELU, "gelu"),
)
_COUNTED: Final = re.compile(r"(^|\.)[^.]*\d(\.[^.]*\D)*$")  # the last part of a name that is numbered, and what is inside of it
_UNSEEN: Final = nn.Identity | nn.Dropout | nn.modules.dropout._DropoutNd | nn.Flatten


@dataclass(frozen=True)
class _Unit:
    """A block that was found: the steps of its branch and of its skip, where the skip begins, and the join."""

    branch: frozenset[int]
    skip: frozenset[int]
    fork: int
    join: int


def table_of(model: nn.Module, found: Trace) -> tuple[LayerTable, int]:
    """Every layer in the order of the pass, and how many joins stand in no block that can be drawn.

    A join of two ways that part at one place is a block; its branch is the way with more weights. A network that could not be traced
    is one row.
    """
    if not found.steps:
        return _whole([_box(model)]), 0
    modules = {name: module for name, module in model.named_modules() if name}
    units = list(_units(found.steps, modules))
    rows = {place: row for place, step in enumerate(found.steps) if (row := _row(step, found.steps, modules)) is not None}
    counted: set[int] = set()
    for place, row in rows.items():  # each parameter once, whoever else calls the layer or shares it
        fresh = {id(each): each.numel() for each in modules[row.name].parameters() if id(each) not in counted}
        counted |= fresh.keys()
        rows[place] = replace(row, params=sum(fresh.values()))
    names: set[str] = set()
    for unit in units:
        _place(unit, rows, found.steps, names)
    _stages(rows)
    alone = [_parameter(name, each) for name, each in model.named_parameters() if id(each) not in counted]
    loose = sum(step.joins is not None and len(step.reads) > 1 for step in found.steps) - len(units)
    return _whole([*alone, *(rows[place] for place in sorted(rows))]), loose


def _whole(rows: Sequence[LayerRow]) -> LayerTable:
    return LayerTable(
        tuple(rows), sum(row.params for row in rows), sum(row.macs for row in rows), sum(row.memory for row in rows)
    )


def _parameter(name: str, parameter: nn.Parameter) -> LayerRow:
    """One that no layer holds, such as the places of a Transformer's tokens."""
    shape = tuple(parameter.shape) or (1,)
    return LayerRow(name, "parameter", shape, shape, params=parameter.numel(), macs=0, memory=0, receptive_field=0)


def _box(model: nn.Module) -> LayerRow:
    params = sum(each.numel() for each in model.parameters())
    return LayerRow("", type(model).__name__, (1,), (1,), params=params, macs=0, memory=0, receptive_field=0)


# ------------------------------------------------------------------------------------------------------------- blocks


def _units(steps: Sequence[Step], modules: dict[str, nn.Module]) -> Iterator[_Unit]:
    before = _before(steps)
    weighed = [step.module in modules and _weights(modules[step.module]) > 0 for step in steps]
    owned: set[int] = set()
    for join, step in enumerate(steps):
        if step.joins is None or len(step.reads) < 2:
            continue
        ways = [before[way] | 1 << way for way in sorted(step.reads)]
        if step.joins == "add" or not any(way & others == way for way, others in itertools.permutations(ways, 2)):
            ways.sort(key=lambda way: _count(way, weighed))  # none is what another one was made of
        last, others = ways[-1], functools.reduce(operator.or_, ways[:-1])
        fork = (last & others).bit_length() - 1
        if fork < 0:
            continue
        shared = before[fork] | 1 << fork
        branch, skip = (frozenset(_places(way & ~shared)) - owned for way in (last, others))
        if any(weighed[place] for place in branch) and not owned & set(_places(others & ~shared)):
            owned |= branch | skip | {join}
            yield _Unit(branch, skip, fork, join)


def _before(steps: Sequence[Step]) -> list[int]:
    """For each step a bit for every one that it follows from."""
    found: list[int] = []
    for step in steps:
        bits = 0
        for read in step.reads:
            if steps[read].shape:  # numbers that a shape is asked for carry nothing
                bits |= found[read] | 1 << read
        found.append(bits)
    return found


def _places(bits: int) -> Iterator[int]:
    while bits:
        yield (bits & -bits).bit_length() - 1
        bits &= bits - 1


def _count(bits: int, weighed: Sequence[bool]) -> int:
    return sum(weighed[place] for place in _places(bits))


def _place(unit: _Unit, rows: dict[int, LayerRow], steps: Sequence[Step], names: set[str]) -> None:
    """Write into the rows what stands on the block's branch, on its skip and where they meet."""
    branch = [place for place in sorted(unit.branch) if place in rows]
    weighed = [place for place in branch if rows[place].kind.startswith(("conv", "linear"))]
    every = [steps[place].module.split(".") for place in (*weighed, *(unit.skip & rows.keys()))]
    tried = (common_path(every), steps[weighed[0]].module, steps[unit.join].name)
    called = next(name for name in tried if name and name not in names)
    names.add(called)
    if not any(rows[place].params or rows[place].macs for place in unit.skip & rows.keys()):
        for place in unit.skip & rows.keys():  # a picture that is made smaller, or zeros: nothing stands there
            del rows[place]
    ways: tuple[tuple[frozenset[int], Literal["branch", "skip"]], ...] = ((unit.branch, "branch"), (unit.skip, "skip"))
    for way, path in ways:
        for place in way & rows.keys():
            rows[place] = replace(rows[place], unit=called, path=path)
    join, fork = steps[unit.join], steps[unit.fork]
    between = (row for place, row in rows.items() if unit.fork < place < unit.join)
    across = any(row.unit not in (None, called) and row.path != "trunk" for row in between)
    tokens = bool(branch) and len(rows[branch[0]].in_shape) == 2  # (height, width, channels) too
    rows[unit.join] = LayerRow(
        called,
        join.joins or "add",
        _shape(steps[max(unit.branch)].shape, tokens),
        _shape(join.shape, tokens),
        params=0,
        macs=0,
        memory=4 * _numel(join.shape),
        receptive_field=0,
        skip_from=next((rows[place].name for place in range(unit.fork, -1, -1) if place in rows), fork.name),
        unit=called,
        joins=join.joins,
        across=across,
    )


def _stages(rows: dict[int, LayerRow]) -> None:
    """Blocks beside each other whose results have one size, named by the module that holds them."""
    shapes = {row.unit: row.out_shape[1:] for row in rows.values() if row.joins and row.unit}
    stages: dict[tuple[str, tuple[int, ...]], str] = {}
    for place, row in sorted(rows.items()):
        if row.unit is None:
            continue
        parent = _COUNTED.sub("", row.unit) or "blocks"
        key = parent, shapes[row.unit] if len(shapes[row.unit]) == 2 else ()
        beside = sum(other == parent for other, _ in stages)
        short = parent.rpartition(".")[2]
        called = (
            parent if short.isdigit() or any(short == each and other != parent for (other, _), each in stages.items()) else short
        )
        rows[place] = replace(row, stage=stages.setdefault(key, f"{called} {beside + 1}" if beside else called))


# ------------------------------------------------------------------------------------------------------------- layers


def _row(step: Step, steps: Sequence[Step], modules: dict[str, nn.Module]) -> LayerRow | None:
    """The step's own row but for its parameters, where it is a layer that has weights, pools or is an activation."""
    module = modules.get(step.module)
    if module is None or isinstance(module, _UNSEEN) or not step.shape:
        return None
    read = steps[step.reads[0]].shape if step.reads else step.shape
    tokens = isinstance(module, nn.Linear | nn.LayerNorm | nn.Embedding) or any(module.children())
    shape = _shape(step.shape, tokens)
    return LayerRow(
        step.module,
        _kind(module),
        _shape(read, tokens),
        shape,
        params=0,
        macs=_macs(module, read if isinstance(module, nn.modules.conv._ConvTransposeNd) else step.shape),
        memory=4 * _numel(step.shape),
        receptive_field=0,
    )


def _shape(whole: tuple[int, ...], tokens: bool = False) -> tuple[int, ...]:
    """Without the batch, as a layer table has it: (channels, height, width), (tokens, numbers), or (numbers,)."""
    shape = whole[1:] or (1,)
    if tokens and len(shape) > 2:  # (height, width, channels), as windows of tokens are laid out
        return (_numel((1, *shape[:-1])), shape[-1])
    return shape


def _numel(whole: tuple[int, ...]) -> int:
    """Numbers that one of the batch has."""
    product = 1
    for size in whole[1:]:
        product *= size
    return product


def _kind(module: nn.Module) -> str:
    if isinstance(module, nn.modules.conv._ConvNd):
        return "conv " + "×".join(map(str, module.kernel_size))
    known = next((kind for kind, word in _KINDS if isinstance(module, kind)), None)
    if known is not None:
        return next(word for kind, word in _KINDS if kind is known)
    name = type(module).__name__
    return f"linear, {name}" if _weights(module) else name


def _weights(module: nn.Module) -> int:
    """Numbers in its matrices and kernels, those of modules inside it included."""
    if isinstance(module, nn.Embedding):
        return 0
    return sum(each.numel() for each in module.parameters() if each.dim() > 1)


def _macs(module: nn.Module, whole: tuple[int, ...]) -> int:
    """Multiply-accumulates: every weight once at each place, and attention's own two products.

    `whole` is the shape of what it returns, or reads where it is a transposed convolution.
    """
    weights = _weights(module)
    if not weights:
        return 0
    places = _numel(whole) // (whole[1] if isinstance(module, nn.modules.conv._ConvNd) else whole[-1])
    own = 2 * places * places * module.embed_dim if isinstance(module, nn.MultiheadAttention) else 0
    return places * weights + own
