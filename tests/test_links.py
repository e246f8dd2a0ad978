"""Links and notices: what comes from outside is read exactly, in bounded time, and shown as text."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from resviz.spec.comparisons import COMPARISONS
from resviz.spec.dense import DenseSpec
from resviz.spec.families import Network
from resviz.spec.lab import Edit, LabPlan, plan_from_query, plan_to_query
from resviz.spec.net import NetSpec
from resviz.spec.presets import PRESETS, cifar_blocks
from resviz.spec.query import from_query, listed, to_query_string
from resviz.spec.transformer import TransformerSpec
from resviz.spec.unet import UNetSpec
from resviz.ui.markdown import literal, sentence


@pytest.mark.parametrize("value", [0.1, 0.02, 1 / 3, 1e-6, 0.012345678901234567, 1.2345678901234567e-05, 9.999999999999998])
def test_numbers_come_back_exactly(value: float) -> None:
    plan = replace(COMPARISONS["Batch norm or none"](20), lr=value, clip=value)
    plan = replace(plan, edits=(Edit(3, "lr", value=value), Edit(9, "clip", value=value)))
    assert plan_from_query(plan_to_query(plan)) == (plan, ())


def many_edits(count: int) -> dict[str, str]:
    spec = NetSpec(blocks=cifar_blocks(1202))
    names = [name.removeprefix("layer") for name in spec.block_names()]
    edits = [f"{n + 1}:{'cut' if n % 3 else 'restore'}:a:{names[n // 2 % len(names)]}" for n in range(count)]
    return {"a": to_query_string(spec), "b": to_query_string(spec.plain()), "edits": ",".join(edits)}


def test_a_link_with_hundreds_of_changes_is_read_in_linear_time() -> None:
    began = time.process_time()
    plan, problems = plan_from_query(many_edits(499))
    assert plan is not None
    assert (len(plan.edits), problems) == (499, ())
    for step in range(0, 500, 10):
        plan.specs_at(step)
        plan.value_at("lr", step)
    assert time.process_time() - began < 2


def test_more_changes_than_are_kept_are_said() -> None:
    plan, problems = plan_from_query(many_edits(700))
    assert plan is not None
    assert len(plan.edits) == 500
    assert any("700" in problem for problem in problems)


def test_the_specs_of_a_step_are_those_of_every_change_before_it() -> None:
    spec = NetSpec(blocks=(1, 1, 1), cut=frozenset({"layer3.0"}))
    edits = (
        Edit(2, "cut", 0, "layer1.0"),
        Edit(4, "restore", 0, "layer1.0"),
        Edit(4, "restore", 0, "layer3.0"),
        Edit(5, "cut", 1, "layer2.0"),
    )
    plan = LabPlan((spec, spec), edits=edits)
    cuts = [[sorted(each.cut) for each in plan.specs_at(step)] for step in (1, 2, 4, 5)]
    assert cuts == [
        [["layer3.0"], ["layer3.0"]],
        [["layer1.0", "layer3.0"], ["layer3.0"]],
        [[], ["layer3.0"]],
        [[], ["layer2.0", "layer3.0"]],
    ]


def test_text_from_outside_keeps_its_words() -> None:
    assert literal("Plain words, 3.5 % of them (all).") == "Plain words, 3.5 % of them (all)."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("no node of it is a layer", "No node of it is a layer."),
        ("zip: it holds nothing", "Zip: it holds nothing."),
        ("net='x' is no preset; take resnet50.", "net='x' is no preset; take resnet50."),
        ("resnet50 needs *three* channels", "resnet50 needs \\*three\\* channels."),
        ("photo.png is no picture", "photo.png is no picture."),
        ("Too large!", "Too large\\!"),
        (ValueError("give a number"), "Give a number."),
    ],
)
def test_an_error_is_shown_as_a_sentence_and_a_name_as_it_is(error: object, said: str) -> None:
    assert sentence(error) == said


def test_every_problem_of_a_link_is_named_and_the_rest_of_it_holds() -> None:
    spec, problems = from_query("width=2000&blocks=3-3-3&seed=7&zz=1")
    assert spec == NetSpec(blocks=(3, 3, 3), seed=7)
    assert problems == ("width must be from 1 to 1024, got 2000; choose a value in that range", "'zz' is not a parameter")
    plan, problems = plan_from_query({"a": "blocks=1-1-1", "lr": "0.05", "batch": "0", "clip": "-1"})
    assert plan == LabPlan((NetSpec(blocks=(1, 1, 1)),), lr=0.05)
    assert [problem.split()[0] for problem in problems] == ["clip", "batch"]
    assert plan_from_query({"lr": "0.7777", "edits": "zz"}) == (
        None,
        ("edits, lr without a network, which a link names as a=net=resnet20",),
    )
    plan, problems = plan_from_query({"a": ""})
    assert (plan, problems) == (LabPlan((NetSpec(),)), ("a is empty, so that it is the usual ResNet-56",))


@pytest.mark.parametrize(
    ("query", "spec", "reason"),
    [
        ("cut=9.9&blocks=1-1-1&seed=7", NetSpec(blocks=(1, 1, 1), seed=7), "cut names 'layer9.9', which this network"),
        ("net=resnet50&blocks=0-1", PRESETS["resnet50"], "blocks must be 1 to 6 counts"),
        ("norm=none&init=zero-gamma&seed=7", NetSpec(), "init=zero-gamma needs a norm"),
        ("blocks=0-1&groups=2&seed=7", NetSpec(), "blocks must be 1 to 6 counts"),
    ],
)
def test_of_a_combination_that_cannot_be_built_what_is_well_defined_is_kept(query: str, spec: NetSpec, reason: str) -> None:
    found, problems = from_query(f"{query}&zz=1")
    assert found == spec
    assert problems[0].startswith(reason)
    assert problems[0].endswith(", so that the network is the usual ResNet-56") == (spec == NetSpec())
    assert problems[1:] == ("'zz' is not a parameter",)


def test_the_first_problems_are_listed_and_the_others_counted() -> None:
    assert listed(["a", "b"]) == "a; b"
    assert listed(list("abcde")) == "a; b; c; d; e"
    assert listed(list("abcdefg"), ", ") == "a, b, c, d, e and 2 more"


@pytest.mark.parametrize(
    ("query", "spec", "problems"),
    [
        ("width=16&width=32", NetSpec(width=32), ("width='16' is followed by width='32'",)),
        ("net=resnet20&net=resnet32", PRESETS["resnet32"], ("net='resnet20' is followed by net='resnet32'",)),
        ("net=", NetSpec(), ("net='' is no preset",)),
        ("cut=&seed=7", NetSpec(seed=7), ("cut is empty",)),
        ("?aaaa", NetSpec(), ("'aaaa' is not a parameter",)),
    ],
)
def test_what_comes_twice_or_is_empty_is_named(query: str, spec: NetSpec, problems: tuple[str, ...]) -> None:
    assert from_query(query) == (spec, problems)


def largest() -> list[Network]:
    """Networks of every family with as much taken away as one can have."""
    resnet, dense = NetSpec(blocks=(512,) * 6), DenseSpec(blocks=(128,) * 6)
    names, unet, transformer = list(resnet.block_names()), UNetSpec(blocks=(16,) * 6), TransformerSpec(num_layers=96)
    severed = frozenset((name, source) for name in dense.block_names() for source in range(int(name.rpartition("layer")[2]) - 1))
    return [
        NetSpec(blocks=(200, 200, 200), cut=frozenset(NetSpec(blocks=(200, 200, 200)).block_names())),
        replace(resnet, cut=frozenset(names[::2]), dropped=frozenset(names[1::2])),
        replace(dense, severed=severed),
        replace(unet, cut=frozenset(unet.block_names())),
        replace(transformer, cut=frozenset(transformer.block_names())),
    ]


@pytest.mark.parametrize("spec", largest(), ids=lambda spec: type(spec).__name__)
def test_the_longest_link_of_a_network_comes_back(spec: Network) -> None:
    assert from_query(to_query_string(spec)) == (spec, ())


def test_a_lab_of_the_longest_networks_comes_back() -> None:
    plan = LabPlan(tuple(replace(largest()[1], seed=seed) for seed in range(6)))
    assert plan_from_query(plan_to_query(plan)) == (plan, ())


def test_a_longer_value_than_any_network_has_is_named() -> None:
    spec, problems = from_query(f"seed=7&cut={'1.0,' * 200_000}")
    assert (spec, problems) == (NetSpec(seed=7), ("cut is longer than 600,000 characters",))
