"""Where norm and activation stand: each order is what the paper draws, with the original's weights, and what looks inside keeps up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from resviz.figures import captions
from resviz.figures.diagram.block import block_diagram
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.nets.inference.skipless import skipless
from resviz.probes.gradients import gradient_probe
from resviz.probes.inside import forward, look
from resviz.probes.taken_apart import arithmetic
from resviz.spec.names import describe
from resviz.spec.net import Block, Init, NetSpec, Order, Shortcut
from resviz.spec.query import from_query, to_query_string
from resviz.spec.shortcuts import KINDS, RACES
from resviz.zoo.first import read_first

SMALL = NetSpec(blocks=(2, 2), width=8, shortcut=Shortcut.B)


def ordered(order: Order, bottleneck: bool = False) -> NetSpec:
    return replace(SMALL, block=Block.of(order, bottleneck))


def settled(spec: NetSpec) -> nn.Module:
    """In eval mode, with statistics that are no identity."""
    net, generator = build(spec), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                for values in (module.weight, module.running_mean, module.running_var):
                    values.uniform_(0.5, 1.5, generator=generator)
    return net.eval()


def noise(channels: int = 3, side: int = 12) -> Tensor:
    return torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(1))


FORMULAS = {
    Order.ORIGINAL: lambda u, x: relu(u.bn2(u.conv2(relu(u.bn1(u.conv1(x))))) + x),
    Order.NORM_AFTER: lambda u, x: relu(u.bn2(u.conv2(relu(u.bn1(u.conv1(x)))) + x)),
    Order.RELU_BEFORE: lambda u, x: relu(u.bn2(u.conv2(relu(u.bn1(u.conv1(x)))))) + x,
    Order.RELU_ONLY: lambda u, x: u.bn2(u.conv2(relu(u.bn1(u.conv1(relu(x)))))) + x,
    Order.PREACT: lambda u, x: u.conv2(relu(u.bn2(u.conv1(relu(u.bn1(x)))))) + x,
}


@pytest.mark.parametrize("order", Order)
@torch.no_grad()
def test_a_unit_is_what_the_paper_draws(order: Order) -> None:
    net = settled(ordered(order))
    unit, x = net.get_submodule("layer1.1"), noise(8)
    torch.testing.assert_close(unit(x), FORMULAS[order](unit, x))


@torch.no_grad()
def test_a_bottleneck_has_the_same_order_around_its_third_convolution() -> None:
    for order, formula in {
        Order.NORM_AFTER: lambda u, f, x: relu(u.bn3(f + x)),
        Order.RELU_BEFORE: lambda u, f, x: relu(u.bn3(f)) + x,
    }.items():
        unit = settled(ordered(order, bottleneck=True)).get_submodule("layer1.1")
        x = noise(32)
        f = unit.conv3(relu(unit.bn2(unit.conv2(relu(unit.bn1(unit.conv1(x)))))))
        torch.testing.assert_close(unit(x), formula(unit, f, x))


def test_an_order_changes_no_weight() -> None:
    original = build(ordered(Order.ORIGINAL)).state_dict()
    for order in (Order.NORM_AFTER, Order.RELU_BEFORE, Order.RELU_ONLY):
        state = build(ordered(order)).state_dict()
        assert state.keys() == original.keys()
        assert all(torch.equal(state[name], value) for name, value in original.items())


@torch.no_grad()
def test_without_skips_what_stands_around_the_addition_is_one() -> None:
    plain = settled(ordered(Order.ORIGINAL).plain())
    for order in (Order.NORM_AFTER, Order.RELU_BEFORE):
        torch.testing.assert_close(settled(ordered(order).plain())(noise()), plain(noise()))


def test_every_order_is_in_links_words_and_the_old_ones_stay() -> None:
    for block in Block:
        assert block is Block.REP or Block.of(block.order, block.bottleneck) is block
        spec = replace(SMALL, block=block)
        assert from_query(to_query_string(spec)) == (spec, ())
    assert len({describe(replace(SMALL, block=block)) for block in Block}) == len(Block)
    assert from_query("block=preact-bottleneck")[0].block is Block.of(Order.PREACT, bottleneck=True)
    assert from_query("block=basic")[0].block is Block.of(Order.ORIGINAL, bottleneck=False)


def test_a_relu_before_the_addition_lets_the_signal_only_grow() -> None:
    net = settled(ordered(Order.RELU_BEFORE))
    kept = forward(net, noise())
    seen = look(net, kept, "layer1.1")
    assert seen.residual.min() >= 0
    assert (seen.output >= kept.entered["layer1.1"]).all()
    assert seen.activation == ""


def test_inside_names_what_stands_behind_the_addition_and_refuses_what_it_cannot_take_apart() -> None:
    after = settled(ordered(Order.NORM_AFTER))
    kept = forward(after, noise())
    seen = look(after, kept, "layer1.1")
    assert seen.activation == "BatchNorm2d, ReLU"
    assert np.array_equal(seen.joined, seen.residual + seen.identity)
    found = arithmetic(after, kept, "layer1.1", (3, 5, 5))
    assert (found.norm, found.scale) == ("", 1.0)  # F ends with the convolution
    assert found.joined == pytest.approx(found.shown_joined, rel=1e-4, abs=1e-5)
    before = settled(ordered(Order.RELU_BEFORE))
    with pytest.raises(ValueError, match=r"layer1.1's F goes through an activation.*is not taken apart"):
        arithmetic(before, forward(before, noise()), "layer1.1", (3, 5, 5))


@pytest.mark.parametrize("order", [order for order in Order if order is not Order.ORIGINAL])
def test_skips_are_not_taken_away_where_that_would_lose_something(order: Order) -> None:
    with pytest.raises(ValueError, match="cannot be taken away without loss"):
        skipless(settled(ordered(order)))


@pytest.mark.parametrize(
    ("order", "before", "after"),
    [
        (Order.ORIGINAL, "conv1 bn1 relu1 conv2 bn2", "relu2"),
        (Order.NORM_AFTER, "conv1 bn1 relu1 conv2", "bn2 relu2"),
        (Order.RELU_BEFORE, "conv1 bn1 relu1 conv2 bn2 relu2", ""),
        (Order.RELU_ONLY, "relu1 conv1 bn1 relu2 conv2 bn2", ""),
        (Order.PREACT, "bn1 relu1 conv1 bn2 relu2 conv2", ""),
    ],
)
def test_table_and_diagram_have_the_layers_where_they_stand(order: Order, before: str, after: str) -> None:
    table = layer_table(ordered(order), 32)
    unit = next(unit for unit in table.units if unit.name == "layer1.1")
    assert [row.name.removeprefix("layer1.1.") for row in unit.branch] == before.split()
    assert [row.name.removeprefix("layer1.1.") for row in unit.after] == after.split()
    drawn = [shape for shape in block_diagram(table, "layer1.1").shapes if getattr(shape, "name", "")]
    assert {shape.name for shape in drawn} >= {f"layer1.1.{name}" for name in f"{before} {after}".split()}


def test_the_race_of_orders_has_the_papers_five() -> None:
    race = RACES["order"]
    specs = [replace(race.base, **KINDS[kind].changes) for kind in race.kinds]
    assert {spec.block.order for spec in specs} == set(Order)
    published = {spec.block.order: KINDS[kind].published for kind, spec in zip(race.kinds, specs, strict=True)}
    assert published[Order.PREACT] == "6.37 %"
    assert published[Order.NORM_AFTER] == "about 8.17 %"
    assert all("Table 2" in KINDS[kind].source for kind in race.kinds)
    assert KINDS["half-skip"].error == np.inf
    assert KINDS["survival"].error is None


def test_the_recorded_race_tells_the_two_bad_orders_from_the_others() -> None:
    record = read_first("shortcuts").values["order"]
    errors = dict(zip(record.kinds, record.error.tolist(), strict=True))
    assert max(errors[kind] for kind in ("preact", "original", "relu-only")) < min(errors["norm-after"], errors["relu-before"])
    assert np.array_equal(record.loss[record.kinds.index("original")], read_first("shortcuts").values["skip"].loss[0])


@pytest.mark.parametrize("order", Order)
def test_a_gamma_of_zero_in_front_of_a_relu_never_moves_and_the_caption_says_so(order: Order) -> None:
    spec = replace(ordered(order), init=Init.ZERO_GAMMA)
    net = build(spec).train()
    steps = torch.optim.SGD(net.parameters(), lr=0.1)
    images, targets = torch.randn(4, 3, 12, 12, generator=torch.Generator().manual_seed(2)), torch.arange(4)
    probe = gradient_probe(net, images, targets)
    for _ in range(3):
        steps.zero_grad()
        nn.functional.cross_entropy(net(images), targets).backward()
        steps.step()
    shut = not net.get_submodule("layer1.1").gate.weight.any()
    assert shut == (order in (Order.NORM_AFTER, Order.RELU_BEFORE, Order.PREACT))
    assert ("these branches never learn" in captions.gradient_note(spec, probe)) == shut
