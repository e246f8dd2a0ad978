"""U-Nets: their table, their long and short skips, their data, and what the lab makes of them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torchinfo
from torch import nn
from torch.nn import functional as F

from resviz.cli import main
from resviz.data.datasets import named_sets
from resviz.data.pixels import discs, pixels_batch
from resviz.figures.captions import long_skips_note, middle_update
from resviz.figures.diagram import block_diagram, network_diagram
from resviz.figures.masks import strip
from resviz.judgement import judge
from resviz.machine import fitting_threads
from resviz.nets.build import build, skeleton
from resviz.nets.cost import layer_table
from resviz.probes.accuracy import agreement, evaluate, percent_right
from resviz.probes.gradients import gradient_probe
from resviz.probes.masks import MaskWatch, masks_of
from resviz.spec.choices import Init, Norm, Span
from resviz.spec.comparisons import UNET_COMPARISONS, against_plain, as_deep, comparison_of
from resviz.spec.families import preset_of
from resviz.spec.lab import Edit, LabPlan, fitting_data, plan_from_query, plan_to_query
from resviz.spec.names import describe
from resviz.spec.net import NetSpec, SpecError
from resviz.spec.query import from_query, to_query_string
from resviz.spec.unet import UNET_PRESETS, UNetSpec
from resviz.training.lab import Lab

TINY = UNetSpec((1, 1, 1), 4)
PAPER = UNET_PRESETS["unet"]


def a_picture(side: int = 16, count: int = 2) -> torch.Tensor:
    return torch.randn(count, 1, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("spec", [UNetSpec(), UNET_PRESETS["plain_unet_deep"], PAPER], ids=describe)
def test_the_tables_totals_are_an_independent_count(spec: UNetSpec) -> None:
    table = layer_table(spec, 32)
    counted = torchinfo.summary(skeleton(spec), (1, 1, 32, 32), verbose=0, device="meta")
    weighed = [info for info in counted.summary_list if isinstance(info.module, nn.Conv2d | nn.ConvTranspose2d)]
    macs = 0
    for info in weighed:
        bias = 0 if info.module.bias is None else info.module.bias.numel()
        places = info.output_size[-1] * info.output_size[-2]
        # it multiplies every weight with every place, where a transposed convolution of stride 2 meets each with a quarter
        macs += (info.macs - bias * places) // (4 if isinstance(info.module, nn.ConvTranspose2d) else 1)
    # modules call each other here, so that its own total takes what stands between two calls for a container's
    params = sum(info.num_params for info in counted.summary_list if not list(info.module.children()))
    assert (table.params, table.macs) == (params, macs)


def test_the_papers_network_has_its_layers() -> None:
    assert (PAPER.depth, PAPER.title) == (23, "U-Net-23")  # section 2: 23 convolutional layers
    assert [PAPER.channels(level) for level in range(5)] == [64, 128, 256, 512, 1024]
    assert layer_table(PAPER, 32).params == 31_030_658


def test_the_receptive_field_is_what_positions_see_in_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pixels with a gradient, under weights that are all positive and pools that let all of it through."""
    monkeypatch.setattr(nn.MaxPool2d, "forward", lambda _pool, x: F.avg_pool2d(x, 2))
    spec, side, seen = UNetSpec(blocks=(1, 1, 1)), 160, {}
    net = build(spec).eval().double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.abs_().add_(0.1)
    for name, module in net.named_modules():
        module.register_forward_hook(lambda _m, _i, out, name=name: seen.__setitem__(name, out))
    x = torch.ones(1, spec.in_channels, side, side, dtype=torch.float64, requires_grad=True)
    net(x)
    for row in layer_table(spec, side).rows:
        if not row.kind.startswith("conv"):
            continue
        middle = seen[row.name].shape[-1] // 2
        spans = []
        for place in range(middle, middle + 2 ** (spec.levels + 1)):
            (gradient,) = torch.autograd.grad(seen[row.name][0, :, middle, place].sum(), x, retain_graph=True)
            columns = torch.nonzero(gradient.abs().sum((0, 1, 2))).flatten()
            spans.append(int(columns[-1] - columns[0]) + 1)
        assert np.mean(spans) == row.receptive_field, row.name


@torch.no_grad()
def test_a_pass_by_hand() -> None:
    net = build(TINY).eval()
    x = a_picture()

    def block(name: str, x: torch.Tensor) -> torch.Tensor:
        unit = net.get_submodule(name)
        made = unit.norm2(unit.conv2(F.relu(unit.norm1(unit.conv1(x)))))
        return F.relu(made + (unit.downsample(x) if unit.downsample is not None else x))

    first = block("down1.0", x)
    second = block("down2.0", F.max_pool2d(first, 2))
    middle = block("middle.0", F.max_pool2d(second, 2))
    up2 = block("up2.0", torch.cat((second, net.get_submodule("up2.up")(middle)), 1))
    up1 = block("up1.0", torch.cat((first, net.get_submodule("up1.up")(up2)), 1))
    assert torch.equal(net(x), net.get_submodule("out")(up1))
    assert net(x).shape == (2, 2, 16, 16)


@torch.no_grad()
def test_a_cut_long_skip_leaves_zeros_and_a_cut_short_one_f_alone() -> None:
    whole, net = build(TINY).eval(), build(replace(TINY, cut=frozenset({"up1.long", "down1.0"}))).eval()
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in whole.state_dict().items())
    seen: dict[str, torch.Tensor] = {}
    for name in ("down1.0", "up1.up", "up1.long"):
        net.get_submodule(name).register_forward_hook(lambda _m, _x, out, name=name: seen.__setitem__(name, out))
    x = a_picture()
    out = net(x)
    unit = net.get_submodule("down1.0")
    assert torch.equal(seen["down1.0"], F.relu(unit.residual(x)))
    assert torch.equal(seen["up1.long"], torch.cat((torch.zeros_like(seen["down1.0"]), seen["up1.up"]), 1))
    whole.wire(net.spec)
    assert torch.equal(whole(x), out)


def test_without_short_skips_a_block_is_the_papers_and_weights_agree() -> None:
    both, long = (build(replace(TINY, span=span)).state_dict() for span in (Span.BOTH, Span.LONG))
    assert {name for name in both if name not in long} == {
        f"{block}.downsample.weight" for block in ("down1.0", "down2.0", "middle.0", "up2.0", "up1.0")
    }
    assert all(torch.equal(value, both[name]) for name, value in long.items())


@pytest.mark.parametrize("init", [Init.KAIMING, Init.XAVIER, Init.PYTORCH])
def test_up_convolutions_begin_with_the_sum_of_as_many_terms_as_channels(init: Init) -> None:
    up = build(UNetSpec((1, 1), 64, init=init)).get_submodule("up1.up").weight
    wanted = {Init.KAIMING: 2 / 128, Init.XAVIER: 2 / 192, Init.PYTORCH: 1 / (3 * 128)}[init]
    assert up.shape == (128, 64, 2, 2)
    assert up.var().item() == pytest.approx(wanted, rel=0.03)


@pytest.mark.parametrize("name", sorted(UNET_PRESETS))
def test_presets_go_through_links(name: str) -> None:
    spec = UNET_PRESETS[name]
    assert from_query(to_query_string(spec)) == (spec, ())
    assert from_query(f"net={name}") == (spec, ())
    assert preset_of(spec) == name.removeprefix("plain_")


def test_a_link_holds_cuts_by_their_names() -> None:
    spec = UNetSpec((1, 2, 1), 12, cut=frozenset({"up1.long", "down2.1"}), dropped=frozenset({"middle.0"}), norm=Norm.GROUP)
    query = to_query_string(spec)
    assert query == "family=unet&blocks=1-2-1&width=12&cut=down2.1,up1.long&dropped=middle.0&norm=group"
    assert from_query(query) == (spec, ())
    assert "cut='up1.wide' cannot be read" in from_query("family=unet&cut=up1.wide")[1][0]
    assert describe(spec) == "U-Net-17 (1-2-1, width 12) · GN · Kaiming · 2 skips cut · 1 branch dropped"
    assert describe(replace(TINY, span=Span.SHORT)) == "U-Net-13 (1-1-1, width 4) · short skips alone · BN · Kaiming"


def test_a_click_toggles_one_skip_and_leaves_the_others() -> None:
    long = replace(TINY, span=Span.LONG)
    assert long.toggled("up1.long") == replace(long, cut=frozenset({"up1.long"}))
    mixed = long.toggled("down1.0")
    assert {name for name in mixed.block_names() if mixed.has_skip(name)} == {"up1.long", "up2.long", "down1.0"}
    restored = TINY.plain().toggled("up2.long")
    assert {name for name in restored.block_names() if restored.has_skip(name)} == {"up2.long"}
    assert TINY.toggled("middle.0").toggled("middle.0") == TINY


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"blocks": (1,)}, "2 to 6 counts from 1 to 16"),
        ({"blocks": (1, 17)}, "2 to 6 counts from 1 to 16"),
        ({"width": 0}, "width must be from 1 to 256, got 0"),
        ({"classes": 1}, "classes must be from 2"),
        ({"init": Init.FIXUP}, "use init=kaiming"),
        ({"cut": frozenset({"up3.long"})}, "does not have"),
        ({"dropped": frozenset({"up1.long"})}, "choose a block that has one"),
        ({"span": Span.LONG, "dropped": frozenset({"middle.0"})}, "choose a block that has one"),
    ],
)
def test_impossible_specs_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        replace(TINY, **changes)


def test_a_side_that_cannot_be_halved_is_refused() -> None:
    said = "30 px cannot be halved 2 times; use 32 px, or fewer levels"
    with pytest.raises(SpecError, match=said):
        layer_table(TINY, 30)
    with pytest.raises(SpecError, match=said):
        build(TINY)(a_picture(30))


def test_the_diagram_has_long_arcs_over_short_ones() -> None:
    shapes = network_diagram(layer_table(replace(TINY, cut=frozenset({"up2.long"})), 32)).shapes
    arcs = {s.name: s for s in shapes if s.action.startswith("cut:")}
    assert [(name, s.pressed) for name, s in arcs.items() if name.endswith("long")] == [("up2.long", False), ("up1.long", True)]
    assert set(arcs) == set(TINY.block_names())
    tops = {name: float(str(s.attrs["d"]).split("Q")[1].split()[1].split("Q")[0].split("L")[0]) for name, s in arcs.items()}
    assert tops["up1.long"] < tops["up2.long"] < tops["down1.0"]
    places = {s.name: float(s.attrs["x"]) for s in shapes if s.tag == "rect" and s.css == "layer"}
    start = float(arcs["up1.long"].attrs["d"].split()[0].removeprefix("M"))
    assert places["down1.0.conv2"] < start < places["down2.0.conv1"]
    plain = network_diagram(layer_table(TINY.plain(), 32)).shapes
    assert {s.name for s in plain if s.css == "arc cut"} == {"up2.long", "up1.long"}  # there is room for what they bring
    names = {s.name for s in block_diagram(layer_table(TINY, 32), "up1.long").shapes}
    assert names == {"", "up1.up", "up1.long"}


def test_every_layer_gets_its_gradient_and_a_cut_projection_none() -> None:
    spec = replace(TINY, cut=frozenset({"down1.0"}))
    net, batch = build(spec).train(), pixels_batch(8, 1, 16, 2)
    probe = gradient_probe(net, *batch)
    F.cross_entropy(net(batch[0]), batch[1]).backward()
    expected = {name: 0.0 if w.grad is None else w.grad.norm().item() for name, w in net.weights().items()}
    assert dict(zip(probe.profile.names, probe.profile.norms.tolist(), strict=True)) == pytest.approx(expected, rel=1e-4)
    assert probe.signal.names == tuple(spec.block_names())
    assert judge(probe.profile, spec, probe.signal).zeros == {"cut": ("down1.0.downsample",)}


def test_iou_is_counted_over_batches() -> None:
    labels = torch.tensor([[[0, 1], [1, 1]], [[0, 0], [0, 1]]])
    answers = torch.tensor([[[0, 1], [1, 0]], [[1, 0], [0, 1]]])
    logits = F.one_hot(answers, 2).permute(0, 3, 1, 2).float()
    assert percent_right(agreement(logits, labels)) == pytest.approx(100 * 3 / 5)
    assert percent_right(agreement(logits[:1], labels[:1]) + agreement(logits[1:], labels[1:])) == pytest.approx(100 * 3 / 5)
    assert percent_right(agreement(torch.eye(3), torch.tensor([0, 1, 1]))) == pytest.approx(100 * 2 / 3)
    nothing = torch.zeros(1, 2, 2, 2)
    assert percent_right(agreement(nothing, torch.zeros(1, 2, 2, dtype=torch.int64))) == 100  # none is there, and none is said


@pytest.mark.parametrize("name", ["discs", "noisy-digits"])
def test_data_have_a_class_for_every_pixel(name: str) -> None:
    train, held_out = named_sets(name)
    for each in (train, held_out):
        assert each.images.shape[1:] == (1, 32, 32)
        assert each.labels.shape == (len(each), 32, 32)
        assert set(each.labels.unique().tolist()) == {0, 1}
    inputs, labels = next(train.batches(64))
    assert inputs[:, 0][labels == 1].mean() > inputs[:, 0][labels == 0].mean() + 0.5  # what is looked for is brighter
    error, loss = evaluate(build(TINY), held_out.part(slice(8)))
    assert 0 < error <= 100
    assert 0 < loss < 10


def test_discs_are_told_from_squares_by_their_shape_alone() -> None:
    """As bright as each other, and of one area: a network that sees single pixels cannot tell them."""
    train, _ = discs()
    first, again = discs(side=16, count=4, held_out=1), discs.__wrapped__(side=16, count=4, held_out=1)
    assert torch.equal(first[0].images, again[0].images)
    bright = (train.images[:, 0] > 0.7 * 255).float()
    share = (bright * train.labels).sum() / bright.sum()
    assert 0.35 < share < 0.65


def test_the_command_line_measures_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradients", "family=unet&blocks=1-1&width=4", "--batch", "4"]) == 0
    assert "4 pictures of discs among squares" in capsys.readouterr().out
    assert main(["gradients", "unet_small", "--size", "20"]) == 2
    assert "20 px cannot be halved 3 times; use 16 px" in capsys.readouterr().err
    assert main(["summary", "unet_small"]) == 0
    assert "126,426 parameters" in capsys.readouterr().out


def test_plans_go_through_links_and_share_no_data_with_other_families() -> None:
    plan = UNET_COMPARISONS["Long, short, both, none"](18)
    assert [spec.span for spec in plan.contenders[:3]] == [Span.BOTH, Span.LONG, Span.SHORT]
    assert comparison_of(plan) == "Long, short, both, none"
    edited = replace(plan, edits=(Edit(3, "cut", 0, "up1.long"), Edit(5, "restore", 0, "down2.0")))
    assert plan_from_query(plan_to_query(edited)) == (edited, ())
    assert fitting_data(plan.contenders) == ("discs", "noisy-digits")
    assert fitting_data([TINY, NetSpec()]) == ()
    with pytest.raises(SpecError, match="share no data: one reads images, another masks"):
        LabPlan((TINY, NetSpec()), "discs")
    assert against_plain(UNetSpec()).data == "discs"
    assert as_deep(UNetSpec(), 46).blocks == (3, 3, 3, 3)


def test_long_skips_keep_the_middle_learning_without_a_norm() -> None:
    spec = replace(TINY, norm=Norm.NONE, init=Init.PYTORCH)
    lab = Lab(LabPlan((spec, replace(spec, span=Span.SHORT)), "discs", lr=0.2, batch=8), lambda: named_sets("discs"))
    with fitting_threads(32):
        for _ in range(150):
            lab.advance()
    record = lab.record()
    assert record is not None
    assert middle_update(record.tracks[0]) > 10 * middle_update(record.tracks[1])
    marked = [track.held_out[-1][1] for track in record.tracks]
    assert marked[0] > 20 > marked[1]
    assert "they **fall" in long_skips_note(record)
    masks = masks_of([("both", lab.network(0)[0]), ("short", lab.network(1)[0])], lab.network(0)[1], record.step)
    overlap = [((chance > 0.5) & masks.true).sum() / ((chance > 0.5) | masks.true).sum() for chance in masks.chance.values()]
    assert overlap[0] > 0.2 > overlap[1]


def test_a_mask_watch_looks_now_and_then_and_leaves_modes_alone() -> None:
    net, held_out = build(TINY).train(), named_sets("discs")[1]
    watch = MaskWatch()
    for step in (1, 2):
        watch.look([("A", net)], held_out, step)
    assert watch.masks is not None
    assert (watch.masks.step, watch.masks.what, net.training) == (1, "disc", True)
    watch.look([("A", net)], held_out, 3, at_once=True)
    assert watch.masks.step == 3
    with torch.no_grad():
        inputs, labels = next(held_out.batches(6))
        expected = torch.softmax(net.eval()(inputs), 1)[:, 1].numpy()
    assert watch.masks.chance["A"] == pytest.approx(expected, abs=1e-5)
    assert (watch.masks.true == (labels.numpy() == 1)).all()


def test_a_strip_shows_pictures_in_a_row() -> None:
    drawn = np.asarray(strip(np.array([[[0.0, 1.0], [1, 1]], [[0.5, 0.25], [0, 0]]], np.float32)))
    assert drawn.shape == (8, 20, 2)
    assert drawn[0, ::4].tolist() == [[0, 255], [255, 255], [0, 0], [128, 255], [64, 255]]


def test_updates_prints_each_kind_of_skips(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["updates", "family=unet&blocks=1-1&width=2&norm=none", "--steps", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["skips"]) == ["both", "long alone", "short alone", "none"]
    assert all(each["middle"] > 0 for each in found["skips"].values())
    assert found["says"].count("the middle's weights move") == 2
    assert main(["updates", "resnet20"]) == 2
    assert "choose a U-Net such as unet_small" in capsys.readouterr().err
