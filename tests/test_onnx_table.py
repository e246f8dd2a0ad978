"""ONNX files as layer tables: blocks, costs, and what is no ONNX."""

from __future__ import annotations

import math

import pytest

from resviz.export.graph import as_onnx
from resviz.figures.captions import table_note
from resviz.figures.diagram import network_diagram
from resviz.nets.cost import layer_table
from resviz.showing.graph import GraphError, onnx_table
from resviz.spec.net import Block, NetSpec
from resviz.spec.query import from_query

onnx = pytest.importorskip("onnx")


@pytest.mark.parametrize(
    "spec", [NetSpec(blocks=(1, 2)), NetSpec(Block.BOTTLENECK, (1, 1)), from_query("family=densenet&blocks=2-2")[0]]
)
def test_a_graph_has_the_network_s_blocks_and_costs(spec: NetSpec) -> None:
    table, loose = onnx_table(as_onnx(spec))
    own = layer_table(spec, 32)
    assert (table.macs, len(table.units), loose) == (own.macs, len(own.units), 0)
    assert [unit.join.joins for unit in table.units if unit.join] == [unit.join.joins for unit in own.units if unit.join]
    convs = [(row.name, row.kind, row.in_shape, row.out_shape) for row in own.rows if row.kind.startswith("conv")]
    assert [(row.name, row.kind, row.in_shape, row.out_shape) for row in table.rows if row.kind.startswith("conv")] == convs


def test_a_cut_skip_is_no_block() -> None:
    spec = NetSpec(blocks=(1, 1, 1), cut=frozenset({"layer2.0"}))
    assert {unit.name for unit in onnx_table(as_onnx(spec))[0].units} == {"layer1.0", "layer3.0"}


@pytest.mark.parametrize(("operation", "sizes"), [("Conv", (9,)), ("Conv", (9, 9, 9)), ("ConvTranspose", (9,))])
def test_a_convolution_over_time_or_in_space_is_one_too(operation: str, sizes: tuple[int, ...]) -> None:
    shape, sides = (4, 4, *[3] * len(sizes)), {"kernel_shape": [3] * len(sizes), "pads": [1] * 2 * len(sizes)}
    weight = onnx.helper.make_tensor("block.weight", onnx.TensorProto.FLOAT, shape, [0.0] * math.prod(shape))
    nodes = [
        onnx.helper.make_node(operation, ["x", "block.weight"], ["made"], **sides),
        onnx.helper.make_node("Add", ["x", "made"], ["y"]),
    ]
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (1, 4, *sizes)) for name in "xy"]
    graph = onnx.helper.make_graph(nodes, "graph", ends[:1], ends[1:], [weight])
    table, _ = onnx_table(onnx.helper.make_model(graph).SerializeToString())
    assert (table.params, table.macs) == (math.prod(shape), math.prod(shape) * math.prod(sizes))
    assert [unit.carries for unit in table.units] == ["identity"]
    assert network_diagram(table).shapes


def test_a_graph_without_weights_is_told_too() -> None:
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (1, 4)) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "graph", ends[:1], ends[1:])
    table, _ = onnx_table(onnx.helper.make_model(graph).SerializeToString())
    assert table_note(table) == "0 parameters and 0 MACs an image."


@pytest.mark.parametrize("data", [b"", b"not a graph", b"PK\x03\x04" + bytes(40), onnx.ModelProto().SerializeToString()])
def test_what_is_no_graph_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(GraphError, match=r"^[^\n]{20,200}$"):
        onnx_table(data)
