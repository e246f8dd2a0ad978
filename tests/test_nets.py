from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torchinfo
import torchvision

from resviz.nets.build import build, skeleton
from resviz.nets.cost import check_memory, layer_table
from resviz.spec.net import Block, Init, NetSpec, Norm, Shortcut, SpecError, Stem
from resviz.spec.presets import PRESETS

PUBLISHED = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "wide_resnet50_2"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_keys_and_shapes_are_torchvisions(name: str) -> None:
    with torch.device("meta"):
        theirs = getattr(torchvision.models, name)().state_dict()
    ours = skeleton(PRESETS[name]).state_dict()
    assert {key: value.shape for key, value in ours.items()} == {key: value.shape for key, value in theirs.items()}


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnext50_32x4d"])
def test_logits_equal_torchvisions(name: str) -> None:
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name)().eval()
    with torch.no_grad():
        for key, value in theirs.state_dict().items():
            if value.is_floating_point() and "bn" in key:
                value.copy_(torch.rand_like(value) * 0.5 + 0.5)
    ours = build(PRESETS[name]).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize(
    ("depth", "params"), [(20, 269_722), (32, 464_154), (44, 658_586), (56, 853_018), (110, 1_727_962), (1202, 19_421_274)]
)
def test_cifar_parameter_counts(depth: int, params: int) -> None:
    spec = PRESETS[f"resnet{depth}"]
    assert layer_table(spec, 32).params == params
    assert layer_table(replace(spec, shortcut=Shortcut.B), 32).params == params + 2752


@pytest.mark.parametrize("name", PUBLISHED)
def test_totals_are_the_published_ones(name: str) -> None:
    meta = torchvision.models.get_model_weights(name).IMAGENET1K_V1.meta
    table = layer_table(PRESETS[name], 224)
    assert table.params == meta["num_params"]
    assert round(table.macs / 1e9, 3) == meta["_ops"]


@pytest.mark.parametrize(
    ("depth", "params"),
    [(18, 11_708_744), (34, 21_816_904), (50, 25_576_264), (101, 44_568_392), (152, 60_212_040)],
)
def test_resnet_ds_parameters_are_timms(depth: int, params: int) -> None:
    spec = replace(PRESETS[f"resnet{depth}"], stem=Stem.DEEP, shortcut=Shortcut.D)
    assert layer_table(spec, 224).params == params
    assert (spec.title, replace(spec, shortcut=Shortcut.B).title) == (f"ResNet-{depth}-D", f"ResNet-{depth}-C")
    assert (spec == PRESETS["resnet50d"]) == (depth == 50)


@pytest.mark.parametrize("shortcut", [Shortcut.B, Shortcut.D])
def test_the_totals_of_a_deep_stem_and_averaging_skips_are_an_independent_count(shortcut: Shortcut) -> None:
    spec = replace(PRESETS["resnet50d"], shortcut=shortcut)
    table = layer_table(spec, 97)
    counted = torchinfo.summary(skeleton(spec), (1, 3, 97, 97), verbose=0, device="meta")
    weighed = (info for info in counted.summary_list if isinstance(info.module, torch.nn.Conv2d | torch.nn.Linear))
    # it takes the classifier's bias for as many MACs
    assert (table.params, table.macs + spec.classes) == (counted.total_params, sum(info.macs for info in weighed))


def test_plain_and_residual_share_every_weight() -> None:
    ours, plain = (build(PRESETS[name]).state_dict() for name in ("resnet20", "plain20"))
    assert ours.keys() == plain.keys()
    assert all(torch.equal(ours[key], plain[key]) for key in ours)


@pytest.mark.parametrize(
    "spec",
    [
        NetSpec(block=block, blocks=(2, 1), shortcut=shortcut, norm=norm)
        for block in Block
        for shortcut in Shortcut
        for norm in Norm
    ]
    + [NetSpec(block, (2, 1), Stem.DEEP, 7, shortcut=Shortcut.D, norm=norm) for block in Block for norm in Norm],
    ids=str,
)
def test_every_design_runs_and_its_table_agrees(spec: NetSpec) -> None:
    net = build(spec).eval()
    shapes: dict[str, tuple[int, ...]] = {}
    for name, module in net.named_modules():
        module.register_forward_hook(lambda _m, _i, out, name=name: shapes.update({name: tuple(out.shape[1:])}))
    net(torch.randn(1, 3, 15, 15))
    table = layer_table(spec, 15)
    assert table.params == sum(p.numel() for p in net.parameters())
    for row in table.rows:
        if row.kind != "add":
            assert row.out_shape == (shapes[row.name] if row.name != "fc" else (10,)), row.name


def test_cut_and_dropped_blocks() -> None:
    x = torch.randn(2, 3, 8, 8)
    spec = NetSpec(blocks=(2, 2), cut=frozenset({"layer1.1"}), dropped=frozenset({"layer2.1"}))
    net, whole = build(spec).eval(), build(NetSpec(blocks=(2, 2))).eval()
    assert not torch.equal(net(x), whole(x))
    block = net.get_submodule("layer2.1")
    inside = torch.rand(1, 32, 4, 4)
    assert torch.equal(block(inside), inside)
    assert {row.name for row in layer_table(spec, 8).rows if row.cut} == {"layer1.1"}


def test_zero_gamma_starts_blocks_at_the_identity() -> None:
    net = build(NetSpec(blocks=(2,), init=Init.ZERO_GAMMA)).eval()
    inside = torch.rand(1, 16, 4, 4)
    assert torch.equal(net.get_submodule("layer1.1")(inside), inside)


def test_what_does_not_fit_is_refused_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESVIZ_MEMORY_GB", "0.5")
    with pytest.raises(SpecError, match=r"limit is 0\.5 GiB"):
        check_memory(PRESETS["resnet1202"], 32, 64)
