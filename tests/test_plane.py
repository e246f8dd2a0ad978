"""MLPs on points of the plane: their table, their skips, their data, and what the lab makes of them."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest
import torch
import torchinfo

from resviz.cli import main
from resviz.data.datasets import sets_of
from resviz.data.points import DRAWERS, points, points_batch
from resviz.figures.diagram import network_diagram
from resviz.figures.plane import plane_data
from resviz.judgement import judge
from resviz.machine import fitting_threads
from resviz.nets.build import build, skeleton
from resviz.nets.cost import layer_table
from resviz.probes.gradients import gradient_probe
from resviz.probes.plane import UNITS, Watch, plane_map
from resviz.results import PlaneMap
from resviz.spec.comparisons import PLANE_COMPARISONS, against_plain, as_deep, comparison_of
from resviz.spec.datasets import POINTS
from resviz.spec.families import preset_of
from resviz.spec.lab import Edit, LabPlan, plan_from_query, plan_to_query
from resviz.spec.names import describe
from resviz.spec.net import Init, NetSpec, Norm, SpecError
from resviz.spec.plane import PLANE_PRESETS, Feature, PlaneSpec
from resviz.spec.query import from_query, to_query_string
from resviz.training.lab import Lab

SMALL = PlaneSpec((2,), 8)
EVERY = tuple(Feature)
SPIRALS = PLANE_COMPARISONS["Points in the plane"](20)


def some_points(count: int = 16) -> torch.Tensor:
    return 4 * torch.randn(count, 2, 1, 1, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "spec", [PlaneSpec(), replace(SMALL, norm=Norm.BATCH, features=EVERY), PLANE_PRESETS["plain_mlp100"]], ids=describe
)
def test_the_tables_totals_are_an_independent_count(spec: PlaneSpec) -> None:
    table = layer_table(spec, 1)
    counted = torchinfo.summary(skeleton(spec), (1, 2, 1, 1), verbose=0, device="meta")
    weighed = [info for info in counted.summary_list if isinstance(info.module, torch.nn.Conv2d | torch.nn.Linear)]
    biases = sum(info.module.bias.numel() for info in weighed if info.module.bias is not None)  # it counts each as one
    assert (table.params, table.macs + biases) == (counted.total_params, sum(info.macs for info in weighed))
    assert table == layer_table(spec, 224)  # a point has no side


@torch.no_grad()
def test_a_unit_is_full_pre_activation_and_a_cut_one_two_layers_of_an_mlp() -> None:
    net = build(replace(SMALL, cut=frozenset({"layer1.1"})))
    state = {name: value.flatten(1) if value.dim() == 4 else value for name, value in net.state_dict().items()}

    def layer(name: str, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    x = some_points()
    by_hand = layer("conv1", x.flatten(1))
    for block, skip in (("layer1.0", 1), ("layer1.1", 0)):
        made = layer(f"{block}.conv2", layer(f"{block}.conv1", by_hand.relu()).relu())
        by_hand = made + skip * by_hand
    torch.testing.assert_close(net(x), layer("fc", by_hand.relu()))


def test_what_is_read_of_a_point() -> None:
    net = build(replace(SMALL, features=EVERY))
    read = net.get_submodule("points")(torch.tensor([2.0, -3.0]).view(1, 2, 1, 1)).flatten()
    x, y = torch.tensor(2.0), torch.tensor(-3.0)
    assert torch.equal(read, torch.stack([x, y, x * x, y * y, x * y, torch.sin(x), torch.sin(y)]))
    assert describe(replace(SMALL, features=(Feature.X, Feature.SIN_Y))) == (
        "MLP-6 (width 8) · reads x, sin y · no norm · PyTorch init"
    )


@pytest.mark.parametrize("name", sorted(PLANE_PRESETS))
def test_presets_go_through_links(name: str) -> None:
    spec = PLANE_PRESETS[name]
    assert from_query(to_query_string(spec)) == (spec, ())
    assert from_query(f"net={name}") == (spec, ())
    assert preset_of(spec) == name.removeprefix("plain_")
    assert spec.depth == int(name.rpartition("mlp")[2])


def test_a_link_holds_features_cuts_and_depth() -> None:
    spec = PlaneSpec((14,), 24, (Feature.X, Feature.XY, Feature.SIN_Y), cut=frozenset({"layer1.3"}), init=Init.KAIMING)
    query = to_query_string(spec)
    assert query == "family=plane&blocks=14&width=24&features=x-xy-siny&cut=1.3&init=kaiming"
    assert from_query(query) == (spec, ())
    assert "features='x-z' cannot be read" in from_query("family=plane&features=x-z")[1][0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"blocks": (2, 2)}, "one count from 1 to 49"),
        ({"blocks": (50,)}, "one count from 1 to 49"),
        ({"features": ()}, "one or more, each once, got none"),
        ({"features": (Feature.X, Feature.X)}, "got x-x"),
        ({"in_channels": 3}, "in_channels must be from 2 to 2, got 3"),
        ({"init": Init.FIXUP}, "use init=pytorch"),
        ({"norm": Norm.GROUP, "width": 9}, "use an even width"),
        ({"cut": frozenset({"layer1.2"})}, "does not have"),
        ({"residual": False, "dropped": frozenset({"layer1.0"})}, "use residual=1"),
    ],
)
def test_impossible_specs_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        replace(SMALL, **changes)


def test_without_skips_the_gradient_vanishes_and_with_them_it_is_level() -> None:
    batch = points_batch(64, 2)
    specs = (PlaneSpec(), PlaneSpec().plain())
    probes = [gradient_probe(build(spec).train(), *batch) for spec in specs]
    assert [judge(p.profile, s, p.signal).kind for p, s in zip(probes, specs, strict=True)] == ["level", "vanishes"]


def test_the_diagram_has_an_arc_a_block() -> None:
    shapes = network_diagram(layer_table(replace(SMALL, cut=frozenset({"layer1.1"})), 1)).shapes
    assert [(s.name, s.pressed) for s in shapes if s.action.startswith("cut:")] == [("layer1.0", True), ("layer1.1", False)]
    assert {"point"} <= {s.text for s in shapes}


def test_the_command_line_knows_the_family(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "family=plane&blocks=2"]) == 0
    assert "MLP-6 (width 16) · no norm · PyTorch init: 1,170 parameters" in capsys.readouterr().out
    assert main(["gradients", "plain_mlp20"]) == 0
    assert "64 points of the spirals. Without skips the gradient vanishes" in capsys.readouterr().out
    assert main(["shatter", "mlp20"]) != 0
    assert "is a MLP-20, and this command knows ResNets alone" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------ data


@pytest.mark.parametrize("name", sorted(DRAWERS))
def test_half_of_the_points_is_held_out_and_a_seed_repeats_them(name: str) -> None:
    train, test = points(name)
    assert (len(train), len(test)) == (POINTS // 2, POINTS // 2)
    assert tuple(train.images.shape[1:]) == (2, 1, 1)
    every, again = (torch.cat([half.images for half in halves]) for halves in (points(name), points(name, 0, 20)))
    assert torch.equal(every, again)  # another share, the same points
    assert not torch.equal(every, torch.cat([half.images for half in points(name, seed=1)]))
    assert torch.equal(train.normalised(train.images), train.images)
    labels = torch.cat([train.labels, test.labels])
    assert 0.4 < labels.float().mean() < 0.6
    assert every.abs().max() < 6


def test_the_shapes_are_playgrounds() -> None:
    """Its dataset.ts: a disc within a ring, four squares, two clouds, two arms of 1.75 turns."""

    def drawn(name: str, noise: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        halves = points(f"plane-{name}", noise)
        return torch.cat([h.images for h in halves]).flatten(1), torch.cat([h.labels for h in halves]).bool()

    at, label = drawn("circle")
    radius = at.norm(dim=1)
    assert radius[label].max() <= 2.5
    assert radius[~label].min() >= 3.5
    at, label = drawn("xor")
    assert torch.equal(at.prod(1) > 0, label)
    assert at.abs().min() >= 0.3
    at, label = drawn("gaussians", 50)
    assert at[label].mean(0).tolist() == pytest.approx([2, 2], abs=0.5)
    assert at[~label].var(0).tolist() == pytest.approx([4, 4], abs=1.2)
    at, label = drawn("spirals")
    along = at.norm(dim=1) / 5
    turned = 1.75 * 2 * torch.pi * along + torch.where(label, 0.0, torch.pi)
    torch.testing.assert_close(at, 5 * along[:, None] * torch.stack([turned.sin(), turned.cos()], 1), atol=1e-4, rtol=0)
    moved = (drawn("spirals", 30)[0] - at).abs()
    assert 0.2 < moved.max() <= 0.3 + 1e-6


def test_noise_turns_labels_round() -> None:
    def wrong(noise: int) -> float:
        halves = points("plane-xor", noise)
        at, label = torch.cat([h.images for h in halves]).flatten(1), torch.cat([h.labels for h in halves]).bool()
        return ((at.prod(1) > 0) != label).float().mean().item()

    assert wrong(0) == 0 < wrong(10) < wrong(50) < 0.5


# ------------------------------------------------------------------------------------------ the lab


def test_a_plans_link_holds_its_points() -> None:
    spec = PlaneSpec(cut=frozenset({"layer1.3"}))
    plan = LabPlan(
        (spec, spec.plain()), "plane-xor", 0.05, seed=3, steps=40, noise=15, share=70, edits=(Edit(2, "restore", 0, "layer1.3"),)
    )
    query = plan_to_query(plan)
    assert (query["data"], query["noise"], query["share"], query["edits"]) == ("plane-xor", "15", "70", "2:restore:a:1.3")
    assert plan_from_query(query) == (plan, ())
    assert (len(sets_of(plan)[0]), len(sets_of(plan)[1])) == (350, 150)
    assert plan_from_query({"a": "family=plane"})[0] == LabPlan((PlaneSpec(),), "plane-spirals")
    found, problems = plan_from_query({"a": "family=plane", "noise": "77"})
    assert found == LabPlan((PlaneSpec(),), "plane-spirals")
    assert "noise must be from 0 to 50, got 77" in problems[0]


def test_data_that_do_not_fit_are_refused_in_a_sentence() -> None:
    with pytest.raises(SpecError, match="data=digits does not fit MLP-20, which learns from plane-spirals, plane-circle"):
        LabPlan((PlaneSpec(),))
    with pytest.raises(SpecError, match="data=plane-xor does not fit ResNet-56, which learns from digits"):
        LabPlan((NetSpec(),), "plane-xor")
    with pytest.raises(SpecError, match="MLP-20 and ResNet-56 share no data"):
        LabPlan((PlaneSpec(), NetSpec()), "plane-xor")
    found, problems = plan_from_query({"a": "family=plane", "b": "net=resnet20"})
    assert found is not None
    assert found.contenders == (PlaneSpec(),)
    assert "share no data" in problems[0]


def test_comparisons_deepen_and_know_themselves() -> None:
    assert comparison_of(SPIRALS) == "Points in the plane"
    assert comparison_of(replace(SPIRALS, data="plane-xor", seed=4)) == "Points in the plane"
    assert [as_deep(PlaneSpec(), depth).depth for depth in (4, 30, 31, 100, 1000)] == [4, 30, 30, 100, 100]
    assert against_plain(PlaneSpec().plain()) == SPIRALS


@torch.no_grad()
def test_a_map_is_the_networks_answer_to_each_point() -> None:
    net, held_out = build(replace(SMALL, norm=Norm.BATCH)), points("plane-xor")[1]
    net.train()
    net(some_points())  # so that running statistics differ from the batch's
    seen = plane_map(net, held_out, "layer1.0")
    assert net.training
    net.eval()
    at = torch.tensor([6 - 6 / 64, 6 - 18 / 64]).view(1, 2, 1, 1)  # the last column, the second row from above
    assert seen.chance[1, 63] == pytest.approx(torch.softmax(net(at), 1)[0, 1].item(), abs=1e-5)
    block = net.get_submodule("layer1.0")(net.stem(torch.tensor([-6 + 6 / 64, 6 - 6 / 64]).view(1, 2, 1, 1)))
    assert seen.units[:, 0, 0] == pytest.approx(block.flatten().numpy(), abs=1e-5)
    logits = net(held_out.images)
    assert seen.loss == pytest.approx(torch.nn.functional.cross_entropy(logits, held_out.labels).item(), rel=1e-4)
    assert seen.right == pytest.approx(100 * (logits.argmax(1) == held_out.labels).float().mean().item())
    assert plane_map(net, held_out, "layer9.9").units.size == 0
    assert plane_map(build(replace(SMALL, width=40)), held_out).units.shape == (UNITS, 32, 32)


def test_what_the_page_is_sent_of_a_map() -> None:
    half = np.array([[0.0, 0.5, 1.0, np.nan]], np.float32)
    unit = np.array([[[0, -4, 2, np.inf]]], np.float32)
    data = plane_data([PlaneMap(7, "A", half, "conv1", unit, 0.5, 75, np.array([[1.234, -2]], np.float32), np.array([1]))])
    (sent,) = data["contenders"]
    assert [*base64.b64decode(sent["map"])] == [1, 128, 255, 128]
    assert [*base64.b64decode(sent["units"][0])] == [128, 1, 192, 255]
    assert (data["step"], data["points"]) == (7, [[1.23, -2.0, 1]])


def test_a_watch_looks_now_and_then_and_at_once_where_asked() -> None:
    net, held_out = build(SMALL), points("plane-circle")[1]
    watch = Watch()
    for step in (1, 2):
        watch.look([("A", net)], held_out, step)
    assert [(each.label, each.step, each.layer) for each in watch.maps] == [("A", 1, "conv1")]
    watch.layer = "layer1.1"
    watch.look([("A", net)], held_out, 3, at_once=True)
    assert [(each.step, each.layer) for each in watch.maps] == [(3, "layer1.1")]


def test_the_residual_one_learns_the_spirals_and_the_plain_one_does_not_move() -> None:
    lab = Lab(SPIRALS, lambda: sets_of(SPIRALS))
    with fitting_threads(1):
        for _ in range(350):
            lab.advance()
    record = lab.record()
    assert record is not None
    with_skips, without = (track.held_out[:, 0] for track in record.tracks)
    assert with_skips.min() < 0.2
    assert abs(without[1:] - torch.tensor(2.0).log().item()).max() < 0.03  # guessing between two
    assert [track.label for track in record.tracks] == ["MLP-20", "Plain MLP-20"]
