"""What a whole gradient profile is said to show: by known profiles, by recorded trainings, and in the lab."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from resviz.data.datasets import digits_split
from resviz.data.images import probe_batch
from resviz.figures.captions import comparison, finding_note, gradient_note, growth_note, lab_note, skips_of, sweep_note
from resviz.judgement import FACTOR, FLOOR, judge
from resviz.nets.build import build
from resviz.probes.depth import depth_sweep
from resviz.probes.gradients import gradient_probe
from resviz.recordings import RUNS, read_run, run_names
from resviz.results import GradientProfile, LabRecord, LabTrack, Probe
from resviz.spec.lab import LabPlan
from resviz.spec.net import Block, BranchScale, Init, NetSpec, Norm, Shortcut
from resviz.spec.presets import PRESETS
from resviz.spec.query import from_query
from resviz.training.detect import findings
from resviz.training.lab import Lab

TWO = NetSpec(blocks=(1, 1), norm=Norm.NONE)
NAMES = ("conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2", "fc")


def profile(*norms: float, loss: float = 2.3) -> GradientProfile:
    return GradientProfile(NAMES, np.array(norms), loss)


@pytest.mark.parametrize(
    ("norms", "kind"),
    [
        ((1, 1, 1, 1, 1, 1), "level"),
        ((50, 1, 1, 1, 1, 1), "level"),
        ((1, 1, 1, 1, 1, 500), "level"),  # the classifier is no reference
        ((1, 1, 1, 1, 500, 1), "vanishes"),
        ((500, 50, 5, 2, 1, 500), "explodes"),
        ((1, 1, 1e-3, 1, 1, 1), "uneven"),
        ((1, 900, 1, 1, 1, 1), "uneven"),
        ((1e-9, 1e-12, 1e-13, 1e-14, 1e-15, 1e-2), "gone"),
        ((1e-26, 1e-26, 1e-26, 1e-26, 1e-26, 1e-26), "gone"),
        ((0, 0, 0, 0, 0, 0.1), "zero"),
        ((math.inf, 1, 1, 1, 1, 1), "overflow"),
        ((0, 1e-40, 1e-9, 1e-4, 1, 1), "vanishes"),
    ],
)
def test_the_whole_profile_is_judged(norms: tuple[float, ...], kind: str) -> None:
    assert judge(profile(*norms), TWO).kind == kind


def test_what_is_small_because_all_is_learned_is_no_trouble() -> None:
    learned = profile(*[1e-7] * 6, loss=1e-6)
    assert judge(learned, TWO).kind == "settled"
    assert judge(replace(learned, loss=2.3), TWO).kind == "gone"


def test_no_epoch_of_a_recorded_training_is_called_in_trouble() -> None:
    seen = 0
    for name in run_names():
        run = read_run(RUNS / f"{name}.parquet")
        spec = from_query(run.card["spec"])[0]
        kinds = {judge(record.probe.profile, spec).kind for record in run.epochs if record.probe}
        assert kinds == {"level"}, name
        seen += len(run.epochs)
    assert seen > 100


def measured(spec: NetSpec, size: int = 32, side: int = 8) -> Probe:
    return gradient_probe(build(spec).train(), *probe_batch(size, spec.in_channels, side, spec.classes))


def test_zeros_by_construction_are_named_as_such_and_nothing_else_is() -> None:
    resnet = NetSpec(blocks=(2, 2, 2), width=8)
    dropped = replace(resnet, dropped=frozenset({"layer1.1", "layer2.1"}))
    judged = judge(measured(dropped).profile, dropped)
    assert judged.zeros == {"dropped": ("layer1.1.conv1", "layer1.1.conv2", "layer2.1.conv1", "layer2.1.conv2")}
    assert judged.kind == "level"
    gamma = replace(resnet, init=Init.ZERO_GAMMA)
    judged = judge(measured(gamma).profile, gamma)
    assert judged.kind == "bypassed"
    assert len(judged.zeros["gamma"]) == 12
    projected = replace(resnet, shortcut=Shortcut.B, cut=frozenset({"layer2.0"}))
    assert judge(measured(projected).profile, projected).zeros == {"cut": ("layer2.0.downsample.0",)}
    learned = replace(resnet, scale=BranchScale.LEARNED)
    judged = judge(measured(learned).profile, learned)
    assert judged.kind == "bypassed"
    assert len(judged.zeros["alpha"]) == 12
    assert "α starts at 0" in gradient_note(learned, measured(learned))
    fixup = replace(resnet, norm=Norm.NONE, init=Init.FIXUP)
    assert "the classifier starts at 0" in gradient_note(fixup, measured(fixup))
    blocked = replace(gamma, cut=frozenset({"layer3.1"}))
    assert judge(measured(blocked).profile, blocked).kind == "zero"
    assert "by construction" in gradient_note(blocked, measured(blocked))
    lost = profile(0, 1e-42, 1e-20, 1e-5, 1, 1)
    assert judge(lost, TWO).zeros == {"underflow": ("conv1",)}


def test_skips_are_counted_and_equal_networks_are_called_equal() -> None:
    spec = NetSpec(blocks=(2, 2), width=8)
    names = list(spec.block_names())
    some, none = replace(spec, cut=frozenset(names[:1])), replace(spec, cut=frozenset(names))
    assert [skips_of(each) for each in (spec, some, spec.plain())] == [
        "With all 4 skips", "With 3 of 4 skips", "Without skips",
    ]  # fmt: skip
    assert "2 branches dropped" in skips_of(replace(spec, dropped=frozenset(names[:2])))
    both = {"residual": measured(none), "plain": measured(none.plain())}
    assert np.array_equal(both["residual"].profile.norms, both["plain"].profile.norms)
    said = comparison(both, {"residual": none, "plain": none.plain()})
    assert "the same" in said
    assert said.count("the gradient") == 1
    apart = {"residual": measured(some), "plain": measured(some.plain())}
    assert "3 of 4 skips" in comparison(apart, {"residual": some, "plain": some.plain()})


def test_a_sweep_is_judged_by_its_own_last_convolution() -> None:
    spec = NetSpec(block=Block.BOTTLENECK)
    sweeps = depth_sweep(spec, (11, 29), probe_batch(16, 3, 8, 10))
    for design in sweeps.values():
        assert [judged.reference[0] for judged in design.judged] == ["layer3.0.conv3", "layer3.2.conv3"]
    assert sweep_note(sweeps).count("last convolution") == 4


def lab_of(*contenders: NetSpec, steps: int = 1, lr: float = 0.02) -> LabRecord:
    lab = Lab(LabPlan(contenders, lr=lr), digits_split)
    for _ in range(steps):
        lab.advance()
    record = lab.record()
    assert record is not None
    return record


def test_the_lab_finds_a_collapsed_network_at_its_first_step_and_leaves_lesions_alone() -> None:
    digits = replace(PRESETS["plain56"], in_channels=1)
    for init in (Init.KAIMING, Init.XAVIER):
        record = lab_of(replace(digits, norm=Norm.NONE, init=init))
        found = findings(record, 1)
        assert [finding.kind for finding in found if finding.kind != "dead"] == ["gone"]
        assert "gone everywhere" in finding_note(found[0])
    small = NetSpec(blocks=(2, 2, 2), width=8, in_channels=1)
    lesion = replace(small, dropped=frozenset({"layer1.1", "layer3.1"}))
    gamma = replace(small, init=Init.ZERO_GAMMA)
    for step in (1, 3, 8):
        assert findings(lab_of(lesion, gamma, steps=step), step) == ()


def record_with(variance: np.ndarray, at: int = 33) -> LabRecord:
    """A record of one contender: losses to step 33, held-out images looked at in step 1 alone."""
    steps = np.arange(1, at + 1)
    signals = {"variance": variance[None].astype(np.float32), "dead": np.zeros((1, len(variance)))}
    track = LabTrack(
        "Own", True, NAMES, tuple(f"b{i}" for i in range(len(variance))), np.full(at, 2.3), np.full(at, 10.0),
        np.ones((at, len(NAMES))), np.ones((at, len(NAMES))), signals, np.array([[2.3, 11.0]]),
    )  # fmt: skip
    return LabRecord(at, 10, steps, steps, np.array([1]), np.array([1]), (track,), LabPlan((TWO,)))


def test_a_held_out_accuracy_says_its_own_step() -> None:
    assert "in step 1." in lab_note(record_with(np.ones(8)), 33)
    assert "in step" not in lab_note(record_with(np.ones(8)), 1)


@pytest.mark.parametrize(
    ("variance", "said"),
    [
        (np.exp(np.arange(20.0)), "grows exponentially"),
        (1 + 9.0 * np.arange(20), "grows linearly"),
        (np.exp(-np.arange(20.0)), "decays exponentially"),
        (np.tile([0.01, 9.0, 0.2, 70.0, 0.03], 4), "neither a line nor an exponential"),
        (np.linspace(1, 1.4, 20), "within a factor of twenty"),
    ],
)
def test_growth_is_claimed_only_where_a_line_fits(variance: np.ndarray, said: str) -> None:
    assert said in growth_note(record_with(variance), 33)


def test_the_floor_and_the_factor_are_what_their_reasons_say() -> None:
    moved = FLOOR * 10 * (0.1 * 32_000 + 0.01 * 16_000 + 0.001 * 16_000)  # the paper's schedule, momentum 0.9
    assert moved == pytest.approx(0.34, abs=0.005)
    largest = max(
        float(norms.max() / norms.min())
        for name in run_names()
        for record in read_run(RUNS / f"{name}.parquet").epochs
        if record.probe and (norms := record.probe.profile.norms[:-1]) is not None
    )
    assert largest < 17.5 < FACTOR
