"""A family is a room and an entry: a toy of two units goes all the way without a line about it anywhere else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from resviz.data.datasets import digits_split
from resviz.figures.diagram import block_diagram, network_diagram
from resviz.machine import fitting_threads
from resviz.nets.build import build, skeleton
from resviz.nets.cost import check_memory, layer_table
from resviz.nets.families import FAMILIES, Family, family_of, recognised
from resviz.nets.rows import Walk
from resviz.nets.unit import Net, Unit
from resviz.probes.branches import branch_ratios
from resviz.probes.gradients import gradient_probe
from resviz.probes.signal import watched_signals
from resviz.results import SIGNALS, LayerTable
from resviz.spec.fields import number
from resviz.spec.lab import Edit, LabPlan, labels_of
from resviz.spec.names import describe
from resviz.spec.net import Block, NetSpec, SpecError
from resviz.spec.query import to_query
from resviz.training.lab import Lab


@dataclass(frozen=True)
class ToySpec:
    """A stem, a unit that puts F(x) beside x, a unit that adds it, a classifier."""

    width: int = field(default=4, metadata=number(1, 64, "Width", "Of the stem.", says=lambda spec: f"width {spec.width}"))
    growth: int = field(default=2, metadata=number(1, 64, "Growth", "What the first unit adds in channels."))
    residual: bool = True
    cut: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    classes: int = 10
    in_channels: int = 1
    seed: int = 0

    described: ClassVar[tuple[str, ...]] = ("width",)
    depth: ClassVar[int] = 4
    title: ClassVar[str] = "Toy-4"
    shape: ClassVar[str] = ""

    def block_names(self) -> Iterator[str]:
        return iter(("grow", "refine"))

    def has_skip(self, block: str) -> bool:
        return block not in self.cut


class Layer(Unit):
    """conv3×3-ReLU beside x, or added to it."""

    def __init__(self, channels: int, made: int, joins: str) -> None:
        super().__init__(made, joins)
        self.mix = nn.Conv2d(channels, made, 3, padding=1)
        self.fire = nn.ReLU()

    def residual(self, entered: Tensor) -> Tensor:
        return self.fire(self.mix(entered))

    @property
    def tail(self) -> nn.Module:
        return self.fire


class Toy(Net):
    def __init__(self, spec: ToySpec) -> None:
        super().__init__()
        self.first = nn.Conv2d(spec.in_channels, spec.width, 3, padding=1)
        self.grow = Layer(spec.width, spec.growth, "concat")
        self.refine = Layer(spec.width + spec.growth, spec.width + spec.growth, "add")
        self.pool, self.out = nn.AdaptiveAvgPool2d(1), nn.Linear(spec.width + spec.growth, spec.classes)
        self.wire(spec)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.pool(self.refine(self.grow(self.first(x)))).flatten(1))

    def draw(self, layer: nn.Module, generator: torch.Generator) -> None:
        for weights in layer.parameters(recurse=False):
            weights.uniform_(-0.3, 0.3, generator=generator)


def toy_rows(spec: ToySpec, side: int) -> LayerTable:
    walk = Walk(spec.in_channels, side)
    walk.conv("first", spec.width, 3, bias=True)
    for name, made, beside, source in (
        ("grow", spec.growth, spec.width, "first"),
        ("refine", spec.width + spec.growth, 0, "grow"),
    ):
        with walk.unit(name, "body"):
            with walk.branch(name not in spec.dropped, 1):
                walk.conv(f"{name}.mix", made, 3, bias=True)
                walk.same(f"{name}.fire", "relu")
            walk.join(name, source, name in spec.cut, beside)
    channels = walk.shape[0]
    walk.add("pool", "average pool", (channels, 1, 1))
    walk.add("out", "linear", (spec.classes,), (channels + 1) * spec.classes, channels * spec.classes)
    return walk.table()


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> Family:
    family = Family(
        ToySpec, {"toy4": ToySpec()}, toy_rows, lambda: Toy, lambda names: "grow.mix.weight" in names,
        {"Wide or narrow": lambda depth: LabPlan((ToySpec(), ToySpec(width=8)))},
    )  # fmt: skip
    monkeypatch.setitem(FAMILIES, "toy", family)
    return family


LESIONED = ToySpec(cut=frozenset({"refine"}), dropped=frozenset({"grow"}))


def test_it_is_named_written_and_recognised(toy: Family) -> None:
    assert to_query(ToySpec(width=8)) == {"width": "8"}
    assert describe(ToySpec(width=8)) == "Toy-4 · width 8"
    assert labels_of((ToySpec(), ToySpec(width=8))) == ("Toy-4 · width 4", "Toy-4 · width 8")
    assert family_of(ToySpec()) is toy
    assert recognised(skeleton(ToySpec()).state_dict()) == "toy"


def test_it_is_built_from_its_seed_and_its_layers_names() -> None:
    one, other = build(ToySpec()), build(LESIONED)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())
    assert not torch.equal(build(ToySpec(seed=1)).out.weight, one.out.weight)
    x = torch.randn(2, 1, 8, 8)
    one.wire(LESIONED)
    assert torch.equal(one(x), other(x))
    with torch.no_grad():
        entered = other.first(x)
        grown = torch.cat((entered, torch.zeros(2, 2, 8, 8)), 1)  # a dropped branch leaves its channels empty
        assert torch.equal(other(x), other.out(torch.relu(other.refine.mix(grown)).mean((2, 3)).view(2, -1)))


@torch.no_grad()
def test_a_cut_skip_that_was_beside_leaves_zeros() -> None:
    net, x = build(ToySpec(cut=frozenset({"grow"}))), torch.randn(2, 1, 8, 8)
    entered = net.first(x)
    assert torch.equal(net.grow(entered), torch.cat((torch.zeros_like(entered), net.grow.residual(entered)), 1))


@pytest.mark.parametrize("spec", [ToySpec(), replace(LESIONED, dropped=frozenset())], ids=["whole", "cut"])
def test_its_table_is_that_of_a_real_pass(spec: ToySpec) -> None:
    net, seen, table = build(spec), {}, layer_table(spec, 8)
    for name, module in net.named_modules():
        module.register_forward_hook(lambda _m, _i, out, name=name: seen.__setitem__(name, out))
    net(torch.randn(1, 1, 8, 8))
    assert table.params == sum(parameter.numel() for parameter in net.parameters())
    for row in table.rows:
        assert row.memory == 4 * seen[row.name].numel(), row.name
    assert [(row.name, row.joins, row.cut) for row in table.rows if row.joins] == [
        ("grow", "concat", False),
        ("refine", "add", "refine" in spec.cut),
    ]
    check_memory(spec, 8, 4)


def test_it_is_drawn() -> None:
    shapes = network_diagram(layer_table(LESIONED, 8)).shapes
    assert [(s.name, s.css) for s in shapes if s.tag == "rect" and s.name] == [
        ("first", "layer"), ("grow.mix", "hollow"), ("refine.mix", "layer"), ("pool", "minor"), ("out", "layer"),
    ]  # fmt: skip
    assert [(s.name, s.css, s.action) for s in shapes if s.css.startswith("arc")] == [
        ("grow", "arc", "cut:grow"),
        ("refine", "arc cut", "cut:refine"),
    ]
    assert [s.text for s in shapes if s.css == "title"] == ["body"]
    names = {s.name for s in block_diagram(layer_table(LESIONED, 8), "grow").shapes}
    assert names == {"", "grow", "grow.mix", "grow.fire"}


def test_it_is_probed() -> None:
    net, x, y = build(ToySpec()).train(), torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 3])
    probe = gradient_probe(net, x, y)
    assert probe.profile.names == ("first", "grow.mix", "refine.mix", "out")
    assert probe.signal.names == ("grow", "refine")
    nn.functional.cross_entropy(net(x), y).backward()
    expected = [net.get_submodule(name).weight.grad.norm().item() for name in probe.profile.names]
    assert probe.profile.norms == pytest.approx(expected, rel=1e-5)
    with watched_signals(net) as read:
        net(x)
        signals = read()
    assert signals.shape == (2, len(SIGNALS))
    with torch.no_grad():
        first = net.grow.residual(net.first(x))
        assert signals[0, SIGNALS.index("branch_variance")] == pytest.approx(first.var((0, 2, 3), correction=0).mean().item())
        assert branch_ratios(net, x)[0] == pytest.approx((first.norm() / net.first(x).norm()).item())


def test_it_learns_in_the_lab_and_is_cut_there(toy: Family) -> None:
    plan = replace(toy.comparisons["Wide or narrow"](4), batch=16, edits=(Edit(3, "cut", 1, "refine"),))
    lab = Lab(plan, digits_split)
    with fitting_threads(8):
        for _ in range(4):
            lab.advance()
    record = lab.record()
    assert record is not None
    assert [track.label for track in record.tracks] == ["Toy-4 · width 4", "Toy-4 · width 8"]
    assert record.tracks[0].layers == ("first", "grow.mix", "refine.mix", "out")
    assert (record.tracks[0].gradients > 0).all()
    assert lab.specs[1].cut == {"refine"}


def test_a_spec_of_no_family_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(FAMILIES, "toy")
    with pytest.raises(SpecError, match="'resnet20' is a name, and a spec is asked for"):
        build("resnet20")  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="ToySpec belongs to no family; the families are resnet"):
        build(ToySpec())


@pytest.mark.parametrize("block", Block)
def test_weights_are_recognised_by_their_names(block: Block) -> None:
    assert recognised(skeleton(NetSpec(block=block)).state_dict()) == "resnet"
    assert recognised({"features.0.weight"}) is None


def test_families_are_known_without_torch() -> None:
    code = "import sys, resviz.nets.families, resviz.nets.cost; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_every_preset_has_a_table_of_its_units(family: Family) -> None:
    for name, spec in family.presets.items():
        if spec.depth < 200:
            assert [unit.name for unit in layer_table(spec, 32).units] == list(spec.block_names()), name
