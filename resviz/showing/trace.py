"""What a network of anybody's does with a batch, step by step, as far as PyTorch can tell without running it."""

from __future__ import annotations

import contextlib
import io
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import torch
from torch import Tensor, fx, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.passes.shape_prop import ShapeProp, TensorMetadata

__all__ = ["Step", "Trace", "common_path", "trace"]

_JOINS: Final[Mapping[object, Literal["add", "concat"]]] = {
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_"), "add"),
    **dict.fromkeys((torch.cat, torch.concat), "concat"),
    **dict.fromkeys((torch.ops.aten.add.Tensor, torch.ops.aten.add_.Tensor), "add"),
    torch.ops.aten.cat.default: "concat",
}


@dataclass(frozen=True)
class Step:
    """One call on the way: of the module of that path, of a join, or of anything else, which has neither.

    `reads` are the places of the steps whose results it takes, each once; `shape` is that of what it returns for the whole batch,
    empty where that is no tensor.
    """

    name: str
    module: str
    joins: Literal["add", "concat"] | None
    reads: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Trace:
    """Every step in order, and what is to be said of how they were found; no step where they were not."""

    steps: tuple[Step, ...]
    note: str = ""


def trace(model: nn.Module, x: Tensor) -> Trace:
    """By `torch.fx`, or where Python decides on values by `torch.export`. Nothing is computed; `forward` is given stand-ins, which it may keep."""
    problems = []
    for name, way in (("torch.fx", _by_fx), ("torch.export", _by_export)):
        try:
            steps = way(model, x)
        except Exception as error:  # a network of anybody's may raise whatever it likes
            problems.append(f"{name}: {type(error).__name__}")
            continue
        return Trace(steps, f"It was traced by {name}." if problems else "")
    return Trace((), f"{type(model).__name__} cannot be traced ({', '.join(problems)}), so it is drawn as one box.")


class _Tracer(fx.Tracer):
    """PyTorch's own layers are steps, and so is whatever has weights and no modules inside."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return super().is_leaf_module(m, module_qualified_name) or _is_layer(m)


def _by_fx(model: nn.Module, x: Tensor) -> tuple[Step, ...]:
    whole = fx.GraphModule(model, _Tracer().trace(model))
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    ShapeProp(whole, fake_mode=mode).propagate(mode.from_tensor(x))
    return _steps(whole.graph.nodes, _module_of)


def _module_of(node: fx.Node) -> str:
    """The module that is called, or whose matrices a function takes, as that of a window's attention does."""
    if node.op != "call_function":
        return str(node.target) if node.op == "call_module" else ""
    taken = [str(each.target).split(".")[:-1] for each in node.all_input_nodes if each.op == "get_attr"]
    return common_path(taken) if len(taken) > 2 else ""


def _by_export(model: nn.Module, x: Tensor) -> tuple[Step, ...]:
    with contextlib.redirect_stderr(io.StringIO()):  # where it fails it prints the whole graph first
        exported = torch.export.export(model, (x,))
    nodes = [
        node for node in exported.graph.nodes if node.op != "placeholder" or node.name in exported.graph_signature.user_inputs
    ]
    modules = dict(model.named_modules())

    def call_of(node: fx.Node) -> str:
        """The layer that asked for this operation, with the number of its call where it is not the first."""
        inside = [path for path, _ in (node.meta.get("nn_module_stack") or {}).values()]
        found = [path for path in inside if isinstance(modules[path.partition("@")[0]], nn.MultiheadAttention)] or inside[-1:]
        layer = node.op == "call_function" and found and _is_layer(modules[found[0].partition("@")[0]])
        return found[0] if layer else ""

    return tuple(replace(step, module=step.module.partition("@")[0]) for step in _merged(_steps(nodes, call_of)))


def _is_layer(module: nn.Module) -> bool:
    """One of PyTorch's, or one with weights and no modules inside: what else has none may be where others are joined."""
    if isinstance(module, nn.MultiheadAttention):
        return True
    known = type(module).__module__.startswith("torch.nn.") or next(module.parameters(), None) is not None
    return known and not any(module.children())


def common_path(names: Iterable[Sequence[str]]) -> str:
    """The module in which all of these lie, of names in parts; "" where it is the whole network."""
    beside = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*names, strict=False))
    return ".".join(parts[0] for parts in beside)


def _steps(nodes: Iterable[fx.Node], module_of: Callable[[fx.Node], str]) -> tuple[Step, ...]:
    places: dict[fx.Node, int] = {}
    steps: list[Step] = []
    for node in nodes:
        if node.op in ("get_attr", "output"):
            continue
        joins = None if (module := module_of(node)) else _JOINS.get(node.target)
        reads = tuple(dict.fromkeys(places[each] for each in node.all_input_nodes if each in places))
        places[node] = len(steps)
        steps.append(Step(node.name, module, joins, reads, _shape(node)))
    return tuple(steps)


def _shape(node: fx.Node) -> tuple[int, ...]:
    found = next(_described(node.meta.get("tensor_meta", node.meta.get("val"))), None)
    return () if found is None else tuple(int(size) for size in found.shape)


def _described(value: object) -> Iterator[Tensor | TensorMetadata]:
    """The first of what a step returns is what goes on."""
    if isinstance(value, Tensor | TensorMetadata):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _described(each)


def _merged(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The operations of one call of a module as one step, which reads what comes from outside of it."""
    kept: list[Step] = []
    place: dict[int, int] = {}
    for number, step in enumerate(steps):
        reads = tuple(dict.fromkeys(place[each] for each in step.reads))
        before = kept[-1] if kept else None
        if before is not None and step.module and step.module == before.module:
            outside = tuple(dict.fromkeys((*before.reads, *(each for each in reads if each != len(kept) - 1))))
            kept[-1] = replace(step, reads=outside)
        else:
            kept.append(replace(step, reads=reads))
        place[number] = len(kept) - 1
    return tuple(kept)
