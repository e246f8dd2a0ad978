"""The layer table beside the network itself: what each layer sees, holds and computes, measured by a real pass."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.spec.net import Block, Carry, NetSpec, Norm, Order, Shortcut, SpecError, Stem
from resviz.spec.query import from_query, to_query_string

_ODD = {"cut": frozenset({"layer1.1", "layer2.0"}), "dropped": frozenset({"layer2.1"})}
SPECS = [
    NetSpec(block=block, blocks=(2, 3), width=4, width_per_group=64, shortcut=shortcut, stem=stem, norm=Norm.BATCH, **more)
    for block in Block
    for shortcut, stem, more in (
        (Shortcut.A, Stem.CIFAR, {}),
        (Shortcut.B, Stem.IMAGENET, {}),
        (Shortcut.C, Stem.CIFAR, _ODD),
        (Shortcut.A, Stem.IMAGENET, _ODD),
        (Shortcut.B, Stem.CIFAR, {"residual": False}),
        (Shortcut.D, Stem.DEEP, {}),
        (Shortcut.D, Stem.CIFAR, {"dropped": frozenset({"layer2.0"})}),
    )
    if block.order in (Order.ORIGINAL, Order.PREACT) or (not block.bottleneck and more is _ODD and stem is Stem.CIFAR)
]


def outputs(net: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """What every layer and every block returned, by name; a layer that did not run is not among them."""
    seen: dict[str, Tensor] = {}
    for name, module in net.named_modules():
        module.register_forward_hook(lambda _m, _i, out, name=name: seen.__setitem__(name, out))
    net(x)
    return seen


@pytest.mark.parametrize("spec", SPECS, ids=to_query_string)
def test_the_receptive_field_is_what_moves_one_output(spec: NetSpec) -> None:
    """The pixels with a gradient, under weights that are all positive so that none cancels another."""
    side = 160
    net = build(spec).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.abs_().add_(0.1)
    if isinstance(net.maxpool, nn.MaxPool2d):
        net.maxpool = nn.AvgPool2d(3, 2, 1)  # sees the same, and lets all of it through
    x = torch.ones(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    seen, wide = outputs(net.double(), x), 0
    for row in layer_table(spec, side).rows:
        if row.name not in seen or row.kind == "linear":
            continue
        out = seen[row.name]
        centre = out[0, :, out.shape[2] // 2, out.shape[3] // 2].sum()
        (gradient,) = torch.autograd.grad(centre, x, retain_graph=True)
        rows = torch.nonzero(gradient.abs().sum((0, 1, 3))).flatten()
        if row.kind == "average pool":  # the whole picture, and what its edges would see beyond
            assert len(rows) == side <= row.receptive_field
        else:
            assert int(rows[-1] - rows[0]) + 1 == row.receptive_field, row.name
            wide = max(wide, row.receptive_field)
    assert 1 < wide < side  # nothing was measured against an edge


@pytest.mark.parametrize("spec", SPECS, ids=to_query_string)
def test_memory_and_macs_are_those_of_a_real_pass(spec: NetSpec) -> None:
    net = build(spec).eval()
    seen = outputs(net, torch.randn(1, 3, 33, 33))
    table, idle = layer_table(spec, 33), 0
    for row in table.rows:
        if row.name not in seen or (row.unit in spec.dropped and row.path == "branch"):
            assert (row.memory, row.macs) == (0, 0), row.name
            idle += 1
            continue
        assert row.memory == seen[row.name].numel() * seen[row.name].element_size(), row.name
        module = net.get_submodule(row.name)
        each = module.weight[0].numel() if isinstance(module, nn.Conv2d | nn.Linear) else 0
        assert row.macs == each * seen[row.name].numel(), row.name
    assert table.memory == sum(row.memory for row in table.rows)
    assert bool(idle) == bool(spec.dropped or (spec.cut and spec.shortcut is not Shortcut.A))


@pytest.mark.parametrize("more", [{}, *({kind: frozenset({"layer1.1"})} for kind in ("cut", "dropped"))], ids=str)
@pytest.mark.parametrize("carry", Carry)
def test_what_a_pass_computes_twice_is_counted_twice(carry: Carry, more: dict[str, frozenset[str]]) -> None:
    spec = NetSpec(blocks=(2, 2), width=4, carry=carry, **more)
    net, macs, memory = build(spec).eval(), [0], [0]

    def count(module: nn.Module, _read: object, out: Tensor) -> None:
        macs[0] += module.weight[0].numel() * out.numel() if isinstance(module, nn.Conv2d | nn.Linear) else 0
        memory[0] += out.numel() * out.element_size() if isinstance(module, nn.Conv2d) else 0

    for module in net.modules():
        module.register_forward_hook(count)
    net(torch.randn(1, 3, 16, 16))
    table = layer_table(spec, 16)
    assert table.macs == macs[0]
    assert sum(row.memory for row in table.rows if row.kind.startswith("conv")) == memory[0]


@pytest.mark.parametrize("spec", SPECS, ids=to_query_string)
def test_rows_say_which_block_and_path_they_stand_on(spec: NetSpec) -> None:
    table, net = layer_table(spec, 32), build(spec)
    assert [unit.name for unit in table.units] == list(spec.block_names())
    for unit in table.units:
        assert [row.name for row in unit.convs] == [f"{unit.name}.conv{n + 1}" for n in range(spec.block.convs)]
        assert (unit.join is not None) == spec.residual
        if unit.join is not None:
            assert (unit.join.name, unit.join.joins, unit.cut) == (unit.name, "add", unit.name in spec.cut)
        assert (unit.name in spec.dropped) == unit.dropped
        projection = dict(net.units())[unit.name].projection
        convs = {row.name for row in unit.skip if row.kind.startswith("conv")}
        assert convs == ({name for name, module in net.named_modules() if module is projection} if projection else set())
        assert unit.stage == unit.name.split(".")[0]
    assert {row.name for row in table.rows if row.unit is None} >= {
        "conv1.6" if spec.stem is Stem.DEEP else "conv1",
        "avgpool",
        "fc",
    }


@pytest.mark.parametrize(("query", "side", "enough"), [("net=densenet121", 16, 29), ("family=densenet&blocks=2-2-2", 2, 4)])
def test_images_of_which_nothing_would_be_left_are_refused_with_the_least_that_is_enough(
    query: str, side: int, enough: int
) -> None:
    spec = from_query(query)[0]
    with pytest.raises(SpecError, match=rf"images of {side} px are too small: .* take {enough} px or more"):
        layer_table(spec, side)
    net = build(spec).eval()
    for size in range(enough, enough + 3):
        assert layer_table(spec, size).macs
        net(torch.zeros(1, 3, size, size))
    with pytest.raises(RuntimeError):
        net(torch.zeros(1, 3, enough - 1, enough - 1))
