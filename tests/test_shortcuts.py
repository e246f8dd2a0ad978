"""What else a skip can be: each kind is what its paper writes, costs what the table says, and is the same run when it is taken up again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from resviz.figures.shortcuts import race_csv, race_lines, race_table
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.probes.inside import forward, look
from resviz.results import RaceRecord
from resviz.spec.names import describe
from resviz.spec.net import Block, BranchScale, Carry, Init, NetSpec, Norm, Shortcut, SpecError
from resviz.spec.query import from_query, to_query_string
from resviz.spec.shortcuts import KINDS, RACES, Start, race_plan, start_from_query, start_to_query
from resviz.training.shortcuts import recorded_race
from resviz.zoo.first import read_first

SMALL = NetSpec(blocks=(2, 2), width=8)
VARIANTS = [
    *({"carry": carry} for carry in Carry),
    *({"scale": scale} for scale in BranchScale),
    {"survival": 40},
    {"norm": Norm.NONE, "init": Init.FIXUP},
    {"carry": Carry.EXCLUSIVE, "block": Block.PREACT_BASIC},
    {"carry": Carry.HALF, "shortcut": Shortcut.C},
    {"carry": Carry.GATED, "scale": BranchScale.LEARNED, "survival": 70, "shortcut": Shortcut.B},
]


def noise(seed: int = 0, count: int = 2) -> Tensor:
    return torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_a_kind_is_in_link_words_and_table_as_it_is_built(changes: dict[str, object]) -> None:
    spec = replace(SMALL, **changes)
    assert from_query(to_query_string(spec)) == (spec, ())
    net = build(spec)
    assert sum(each.numel() for each in net.parameters()) == layer_table(spec, 16).params
    assert (describe(spec) == describe(SMALL)) == (spec == SMALL)
    net.train()(noise()).sum().backward()
    assert all(torch.isfinite(each.grad).all() for each in net.parameters() if each.grad is not None)


def parts(spec: NetSpec, name: str = "layer1.1") -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """x, F by its layers alone, what the branch brings, what the skip brings, and the gate; of a block that keeps its shape."""
    net = build(spec).eval()
    with torch.no_grad():
        for each in net.parameters():
            if each.dim() == 0:
                each.fill_(0.3)
    kept = forward(net, noise(count=1))
    seen = look(net, kept, name)
    x = torch.from_numpy(kept.entered[name])[None]
    unit = net.get_submodule(name)
    with torch.no_grad():
        bare = unit.bn2(unit.conv2(unit.relu1(unit.bn1(unit.conv1(x)))))
        gate = torch.sigmoid(unit.gating.conv(x)) if spec.carry.gates else torch.ones(())
    return x, bare, torch.from_numpy(seen.residual)[None], torch.from_numpy(seen.identity)[None], gate


@pytest.mark.parametrize(
    ("changes", "of_branch", "of_skip"),
    [
        ({}, lambda f, g: f, lambda x, g: x),
        ({"carry": Carry.HALF}, lambda f, g: f / 2, lambda x, g: x / 2),
        ({"carry": Carry.HALF_SKIP}, lambda f, g: f, lambda x, g: x / 2),
        ({"carry": Carry.EXCLUSIVE, "gate": 1}, lambda f, g: g * f, lambda x, g: (1 - g) * x),
        ({"carry": Carry.GATED, "gate": 1}, lambda f, g: f, lambda x, g: (1 - g) * x),
        ({"carry": Carry.DROPOUT}, lambda f, g: f, lambda x, g: x),
        ({"scale": BranchScale.DEPTH}, lambda f, g: f / 2, lambda x, g: x),
        ({"scale": BranchScale.LEARNED}, lambda f, g: 0.3 * f, lambda x, g: x),
        ({"survival": 50}, lambda f, g: 0.75 * f, lambda x, g: x),  # the second of four blocks: 1 − 2/4 · ½
    ],
)
def test_a_block_adds_what_its_formula_says(changes: dict[str, object], of_branch: object, of_skip: object) -> None:
    x, bare, branch, skip, gate = parts(replace(SMALL, **changes))
    torch.testing.assert_close(branch, of_branch(bare, gate), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(skip, of_skip(x, gate), rtol=1e-4, atol=1e-5)


def test_a_factor_of_zero_passes_x_exactly_and_a_closed_gate_is_the_identity() -> None:
    zero = build(replace(SMALL, block=Block.PREACT_BASIC, scale=BranchScale.LEARNED)).eval()
    kept = forward(zero, noise(count=1))
    for name in ("layer1.0", "layer1.1", "layer2.1"):
        assert np.array_equal(look(zero, kept, name).joined, kept.entered[name])
    closed = build(replace(SMALL, carry=Carry.GATED)).eval()
    for module in closed.modules():
        if hasattr(module, "start"):
            module.start(-np.inf)
    plain = build(SMALL).eval()
    assert torch.equal(closed(noise()), plain(noise()))


def test_fixup_begins_as_the_identity_without_a_norm_and_answers_nothing_yet() -> None:
    net = build(replace(SMALL, norm=Norm.NONE, init=Init.FIXUP)).eval()
    kept = forward(net, noise(count=1))
    assert np.array_equal(look(net, kept, "layer1.1").joined, kept.entered["layer1.1"])
    assert not net(noise()).any()
    kaiming = build(replace(SMALL, norm=Norm.NONE)).weights()["layer1.0.conv1"]
    torch.testing.assert_close(net.weights()["layer1.0.conv1"], kaiming / 2)  # four blocks of two convolutions: 4^(−½)


def test_chance_is_the_same_when_a_run_is_taken_up_again() -> None:
    spec = replace(SMALL, carry=Carry.DROPOUT, survival=50)
    net = build(spec).train()
    first = net(noise())
    second = net(noise())
    assert not torch.equal(first, second)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    third = net(noise())
    other = build(spec).train()
    other.load_state_dict(state)
    assert torch.equal(other(noise()), third)
    assert torch.equal(build(spec).train()(noise()), first)


def test_every_branch_survives_as_often_as_it_should() -> None:
    unit = build(replace(SMALL, survival=40)).train().get_submodule("layer2.1")  # the last: 0.4
    x = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        left = sum(bool(unit.residual(x).any()) for _ in range(400))
    assert 0.33 < left / 400 < 0.47


@pytest.mark.parametrize(
    "changes",
    [
        {"residual": False, "carry": Carry.HALF},
        {"residual": False, "survival": 50},
        {"init": Init.FIXUP},
        {"survival": 0},
        {"gate": 11},
    ],
)
def test_what_no_network_can_be_is_said(changes: dict[str, object]) -> None:
    with pytest.raises(SpecError, match=r"use|choose"):
        replace(SMALL, **changes)


def test_without_skips_nothing_of_them_is_left() -> None:
    spec = replace(SMALL, carry=Carry.GATED, scale=BranchScale.LEARNED, survival=50)
    assert spec.plain() == SMALL.plain()
    fixup = replace(SMALL, norm=Norm.NONE, init=Init.FIXUP)
    assert fixup.plain() == replace(SMALL, norm=Norm.NONE).plain()
    assert fixup.resized(norm=Norm.BATCH).init is Init.KAIMING


@pytest.mark.parametrize(
    "start", [Start(), Start("branch", ("bare", "fixup"), 110, 300, 7), Start("noise", RACES["noise"].kinds, 20)]
)
def test_a_race_comes_back_from_its_link(start: Start) -> None:
    assert start_from_query(start_to_query(start)) == start
    assert [describe(spec) for spec in start.plan.contenders]


@pytest.mark.parametrize(
    "query", [{"race": "no"}, {"who": "half.nobody"}, {"layers": "57"}, {"last": "1e9"}, {"draw": "-1"}, {"who": "."}]
)
def test_no_text_breaks_a_race(query: dict[str, str]) -> None:
    start = start_from_query(query)
    assert start.kinds
    assert set(start.kinds) <= set(RACES[start.race].kinds)
    assert start.plan.contenders


@pytest.mark.parametrize(("race", "kinds"), [("no", ("identity",)), ("skip", ("fixup",)), ("skip", ())])
def test_a_race_that_cannot_be_run_is_refused(race: str, kinds: tuple[str, ...]) -> None:
    with pytest.raises(SpecError, match="choose"):
        race_plan(race, kinds)


def test_a_recorded_race_is_what_the_lab_trains(tmp_path) -> None:
    record = recorded_race("branch", depth=8, steps=3, seeds=2, folder=tmp_path)
    assert record.loss.shape == (len(RACES["branch"].kinds), 2, 3)
    again = recorded_race("branch", depth=8, steps=3, seeds=2, folder=tmp_path)
    assert np.array_equal(record.loss, again.loss)
    assert len({float(losses[0, 0]) for losses in record.loss}) > 2  # they are different networks
    chart, table = race_lines(record), race_table(record)
    assert [line.name for line in chart.series] == [KINDS[kind].title for kind in record.kinds]
    for kind in record.kinds:
        assert KINDS[kind].title.replace("<", "&lt;") in table
    assert race_csv(record).count("\n") == 1 + record.loss.size


def test_the_shipped_races_are_whole() -> None:
    values = read_first("shortcuts").values
    assert set(values) == set(RACES)
    for race, record in values.items():
        assert isinstance(record, RaceRecord)
        assert record.kinds == RACES[race].kinds
        assert (record.layers, record.steps, record.seeds) == (56, 150, 3)
        assert 0 <= record.held_out.min() <= record.held_out.max() <= 100
    norm, bare = values["branch"].error[:2]
    assert norm < 30 < 80 < bare  # 56 layers without norm learn nothing from Kaiming's start
