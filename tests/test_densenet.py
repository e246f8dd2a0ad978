"""DenseNet beside its paper (arXiv 1608.06993), torchvision, and an independent count."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torchinfo
import torchvision
from torch import Tensor

from resviz.cli import main
from resviz.data.datasets import digits_split
from resviz.data.images import probe_batch
from resviz.figures.captions import gradient_note
from resviz.figures.diagram import block_diagram, network_diagram
from resviz.judgement import judge
from resviz.machine import fitting_threads
from resviz.nets.build import build, skeleton
from resviz.nets.cost import layer_table
from resviz.nets.families import recognised
from resviz.probes.gradients import gradient_probe
from resviz.probes.reuse import feature_reuse
from resviz.spec.comparisons import DENSE_COMPARISONS, comparison_of
from resviz.spec.dense import DENSE_PRESETS, DenseSpec, dense_blocks
from resviz.spec.families import preset_of
from resviz.spec.lab import Edit, LabPlan, plan_from_query, plan_to_query
from resviz.spec.names import describe
from resviz.spec.net import Activation, Init, NetSpec, Norm, SpecError
from resviz.spec.query import from_query, to_query_string
from resviz.training.detect import findings
from resviz.training.lab import Lab

TORCHVISION = ("densenet121", "densenet161", "densenet169", "densenet201")
FIRST = "features.denseblock1.denselayer"
SMALL = DenseSpec((3, 2), 4, width=6)
SMALL_BC = DenseSpec((3, 2), 4, bottleneck=2, compression=50, width=6)


def picture(side: int = 12) -> Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


def by_hand(layers: int, growth: int, stem: int, bottleneck: int, theta: float) -> int:
    """Weights of a three-block network for CIFAR-10, counted as sections 3 and 4.1 describe it."""
    channels, total = stem, 3 * stem * 9
    for block in range(3):
        for _ in range(layers):
            inside = bottleneck * growth
            total += 2 * channels + (channels * inside + 2 * inside + 9 * inside * growth if inside else 9 * channels * growth)
            channels += growth
        if block < 2:
            out = int(theta * channels)
            total += 2 * channels + channels * out
            channels = out
    return total + 2 * channels + 10 * channels + 10


@pytest.mark.parametrize(
    ("name", "hand", "millions"),  # of the paper's table 2
    [
        ("densenet40_k12", (12, 12, 16, 0, 1.0), 1.0),
        ("densenet100_k12", (32, 12, 16, 0, 1.0), 7.0),
        ("densenet100_k24", (32, 24, 16, 0, 1.0), 27.2),
        ("densenet_bc100_k12", (16, 12, 24, 4, 0.5), 0.8),
        ("densenet_bc250_k24", (41, 24, 48, 4, 0.5), 15.3),
        ("densenet_bc190_k40", (31, 40, 80, 4, 0.5), 25.6),
    ],
)
def test_it_has_the_papers_parameters(name: str, hand: tuple[int, int, int, int, float], millions: float) -> None:
    params = layer_table(DENSE_PRESETS[name], 32).params
    assert params == by_hand(*hand)
    assert round(params / 1e6, 1) == pytest.approx(millions, abs=0.1)


@torch.no_grad()
@pytest.mark.parametrize("name", TORCHVISION)
def test_keys_shapes_and_logits_are_torchvisions(name: str) -> None:
    with torch.device("meta"):
        theirs = getattr(torchvision.models, name)(weights=None).eval()
    ours = skeleton(DENSE_PRESETS[name]).eval()
    shapes = {key: value.shape for key, value in theirs.state_dict().items()}
    assert {key: value.shape for key, value in ours.state_dict().items()} == shapes
    assert recognised(ours.state_dict()) == "densenet"
    generator = torch.Generator().manual_seed(0)
    state = {key: torch.rand(shape, generator=generator) * (0.05 if len(shape) > 1 else 1.0) for key, shape in shapes.items()}
    for net in (ours, theirs):
        net.load_state_dict(state, assign=True)
    x = picture(32)
    assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize("name", TORCHVISION)
def test_the_published_totals(name: str) -> None:
    meta = torchvision.models.get_model_weights(name).IMAGENET1K_V1.meta
    table = layer_table(DENSE_PRESETS[name], 224)
    assert (table.params, round(table.macs / 1e9, 3)) == (meta["num_params"], meta["_ops"])


@pytest.mark.parametrize(("name", "side"), [("densenet121", 64), ("densenet_bc100_k12", 32), ("densenet40_k12", 32)])
def test_the_tables_totals_are_an_independent_count(name: str, side: int) -> None:
    spec = DENSE_PRESETS[name]
    table = layer_table(spec, side)
    counted = torchinfo.summary(skeleton(spec), (1, 3, side, side), verbose=0, device="meta")
    weighed = (info for info in counted.summary_list if isinstance(info.module, torch.nn.Conv2d | torch.nn.Linear))
    # it gives norms some too, and takes the classifier's bias for as many
    assert (table.params, table.macs + spec.classes) == (counted.total_params, sum(info.macs for info in weighed))


@pytest.mark.parametrize("side", [9, 12])
@pytest.mark.parametrize(
    "spec",
    [
        SMALL,
        SMALL_BC,
        replace(SMALL, norm=Norm.NONE, activation=Activation.GELU),
        replace(SMALL_BC, norm=Norm.GROUP),
        DenseSpec((2, 1), 4, 2, 50, DENSE_PRESETS["densenet121"].stem, 8),
    ],
    ids=describe,
)
def test_its_table_is_that_of_a_real_pass(spec: DenseSpec, side: int) -> None:
    net, seen, table = build(spec), {}, layer_table(spec, side)
    for name, module in net.named_modules():
        module.register_forward_hook(lambda _m, _i, out, name=name: seen.__setitem__(name, tuple(out.shape[1:])))
    net(picture(side))
    assert table.params == sum(parameter.numel() for parameter in net.parameters())
    assert {row.name: row.out_shape for row in table.rows} == {row.name: seen[row.name] for row in table.rows}
    assert [row.name for row in table.rows if row.joins == "concat"] == list(spec.block_names())


def test_every_layer_sees_further() -> None:
    fields = [row.receptive_field for row in layer_table(SMALL, 32).rows if row.joins]
    assert fields == [5, 7, 9, 14, 18]  # 3×3 each, behind a 2×2 pool at twice the distance


@torch.no_grad()
def test_a_cut_source_is_read_as_zeros() -> None:
    whole, x = build(SMALL).eval(), torch.randn(1, 6 + 8, 5, 5)
    spec = replace(SMALL, severed=frozenset({(f"{FIRST}3", 1)}))
    net = build(spec).eval()
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in whole.state_dict().items())
    silenced = x.clone()
    silenced[:, 6:10] = 0
    expected = whole.get_submodule(f"{FIRST}3")(silenced)
    made = net.get_submodule(f"{FIRST}3")(x)
    assert torch.equal(made, torch.cat((x, expected[:, 14:]), 1))  # what it hands on is whole
    net.wire(SMALL)
    assert torch.equal(net(picture()), whole(picture()))


@torch.no_grad()
def test_without_skips_each_layer_reads_the_one_before_it() -> None:
    net, x = build(SMALL.plain()).eval(), picture()
    entered = net.stem(x)
    for name in SMALL.block_names():
        if name.startswith(FIRST):
            made = net.get_submodule(name).residual(entered)
            entered = torch.cat((torch.zeros(*entered.shape[:2], 12, 12), made), 1)
    seen = {}
    net.get_submodule("features.denseblock1").register_forward_hook(lambda _m, _i, out: seen.setdefault("out", out))
    net(x)
    assert torch.equal(seen["out"], entered)
    every = replace(SMALL, cut=frozenset(SMALL.block_names()))
    assert torch.equal(build(every).eval()(x), net(x))


@torch.no_grad()
def test_a_dropped_layer_makes_zeros() -> None:
    net = build(replace(SMALL, dropped=frozenset({f"{FIRST}2"}))).eval()
    x = torch.randn(1, 10, 5, 5)
    assert torch.equal(net.get_submodule(f"{FIRST}2")(x), torch.cat((x, torch.zeros(1, 4, 5, 5)), 1))


def test_who_reads_what() -> None:
    def unread(**changes: object) -> list[str]:
        spec = replace(SMALL, **changes)
        return [name.removeprefix(FIRST) for name in spec.block_names() if spec.unread(name)]

    one, two, three = (f"{FIRST}{n}" for n in (1, 2, 3))
    assert unread() == []
    assert unread(cut=frozenset({two}), severed=frozenset({(two, 1)})) == ["1"]
    assert unread(cut=frozenset({three}), severed=frozenset({(three, 2)})) == ["2"]
    assert unread(cut=frozenset({three}), severed=frozenset({(three, 2), (three, 1)})) == ["1", "2"]
    assert unread(severed=frozenset({(three, 2)})) == []  # the transition reads it
    zeros = [
        name
        for name in SMALL.block_names()
        if replace(SMALL, cut=frozenset({one}), severed=frozenset({(two, 0)})).reads_zeros(name)
    ]
    assert zeros == [two, three]
    assert SMALL.sources(three) == (("stem", 6), (one, 4), (two, 4))


@pytest.mark.parametrize("name", DENSE_PRESETS)
def test_presets_round_trip_through_the_url(name: str) -> None:
    spec = DENSE_PRESETS[name]
    assert from_query(to_query_string(spec)) == (spec, ())
    assert from_query(f"net={name}") == (spec, ())
    assert preset_of(spec) == name.removeprefix("plain_")


def test_links_carry_the_family_and_what_is_cut() -> None:
    spec = DenseSpec(
        cut=frozenset({f"{FIRST}12", f"{FIRST}2"}),
        dropped=frozenset({"features.denseblock3.denselayer1"}),
        severed=frozenset({(f"{FIRST}11", 0), (f"{FIRST}3", 2)}),
        init=Init.PYTORCH,
    )
    query = to_query_string(spec)
    assert query == "family=densenet&cut=1.2,1.12&dropped=3.1&severed=1.3-2,1.11-0&init=pytorch"
    assert from_query(query) == (spec, ())
    assert from_query("blocks=2-2")[0] == NetSpec(blocks=(2, 2))
    assert from_query("family=densenet")[0] == DenseSpec()
    for broken, said in (
        ("family=vgg", "family='vgg' is none"),
        ("family=resnet&net=densenet121", "none of family=resnet"),
        ("family=densenet&width=16&groups=2", "'groups' is not a parameter"),
        ("family=densenet&severed=1.3", "severed='1.3' cannot be read"),
        ("family=densenet&severed=1.3-7", "source 7"),
    ):
        assert said in from_query(broken)[1][0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"blocks": ()}, "try \\(12, 12, 12\\)"),
        ({"growth": 0}, "growth must be from 1 to 256"),
        ({"compression": 1, "width": 1, "blocks": (1, 1)}, "leaves no channel"),
        ({"init": Init.FIXUP}, "init=fixup"),
        ({"cut": frozenset({"features.denseblock4.denselayer1"})}, "does not have"),
        ({"severed": frozenset({(f"{FIRST}1", 0)})}, "no source to read"),
        ({"residual": False, "dropped": frozenset({f"{FIRST}1"})}, "use residual=1"),
    ],
)
def test_impossible_specs_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        replace(DenseSpec(), **changes)


def test_depth_and_names_are_the_papers() -> None:
    assert [DENSE_PRESETS[name].depth for name in TORCHVISION] == [121, 161, 169, 201]
    assert describe(DENSE_PRESETS["densenet_bc100_k12"]) == "DenseNet-BC-100 · k=12 · BN · Kaiming"
    assert describe(replace(DenseSpec(), cut=frozenset({f"{FIRST}1"}))).endswith("1 skip cut")
    assert dense_blocks(100, bottleneck=True) == (16, 16, 16)
    with pytest.raises(SpecError, match="the nearest is 40"):
        dense_blocks(41)


def test_what_the_caption_says_of_zeros() -> None:
    third = f"{FIRST}3"
    spec = replace(
        SMALL, cut=frozenset({third}), severed=frozenset({(third, 2)}), dropped=frozenset({"features.denseblock2.denselayer1"})
    )
    net = build(spec).train()
    note = gradient_note(spec, gradient_probe(net, torch.randn(8, 3, 8, 8), torch.arange(8)))
    assert note.startswith("**With 4 of 5 skips, 1 connection cut, 1 layer dropped** the gradient ")
    assert "1 convolution gets exactly 0 by construction: their branch is dropped." in note
    assert "1 convolution gets exactly 0 by construction: every layer that could read what they make is cut off from it." in note


def test_each_source_is_a_click_under_the_opened_layer() -> None:
    third = f"{FIRST}3"
    table = layer_table(replace(SMALL, severed=frozenset({(third, 1)}), cut=frozenset({third})), 16)
    shapes = [shape for shape in block_diagram(table, third).shapes if shape.action.startswith("sever:")]
    assert [(shape.action, shape.css, shape.pressed) for shape in shapes] == [
        (f"sever:{third}<all", "small", None),
        (f"sever:{third}<0", "layer", True),
        (f"sever:{third}<1", "hollow", False),
        (f"sever:{third}<2", "layer", True),
    ]
    assert shapes[0].text == "reads 10 of 14 channels"
    assert shapes[2].label == f"4 channels of {FIRST}1, read as zeros; click to restore this connection"
    assert SMALL.reading(third).severed == {(third, 0), (third, 1)}  # all but the nearest
    assert SMALL.reading(third).reading(third) == SMALL
    whole = network_diagram(table).shapes
    assert [(s.name, s.css) for s in whole if s.action.startswith("cut:")][2] == (third, "arc cut")
    assert "features.transition1.conv" in {s.name for s in whole}
    assert SMALL.plain().toggled(third).has_skip(third)


def test_it_learns_in_the_lab_and_its_link_replays_it() -> None:
    spec = DenseSpec((2, 2), 4, width=4, in_channels=1)
    second = f"{FIRST}2"
    plan = LabPlan((spec, spec.plain()), batch=16, seed=1, edits=(Edit(2, "cut", 0, second),))
    query = plan_to_query(plan)
    assert query["edits"] == "2:cut:a:1.2"
    assert plan_from_query(query) == (plan, ())
    assert comparison_of(DENSE_COMPARISONS["DenseNet or plain"](40)) == "DenseNet or plain"
    lab = Lab(plan, digits_split)
    with fitting_threads(8):
        for _ in range(2):
            lab.advance()
    assert lab.specs[0].cut == {second}
    record = lab.record()
    assert record is not None
    assert [track.label for track in record.tracks] == ["DenseNet-7", "Plain DenseNet-7"]
    assert (record.tracks[0].gradients > 0).all()
    assert not [found for found in findings(record, 2) if found.kind == "dead"]  # zeros that are read kill nothing


@pytest.mark.parametrize("command", ["train --net densenet121 --data digits", "shatter densenet121"])
def test_what_knows_resnets_alone_says_so(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*command.split(), *(["--out", "x"] if "train" in command else [])]) != 0
    assert "is a DenseNet-121, and this command knows ResNets alone" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_reuse_is_the_mean_weight_of_each_source() -> None:
    net = build(SMALL_BC)
    maps = feature_reuse(net)
    assert [(each.block, each.readers) for each in maps] == [
        ("denseblock1", ("1", "2", "3", "transition1")),
        ("denseblock2", ("1", "2", "classifier")),
    ]
    weight = net.get_submodule(f"{FIRST}3").conv1.weight.abs()  # reads 6 + 4 + 4 channels
    expected = [weight[:, :6].mean().item(), weight[:, 6:10].mean().item(), weight[:, 10:].mean().item(), math.nan]
    assert maps[0].values[:, 2] == pytest.approx(expected, rel=1e-5, nan_ok=True)
    ends = net.classifier.weight.abs()  # 9 channels come through the transition, then 4 and 4
    assert maps[1].values[:, 2] == pytest.approx(
        [ends[:, :9].mean().item(), *(ends[:, at : at + 4].mean().item() for at in (9, 13))], rel=1e-5
    )
    second = f"{FIRST}2"
    cut = feature_reuse(build(replace(SMALL_BC, cut=frozenset({second}), severed=frozenset({(f"{FIRST}3", 2)}))))[0]
    assert [[*map(math.isnan, row)] for row in cut.values.tolist()] == [
        [False, False, True, True],  # what came before the second layer ends there
        [True, False, True, True],
        [True, True, True, False],
        [True, True, True, False],
    ]


def test_reuse_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "reuse.html"
    assert main(["reuse", "family=densenet&blocks=2-2&growth=4", "--steps", "2", "--json", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [len(block["values"]) for block in found["blocks"]] == [3, 3]
    assert found["blocks"][0]["values"][1][0] is None
    assert "after 2 steps on digits" in found["says"]
    assert out.stat().st_size > 1000
    assert main(["reuse", "resnet20"]) == 2
    assert "is a ResNet-20, whose layers read one source" in capsys.readouterr().err


def test_its_profile_is_level_and_its_chains_is_not() -> None:
    digits = probe_batch(64, 3, 8, 10)
    with fitting_threads(8):
        probes = {spec: gradient_probe(build(spec).train(), *digits) for spec in (DenseSpec(), DenseSpec().plain())}
    assert [judge(probe.profile, spec, probe.signal).kind for spec, probe in probes.items()] == ["level", "explodes"]
