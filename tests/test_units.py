"""What a unit and its network promise, kept by every block of the papers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from resviz.nets.build import build
from resviz.nets.inference.folding import folded
from resviz.nets.unit import Unit
from resviz.probes.branches import branch_ratios
from resviz.spec.net import Block, Init, NetSpec, Norm, Order, Shortcut, Stem
from resviz.spec.query import to_query_string

SPECS = [
    NetSpec(block=block, blocks=(2, 2), width=8, shortcut=shortcut, norm=norm)
    for block in Block
    for shortcut in Shortcut
    for norm in Norm
] + [NetSpec(block, (2, 2), Stem.DEEP, 8, shortcut=Shortcut.D) for block in Block]


def settled(spec: NetSpec) -> nn.Module:
    """In eval mode, with running statistics that are no identity."""
    net = build(spec)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                for values in (module.weight, module.running_mean, module.running_var):
                    values.uniform_(0.5, 1.5, generator=generator)
    return net.eval()


def picture(channels: int = 3, side: int = 12) -> Tensor:
    return torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("spec", SPECS, ids=to_query_string)
@torch.no_grad()
def test_tail_and_joined_are_where_they_say(spec: NetSpec) -> None:
    net = settled(spec)
    for name, unit in net.units():
        kept: dict[str, Tensor] = {}

        def keep(unit: Unit, inputs: tuple[Tensor, ...], kept: dict[str, Tensor] = kept) -> None:
            kept["x"] = inputs[0].clone()

        at, before = unit.joined
        handles = [
            unit.register_forward_pre_hook(keep),
            unit.tail.register_forward_hook(lambda _m, _i, out, kept=kept: kept.__setitem__("tail", out.clone())),
            at.register_forward_hook(
                lambda _m, inputs, out, kept=kept, before=before: kept.__setitem__("sum", inputs[0] if before else out)
            ),
        ]
        net(picture())
        entered = unit.entry(kept["x"])
        for handle in handles:
            handle.remove()
        assert torch.equal(kept["tail"], unit.residual(entered)), name
        assert torch.equal(kept["sum"], unit.residual(entered) + unit.identity(kept["x"], entered)), name
        assert unit.channels == kept["tail"].shape[1]
        assert torch.equal(unit(kept["x"]), unit.after(kept["sum"]))


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.norm is Norm.BATCH], ids=to_query_string)
@torch.no_grad()
def test_folding_leaves_the_function_and_only_norms_that_no_convolution_feeds(spec: NetSpec) -> None:
    net, x = settled(spec), picture()
    before = net(x)
    after = folded(net)
    assert torch.allclose(after(x), before, rtol=1e-4, atol=1e-5)
    left = [name for name, module in after.named_modules() if isinstance(module, nn.BatchNorm2d)]
    blocks = list(spec.block_names())
    trunk = {
        Order.PREACT: [*(f"{name}.bn1" for name in blocks), "norm"],
        Order.NORM_AFTER: [f"{name}.bn{spec.block.convs}" for name in blocks],
    }
    beside = [name for name, _ in after.named_modules() if name.endswith(".downsample.norm")]  # RepVGG's, which reads x
    assert left == trunk.get(spec.block.order, beside)


@pytest.mark.parametrize("block", Block)
@torch.no_grad()
def test_a_chain_is_the_whole_branch_once_norms_are_folded(block: Block) -> None:
    net = folded(settled(NetSpec(block=block, blocks=(2, 2), width=8)))
    for _, unit in net.units():
        if block.order is not Order.ORIGINAL:
            assert unit.chain == ()
            continue
        x = torch.relu(picture(unit.conv1.in_channels, 8))
        out = x
        for i, conv in enumerate(unit.chain):
            out = conv(torch.relu(out) if i else out)
        assert torch.allclose(out, unit.residual(x), atol=1e-6)


@pytest.mark.parametrize("block", Block)
@torch.no_grad()
def test_the_gate_at_zero_closes_the_branch(block: Block) -> None:
    for name, unit in build(NetSpec(block=block, blocks=(2, 2), width=8)).units():
        x = picture(unit.conv1.in_channels, 8)
        assert unit.residual(unit.entry(x)).abs().sum() > 0, name
        nn.init.zeros_(unit.gate.weight)
        assert unit.residual(unit.entry(x)).abs().sum() == 0, name
    zeroed = build(NetSpec(block=block, blocks=(2, 2), width=8, init=Init.ZERO_GAMMA))
    assert all(unit.gate.weight.abs().sum() == 0 for _, unit in zeroed.units())


@torch.no_grad()
def test_wiring_a_network_makes_it_the_one_that_is_built_so() -> None:
    whole = NetSpec(blocks=(2, 2), width=8)
    lesioned = replace(whole, cut=frozenset({"layer1.0"}), dropped=frozenset({"layer2.1"}))
    net, x = build(whole).eval(), picture()
    first = net(x)
    net.wire(lesioned)
    assert net.spec == lesioned
    assert torch.equal(net(x), build(lesioned).eval()(x))
    net.wire(whole)
    assert torch.equal(net(x), first)


@pytest.mark.parametrize("block", Block)
def test_stages_and_weights_hold_every_convolution_once(block: Block) -> None:
    net = build(NetSpec(block=block, blocks=(1, 2), width=8, shortcut=Shortcut.B))
    assert [name for name, _ in net.stages()] == ["conv1", "layer1", "layer2", "fc"]
    weights = net.weights()
    inside = [id(p) for _, stage in net.stages() for p in stage.parameters() if p.dim() > 1]
    assert sorted(map(id, weights.values())) == sorted(inside)
    assert all(weight is net.get_submodule(name).weight for name, weight in weights.items())


def test_branch_ratios_are_norms_of_what_the_blocks_add() -> None:
    spec = NetSpec(block=Block.PREACT_BASIC, blocks=(2, 1), width=8, dropped=frozenset({"layer1.1"}))
    net, x = build(spec).train(), picture()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    ratios = branch_ratios(net, x)
    assert net.training
    assert not any(module._forward_pre_hooks for module in net.modules())
    assert all(torch.equal(state[name], value) for name, value in net.state_dict().items())
    net.eval()
    with torch.no_grad():
        signal, expected = net.conv1(x), []
        for _, unit in net.units():
            added = unit.conv2(torch.relu(unit.bn2(unit.conv1(torch.relu(unit.bn1(signal))))))
            expected.append((added.norm() / signal.norm()).item())
            signal = unit(signal)
    assert ratios == pytest.approx(expected)
