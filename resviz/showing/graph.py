"""An ONNX file as a layer table: its graph is read, never run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import TYPE_CHECKING, Final, Literal

import torch
from torch import nn

from resviz.guard import door
from resviz.results import LayerTable
from resviz.showing.table import table_of
from resviz.showing.trace import Step, Trace

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

__all__ = ["GraphError", "onnx_table"]

_MOST: Final = 20_000  # nodes
_JOINS: Final[Mapping[str, Literal["add", "concat"]]] = {"Add": "add", "Sum": "add", "Concat": "concat"}
_CONVS: Final[Mapping[int, Callable[..., nn.Module]]] = {
    3: nn.Conv1d,
    4: nn.Conv2d,
    5: nn.Conv3d,
}  # by the sizes of their weights
_TURNED: Final[Mapping[int, Callable[..., nn.Module]]] = {3: nn.ConvTranspose1d, 4: nn.ConvTranspose2d, 5: nn.ConvTranspose3d}
_PLAIN: Final[Mapping[str, type[nn.Module]]] = {"Relu": nn.ReLU, "Gelu": nn.GELU}


class GraphError(ValueError):
    """This is no ONNX graph that can be drawn."""


def onnx_table(data: bytes) -> tuple[LayerTable, int]:
    """Every layer of the graph, and how many joins stand in no block that can be drawn.

    Layers are called as their weights are, `layer1.0.conv1`, or as their nodes. The batch counts as one picture. Raises `GraphError` for what
    is no ONNX file, and where the package onnx is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise GraphError("reading ONNX needs the package onnx, which is not installed; pip install 'resviz[onnx]'") from error
    with door(GraphError, "this is no ONNX file that can be read ({}); export the network again"):
        model = onnx.load_from_string(data)
        if not model.graph.node:
            raise GraphError("there is no node in its graph; give the .onnx file itself, not its external data")
        if len(model.graph.node) > _MOST:
            raise GraphError(f"its graph has {len(model.graph.node):,} nodes, and {_MOST:,} are the most")
        graph = onnx.shape_inference.infer_shapes(model).graph
    return table_of(*_read(graph))


def _read(graph: GraphProto) -> tuple[nn.Module, Trace]:
    """A model without numbers that has the graph's layers under their names, and the graph's steps."""
    weights = {each.name: tuple(each.dims) for each in graph.initializer}
    shapes = _shapes(graph) | weights
    model = nn.Module()
    places: dict[str, int] = {}
    steps: list[Step] = []
    for value in graph.input:
        if value.name not in weights:
            places[value.name] = len(steps)
            steps.append(Step(value.name, "", None, (), shapes.get(value.name, ())))
    for number, node in enumerate(graph.node):
        reads = tuple(dict.fromkeys(places[name] for name in node.input if name in places))
        layer = _layer(node, weights)
        name = ""
        if layer is not None:
            name = _name(node, weights, number)
            if not _put(model, name, layer):
                name = f"node{number}"
                model.add_module(name, layer)
        shape = shapes.get(node.output[0], ()) if node.output else ()
        joins = _JOINS.get(node.op_type) if len(reads) > 1 else None
        for output in node.output:
            places[output] = len(steps)
        steps.append(Step(node.name or f"node{number}", name, joins, reads, shape if reads else ()))
    return model, Trace(tuple(steps))


def _shapes(graph: GraphProto) -> dict[str, tuple[int, ...]]:
    """Of every value whose shape is known; a size that has only a name is the batch, which counts as one."""
    found = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        kind = value.type.tensor_type
        if kind.HasField("shape"):
            found[value.name] = tuple(size.dim_value if size.HasField("dim_value") else 1 for size in kind.shape.dim)
    return found


def _name(node: NodeProto, weights: Mapping[str, tuple[int, ...]], number: int) -> str:
    """As its weights are called, without what says which of them; else as the node is."""
    named = next((name for name in node.input if name in weights and "::" not in name and "." in name), "")
    path = named.rpartition(".")[0] if named else node.name.strip("/").replace("/", ".")
    return path or f"node{number}"


def _put(model: nn.Module, path: str, layer: nn.Module) -> bool:
    """Whether there was room for it there."""
    *parents, last = path.split(".")
    place = model
    for part in parents:
        if not part:
            return False
        if part not in place._modules:
            place.add_module(part, nn.Module())
        inner = place._modules[part]
        if inner is None or type(inner) is not nn.Module:
            return False
        place = inner
    if not last or last in place._modules or hasattr(place, last):
        return False
    place.add_module(last, layer)
    return True


def _layer(node: NodeProto, weights: Mapping[str, tuple[int, ...]]) -> nn.Module | None:
    """The layer that a node is, without numbers; None for what is no layer."""
    own = [weights[name] for name in node.input[1:] if name in weights]
    with torch.device("meta"):
        if node.op_type == "Conv" and own and len(own[0]) in _CONVS:
            made, read, *window = own[0]
            groups = next((each.i for each in node.attribute if each.name == "group"), 1)
            return _CONVS[len(own[0])](read * groups, made, tuple(window), groups=groups, bias=len(own) > 1)
        if node.op_type == "ConvTranspose" and own and len(own[0]) in _CONVS:
            read, made, *window = own[0]
            return _TURNED[len(own[0])](read, made, tuple(window), bias=len(own) > 1)
        if node.op_type in ("Gemm", "MatMul") and own and len(own[0]) == 2:
            turned = node.op_type == "Gemm" and any(each.name == "transB" and each.i for each in node.attribute)
            made, read = own[0] if turned else own[0][::-1]
            return nn.Linear(read, made, bias=len(own) > 1)
        if node.op_type == "BatchNormalization" and own:
            return nn.BatchNorm2d(prod(own[0]))
        if node.op_type == "LayerNormalization" and own:
            return nn.LayerNorm(own[0])
        if node.op_type in ("MaxPool", "AveragePool", "GlobalAveragePool"):
            return nn.MaxPool2d(2) if node.op_type == "MaxPool" else nn.AdaptiveAvgPool2d(1)
        return _PLAIN[node.op_type]() if node.op_type in _PLAIN else None
