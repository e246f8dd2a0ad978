"""In what two networks differ: by layer, the same from both sides, and marked in both diagrams."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from resviz.cli import main
from resviz.figures.diagram import network_diagram
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.nets.difference import difference
from resviz.results import Differing, NetworkDifference
from resviz.spec.dense import DENSE_PRESETS
from resviz.spec.net import Block, NetSpec
from resviz.spec.presets import PRESETS

SMALL = NetSpec(blocks=(2, 2), width=8)


def between(first: NetSpec, second: NetSpec, side: int = 32) -> NetworkDifference:
    return difference(layer_table(first, side), layer_table(second, side))


@pytest.mark.parametrize(
    "other",
    [
        replace(SMALL, blocks=(2, 3)),
        replace(SMALL, width=16),
        replace(SMALL, block=Block.BOTTLENECK),
        replace(SMALL, cut=frozenset({"layer1.1"})),
        replace(SMALL, dropped=frozenset({"layer2.1"})),
        SMALL.plain(),
    ],
)
def test_it_is_what_two_state_dicts_and_the_skips_say(other: NetSpec) -> None:
    found = between(SMALL, other)
    one, two = ({name: tuple(each.shape) for name, each in build(spec).state_dict().items()} for spec in (SMALL, other))
    layers = {name.rpartition(".")[0] for name in one.keys() ^ two.keys() if not name.endswith("num_batches_tracked")}
    assert layers <= found.of(Differing.FIRST, Differing.SECOND)
    resized = {name.rpartition(".")[0] for name in one.keys() & two.keys() if one[name] != two[name]}
    assert resized <= found.of(Differing.CHANGED)
    moved = {name for name in SMALL.block_names() if SMALL.has_skip(name) != other.has_skip(name) and other.residual}
    assert moved <= found.of(Differing.CUT)
    assert found.layers


@pytest.mark.parametrize(("first", "second"), [("resnet18", "resnet34"), ("resnet20", "plain20"), ("resnet50", "densenet121")])
def test_exchanged_networks_exchange_what_is_found(first: str, second: str) -> None:
    every = {**PRESETS, **DENSE_PRESETS}
    one, other = (layer_table(every[name], 64) for name in (first, second))
    there, back = difference(one, other), difference(other, one)
    assert there.of(Differing.FIRST) == back.of(Differing.SECOND)
    assert there.of(Differing.SECOND) == back.of(Differing.FIRST)
    assert there.of(Differing.CHANGED) == back.of(Differing.CHANGED)
    assert there.of(Differing.CUT) == back.of(Differing.CUT)
    assert there.same == back.same


def test_a_network_does_not_differ_from_itself() -> None:
    found = between(SMALL, replace(SMALL, seed=5))
    assert found.layers == ()
    assert found.same == len(layer_table(SMALL, 32).rows)


def test_a_cut_or_dropped_block_is_told_by_its_rows() -> None:
    cut = between(SMALL, replace(SMALL, cut=frozenset({"layer1.1"})))
    assert [(each.name, each.how) for each in cut.layers] == [("layer1.1", Differing.CUT)]
    dropped = between(SMALL, replace(SMALL, dropped=frozenset({"layer1.1"})))
    assert {each.unit for each in dropped.layers if each.name.startswith("layer1.1.conv")} == {"layer1.1"}
    assert {each.how for each in dropped.layers if each.name.startswith("layer1.1.conv")} == {Differing.CUT}


def test_more_blocks_stand_where_they_are_in_the_longer_network() -> None:
    names = [each.name for each in between(PRESETS["resnet18"], PRESETS["resnet34"], 224).layers]
    assert names == [row.name for row in layer_table(PRESETS["resnet34"], 224).rows if row.name in set(names)]


def test_what_differs_is_never_folded_away() -> None:
    found = between(PRESETS["resnet50"], PRESETS["resnet101"], 224)
    marks = dict.fromkeys(found.of(Differing.SECOND), "#B85A1A")
    folded = network_diagram(found.second, paint=marks, room=0)
    drawn = network_diagram(found.second, paint=marks, room=0, apart=found.units)

    def marked(shapes: object) -> set[str]:
        return {shape.name for shape in shapes if shape.attrs.get("fill") == "#B85A1A"}

    assert not marked(folded.shapes)
    assert marked(drawn.shapes) == {f"layer3.6.conv{n}" for n in (1, 2, 3)}
    assert any(shape.text == "×17" for shape in drawn.shapes)


def test_the_command_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "resnet20", "net=resnet20&cut=2.1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["differ"] == [{"layer": "layer2.1", "how": "cut"}]
    assert found["params"] == [269_722, 269_722]
    assert main(["compare", "resnet20", "resnet32"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert f"{len(between(PRESETS['resnet20'], PRESETS['resnet32']).layers)} layers only in ResNet-32" in last
