from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal

import numpy as np
import pytest

from resviz.spec.dense import DenseSpec
from resviz.spec.families import SPECS
from resviz.spec.fields import fields_of
from resviz.spec.names import describe
from resviz.spec.net import Activation, Block, Init, NetSpec, Norm, Shortcut, SpecError, Stem
from resviz.spec.presets import PRESETS, cifar_blocks
from resviz.spec.query import from_query, to_query_string
from resviz.spec.words import word


@pytest.mark.parametrize("name", PRESETS)
def test_presets_round_trip_through_the_url(name: str) -> None:
    assert from_query(to_query_string(PRESETS[name])) == (PRESETS[name], ())


def test_cuts_round_trip_and_defaults_are_omitted() -> None:
    spec = NetSpec(cut=frozenset({"layer2.3", "layer1.0"}), dropped=frozenset({"layer3.8"}), norm=Norm.GROUP)
    assert to_query_string(spec) == "cut=1.0,2.3&dropped=3.8&norm=group"
    assert from_query(to_query_string(spec)) == (spec, ())
    assert to_query_string(NetSpec()) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"blocks": ()},
        {"blocks": (2, 0)},
        {"width": 0},
        {"cut": frozenset({"layer9.0"})},
        {"norm": Norm.NONE, "init": Init.ZERO_GAMMA},
        {"residual": False, "dropped": frozenset({"layer1.0"})},
        {"cut": frozenset({"layer1.0"}), "dropped": frozenset({"layer1.0"})},
        {"groups": 32},
    ],
)
def test_impossible_specs_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SpecError):
        replace(NetSpec(), **changes)


@pytest.mark.parametrize("family", SPECS)
def test_a_field_of_another_type_is_refused_in_every_family(family: str) -> None:
    kind = SPECS[family]
    spec = kind()
    for name, each in fields_of(kind).items():
        for wrong in (16.5, 10.0, "x", None, [1], (1.0,), {1}, frozenset({1}), frozenset({("layer", "0")}), "batch", Decimal(1)):
            with pytest.raises(SpecError, match=f"^{name} must be ") as refused:
                replace(spec, **{name: wrong})
            assert repr(wrong)[:60] in str(refused.value)
            assert each.kind.instead in str(refused.value)
        assert replace(spec, **{name: getattr(spec, name)}) == spec


def test_the_type_is_named_with_the_remedy() -> None:
    for changes, says in (
        ({"width": 16.5}, "width must be a whole number, got 16.5; choose one from 1 to 1024"),
        ({"classes": True}, "classes must be a whole number, got True; choose one from 1 to 100000"),
        ({"norm": "batch"}, "norm must be a member of Norm, got 'batch'; choose one of Norm.BATCH, Norm.GROUP, Norm.NONE"),
        ({"blocks": [2, 2]}, "blocks must be a tuple of whole numbers, got [2, 2]; write one such as (3, 4, 6, 3)"),
        ({"residual": 2}, "residual must be True or False, got 2; choose one of them"),
        (
            {"cut": "layer1.1"},
            "cut must be a frozenset of block names, got 'layer1.1'; write one such as frozenset({'layer1.1'})",
        ),
    ):
        with pytest.raises(SpecError) as refused:
            replace(NetSpec(), **changes)
        assert str(refused.value) == says
    assert NetSpec(residual=1, width=np.int64(16)) == NetSpec()


def test_nonsense_in_a_query_yields_the_default_and_its_reasons() -> None:
    spec, problems = from_query("blocks=1-x&evil=<script>&width=16")
    assert spec == NetSpec()
    assert len(problems) == 2
    assert from_query("&".join(f"a{i}=1" for i in range(100)))[0] == NetSpec()


def test_depth_is_counted_as_the_paper_does() -> None:
    assert [PRESETS[n].depth for n in ("resnet18", "resnet50", "resnet152", "resnet1202", "resnet1001")] == [
        18,
        50,
        152,
        1202,
        1001,
    ]
    with pytest.raises(SpecError, match="nearest is 56"):
        cifar_blocks(57)


def test_description() -> None:
    spec = NetSpec(cut=frozenset({"layer1.0", "layer1.1", "layer1.2"}))
    assert describe(spec) == "ResNet-56 · basic · option A · BN · Kaiming · 3 skips cut"


def test_a_deep_stem_is_a_resnets() -> None:
    spec = PRESETS["resnet50d"]
    assert describe(spec) == "ResNet-50-D · bottleneck · deep stem · option D · BN · Kaiming"
    assert describe(replace(spec, shortcut=Shortcut.B)).startswith("ResNet-50-C · bottleneck · deep stem · option B")
    assert describe(spec.plain()) == "Plain-50 · bottleneck · deep stem · BN · Kaiming"
    assert from_query(to_query_string(spec)) == (spec, ())
    assert from_query("net=resnet50&stem=deep&shortcut=D") == (spec, ())
    dense, problems = from_query("family=densenet&stem=deep")
    assert (dense, problems) == (DenseSpec(), ("stem=deep is a ResNet's, which a DenseNet has not; use stem=imagenet",))
    assert Stem.DEEP not in fields_of(DenseSpec)["stem"].choices


def test_every_word_of_a_description() -> None:
    spec = NetSpec(
        norm=Norm.NONE, init=Init.PYTORCH, activation=Activation.GELU, seed=3,
        cut=frozenset({"layer1.0", "layer1.1"}), dropped=frozenset({"layer3.0"}),
    )  # fmt: skip
    words = "ResNet-56 · basic · option A · no norm · PyTorch init · GELU · 2 skips cut · 1 branch dropped · seed 3"
    assert describe(spec) == words
    assert describe(replace(PRESETS["resnet164"], norm=Norm.GROUP, init=Init.ZERO_GAMMA)) == (
        "ResNet-164 · pre-activation bottleneck · option B · GN · Kaiming, zero-γ"
    )
    assert describe(NetSpec(blocks=(2, 1)).plain()) == "Plain-8 (2-1, width 16) · basic · BN · Kaiming"
    assert [word(each) for each in ("none", "pytorch", "relu", "imagenet")] == ["none", "PyTorch default", "ReLU", "7×7 + pool"]


def test_every_field_says_how_a_link_holds_it() -> None:
    known = fields_of(NetSpec)
    assert list(known) == [each.name for each in fields(NetSpec)]
    for name, each in known.items():
        default = getattr(NetSpec(), name)
        assert each.read(each.write(default)) == default
        if each.high:
            with pytest.raises(SpecError, match=f"{name} must be from {each.low} to {each.high}"):
                replace(NetSpec(block=Block.BOTTLENECK), **{name: each.high + 1})
