"""The Vision Transformer beside torchvision's, and independent counts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchinfo
import torchvision
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.vision_transformer import VisionTransformer

from resviz.cli import main
from resviz.data.datasets import digits_split
from resviz.data.images import probe_batch
from resviz.figures.captions import collapse_claim, gradient_note
from resviz.figures.diagram import block_diagram, network_diagram
from resviz.machine import fitting_threads
from resviz.nets.build import build, skeleton
from resviz.nets.cost import layer_table
from resviz.nets.families import recognised
from resviz.probes.attention import attention_maps
from resviz.probes.gradients import gradient_probe
from resviz.probes.rank import rank_collapse
from resviz.probes.signal import watched_signals
from resviz.results import SIGNALS, Collapse
from resviz.spec.choices import Around, Init, NormPlace
from resviz.spec.comparisons import TRANSFORMER_COMPARISONS, against_plain, comparison_of, fitting
from resviz.spec.families import preset_of, side_of
from resviz.spec.lab import Edit, LabPlan, plan_from_query, plan_to_query
from resviz.spec.names import describe
from resviz.spec.net import SpecError
from resviz.spec.query import from_query, to_query_string
from resviz.spec.transformer import TRANSFORMER_PRESETS, TransformerSpec
from resviz.training.lab import Lab

LAYER = "encoder.layers.encoder_layer_{}.{}"
FIRST = LAYER.format(0, "attention")
SMALL = TransformerSpec(num_layers=2, dim=16, heads=2)
REDUCED = TransformerSpec(image=32, patch=8, num_layers=3, heads=4, dim=32, mlp=4, classes=7, in_channels=3)


def theirs(spec: TransformerSpec) -> VisionTransformer:
    width = spec.mlp * spec.dim
    return VisionTransformer(spec.image, spec.patch, spec.num_layers, spec.heads, spec.dim, width, num_classes=spec.classes)


def drawn(shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {key: 0.3 * torch.randn(shape, generator=generator) for key, shape in shapes.items()}


def digits(spec: TransformerSpec, count: int = 4) -> tuple[Tensor, Tensor]:
    return probe_batch(count, spec.in_channels, spec.image, spec.classes)


@pytest.mark.parametrize("grad", [True, False], ids=["with gradients", "by the fast path"])
@pytest.mark.parametrize("training", [True, False])
def test_keys_shapes_and_logits_are_torchvisions(training: bool, grad: bool) -> None:
    other, ours = theirs(REDUCED), build(REDUCED)
    shapes = {key: value.shape for key, value in other.state_dict().items()}
    assert {key: value.shape for key, value in ours.state_dict().items()} == shapes
    assert list(ours.state_dict()) == list(shapes)
    assert recognised(ours.state_dict()) == "transformer"
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    for net in (ours, other):
        net.load_state_dict(drawn(shapes))
        net.train(training)
    with torch.set_grad_enabled(grad):
        assert torch.equal(ours(x), other(x))


@torch.no_grad()
def test_vit_b_16_is_torchvisions() -> None:
    with torch.device("meta"):
        other = torchvision.models.vit_b_16(weights=None).eval()
    spec = TRANSFORMER_PRESETS["vit_b_16"]
    ours = skeleton(spec).eval()
    shapes = {key: value.shape for key, value in other.state_dict().items()}
    assert {key: value.shape for key, value in ours.state_dict().items()} == shapes
    state = {key: torch.full(shape, 0.01) if len(shape) < 2 else torch.randn(shape) * 0.02 for key, shape in shapes.items()}
    for net in (ours, other):
        net.load_state_dict(state, assign=True)
    x = torch.randn(1, 3, 224, 224)
    assert torch.equal(ours(x), other(x))


@pytest.mark.parametrize("name", ["vit_b_16", "vit_b_32", "vit_l_16"])
def test_the_published_totals(name: str) -> None:
    meta = torchvision.models.get_model_weights(name).IMAGENET1K_V1.meta
    table = layer_table(TRANSFORMER_PRESETS[name], 224)
    assert (table.params, round(table.macs / 1e9, 3)) == (meta["num_params"], meta["_ops"])


@pytest.mark.parametrize(
    "spec", [SMALL, REDUCED, replace(SMALL, norm=NormPlace.POST, mlp=0), replace(SMALL, norm=NormPlace.NONE)]
)
def test_the_tables_totals_are_what_is_counted_in_a_pass(spec: TransformerSpec) -> None:
    net, table = build(spec).train(), layer_table(spec, spec.image)
    assert table.params == sum(weights.numel() for weights in net.parameters())
    with FlopCounterMode(display=False) as flops, sdpa_kernel(SDPBackend.MATH):  # it does not know the fused one
        net(torch.randn(1, spec.in_channels, spec.image, spec.image))
    assert 2 * table.macs == flops.get_total_flops()


@pytest.mark.parametrize("spec", [REDUCED, replace(REDUCED, num_layers=5, patch=4), TRANSFORMER_PRESETS["vit_s_16"]])
def test_the_tables_parameters_are_torchinfos_of_torchvisions(spec: TransformerSpec) -> None:
    with torch.device("meta"):
        other = theirs(spec)
    counted = torchinfo.summary(other, (1, 3, spec.image, spec.image), verbose=0, device="meta")
    assert layer_table(spec, spec.image).params == counted.total_params


def test_a_row_is_what_a_pass_makes() -> None:
    net, seen = build(SMALL), {}
    for name, module in net.named_modules():
        module.register_forward_hook(
            lambda _m, _i, out, name=name: seen.__setitem__(name, out[0] if isinstance(out, tuple) else out)
        )
    net.train()(digits(SMALL, 1)[0])
    named = [row for row in layer_table(SMALL, 8).rows if row.name in seen]
    assert [row.memory for row in named] == [4 * seen[row.name].numel() for row in named]
    assert {row.name for row in named} >= set(SMALL.block_names())


def test_where_the_norms_stand() -> None:
    x, _ = digits(SMALL)
    for place in NormPlace:
        net = build(replace(SMALL, norm=place))
        layer = net.get_submodule("encoder.layers.encoder_layer_0")
        tokens = net.stem(x)
        before = layer.ln_1(tokens) if place is NormPlace.PRE else tokens
        summed = tokens + layer.self_attention(before, before, before)[0]
        expected = layer.ln_1(summed) if place is NormPlace.POST else summed
        assert torch.allclose(layer.attention(tokens), expected, atol=1e-6)
    assert not any("ln" in key for key in build(replace(SMALL, norm=NormPlace.NONE)).state_dict())


def test_a_cut_skip_leaves_f_and_a_dropped_branch_x() -> None:
    mlp = LAYER.format(1, "mlp")
    spec = replace(SMALL, cut=frozenset({FIRST}), dropped=frozenset({mlp}))
    whole, other, (x, _) = build(SMALL), build(spec), digits(SMALL)
    assert all(torch.equal(weights, other.state_dict()[name]) for name, weights in whole.state_dict().items())
    tokens = whole.stem(x)
    unit = dict(whole.units())[FIRST]
    assert torch.equal(dict(other.units())[FIRST](tokens), unit.residual(unit.entry(tokens)))
    assert torch.equal(dict(other.units())[mlp](tokens), tokens)
    whole.wire(spec)
    assert torch.equal(whole(x), other(x))


def test_skips_around_one_kind_of_sub_layer() -> None:
    spec = replace(SMALL, around=Around.ATTENTION)
    assert [spec.has_skip(name) for name in spec.block_names()] == [True, False] * 2
    assert describe(spec) == "ViT-2/2 (8 px) · d=16 · 2 heads · pre-norm · Xavier · skips around attention alone"
    toggled = spec.toggled(FIRST)
    assert [toggled.has_skip(name) for name in spec.block_names()] == [False, False, True, False]
    assert toggled.toggled(FIRST).toggled(LAYER.format(0, "mlp")).toggled(LAYER.format(1, "mlp")) == SMALL


def test_a_link_holds_it() -> None:
    spec = replace(
        SMALL,
        norm=NormPlace.POST,
        cut=frozenset({FIRST, LAYER.format(1, "mlp")}),
        dropped=frozenset({LAYER.format(1, "attention")}),
    )
    assert to_query_string(spec) == (
        "family=transformer&num_layers=2&heads=2&dim=16&norm=post&cut=0.attention,1.mlp&dropped=1.attention"
    )
    assert from_query(to_query_string(spec)) == (spec, ())
    assert from_query("net=vit_b_16")[0].title == "ViT-B/16"
    assert preset_of(from_query("family=transformer")[0]) == "vit_digits"
    assert (side_of(SMALL, 32, 224), side_of(TRANSFORMER_PRESETS["vit_b_16"], 32, 64)) == (8, 224)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("patch=3", "patch=3 does not divide image=8; choose a patch that does"),
        ("heads=3", "heads=3 does not divide dim=64; choose heads that do"),
        ("num_layers=0", "num_layers must be from 1 to 96, got 0"),
        ("init=kaiming", "init=kaiming is for convolutions"),
        ("cut=6.mlp", "cut names 'encoder.layers.encoder_layer_6.mlp', which this network of 6 layers does not have"),
        ("mlp=0&cut=0.mlp", "cut names 'encoder.layers.encoder_layer_0.mlp'"),
        ("residual=0&dropped=0.mlp", "is dropped and has no skip, so nothing would pass"),
        ("cut=0.1.2", "cut='0.1.2' cannot be read"),
    ],
)
def test_what_no_network_can_be_built_from_says_why(query: str, says: str) -> None:
    spec, problems = from_query(f"family=transformer&{query}")
    assert says in problems[0]
    assert spec == TransformerSpec() or "residual" in query


def test_pictures_of_another_side_are_refused() -> None:
    with pytest.raises(
        SpecError, match="pictures of 16×16 px do not fit its positions, which are for image=8; use pictures of that"
    ):
        build(SMALL)(torch.zeros(1, 1, 16, 16))


def test_the_gradient_is_read_at_every_matrix() -> None:
    net, (x, y) = build(SMALL).train(), digits(SMALL, 8)
    probe = gradient_probe(net, x, y)
    inside = ("self_attention.in_proj", "self_attention.out_proj", "mlp.0", "mlp.3")
    assert probe.profile.names == ("conv_proj", *(LAYER.format(n, each) for n in (0, 1) for each in inside), "heads.head")
    nn.functional.cross_entropy(net(x), y).backward()
    first = net.get_submodule("encoder.layers.encoder_layer_0")
    norms = dict(zip(probe.profile.names, probe.profile.norms, strict=True))
    assert norms[LAYER.format(0, inside[0])] == pytest.approx(first.self_attention.in_proj_weight.grad.norm().item(), rel=1e-4)
    assert probe.signal.names == tuple(SMALL.block_names())
    assert "that of the last matrix, `encoder.layers.encoder_layer_1.mlp.3`" in gradient_note(SMALL, probe)
    dropped = replace(SMALL, dropped=frozenset({FIRST}))
    note = gradient_note(dropped, gradient_probe(build(dropped).train(), x, y))
    assert "2 matrices get exactly 0 by construction: their branch is dropped." in note


def test_signals_of_tokens_are_each_numbers_own() -> None:
    net, (x, _) = build(replace(SMALL, norm=NormPlace.NONE)), digits(SMALL)
    with watched_signals(net) as read, torch.no_grad():
        net(x)
        found = read()
        unit = dict(net.units())[FIRST]
        out = unit(net.stem(x))
        branch = unit.residual(unit.entry(net.stem(x)))
    assert found[0, SIGNALS.index("variance")] == pytest.approx(out.var((0, 1), correction=0).mean().item(), rel=1e-4)
    assert found[0, SIGNALS.index("branch_variance")] == pytest.approx(branch.var((0, 1), correction=0).mean().item(), rel=1e-4)


def test_weights_begin_as_torchvisions_do_but_for_the_classifier() -> None:
    net = build(TransformerSpec(dim=128, num_layers=1))
    heads = net.get_submodule("encoder.layers.encoder_layer_0.self_attention")
    assert heads.in_proj_weight.abs().max().item() == pytest.approx((6 / (4 * 128)) ** 0.5, rel=0.01)  # Xavier of (3D, D)
    assert not heads.in_proj_bias.any()
    assert net.encoder.pos_embedding.std().item() == pytest.approx(0.02, rel=0.1)
    assert net.heads[0].weight.any()
    uniform = build(TransformerSpec(dim=128, num_layers=1, init=Init.PYTORCH)).weights()[LAYER.format(0, "mlp.3")]
    assert uniform.abs().max().item() == pytest.approx(256**-0.5, rel=0.01)


def test_it_is_drawn() -> None:
    table = layer_table(replace(SMALL, cut=frozenset({FIRST})), 8)
    shapes = network_diagram(table).shapes
    arcs = [(s.name, s.css, s.action) for s in shapes if s.css.startswith("arc")]
    assert arcs[0] == (FIRST, "arc cut", f"cut:{FIRST}")
    assert [name for name, css, _ in arcs if css == "arc"] == list(SMALL.block_names())[1:]
    words = [s.text for s in shapes if s.tag == "text"]
    assert {"layer 0", "layer 1", "17 tokens", "d=16", "10 classes"} <= set(words)
    inside = {s.name for s in block_diagram(table, FIRST).shapes}
    assert {"encoder.layers.encoder_layer_0.self_attention", "encoder.layers.encoder_layer_0.self_attention.in_proj"} <= inside


def test_the_lab_trains_it_beside_a_resnet_on_the_same_digits() -> None:
    plan = TRANSFORMER_COMPARISONS["ViT or ResNet-20"](2)
    assert comparison_of(plan) == "ViT or ResNet-20"
    plan = replace(plan, batch=16, edits=(Edit(3, "cut", 0, FIRST),))
    assert plan_from_query(plan_to_query(plan)) == (plan, ())
    lab = Lab(plan, digits_split)
    with fitting_threads(8):
        for _ in range(5):
            lab.advance()
    record = lab.record()
    assert record is not None
    assert [track.label for track in record.tracks] == ["ViT-2/2", "ResNet-20"]
    assert (record.tracks[0].gradients > 0).all()
    assert lab.specs[0].cut == {FIRST}


@pytest.fixture(scope="module")
def collapse() -> Collapse:
    return rank_collapse(TransformerSpec(), layers=24)


def test_tokens_stay_different_with_skips_and_become_one_without(collapse: Collapse) -> None:
    assert collapse.layers == 24
    ends = {name: values[-1] for name, values in collapse.residuals.items()}
    assert ends["with skips"] >= 0.1
    assert ends["without skips"] <= 1e-8
    assert ends["with skips, no MLP"] >= 0.1
    assert ends["attention alone"] <= 1e-8
    falling = collapse.residuals["attention alone"][1:5]  # doubly exponentially: the logarithm itself grows by a factor
    assert (np.diff(np.log(-np.log(falling))) > 0.7).all()
    assert "**Agrees**" in collapse_claim(collapse)


def test_a_residual_is_what_remains_of_the_mean_token() -> None:
    spec = replace(SMALL, seed=3)
    found = rank_collapse(spec)
    x = build(spec).double().stem(probe_batch(found.images, 1, 8, 10)[0].double())
    nearest = torch.linalg.lstsq(torch.ones(len(x), 17, 1).double(), x).solution  # of ‖X − 1xᵀ‖
    left = ((x - nearest).norm(dim=(1, 2)) / x.norm(dim=(1, 2))).median().item()
    assert found.residuals["with skips"][0] == pytest.approx(left)


def test_it_is_the_skip_around_attention_that_counts() -> None:
    found = {
        each: rank_collapse(TransformerSpec(around=each), layers=12).residuals["as cut"]
        for each in (Around.ATTENTION, Around.MLP)
    }
    assert found[Around.MLP][-1] <= 1e-8
    assert found[Around.ATTENTION][-1] > 1e-5


def test_the_command_says_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert (
        main(
            [
                "rank",
                "family=transformer&num_layers=2&dim=16&heads=2",
                "--layers",
                "3",
                "--out",
                str(tmp_path / "r.html"),
                "--json",
            ]
        )
        == 0
    )
    result = json.loads(capsys.readouterr().out)
    assert result["layers"] == 3
    assert result["residuals"] == {
        name: pytest.approx(values.tolist(), rel=1e-9, abs=1e-15)
        for name, values in rank_collapse(SMALL, layers=3).residuals.items()
    }
    assert "plotly" in (tmp_path / "r.html").read_text()
    assert main(["rank", "resnet20"]) == 2
    assert "'resnet20' is a ResNet-20, which has no tokens; choose a Transformer such as vit_digits" in capsys.readouterr().err


def test_attention_maps_are_what_mixes_the_values() -> None:
    net, (x, y) = build(SMALL).eval(), digits(SMALL, 1)
    found = attention_maps(net, x, int(y[0]))
    assert found.weights.shape == (2, 2, 17, 17)
    assert np.allclose(found.weights.sum(3), 1, atol=1e-6)
    assert (found.side, found.answer) == (4, str(int(net(x).argmax())))
    layer = net.get_submodule("encoder.layers.encoder_layer_0")
    entered, heads = layer.ln_1(net.stem(x))[0], layer.self_attention
    query, key, value = (entered @ heads.in_proj_weight.T + heads.in_proj_bias).chunk(3, 1)
    by_hand = [torch.softmax(query[:, d] @ key[:, d].T / 8**0.5, 1) for d in (slice(0, 8), slice(8, 16))]
    assert torch.allclose(torch.from_numpy(found.weights[0]), torch.stack(by_hand), atol=1e-5)
    mixed = torch.cat([weights @ value[:, d] for weights, d in zip(by_hand, (slice(0, 8), slice(8, 16)), strict=True)], 1)
    assert torch.allclose(heads.out_proj(mixed), layer.attention.residual(layer.ln_1(net.stem(x)))[0], atol=1e-5)


def test_it_fits_the_lab_s_images() -> None:
    big = fitting(TRANSFORMER_PRESETS["vit_b_16"], 32, 3, 10)
    assert isinstance(big, TransformerSpec)
    assert (big.image, big.patch, big.tokens, big.classes) == (32, 2, 257, 10)
    plan: LabPlan = against_plain(TransformerSpec())
    assert [spec.title for spec in plan.contenders] == ["ViT-6/2", "Plain ViT-6/2"]
