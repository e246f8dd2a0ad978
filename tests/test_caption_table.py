"""Every public caption, from numbers small enough to check its sentence by hand."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from resviz.figures import captions
from resviz.nets.cost import layer_table
from resviz.nets.difference import difference
from resviz.results import (
    METRICS,
    Agreement,
    AnswersCard,
    Arithmetic,
    AttentionMaps,
    Attribution,
    BlockSignal,
    Broken,
    CalibrationCard,
    Chapter,
    Collapse,
    DepthSweep,
    EpochRecord,
    Excitement,
    Faithfulness,
    Finding,
    GradientProfile,
    Interval,
    Judgement,
    LabRecord,
    LabTrack,
    Landscape,
    LayerRow,
    LayerTable,
    LearningCurve,
    Masks,
    NetworkDifference,
    Paths,
    PlaneMap,
    Prediction,
    Probe,
    RaceRecord,
    Ranking,
    Reach,
    Recording,
    Reuse,
    Run,
    Scope,
    Sharpness,
    Shattering,
    Similarity,
    Table,
    Trajectory,
    TransferEpoch,
    Transferred,
)
from resviz.spec.choices import Span
from resviz.spec.dense import DenseSpec
from resviz.spec.lab import LabPlan
from resviz.spec.net import Init, NetSpec, Norm, Shortcut
from resviz.spec.plane import PlaneSpec
from resviz.spec.transfer import TransferMode, usual_plan
from resviz.spec.transformer import TransformerSpec
from resviz.spec.unet import UNetSpec


def race(errors: list[list[float]]) -> RaceRecord:
    """Three contenders at the most, of four steps."""
    kinds = ("identity", "half", "half-skip")[: len(errors)]
    return RaceRecord("skip", kinds, 56, 200, np.ones((len(errors), len(errors[0]), 4)), np.array(errors))


def taught(mode: TransferMode, answers: list[int]) -> Transferred:
    """A run that gave these answers about four pictures, two of each of two classes."""
    epoch = TransferEpoch(1, 1, 0.1, 0.2, 50.0, np.zeros(1), np.zeros(1))
    seen = np.eye(2)[answers], np.array([0, 0, 1, 1])
    return Transferred(usual_plan(mode), ("a", "b"), ("fc",), (epoch,), 1, *seen, learned=8, watched=2, seconds=1.0)


RUNS = [taught("head", [0, 0, 1, 1]), taught("scratch", [1, 1, 0, 1])]
Row = tuple[tuple[object, ...], object]
DONG = (
    "**The paper says** (Dong et al. 2021, arXiv 2103.03404): attention alone loses rank doubly exponentially, its residual at most a constant times "
    "its cube a layer, in √(‖·‖₁ ‖·‖∞); skips stop that, and MLPs slow it down."
)
COLLAPSE = Collapse(
    {
        "with skips": np.array([0.9, 0.8, 0.6, 0.5]),
        "without skips": np.array([0.9, 0.1, 1e-3, 1e-9]),
        "with skips, no MLP": np.array([0.9, 0.5, 0.1, 0.05]),
        "attention alone": np.array([0.9, 1e-3, 1e-9, 1e-9]),
    },
    2,
)


def attention(row: list[float]) -> AttentionMaps:
    """One layer and head over a class token and four patches, all of which read the same."""
    return AttentionMaps(np.tile(np.array(row, np.float32), (1, 1, 5, 1)), np.zeros((2, 2), np.float32), 3, 5, 150)


TINY, SUBLAYER = TransformerSpec(num_layers=1, dim=16, heads=2), "encoder.layers.encoder_layer_0."
ONE, TWO, THREE = NetSpec(blocks=(1,)), NetSpec(blocks=(2,)), NetSpec(blocks=(1, 1, 1))


def plane(label: str, chance: list[list[float]], loss: float, right: float) -> PlaneMap:
    """A map of a few points, of four held-out ones."""
    none, held_out = np.zeros((0, 1, 1), np.float32), np.zeros((4, 2), np.float32)
    return PlaneMap(120, label, np.array(chance, np.float32), "conv1", none, loss, right, held_out, np.zeros(4, np.int64))


# ------------------------------------------------------------------------------------------ attribution

SURE = Prediction(("cat", "dog"), np.array([0.75, 0.25]))  # entropy: 0.75 · 0.415 + 0.25 · 2 = 0.811 bits
EVEN = Prediction(("cat", "dog"), np.array([0.5, 0.5]), np.array([2.0, 2.0]))  # energy: 2 + log 2 = 2.69


def scope(score: str, threshold: float) -> Scope:
    return Scope(score, threshold, caught=0.62, false_alarms=0.05, auroc={}, inside="own", outside="others")


SAYS, HALF = "**cat** with 75 %. Entropy 0.81 of at most 1.00 bits.", "**cat** with 50 %. Entropy 1.00 of at most 1.00 bits."
RATES = "a limit that flags 62 % of pictures of other classes and 5.0 % of its own"
UNSURE, PASSES = "**Perhaps none of its 2 names fits**: its", "38 % of pictures of other classes pass it too."
UNMEASURED = "how well it tells other pictures from its own was not measured."
ENERGY = "energy score (log Σ exp of its logits, Liu et al. 2020)"
PREDICTIONS: list[Row] = [
    ((SURE,), f"{SAYS} It always chooses one of its 2 names; {UNMEASURED}"),
    (
        (Prediction(("cat",), np.array([1.0])),),
        f"**cat** with 100 %. Entropy 0.00 of at most 0.00 bits. It always chooses one of its 1 name; {UNMEASURED}",
    ),
    ((SURE, scope("probability", 0.9)), f"{SAYS} {UNSURE} largest probability is 0.750, under 0.900, {RATES}."),
    ((SURE, scope("probability", 0.75)), f"{SAYS} Its largest probability is 0.750, not under 0.750, {RATES}: {PASSES}"),
    ((SURE, scope("entropy", -0.5)), f"{SAYS} {UNSURE} entropy is 0.811, over 0.500, {RATES}."),
    ((SURE, scope("entropy", -1.0)), f"{SAYS} Its entropy is 0.811, not over 1.00, {RATES}: {PASSES}"),
    ((EVEN, scope("energy", 3.0)), f"{HALF} {UNSURE} {ENERGY} is 2.69, under 3.00, {RATES}."),
    ((EVEN, scope("logit", 1.5)), f"{HALF} Its largest logit is 2.00, not under 1.50, {RATES}: {PASSES}"),
]


def calibrated(before: float, after: float) -> CalibrationCard:
    return {"temperature": 1.5, "error_before": before, "error_after": after, "bins": 15, "measured": "here"}


DIVIDED, HELD_OUT = "Its logits are divided by 1.50 before the softmax, which", "on held-out pictures."
CALIBRATIONS: list[Row] = [
    ((calibrated(0.12, 0.03),), f"{DIVIDED} brings the gap between certainty and accuracy from 12 % to 3.0 % {HELD_OUT}"),
    (
        (calibrated(0.02, 0.03), (0.5, 0.25)),
        f"{DIVIDED} does not narrow the gap between certainty and accuracy, 3.0 % after 2.0 % {HELD_OUT} "
        "Of pictures of other classes 25 % get 80 % and more, 50 % without that.",
    ),
]
FEW: AnswersCard = {"top5_error": 0.0, "class_errors": {"cat": 0.0, "dog": 0.0}, "confusions": []}
MANY: AnswersCard = {
    "top5_error": 2.0,
    "class_errors": dict.fromkeys("abcdef", 10.0),
    "confusions": [("a", "b", 8.0), ("b", "c", 1.0)],
}
FIRST = "On held-out pictures its first name is right in"
ANSWERS: list[Row] = [
    ((FEW, 0.0), f"{FIRST} 100 %."),
    ((MANY, 12.0), f"{FIRST} 88 %, one of its first five in 98 %; its commonest mistake is “b” for “a” (8.0 % of them)."),
]
EARLY: list[Row] = [
    (
        ({"errors": {"a": 60.0}, "fitted": 100},),
        "Behind a (40 %) a linear read-out of the pooled channels answers, fitted on 100 training pictures; "
        "in brackets, how many of the held-out pictures it names rightly.",
    ),
    (
        ({"errors": {"a": 60.0, "b": 50.0, "c": 1.5}, "fitted": 2500},),
        "Behind a (40 %), b (50 %) and c (98 %) a linear read-out of the pooled channels answers, fitted on 2,500 training pictures; "
        "in brackets, how many of the held-out pictures it names rightly.",
    ),
]


def on(title: str, most: float) -> Excitement:
    return Excitement(title, np.array([[-1.0, most]]))


CLEAR = "What is clear has at least half of the picture's strongest value."
EXCITED: list[Row] = [
    (([on("Cat", 2.5), on("Cup", 0.5)], "u", 3), f"Channel 3 of u is on most for **Cat**, 2.50 at its strongest place. {CLEAR}"),
    (
        ([on("Cat", 2.5), on("Cup", 0.0), on("Sky", -1.0)], "u", 3),
        f"Channel 3 of u is on most for **Cat**, 2.50 at its strongest place, and nowhere for Cup and Sky. {CLEAR}",
    ),
    (([on("Cat", 0.0), on("Cup", -1.0)], "u", 3), "Channel 3 of u is on for none of these 2 pictures."),
]
GREYS = np.stack([np.ones((3, 3, 3)), np.stack([np.ones((3, 3)), np.zeros((3, 3)), np.zeros((3, 3))])])
FILTERS: list[Row] = [
    ((GREYS[:, :1],), "2 filters of 3×3 pixels in grey: light is a positive weight, dark a negative one."),
    (
        (GREYS,),
        "2 filters of 3×3 pixels: 1 weigh the three colours alike, to 5.0 % of their energy, and see light and dark alone; 1 tell colours apart.",
    ),
]

CHECKS: list[Row] = [
    ((None, 1.0), ""),
    ((0.1, None), ""),
    ((-0.04, 4.0), "Convergence delta 0.0400, 1.0 % of the score's change of 4.00: complete."),
    ((0.049, 1.0), "Convergence delta 0.0490, 4.9 % of the score's change of 1.00: complete."),
    ((0.05, 1.0), "Convergence delta 0.0500, 5.0 % of the score's change of 1.00: roughly complete: more steps help."),
    ((0.19, -1.0, "look"), "Convergence delta 0.190, 19 % of the score's change of −1.00: roughly complete: look."),
    ((0.2, 1.0), "Convergence delta 0.200, 20 % of the score's change of 1.00: not complete: more steps help."),
]


def faith(
    deletion: Sequence[float] = (0.8, 0.2, 0.0),
    insertion: Sequence[float] = (0.0, 0.6, 0.8),
    first: float = 0.5,
    last: float = 0.1,
    infidelity: float = 1.0,
    sensitivity: float = 0.1,
    constant: bool = False,
) -> Faithfulness:
    """By trapezoids at 0, ½ and 1 the curves have areas of 0.25 + 0.05 = 30 % and 0.15 + 0.35 = 50 %."""
    return Faithfulness(
        np.array([0, 0.5, 1]),
        np.array(deletion),
        np.array(insertion),
        infidelity,
        sensitivity,
        ("classifier", "all"),
        np.array([first, last]),
        "mean",
        constant,
    )


BRINGS = "putting them back brings 50 %"
LEAVES = "**Map**: taking away its strongest pixels leaves 30 % probability on average"
FAITHFUL = f"{LEAVES}; {BRINGS}."
UNDELETED = (
    "**Map**: **deletion cannot judge this class**, since the mean picture without a pixel of the photograph still gets 40 %, "
    "the photograph 80 %: choose another baseline"
)
TURNED = "With every weight shuffled the map is turned round (rank correlation −0.700): it does depend on them."
CLASSLESS = "Shuffling the classifier alone leaves it as it is (rank correlation 0.950): it hardly knows the class."
CARELESS = (
    "**Be careful**: with every weight shuffled the map is still much the same (rank correlation 0.800), so it shows "
    "the picture more than the network."
)
TRUST: list[Row] = [
    (("Map", faith()), FAITHFUL),
    (("Map", faith(first=0.9, last=0.5)), FAITHFUL),
    (("Map", faith(last=-0.5)), FAITHFUL),
    (
        ("Map", faith(constant=True)),
        "**Map**: the map is the same everywhere, so it puts the pixels in no order that could be judged.",
    ),
    (  # 0.35 + 0.15 on either side: no better than the other way round
        ("Map", faith(deletion=(0.8, 0.6, 0.0))),
        f"{LEAVES.replace('30', '50')}; {BRINGS}. It does not find what the network uses.",
    ),
    (("Map", faith(first=0.95, last=0.8)), f"{FAITHFUL} {CARELESS}"),
    (("Map", faith(last=-0.7)), f"{FAITHFUL} {TURNED}"),
    (("Map", faith(first=0.95)), f"{FAITHFUL} {CLASSLESS}"),
    (("Map", faith(first=0.95, last=-0.7)), f"{FAITHFUL} {TURNED} {CLASSLESS}"),
    (("Map", faith(deletion=(0.8, 0.2, 0.4))), f"{UNDELETED}; {BRINGS}."),
    (
        ("Map", faith(insertion=(0.4, 0.6, 0.8))),
        f"{LEAVES}; **insertion cannot judge it** either way, since the blurred picture alone gets 40 %.",
    ),
]
WORSE, IGNORES = faith((0.8, 0.8, 0.0), infidelity=2, sensitivity=0.05), faith(last=0.8, infidelity=0.5)
RANKS: list[Row] = [
    # ranks by deletion, insertion, infidelity, sensitivity: a 1 1 2 2, b 3 1 3 1, c 1 1 1 2, which ignores the weights
    (({"c": IGNORES, "b": WORSE, "a": faith()},), [("a", 1.5), ("b", 2.0), ("c", 1.25)]),
    # a flat map comes after one that ignores the weights: z 1 1 1 1, c 1 1 2 2
    (({"z": faith(constant=True, infidelity=0, sensitivity=0), "c": IGNORES},), [("c", 1.5), ("z", 1.0)]),
    # deletion judges neither where it cannot judge one: a 1 1 1, b 1 2 2
    (
        ({"b": faith((0.8, 0.8, 0.0), infidelity=2, sensitivity=0.2), "a": faith((0.8, 0.2, 0.4))},),
        [("a", 1.0), ("b", 5 / 3)],
    ),
    # insertion likewise: a 1 1 1, b 2 2 2
    (
        ({"b": faith((0.8, 0.8, 0.0), infidelity=2, sensitivity=0.2), "a": faith(insertion=(0.4, 0.6, 0.8))},),
        [("a", 1.0), ("b", 2.0)],
    ),
]


def paths(identity: Sequence[float], branch: Sequence[float], error: float) -> Paths:
    ways = np.array([identity]), np.array([branch])
    return Paths("layer1.0", *ways, ways[0] + ways[1], error)


def evidence(values: Sequence[float], signed: bool = True, layer: str | None = None) -> Attribution:
    return Attribution("method", 0, np.array([values]), signed, layer)


FLAT = "The map is 0.500 everywhere: it tells no place from another."
CLASSES = ("cat", "dog")
BEFORE, AFTER = Prediction(CLASSES, np.array([0.75, 0.25])), Prediction(CLASSES, np.array([0.1, 0.9]))

# ------------------------------------------------------------------------------------------ gradients

NAMES = ("conv1", "layer1.0.conv1", "layer1.0.conv2")


def probe(
    norms: Sequence[float], loss: float = 2.3, forward: tuple[float, float] = (1.0, 0.5), names: Sequence[str] = NAMES
) -> Probe:
    """The classifier's gradient is the largest by far, and no part of what is said."""
    profile = GradientProfile((*names, "fc"), np.array([*norms, 1e6]), loss)
    return Probe(profile, BlockSignal(("layer1.0", "layer1.1"), np.ones(2), np.array(forward)))


def judged(kind: str, first: float = 1.0, least: float = 0.25, most: float = 1.0, under: int = 0, odd: int = 0) -> Judgement:
    extremes = ("layer1.0.conv1", least), ("layer1.1.conv1", most)
    return Judgement(kind, 3, ("conv1", first), ("layer1.1.conv2", 0.5), *extremes, under, NAMES[:odd], {}, 2.3, 2.3)


ENDS = "1.00 at `conv1`, 2.00× that of the last convolution, `layer1.0.conv2` (0.500)"
JUDGED = ENDS.replace("layer1.0", "layer1.1")
LOW = "1.0×10⁻⁷ at `conv1`, 2.0×10⁻⁷× that of the last convolution, `layer1.1.conv2` (0.500)"
HIGH = "500 at `conv1`, 1,000× that of the last convolution, `layer1.1.conv2` (0.500)"
LEVEL = "stays level within a factor of 100"
VERDICTS: list[Row] = [
    ((judged("overflow", odd=1),), "overflows: 1 layer has an infinite or undefined one"),
    ((judged("overflow", odd=2),), "overflows: 2 layers have an infinite or undefined one"),
    ((judged("zero"),), "is exactly 0 in every convolution: none of them can learn"),
    ((judged("bypassed"),), "reaches `conv1` alone among the convolutions (1.00)"),
    (
        (judged("gone", least=1e-9, most=2e-6),),
        "is gone everywhere: from 1.0×10⁻⁹ in `layer1.0.conv1` to 2.0×10⁻⁶ in `layer1.1.conv1`, where 10⁻⁵ is next to nothing",
    ),
    (
        (judged("settled", least=1e-9, most=2e-6),),
        "is small everywhere: from 1.0×10⁻⁹ in `layer1.0.conv1` to 2.0×10⁻⁶ in `layer1.1.conv1`, where 10⁻⁵ is next to nothing",
    ),
    ((judged("level"),), f"{LEVEL}: {JUDGED}"),
    (
        (judged("uneven", least=0.001, most=90),),
        f"is level from end to end, {JUDGED}, but not in between: from 0.00100 in `layer1.0.conv1` to 90.0 in `layer1.1.conv1`",
    ),
    ((judged("vanishes", first=1e-7, least=1e-7),), f"vanishes: {LOW}"),
    (
        (judged("vanishes", first=1e-7, least=1e-8, under=2),),
        f"vanishes: {LOW}; least in `layer1.0.conv1`, 1.0×10⁻⁸; 2 of 3 are at most 10⁻⁵, next to nothing",
    ),
    ((judged("vanishes", first=1e-7, least=1e-7, under=1),), f"vanishes: {LOW}; 1 of 3 is at most 10⁻⁵, next to nothing"),
    ((judged("explodes", first=500, most=500),), f"explodes: {HIGH}"),
    ((judged("explodes", first=500, most=600),), f"explodes: {HIGH}; most in `layer1.1.conv1`, 600"),
]
SKIPS: list[Row] = [
    ((THREE.plain(),), "Without skips"),
    ((THREE,), "With all 3 skips"),
    ((ONE,), "With its one skip"),
    ((replace(ONE, cut=frozenset({"layer1.0"})),), "With its one skip cut"),
    ((replace(THREE, cut=frozenset({"layer2.0"})),), "With 2 of 3 skips"),
    ((replace(THREE, cut=frozenset(THREE.block_names())),), "With all 3 skips cut"),
    ((replace(THREE, dropped=frozenset({"layer2.0"})),), "With all 3 skips and 1 branch dropped"),
    (
        (replace(THREE, cut=frozenset({"layer1.0"}), dropped=frozenset({"layer2.0", "layer3.0"})),),
        "With 2 of 3 skips and 2 branches dropped",
    ),
]
SECOND = ("layer1.1.conv1", "layer1.1.conv2")
PROJECTED = NetSpec(blocks=(1,), shortcut=Shortcut.C, cut=frozenset({"layer1.0"}))
GUESSING = "The loss is 2.30, and guessing costs 2.30."
GONE = "the gradient is exactly 0 in every convolution: none of them can learn."
NOTES: list[Row] = [
    ((ONE, probe((1, 0.7, 0.5))), f"**With its one skip** the gradient {LEVEL}: {ENDS}."),
    ((ONE, probe((1, 0.7, 0.5)), "In both"), f"**In both** the gradient {LEVEL}: {ENDS}."),
    ((ONE, probe((1, 0.7, 0.5), loss=6.9)), f"**With its one skip** the gradient {LEVEL}: {ENDS}."),
    (
        (ONE, probe((1, 0.7, 0.5), loss=7)),
        f"**With its one skip** the gradient {LEVEL}: {ENDS}. "
        "The forward signal has run away: the loss is 7.00 where guessing costs 2.30.",
    ),
    (
        (ONE, probe((math.inf, math.nan, 1), loss=math.inf)),
        "**With its one skip** the gradient overflows: 2 layers have an infinite or undefined one.",
    ),
    (
        (replace(TWO, dropped=frozenset({"layer1.0"})), probe((1, 0, 0, 0.7, 0.5), names=(*NAMES, *SECOND))),
        f"**With all 2 skips and 1 branch dropped** the gradient {LEVEL}: {JUDGED}. "
        "2 convolutions get exactly 0 by construction: their branch is dropped.",
    ),
    (
        (PROJECTED, probe((1, 0.7, 0.5, 0), names=(*NAMES, "layer1.0.downsample.0"))),
        f"**With its one skip cut** the gradient {LEVEL}: {ENDS}. "
        "1 convolution gets exactly 0 by construction: the skip that they project is cut.",
    ),
    (
        (replace(ONE, init=Init.ZERO_GAMMA), probe((1, 0, 0))),
        "**With its one skip** the gradient reaches `conv1` alone among the convolutions (1.00). 2 convolutions get exactly 0 by "
        "construction: γ starts at 0 in every branch, and nothing comes back through a branch before it has moved.",
    ),
    (
        (replace(ONE, init=Init.ZERO_GAMMA).plain(), probe((0, 0, 0))),
        f"**Without skips** {GONE} 3 convolutions get exactly 0 by construction: γ starts at 0 and a skip is missing, so nothing passes. "
        f"{GUESSING}",
    ),
    (
        (ONE.plain(), probe((0, 0, 0), forward=(1, 5e-4))),
        f"**Without skips** {GONE} 3 convolutions get exactly 0: no unit passes anything on. The signal dies on the way forward: the "
        f"activations' standard deviation is 1.00 after the first block and 5.0×10⁻⁴ after the last one. {GUESSING}",
    ),
    (
        (ONE.plain(), probe((0, 0, 0), forward=(1, 1.2e-3))),
        f"**Without skips** {GONE} 3 convolutions get exactly 0: no unit passes anything on. {GUESSING}",
    ),
    (
        (ONE.plain(), probe((0, 1e-31, 1e-10))),
        "**Without skips** the gradient is gone everywhere: from 0 in `conv1` to 1.0×10⁻¹⁰ in `layer1.0.conv2`, where 10⁻⁵ is next to "
        f"nothing. 1 convolution gets exactly 0: they are smaller than fp32 can hold. {GUESSING}",
    ),
    (
        (ONE, probe((1e-6, 3e-6, 2e-6), loss=0.01)),
        "**With its one skip** the gradient is small everywhere: from 1.0×10⁻⁶ in `conv1` to 3.0×10⁻⁶ in `layer1.0.conv1`, where 10⁻⁵ is "
        "next to nothing. The loss is 0.0100, where guessing costs 2.30: little is left to learn.",
    ),
]
BOTH = {"residual": probe((1, 0.7, 0.5)), "plain": probe((1e-3, 0.4, 0.5))}
LOST = "0.00100 at `conv1`, 0.00200× that of the last convolution, `layer1.0.conv2` (0.500)"
COMPARED: list[Row] = [
    (
        (BOTH, {"residual": ONE, "plain": ONE.plain()}),
        f"**With its one skip** the gradient {LEVEL}: {ENDS}. **Without skips** the gradient vanishes: {LOST}.",
    ),
    (
        (BOTH, {"residual": replace(ONE, cut=frozenset({"layer1.0"})), "plain": ONE.plain()}),
        f"Without its skips the residual network is the plain one: the two lines are the same. **In both** the gradient {LEVEL}: {ENDS}.",
    ),
    (({"plain": BOTH["plain"]}, {"plain": ONE.plain()}), f"**Without skips** the gradient vanishes: {LOST}."),
]
CONV = LayerRow("layer1.0.conv1", "conv 3×3", (16, 32, 32), (32, 16, 16), 4608, 0, 0, 7)
SHAPES = "`layer1.0.conv1` · conv 3×3 · 16×32×32 → 32×16×16"
SWEEP = (judged("level"), judged("explodes", first=500, most=500), judged("zero"))


def sweep(count: int) -> DepthSweep:
    return DepthSweep((20, 56, 110)[:count], np.zeros(1), np.zeros((count, 1)), SWEEP[:count])


# ------------------------------------------------------------------------------------------ lab

CURE = "Its update was withheld. Lower the learning rate, clip the gradient or take a norm, then reset."


def recording(losses: list[float], gradients: list[list[float]], *broken: Broken) -> Recording:
    """A watch's first and tenth step; the weights move a hundredth of what their gradient is."""
    values, steps = np.array(gradients), np.array([1, 10])[: len(gradients)]
    at = np.arange(1, len(losses) + 1, dtype=np.float64)
    tables = {"gradient": Table(("a", "b"), steps, values), "update": Table(("a", "b"), steps, values / 100)}
    return Recording("Net", "step", 10, at, np.array(losses), tables, frozenset("ab"), 2.3, {}, None, broken)


LEARNING = recording([2, 1, 0.5], [[1, 1], [0.5, 0.1]])
STOPPED = recording([2, math.nan], [[1, math.nan], [math.inf, math.nan]], Broken("loss", 2), Broken("activation", 10, "a"))
SWEPT = pd.DataFrame(
    [
        {"depth": 56, "norm": "none", "skips": "all", "seed": 0, "accuracy": 92.0},
        {"depth": 56, "norm": "none", "skips": "all", "seed": 1, "accuracy": 94.0},
        {"depth": 56, "norm": "none", "skips": "none", "seed": 0, "accuracy": math.nan},
        {"depth": 8, "norm": "batch", "skips": "all", "seed": 0, "accuracy": 90.0},
        {"depth": 8, "norm": "batch", "skips": "none", "seed": 0, "accuracy": 91.0},
        {"depth": 20, "norm": "batch", "skips": "all", "seed": 0, "accuracy": 99.0},
    ]
)

RECORDED: list[Row] = [
    (
        (LEARNING, 10),
        "Step 10 of 10. The loss falls: 2.00 → 1.17. In one step weights move by 0.00100 of their size in `b` to 0.00500 in `a`.",
    ),
    (
        (LEARNING, 1),
        "Step 1 of 10. The loss stands still: 2.00 → 2.00. In one step weights move by 0.0100 of their size in `a`.",
    ),
    ((STOPPED, 10), "Step 10 of 10. The loss is no number any more."),
]
BROKEN: list[Row] = [
    ((LEARNING, ()), ()),
    ((LEARNING, (Finding("diverged", "Net", ("a",), math.nan),)), ("**Infinite or NaN** in `a`: the loss is NaN.",)),
    (
        (LEARNING, (Finding("dead", "Net", ("b",), 0.75),)),
        ("**Dead units**: up to 75 % of what `b` reads is 0 for every example of the batch.",),
    ),
    ((LEARNING, (Finding("gone", "Net", NAMES, 1e-6, judged("zero")),)), (f"The {GONE[4:-1]}.",)),
    (
        (STOPPED, (Finding("diverged", "Net", ("a",), math.nan),)),
        (
            "**The loss is no finite number** for the first time in step 2.",
            "**What `a` returns is infinite or NaN**, first seen in step 10; in step 1, which was looked at before, all were finite.",
            "`b` never has a gradient: frozen, or no part of what the loss is computed from.",
        ),
    ),
]
FINDINGS: list[Row] = [
    ((Finding("diverged", "A", (), math.nan),), f"**A** diverged: its loss is NaN. {CURE}"),
    ((Finding("diverged", "A", ("conv1",), math.inf),), f"**A** diverged: its loss is ∞, first seen in `conv1`. {CURE}"),
    (
        (Finding("dead", "A", ("layer1.0", "layer1.1"), 0.95),),
        "**A** has dead units in `layer1.0` and `layer1.1`: up to 95 % of the ReLU units are zero for every image of the batch.",
    ),
    (
        (Finding("zero", "A", NAMES, 0, judged("zero")),),
        "**A**: the gradient is exactly 0 in every convolution: none of them can learn.",
    ),
    (
        (Finding("gone", "A", NAMES, 1e-6, judged("gone", least=1e-9, most=2e-6)),),
        "**A**: the gradient is gone everywhere: from 1.0×10⁻⁹ in `layer1.0.conv1` to 2.0×10⁻⁶ in `layer1.1.conv1`, where 10⁻⁵ is next "
        "to nothing.",
    ),
    (
        (Finding("vanishes", "A", NAMES, 1e-7, judged("vanishes", first=1e-7, least=1e-7)),),
        f"**A**: the gradient vanishes: {LOW}. It concerns `conv1` to `layer1.0.conv2` (3 of them).",
    ),
]


def track(label: str, loss: Sequence[float] = (), variance: Sequence[Sequence[float]] = ()) -> LabTrack:
    none = np.zeros((0, 0))
    signals = {"variance": np.array(variance)}
    return LabTrack(label, True, (), (), np.array(loss), none, none, none, signals, np.array([[2.3, 10.4], [1.5, 60.0]]))


def record(*tracks: LabTrack) -> LabRecord:
    lines, looks = np.arange(1, 21), np.array([1, 10])
    return LabRecord(20, 10, lines, lines, looks, looks, tracks, LabPlan((ONE,) * len(tracks)))


def learned(later: float) -> LabTrack:
    return track("A", [1.0] * 10 + [later] * 10)


LOOKED = "60 % of held-out images right in step 10"
DISCS = UNetSpec((1, 1), 4)
SHORT, ACROSS = replace(DISCS, span=Span.SHORT), replace(DISCS, span=Span.LONG)


def moved(label: str, *updates: float) -> LabTrack:
    """A U-Net whose middle has one layer, and another layer outside of it."""
    return replace(track(label), layers=("middle.0.conv1", "out"), updates=np.array([[each, 9.0] for each in updates]))


def on_discs(*pairs: tuple[UNetSpec, LabTrack]) -> LabRecord:
    made = record(*(each for _, each in pairs))
    return replace(made, plan=LabPlan(tuple(spec for spec, _ in pairs), "discs"))


def middle(*pairs: tuple[UNetSpec, float]) -> tuple[LabRecord]:
    return (on_discs(*((spec, moved("A", each)) for spec, each in pairs)),)


MOVE = "short skips the middle's weights move"
ACROSS_NOTES: list[Row] = [
    (
        middle((DISCS, 3e-3), (SHORT, 1e-3)),
        f"With {MOVE} 0.00300 of their size a step where there are long skips, and 0.00100 where there are none: they **fall 3.00 times**. "
        "IoU is 60 % and 60 %.",
    ),
    (
        middle((ACROSS, 1e-3), (DISCS.plain(), 2e-3)),
        f"Without {MOVE} 0.00100 of their size a step where there are long skips, and 0.00200 where there are none: they do not fall, they "
        "**grow 2.00 times**. IoU is 60 % and 60 %.",
    ),
    (
        middle((SHORT, 1e-3), (DISCS, 1.1e-3)),
        f"With {MOVE} 0.00110 of their size a step where there are long skips, and 0.00100 where there are none: no difference to speak of. "
        "IoU is 60 % and 60 %.",
    ),
    (
        middle((DISCS, 1e-3), (SHORT, 0.0)),
        f"With {MOVE} 0.00100 of their size a step where there are long skips, and 0 where there are none: they stand still once the long "
        "skips go. IoU is 60 % and 60 %.",
    ),
    (middle((DISCS, 1e-3), (DISCS.plain(), 1e-3)), ""),  # they differ in the short ones too
    ((record(learned(0.5)),), ""),
]


def marked(chance: list[list[float]]) -> tuple[Masks, str]:
    true = np.array([[[1, 1], [0, 0]]], np.bool_)
    return Masks(3, "disc", np.zeros((1, 2, 2), np.uint8), true, {"A": np.array([chance], np.float32)}), "A"


LAB: list[Row] = [
    ((on_discs((DISCS, learned(0.5))), 20), "Step 20. **A**: loss falls: 1.00 → 0.500, IoU 60 % on held-out masks in step 10."),
    ((record(learned(0.5)), 20), f"Step 20. **A**: loss falls: 1.00 → 0.500, {LOOKED}."),
    ((record(learned(0.5)), 1), "Step 1. **A**: loss stands still: 1.00 → 1.00, 10 % of held-out images right."),
    ((record(learned(0.5)), 10), "Step 10. **A**: loss stands still: 1.00 → 1.00, 60 % of held-out images right."),
    # the mean of the last ten steps: five of 1 and five of 0.5
    ((record(learned(0.5)), 15), f"Step 15. **A**: loss falls: 1.00 → 0.750, {LOOKED}."),
    ((record(learned(0.91)), 20), f"Step 20. **A**: loss stands still: 1.00 → 0.910, {LOOKED}."),
    ((record(learned(1.09)), 20), f"Step 20. **A**: loss stands still: 1.00 → 1.09, {LOOKED}."),
    ((record(learned(1.2)), 1234), f"Step 1,234. **A**: loss rises: 1.00 → 1.20, {LOOKED}."),
    (
        (record(learned(math.nan), track("B", [2.0] * 20)), 20),
        f"Step 20. **A**: loss is no number any more, {LOOKED}; **B**: loss stands still: 2.00 → 2.00, {LOOKED}.",
    ),
]
GROWTH = "Variance from the first to the last block: **A**"
UNFIT = f"{GROWTH} has no variance that a line could be fitted to."


def grown(*variance: float) -> LabRecord:
    return record(track("A", variance=[variance]))


GROWN: list[Row] = [
    ((grown(1, 10, 100), 5), UNFIT),
    ((grown(1, 10, 0, 1000), 5), UNFIT),
    ((grown(1, 10, math.inf, 1000), 5), UNFIT),
    ((grown(1, 2, 3, 4.9), 5), f"{GROWTH} stays within a factor of twenty, 1.00 → 4.90."),
    ((grown(1, 0.8, 0.5, 0.21), 5), f"{GROWTH} stays within a factor of twenty, 1.00 → 0.210."),
    # Sxy = 1543.5, Sxx = 5, Syy = 701,521: R² = 0.68
    ((grown(1, 10, 100, 1000), 5), f"{GROWTH} grows exponentially (R² 0.68 by block, 1.00 for its logarithm), 1.00 → 1,000."),
    ((grown(1000, 100, 10, 1), 5), f"{GROWTH} decays exponentially (R² 0.68 by block, 1.00 for its logarithm), 1,000 → 1.00."),
    # the logarithms 0, 3.93, 4.62, 5.02: Sxy = 7.87, Syy = 15.9: R² = 0.78
    ((grown(1, 51, 101, 151), 5), f"{GROWTH} grows linearly (R² 1.00 by block, 0.78 for its logarithm), 1.00 → 151."),
    (
        (record(track("A", variance=[[1, 2, 3, 4], [1, 10, 100, 1000]]), track("B", variance=[[1, 1, 1, 1], [4, 4, 4, 4]])), 9),
        f"{GROWTH} stays within a factor of twenty, 1.00 → 4.00; **B** stays within a factor of twenty, 1.00 → 1.00.",
    ),
    (  # five times: Sxy = 6.5, Syy = 8.75; of the logarithms 2.617 and 1.386
        (grown(1, 2, 3, 5), 5),
        f"{GROWTH} grows, as well described by a line as by an exponential (R² 0.97 by block, 0.99 for its logarithm), 1.00 → 5.00.",
    ),
    (  # twenty times in between: Sxy = 12, Syy = 217; of the logarithms 2.773 and 4.512
        (grown(1, 5, 20, 4), 5),
        f"{GROWTH} follows neither a line nor an exponential (R² 0.13 by block, 0.34 for its logarithm), 1.00 → 4.00.",
    ),
    ((grown(1, 3, 5, 7), 5), f"{GROWTH} grows linearly (R² 1.00 by block, 0.93 for its logarithm), 1.00 → 7.00."),
    (  # Sxy = 87.5, Syy = 1619
        (grown(10, 15, 40, 60), 5),
        f"{GROWTH} grows, as well described by a line as by an exponential (R² 0.95 by block, 0.97 for its logarithm), 10.0 → 60.0.",
    ),
    (  # Sxy = 85, Syy = 3275
        (grown(10, 60, 20, 80), 5),
        f"{GROWTH} follows neither a line nor an exponential (R² 0.44 by block, 0.47 for its logarithm), 10.0 → 80.0.",
    ),
]

# ------------------------------------------------------------------------------------------ nets, numbers, training


def conv(name: str, inside: int, outside: int, side: int, kernel: int) -> LayerRow:
    weights = inside * outside * kernel**2
    return LayerRow(f"layer1.0.{name}", "conv", (inside, side, side), (outside, side, side), weights, weights * side**2, 0, 0)


def table(*rows: LayerRow, params: int = 0, macs: int = 0) -> LayerTable:
    return LayerTable(rows, params, macs, 0)


def bottleneck(channels: int, inside: int) -> LayerTable:
    narrow, middle = conv("conv1", channels, inside, 56, 1), conv("conv2", inside, inside, 28, 3)
    return table(narrow, middle, conv("conv3", inside, channels, 28, 1))


NAN = math.nan
FIGURE_5 = (
    "Huang et al. 2017 (figure 5, L=40, k=12, 300 epochs of CIFAR-10 with weight decay) find the input of the second and the third block read least, and the classifier "
    "drawn to the last layers."
)


def reused(values: list[list[float]], block: str = "b") -> Reuse:
    numbers = tuple(map(str, range(1, len(values))))
    return Reuse(block, ("input", *numbers), (*numbers, "end"), np.array(values))


DENSE_LAYER = "features.denseblock1.denselayer3"
SMALL = DenseSpec((3,), 4, width=6)
DENSE: list[Row] = [
    (  # 6 + 4 + 4 channels, 9 · 14 · 4 weights
        (layer_table(SMALL, 8), DENSE_LAYER),
        f"`{DENSE_LAYER}` reads 14 channels of 3 sources side by side and puts 4 beside them: 18 go on. 504 weights.",
    ),
    (  # 14 · 8 + 9 · 8 · 4 = 400
        (layer_table(replace(SMALL, bottleneck=2, severed=frozenset({(DENSE_LAYER, 0)})), 8), DENSE_LAYER),
        f"`{DENSE_LAYER}` reads 14 channels of 3 sources side by side, 6 of them as zeros, and puts 4 beside them: 18 go on. 400 weights, "
        "where a 3×3 convolution of all that it reads would hold 504: the bottleneck saves 21 %.",
    ),
    (
        (layer_table(replace(SMALL, cut=frozenset({DENSE_LAYER})), 8), DENSE_LAYER),
        f"`{DENSE_LAYER}` reads 14 channels of 3 sources side by side and puts 4 beside them: 18 go on, of which the 14 before it are zeros "
        "from here on, since its skip is cut. 504 weights.",
    ),
    (
        (layer_table(replace(SMALL, dropped=frozenset({DENSE_LAYER})), 8), DENSE_LAYER),
        f"`{DENSE_LAYER}` reads 14 channels of 3 sources side by side and puts 4 (zeros: it is dropped) beside them: 18 go on. 504 weights.",
    ),
]
BLOCKS: list[Row] = [
    (  # 2 · 9 · 16² = 4608 weights, each used at 32² places
        (table(conv("conv1", 16, 16, 32, 3), conv("conv2", 16, 16, 32, 3)), "layer1.0"),
        "`layer1.0`: two 3×3 convolutions of 16 channels, 4.61 k weights, 4.72 MMACs.",
    ),
    ((layer_table(PlaneSpec(), 1), "layer1.0"), "`layer1.0`: two fully connected layers of 16 units, 512 weights."),
    (
        (layer_table(UNetSpec(), 32), "up1.long"),
        "`up1.long` puts the 8 channels of `down1.0.relu2` beside 8 that come up from below: 16 go on, 32×32 each.",
    ),
    (
        (layer_table(UNetSpec().plain(), 32), "up2.long"),
        "`up2.long` puts 16 zeros a pixel, since it is cut, beside 16 that come up from below: 32 go on, 16×16 each.",
    ),
    (  # 256 · 64 + 9 · 64² + 64 · 256 = 69,632 of 18 · 256² = 1,179,648
        (bottleneck(256, 64), "layer1.0"),
        "`layer1.0`: 256 → 64 → 64 → 256 channels, 69.6 k weights. Two 3×3 convolutions on 256 channels would hold 1.18 M: the "
        "bottleneck saves 94 %.",
    ),
    (  # 16 · 64 + 9 · 64² + 64 · 16 = 38,912 are 8.44 times 4608
        (bottleneck(16, 64), "layer1.0"),
        "`layer1.0`: 16 → 64 → 64 → 16 channels, 38.9 k weights. Two 3×3 convolutions on 16 channels would hold 4.61 k: the "
        "bottleneck costs 744 % more.",
    ),
]


def compared(first: LayerTable, second: LayerTable) -> tuple[NetworkDifference, str, str]:
    return difference(first, second), "ResNet-8", "ResNet-14"


CONV1, WIDER = conv("conv1", 16, 16, 32, 3), conv("conv1", 16, 32, 32, 3)
DIFFERENT: list[Row] = [
    (
        compared(table(CONV1, params=1000, macs=5000), table(CONV1, conv("conv2", 16, 16, 32, 3), params=2500, macs=5000)),
        "1 layer alike in both, 1 layer only in ResNet-14. ResNet-14 has 2.50 k parameters, 2.50 times 1.00 k and as many multiply-adds an "
        "input (5.00 k).",
    ),
    (
        compared(table(CONV1, params=1, macs=1), table(WIDER, params=1, macs=1)),
        "No layer alike in both, 1 layer of another kind, shape or size. ResNet-14 has as many parameters (1) and as many multiply-adds an input (1).",
    ),
    (
        (difference(table(CONV1, params=1, macs=1), table(replace(CONV1, cut=True), params=1, macs=1)), "ResNet-8", "ResNet-8"),
        "No layer alike in both, 1 layer cut or dropped in one of them. ResNet-8 below has as many parameters (1) and as many multiply-adds an input (1).",
    ),
    (
        compared(table(CONV1, WIDER, params=9, macs=8), table(params=3, macs=2)),
        "No layer alike in both, 1 layer only in ResNet-8. ResNet-14 has 3 parameters, 0.333 times 9 and 2 multiply-adds an input, 0.250 times 8.",
    ),
]


def run(train: float, test: float, epochs: int = 2) -> Run:
    def epoch(number: int, train: float, test: float) -> EpochRecord:
        return EpochRecord(number, epochs, train, 0.0, test, 0.0, 0.0)

    records = [epoch(number, 90.0, 90.0) for number in range(1, epochs)]
    return Run("run", {"seed": 3, "data": "CIFAR-10"}, np.zeros(1), (*records, epoch(epochs, train, test)))


def ratios(*values: float) -> EpochRecord:
    return EpochRecord(1, 1, 0.0, 0.0, 0.0, 0.0, 0.0, branch_ratio=values)


ALIKE = "One seed (3) each, 2 epochs where the paper took 164, on CIFAR-10."
PLAIN_RUNS = {(False, 56): run(9.0, 0), (False, 20): run(5.0, 0), (False, 32): run(99.0, 0)}
PLAIN_NOTE = "**Without skips**, going from 20 to 56 layers the training error rises from 5.0 % to 9.0 %."

READS = (
    "`layer1.0.conv2` reads 2 channels × 1×1 = 2 products for channel 4 at row 5, column 6. Added up here in 64 bits, they meet "
    "the network's own number"
)


def arithmetic(joined: float) -> Arithmetic:
    """1 · 0.5 + 2 · 0.25 from the convolution, which an identity of 1.5 makes 2.5; the network says `joined`."""
    window, weights = np.array([[[1.0]], [[2.0]]]), np.array([[[0.5]], [[0.25]]])
    place, norm = ("layer1.0", 4, 5, 6, "layer1.0.conv2", "layer1.0.bn2", 0), (0.0, 1.0, 0.0)
    return Arithmetic(*place, window, weights, *norm, 1.5, "identity", "relu", 1.0, joined, joined)


# ------------------------------------------------------------------------------------------ methods over many pictures


def ranked(
    ranks: dict[str, tuple[float, float]], pictures: int = 12, judged: int = 12, taus: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> Ranking:
    """Methods with their mean ranks and how often each is first; pixel flipping could judge so many of the pictures."""
    scores = {name: np.zeros((len(ranks), pictures)) for name in METRICS}
    scores["flipping"][:, judged:] = np.nan
    intervals = {name: tuple(Interval(0.5, 0.25, 0.75) for _ in ranks) for name in METRICS}
    survives = {
        kind: Agreement(Interval(tau, tau - 0.25, 1.0), Interval(1.0, 0.75, 1.0))
        for kind, tau in zip(("black", "blur", "noise"), taus, strict=True)
    }
    return Ranking(
        "net",
        tuple(f"{n}.png" for n in range(pictures)),
        ("cat",) * pictures,
        tuple(ranks),
        scores,
        intervals,
        ranks=tuple(Interval(rank, rank - 0.25, rank + 0.25) for rank, _ in ranks.values()),
        first=tuple(first for _, first in ranks.values()),
        baseline="mean",
        survives=survives,
    )


CLEAR = {"B": (2.5, 0.0), "A": (1.25, 0.97), "C": (2.25, 0.03)}
BEST = "**A** has the best mean rank: 1.25 (1.00 to 1.50) of 3"
OVER = "Over 12 pictures, each explained for what net says it is"
SAME = "the same with black (τ 1.00), blur (τ 1.00) and noise (τ 1.00)"
OTHER, MEAN_RANK = "With another baseline than mean the order by pixel flipping alone is", f"; that by mean rank is {SAME}."
UNJUDGED = "Pixel flipping cannot judge 3 of 12 pictures: with every pixel flipped to mean, half of the class's probability or more is left."
TOO_FEW = "With so few pictures such intervals are too narrow (Hesterberg 2015, arXiv 1411.5279)."
RANKINGS: list[Row] = [
    ((ranked(CLEAR),), f"{OVER}, {BEST}. It is first in 97 % of the draws. B is last at 2.50 (2.25 to 2.75)."),
    (
        (ranked(CLEAR | {"A": (1.25, 0.7), "C": (2.25, 0.4)}),),
        f"{OVER}, {BEST}. Alone or with others it is first in 70 % of the draws, C, at 2.25 (2.00 to 2.50), in 40 %: these pictures do "
        "not tell the two apart. B is last at 2.50 (2.25 to 2.75).",
    ),
    (
        (ranked({"A": (1.5, 0.9), "B": (1.5, 0.8)}, 3, 3),),
        "Over 3 pictures, each explained for what net says it is, **A** has the best mean rank: 1.50 (1.25 to 1.75) of 2. B has the "
        f"same. {TOO_FEW}",
    ),
    ((ranked({"A": (1.0, 1.0)}),), f"{OVER}. **A** has no other method beside it, so nothing is ranked."),
    (
        (ranked({"A": (1.0, 1.0)}, 1, 1),),
        "Over 1 picture, each explained for what net says it is. **A** has no other method beside it, so nothing is ranked. One "
        "picture says nothing of others: the intervals are empty.",
    ),
]
BASELINES: list[Row] = [
    ((ranked(CLEAR),), f"{OTHER} {SAME}{MEAN_RANK}"),
    (
        (ranked(CLEAR, judged=9, taus=(1.0, 0.5, -0.25)),),
        f"{OTHER} the same with black (τ 1.00), mostly the same with blur (τ 0.500), another with noise (τ −0.250){MEAN_RANK} {UNJUDGED}",
    ),
    (
        (ranked(CLEAR, taus=(math.nan, 1.0, 1.0)),),
        f"{OTHER} not to be compared with black, the same with blur (τ 1.00) and noise (τ 1.00){MEAN_RANK}",
    ),
    ((ranked({"A": (1.0, 1.0)}),), ""),
    (
        (ranked({"A": (1.0, 1.0)}, judged=9),),
        UNJUDGED,
    ),
]


# ------------------------------------------------------------------------------------------ what surrounds a network


def around(sign: int, steep: float, middle: float) -> Landscape:
    """Five by five points of middle + steep · (x² ± y²): a bowl, or a saddle, which curves downwards everywhere. Guessing costs 2."""
    x, y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5))
    return Landscape(np.linspace(-1, 1, 5), middle + steep * (x**2 + sign * y**2), 2.0)


BOWL, NARROW = around(1, 1.0, 0.5), around(1, 8.0, 0.5)  # under 2 but for the corners, 21 of 25, and in the middle alone
SADDLE, STEEP = around(-1, 1.0, 1.5), around(-1, 8.0, 9.0)  # where x² − y² is under ½, 19 of 25, and where it is −1, 2 of 25


def curved(largest: float, settled: bool = True) -> Sharpness:
    return Sharpness(largest, np.array([1.0, largest]), settled)


def shattered(residual: tuple[float, float], plain: tuple[float, float]) -> Shattering:
    """Two depths; the correlation of neighbours at each."""
    near = {"residual": residual, "plain": plain, "plain, no norm": (0.5, 0.5)}
    correlations = {name: np.array([[1.0, value] for value in values]) for name, values in near.items()}
    return Shattering((8, 56), np.linspace(0, 1, 5), {}, correlations, 2)


def reached(side: int, strongest: int) -> Reach:
    """So many pixels of the same strength, of a square of `side`."""
    strength = np.zeros(side * side)
    strength[:strongest] = 1
    return Reach(strength.reshape(side, side), 20, 4)


def went(first: float, second: float, losses: float = 2.0) -> Trajectory:
    """Three moments; the components' shares, and one loss everywhere but at a corner."""
    plane = np.array([[0.5, losses], [losses, losses]])
    return Trajectory((0, 23, 46), np.zeros((3, 2)), (first, second), np.arange(2.0), np.arange(2.0), plane, 2.3)


def alike(values: list[list[float]]) -> Similarity:
    return Similarity(("a", "b", "c"), ("a", "b", "c"), np.array(values), 40)


SEES = (
    "What the middle of the last feature map sees, from a random gradient there to the input, mean of 20 random inputs over "
    "4 initialisations:"
)
SQUARE = "The dashed square is that wide, the frame is all that can reach it."
SMALLER = (
    "**The paper says** (Luo et al. 2016, arXiv 1701.04128): the effective field fills only a part of the theoretical one, the smaller the more "
    "layers there are, and skips make it smaller still."
)
KEPT = "The weights were kept at 3 moments of 46 steps of training on digits:"
PLANES = "Each network has a plane of its own; biases and norms are those of the end, and batch norm takes the statistics of the pictures."
DESCENTS = (
    "**The paper says** (Li et al. 2018, arXiv 1712.09913, §7): 40 to 90 % of the variation in descent paths lies in only two dimensions. "
    "**We measure**"
)
CKA = "linear CKA, where 1 is the same but for turning and scaling; 40 pictures"
STABLE = (
    "Gradient descent with η = 0.100 is stable along a direction whose curvature is below 2/η = 20.0 (Cohen et al. 2021, arXiv 2103.00065). "
    "λ_max of the loss where the weights are:"
)
SHATTERS = (
    "**The paper says** (Balduzzi et al. 2017, arXiv 1702.08591): without skips the correlation falls exponentially with depth, until the "
    "gradient is like white noise; with them it falls far more slowly. **We measure**"
)
FINDS = (
    "**The paper says** (Kornblith et al. 2019, arXiv 1905.00414): in two trainings of one network of ten layers the same layers are the "
    "most alike, in about 99 % of cases. **We measure**"
)
LI = "**The paper says** (Li et al. 2018, arXiv 1712.09913):"
DEEP = f"{LI} without skips the loss of deep networks turns from nearly convex to chaotic, and skips prevent that."
SHALLOW = f"{LI} at 20 layers a network without skips is still benign; with depth its loss turns chaotic, and skips prevent that."
OVERFLOWING = replace(BOWL, losses=np.where(BOWL.losses == 2.5, np.inf, BOWL.losses))
LANDSCAPES: list[Row] = [
    (
        ({"residual": BOWL, "plain": STEEP},),
        "**With skips** the loss is 0.500 in the middle and at most 2.50; 84 % of the plane is better than guessing (2.00), 0 % of it curves "
        "downwards. **Without skips** the loss is 9.00 in the middle and at most 17.0; 8.0 % of the plane is better than guessing (2.00), "
        "100 % of it curves downwards. One colour scale for both, the paler the lower.",
    ),
    (
        ({"residual": OVERFLOWING},),
        "**With skips** the loss is 0.500 in the middle and at most 1.75, and overflows at 4 points; 84 % of the plane is better than "
        "guessing (2.00), 0 % of it curves downwards.",
    ),
]
BETTER = "of the plane better than guessing with skips and"


def both(residual: Landscape, plain: Landscape, depth: int = 56, trained: bool = True) -> tuple[object, ...]:
    return {"residual": residual, "plain": plain}, trained, depth


CLAIMS: list[Row] = [
    (
        both(BOWL, STEEP),
        f"{DEEP} **We measure** 84 % {BETTER} 8.0 % without, 0 % and 100 % of it curving downwards: **agrees**, with skips it is wider and smoother.",
    ),
    (
        both(SADDLE, STEEP),
        f"{DEEP} **We measure** 76 % {BETTER} 8.0 % without, 100 % and 100 % of it curving downwards: **agrees in part**, with skips it is wider "
        "and no smoother.",
    ),
    (
        both(BOWL, SADDLE),
        f"{DEEP} **We measure** 84 % {BETTER} 76 % without, 0 % and 100 % of it curving downwards: **agrees in part**, with skips it is no wider "
        "and smoother.",
    ),
    (
        both(SADDLE, SADDLE),
        f"{DEEP} **We measure** 76 % {BETTER} 76 % without, 100 % and 100 % of it curving downwards: **differs**, with skips it is no wider and "
        "no smoother.",
    ),
    (
        both(NARROW, NARROW, 20),
        f"{SHALLOW} **We measure** 4.0 % {BETTER} 4.0 % without, 0 % and 0 % of it curving downwards: **agrees**, with skips it is as wide and as "
        "smooth.",
    ),
    (
        both(BOWL, SADDLE, 20),
        f"{SHALLOW} **We measure** 84 % {BETTER} 76 % without, 0 % and 100 % of it curving downwards: **agrees in part**, with skips it is as wide "
        "and smoother.",
    ),
    (
        both(BOWL, STEEP, trained=False),
        f"{DEEP} It looks at trained networks: before training this plane neither bears it out nor speaks against it.",
    ),
]

ROWS: dict[str, list[Row]] = {
    "attribution_note": CHECKS,
    "early_note": EARLY,
    "excited_note": EXCITED,
    "filters_note": FILTERS,
    "answers_note": ANSWERS,
    "calibration_note": CALIBRATIONS,
    "prediction_note": PREDICTIONS,
    "trust_note": TRUST,
    "trust_ranking_note": RANKINGS,
    "trust_baseline_note": BASELINES,
    "ranking": RANKS,
    "paths_note": [
        (
            (paths((1, 2), (-1, 0), 0.002),),
            "At `layer1.0` the skip carries more: 75 % of the evidence's strength comes by the skip. It adds up to 3.00 and the branch's "
            "to −1.00; together they miss the whole by 0.200 %.",
        ),
        (
            (paths((1, -1), (3, 1), 0),),
            "At `layer1.0` the residual branch carries more: 33 % of the evidence's strength comes by the skip. It adds up to 0 and the "
            "branch's to 4.00; together they miss the whole by 0 %.",
        ),
    ],
    "cut_note": [
        (
            (BEFORE, AFTER, "cat", "3 skips cut"),
            "With 3 skips cut the probability of *cat* goes from 75 % to 10 %; the network now says **dog** with 90 %.",
        ),
        (
            (AFTER, BEFORE, "dog", "a restored skip"),
            "With a restored skip the probability of *dog* goes from 90 % to 25 %; the network now says **cat** with 75 %.",
        ),
    ],
    "focus_note": [
        ((evidence([0, 0]),), "No pixel changes this class's score: the map is zero everywhere."),
        ((evidence([0.5, 0.5]),), FLAT),
        (
            (evidence([0.5, 0.5], layer="layer3.8"),),
            f"{FLAT} What follows `layer3.8` treats every place alike; ask at an earlier layer.",
        ),
        # two of twenty hold 6 of 24
        ((evidence([3, -3] + [1] * 18),), "The strongest tenth of the pixels holds 25 % of the evidence."),
        (
            (evidence([3, 3] + [1] * 18, signed=False),),
            "The strongest tenth of the pixels holds 25 % of the strength; it has no sign, neither for nor against.",
        ),
        ((evidence([1, 1, 1, 7]),), "The strongest tenth of the pixels holds 70 % of the evidence."),
    ],
    "skips_of": SKIPS,
    "verdict": VERDICTS,
    "gradient_note": NOTES,
    "comparison": COMPARED,
    "layer_note": [
        ((CONV, {}), f"{SHAPES} · 4,608 parameters · receptive field 7 px"),
        ((replace(CONV, params=1), {}), f"{SHAPES} · 1 parameter · receptive field 7 px"),
        (
            (CONV, {key: each.profile for key, each in BOTH.items()}),
            f"{SHAPES} · 4,608 parameters · receptive field 7 px · ‖∂L/∂W‖ residual 0.700, plain 0.400",
        ),
        (
            (CONV, {key: each.profile for key, each in BOTH.items()}, True),
            f"{SHAPES} · 4,608 parameters · receptive field 7 px · ‖∂L/∂W‖ dense 0.700, plain 0.400",
        ),
        (
            (replace(CONV, name="layer1.1.conv1"), {"residual": BOTH["residual"].profile}),
            f"{SHAPES.replace('layer1.0', 'layer1.1')} · 4,608 parameters · receptive field 7 px",
        ),
    ],
    "sweep_note": [
        (
            ({"residual": sweep(3), "plain": sweep(2)},),
            f"The gradient's course with depth. **residual**: at 20 layers it {LEVEL}: {JUDGED}; at 110 layers it is exactly 0 in every "
            f"convolution: none of them can learn. **plain**: at 20 layers it {LEVEL}: {JUDGED}; at 56 layers it explodes: {HIGH}.",
        ),
        (({"plain": sweep(1)},), f"The gradient's course with depth. **plain**: at 20 layers it {LEVEL}: {JUDGED}."),
    ],
    "trainings_of": [
        (
            (SWEPT.assign(steps=150), "this design"),
            "In 6 trainings of this design, 8 to 56 layers, 150 steps on digits each, the median held-out accuracy is 90.0 % with skips "
            "and 91.0 % without at 8 layers, and 93.0 % with skips and 0 % without at 56 layers. One that diverged counts as 0 %.",
        ),
        ((SWEPT[SWEPT["skips"] == "all"].assign(steps=150), "this design"), ""),
    ],
    "skips_over_all": [
        (
            (SWEPT,),
            "**In 6 trainings** of 2 settings, each with skips and without, the median held-out accuracy is higher with skips in 1 and lower in "
            "1. They help most at depth 56, norm none: 93.0 % with, 0 % without. They cost most at depth 8, norm batch: 90.0 % with, "
            "91.0 % without. One that diverged counts as 0 %.",
        ),
        ((SWEPT[SWEPT["skips"] == "all"],), ""),
        ((SWEPT.drop(columns="skips"),), ""),
    ],
    "finding_note": FINDINGS,
    "lab_note": LAB,
    "growth_note": GROWN,
    "nothing_wrong": [
        ((2,), "Every judged gradient is within a factor of 100 of the last one's, and everything is a finite number."),
        ((1,), "There are no two layers whose gradients can be compared; everything is a finite number."),
    ],
    "recording_note": RECORDED,
    "recording_findings": BROKEN,
    "bottleneck_note": BLOCKS,
    "dense_note": DENSE,
    "difference_note": DIFFERENT,
    "long_skips_note": ACROSS_NOTES,
    "middle_update": [((moved("A", 1, 5, 2),), 2.0)],
    "mask_note": [
        (marked([[0.9, 0.1], [0.8, 0.2]]), "**A** finds 50 %; 50 % of its marks are right."),
        (marked([[0.4, 0.1], [0.5, 0.2]]), "**A** marks no pixel as disc."),
        (marked([[math.nan, 0.1], [0.8, 0.2]]), "**A** answers with no number any more."),
    ],
    "plane_note": [
        (
            ((plane("MLP-20", [[0.1, 0.9], [0.2, 0.8]], 0.118, 75),),),
            "Step 120. **MLP-20** calls 50 % of the plane amber, and 75 % of 4 held-out points by their colour; its loss on them is 0.118.",
        ),
        (
            ((plane("A", [[0.49, 0.51]], 0.7, 50), plane("B", [[0.9, 0.9]], 1.5, 50)),),
            "Step 120. **A** tells no point from another: amber has a probability of 0.49 to 0.51 everywhere, and its loss on held-out "
            "points is 0.700, about what guessing costs. **B** tells no point from another: amber has a probability of 0.90 everywhere, and "
            "its loss on held-out points is 1.50.",
        ),
        (((plane("A", [[math.nan, 0.5]], math.nan, 50),),), "Step 120. **A** answers with no number any more."),
    ],
    "reuse_note": [
        (
            ((reused([[1, 1, 1], [NAN, 4, 2], [NAN, NAN, 4]]), reused([[2, 3, 3], [NAN, 1, 1], [NAN, NAN, 5]], "c")), "A", 150),
            # 1/4 and 1/3 of what layers get, then 3/1 and 3/3
            "**A** after 150 steps on digits, mean |w| from a source to a reader. A block's input is read 0.29 in `b`, 2.00 in `c` times as strongly "
            f"as the layers' own features. The classifier reads layer 2 of its block most. {FIGURE_5}",
        ),
        (
            ((reused([[1, 1, 1], [NAN, 1, 1], [NAN, NAN, 1.05]]),), "A", 1),
            "**A** after 1 step on digits, mean |w| from a source to a reader. A block's input is read 0.99 in `b` times as strongly as the "
            f"layers' own features. That is as weights are drawn: nothing prefers a source yet. {FIGURE_5}",
        ),
        (  # a chain: nobody reads both
            ((reused([[2, NAN], [NAN, 1]]),), "A", 2),
            f"**A** after 2 steps on digits, mean |w| from a source to a reader. The classifier reads layer 1 of its block most. {FIGURE_5}",
        ),
    ],
    "attention_note": [
        (
            (attention([0.2, 0.1, 0.4, 0.1, 0.2]), "A"),
            "**A** after 150 steps on digits, of the digit 3, which it takes for 5: what the class token reads of each patch, layer by layer, head by head. Spread "
            "evenly a token would get 0.200. The most is 0.400, in head 0 of layer 0, of the patch in row 1, column 2. Itself it gives 0.200 on average. "
            "A weight says what is read, not what the answer is made of (Jain & Wallace 2019, arXiv 1902.10186).",
        ),
        (
            (replace(attention([0.2, 0.2, 0.2, 0.2, 0.2]), steps=0), "A"),
            "**A** at its initial weights, of the digit 3, which it takes for 5: what the class token reads of each patch, layer by layer, head by head. Spread "
            "evenly a token would get 0.200. No patch gets 1.5 times that: nothing is looked at yet. Itself it gives 0.200 on average.",
        ),
    ],
    "collapse_note": [
        (
            (COLLAPSE, "A"),
            "A, 3 layers at their initial weights, median of 2 digits: what is left of ‖res(X)‖ / ‖X‖, res(X) being the tokens less their mean, both in "
            "the Frobenius norm and double precision. **with skips** 0.500; **without skips** 1.0×10⁻⁹, at most 10⁻⁸ from layer 3 on: one token, many "
            "times; **with skips, no MLP** 0.0500, from 0.900; **attention alone** 1.0×10⁻⁹, at most 10⁻⁸ from layer 2 on: one token, many times.",
        )
    ],
    "collapse_claim": [
        (
            (COLLAPSE,),  # 10⁻⁹ is 10⁻³ cubed, and the step before is from 0.9
            f"{DONG} **We measure** 0.500 with skips and 1.0×10⁻⁹ for attention alone behind 3 layers. On the way down each layer raises it to the power 2.0, "
            "in the median. With MLPs it is gone behind layer 3, without them behind layer 2. **Agrees**.",
        ),
        (
            (Collapse({"with skips": np.array([0.9, 0.05]), "without skips": np.array([0.9, 0.9])}, 1),),
            f"{DONG} **We measure** 0.0500 with skips and 0.900 for attention alone behind 1 layer. **Differs**: to agree it would be 0.1 and more with skips, "
            "10⁻⁸ and less without.",
        ),
    ],
    "sublayer_note": [
        (
            (layer_table(TINY, 8), f"{SUBLAYER}attention"),
            # 4·(16·16 + 16) + 32 of the norm; 17·4·16² + 2·17²·16
            f"`{SUBLAYER}attention`: 17 tokens of 16 numbers, 1.12 k parameters, 26.7 kMACs, of which 35 % are between tokens: what queries and keys "
            "have in common, and the mean of the values. That part grows with the square of the tokens, the matrices' with their number.",
        ),
        (
            (layer_table(TINY, 8), f"{SUBLAYER}mlp"),  # 2·16·32 + 48 + 32; 17·2·16·32
            f"`{SUBLAYER}mlp`: 17 tokens of 16 numbers, 1.10 k parameters, 17.4 kMACs, the same for each token by itself.",
        ),
        (
            (layer_table(replace(TINY, dropped=frozenset({f"{SUBLAYER}mlp"})), 8), f"{SUBLAYER}mlp"),
            f"`{SUBLAYER}mlp`: 17 tokens of 16 numbers, 1.10 k parameters, 0 MACs: it is dropped.",
        ),
    ],
    "table_note": [
        ((LayerTable((), 0, 0, 0),), "0 parameters and 0 MACs an image."),
        (  # 2 · 16 + 18 · 16² + 16 · 2 MACs, as many parameters and a bias a unit, 272 of them in each layer
            (layer_table(PlaneSpec(), 1),),
            "4.98 k parameters and 4.67 kMACs a point; the heaviest layer, `layer1.0.conv1`, holds 5.5 % of the parameters.",
        ),
        (
            (
                table(
                    CONV,
                    replace(CONV, name="fc", params=6000),
                    replace(CONV, name="bn", params=8),
                    params=15_000,
                    macs=1_814_073_344,
                ),
            ),
            "15.0 k parameters and 1.81 GMACs an image; the heaviest layer, `fc`, holds 40 % of the parameters.",
        ),
    ],
    "counted": [((0, "step"), "0 steps"), ((1, "step"), "1 step"), ((2, "step"), "2 steps"), ((52_000, "name"), "52,000 names")],
    "percent": [
        ((share,), text)
        for share, text in (
            (0.0, "0 %"),
            (0.37, "37 %"),
            (0.1, "10 %"),
            (0.099, "9.9 %"),
            (0.0023, "0.23 %"),
            (0.0006, "0.06 %"),
            (0.00004, "under 0.01 %"),
            (0.00006, "0.01 %"),
            (0.996, "99.6 %"),
            (0.9999, "99.99 %"),
            (0.99999, "over 99.99 %"),
            (1.0, "100 %"),
            (2.5, "250 %"),
            (-0.05, "−5.0 %"),
        )
    ],
    "pace": [
        ((0.0005,), "2,000 steps a second"),
        ((0.05,), "20 steps a second"),
        ((0.9,), "1 step a second"),
        ((1.0,), "1.0 s a step"),
        ((2.34,), "2.3 s a step"),
    ],
    "span": [((list("abc"[:n]),), text) for n, text in enumerate(("", "`a`", "`a` and `b`", "`a` to `c` (3 of them)"))],
    "degradation": [
        (({},), ""),
        (({(False, 20): run(5.0, 0)},), ""),
        ((PLAIN_RUNS,), PLAIN_NOTE),
        (
            (PLAIN_RUNS | {(True, 20): run(4.0, 0), (True, 110): run(2.0, 0)},),
            f"{PLAIN_NOTE} **With skips**, going from 20 to 110 layers the training error falls from 4.0 % to 2.0 %.",
        ),
        (
            ({(True, 20): run(4.0, 0), (True, 56): run(4.5, 0)},),
            "**With skips**, going from 20 to 56 layers the training error hardly changes from 4.0 % to 4.5 %.",
        ),
        (
            ({(True, 20): run(4.0, 0), (True, 56): run(3.5, 0)},),
            "**With skips**, going from 20 to 56 layers the training error hardly changes from 4.0 % to 3.5 %.",
        ),
        *(
            (
                ({(True, 20): run(4.0, 0), (True, 56): run(deep, 0)},),
                f"**With skips**, going from 20 to 56 layers the training error {change} from 4.0 % to {deep} %.",
            )
            for deep, change in ((4.6, "rises"), (3.4, "falls"))
        ),
    ],
    "overfitting": [
        (
            (run(5.0, 13.0),),
            "5.0 % of the training images are wrong, and 13.0 % of the test images: overfitting could explain the 8.0 points between "
            "them, not the 5.0 on images that it was trained on.",
        )
    ],
    "branch_note": [
        ((ratios(0.2, 0.4, 0.5, 1.0),), "The median block adds 0.450 of what passes it by; 2 of 4 add less than half of it."),
        ((ratios(0.2, 0.5, 1.0),), "The median block adds 0.500 of what passes it by; 1 of 3 adds less than half of it."),
    ],
    "beside_the_paper": [
        (({(False, 20): run(0, 10.0)}, {20: 8.75}), ""),
        (({(True, 20): run(0, 10.0)}, {56: 6.97}), ""),
        (
            ({(True, 56): run(0, 9.0), (True, 20): run(0, 10.0), (False, 20): run(0, 50.0)}, {20: 8.8, 56: 7.0}),
            f"ResNet-20 is 1.2 points above the paper and ResNet-56 is 2.0 points above the paper. {ALIKE}",
        ),
        (({(True, 20): run(0, 8.0)}, {20: 8.75}), f"ResNet-20 is 0.8 points below the paper. {ALIKE}"),
    ],
    "apart_note": [
        ((arithmetic(2.5),), f"{READS}, computed in 32, exactly."),
        ((arithmetic(3.0),), f"{READS}, computed in 32, to 0.500."),
    ],
    "stage_note": [
        (
            ({"data": "Digits", "seed": 3, "measured": "2026-01-02", "machine": "x86_64", "command": "make it"}, 200),
            "Recorded, one training for each answer: Digits, seed 3, 200 held-out images; 2026-01-02, x86_64, `make it`.",
        )
    ],
    "race_claim": [
        (
            (race([[5.0], [50.0], [40.0]]),),
            "**The paper says** (He et al. 2016, arXiv 1603.05027, Table 1: ResNet-110, CIFAR-10 test error): which of two is better, "
            "for 3 pairs of these. **We measure** 2 of them in the same order: **agrees in part**.",
        ),
        (
            (race([[5.0], [40.0], [90.0]]),),
            "**The paper says** (He et al. 2016, arXiv 1603.05027, Table 1: ResNet-110, CIFAR-10 test error): which of two is better, "
            "for 3 pairs of these. **We measure** 3 of them in the same order: **agrees**.",
        ),
        ((race([[5.0], [40.0]]),), ""),
    ],
    "transfer_note": [
        ((RUNS[:1],), "Of 4 held-out pictures, named right: **head only 4**. One picture is 25.0 points."),
        (
            (RUNS, 50.0),
            "Of 4 held-out pictures, named right: **head only 4, from scratch 1**; a linear head on raw pixels 2. One picture is 25.0 points.",
        ),
        (
            ([RUNS[1], RUNS[1]],),
            "Of 4 held-out pictures, named right: **from scratch 1, from scratch 1**. One picture is 25.0 points, so that a lead of less than "
            "two pictures tells little.",
        ),
    ],
    "curve_note": [
        (
            (
                LearningCurve((1, 5), {"f": np.array([[60.0, 80.0], [90.0, 90.0]]), "p": np.array([[30.0, 30.0], [50.0, 50.0]])}),
                "f",
                "p",
            ),
            "Raw pixels reach 50 % with 5 pictures a class; **on what the network reads 1 picture a class does** as well or better, 70 %.",
        ),
        (
            (LearningCurve((1, 5), {"f": np.array([[10.0], [40.0]]), "p": np.array([[30.0], [50.0]])}), "f", "p"),
            "With all 5 pictures a class raw pixels reach 50 %, and **what the network reads no more than 40 %**.",
        ),
    ],
    "race_note": [
        (
            (race([[8.0, 10.0, 9.0], [12.0, 11.0, 13.0], [90.0, 85.0, 88.0]]),),
            "After 4 steps at depth 56, **x + F** is wrong on the fewest of 200 held-out digits: 9.0 % (median of 3 seeds). "
            "½x + F has learned next to nothing. ½x + ½F follows with 12.0 %: all its seeds are better than all of that one's.",
        ),
        (
            (race([[8.0, 12.0, 9.0], [12.0, 11.0, 13.0]]),),
            "After 4 steps at depth 56, **x + F** is wrong on the fewest of 200 held-out digits: 9.0 % (median of 3 seeds). "
            "½x + ½F follows with 12.0 %: their seeds overlap, so that this is no clear lead.",
        ),
        (
            (replace(race([[8.0], [90.0]]), loss=np.array([[[2.0, 1.0]], [[2.0, np.nan]]])),),
            "After 2 steps at depth 56, **x + F** is wrong on the fewest of 200 held-out digits: 8.0 %. The loss of ½x + ½F grew beyond "
            "all numbers. ½x + ½F has learned next to nothing. ½x + ½F follows with 90.0 %; one seed cannot tell a lead from luck.",
        ),
        (
            (race([[12.0], [8.5]]),),
            "After 4 steps at depth 56, **½x + ½F** is wrong on the fewest of 200 held-out digits: 8.5 %. "
            "x + F makes 3.5 points more: a race this short tells who starts fastest, not who ends best.",
        ),
        (
            (race([[8.0], [8.5]]),),
            "After 4 steps at depth 56, **x + F** is wrong on the fewest of 200 held-out digits: 8.0 %. "
            "½x + ½F follows with 8.5 %; one seed cannot tell a lead from luck.",
        ),
    ],
    "chapter_words": [
        ((Chapter("k", {"plain": NetSpec().plain()}, {}, "digits"),), ("With batch norm", "At the start, on digits")),
        (
            (Chapter("k", {"plain": NetSpec(norm=Norm.NONE).plain()}, {}, "CIFAR-10", 30, "epoch"),),
            ("With no norm", "After 30 epochs of CIFAR-10"),
        ),
    ],
    "landscape_note": LANDSCAPES,
    "landscape_claim": CLAIMS,
    "sharpness_note": [
        (
            ({"residual": curved(12.0), "plain": curved(30.0)}, 0.1),
            f"{STABLE} **12.0** with skips, below it; **30.0** without skips, above it.",
        ),
        (
            ({"plain": curved(20.0, settled=False)}, 0.1),
            f"{STABLE} **20.0** without skips after 2 steps, and still rising, above it.",
        ),
    ],
    "reach_note": [
        (
            ({"residual": reached(9, 4), "plain": reached(9, 36)},),
            f"{SEES} with skips **2.0** of 9 pixels wide (0.22), as a square of the 4 pixels above 4.55 % of the strongest; without skips "
            f"**6.0** of 9 pixels wide (0.67), as a square of the 36 pixels above 4.55 % of the strongest. {SQUARE}",
        ),
        (
            ({"plain": reached(9, 0)},),
            f"{SEES} without skips nothing comes back from it: every derivative is 0, or smaller than fp32 can hold. {SQUARE}",
        ),
    ],
    "reach_claim": [
        (
            ({"residual": reached(9, 4), "plain": reached(9, 36)},),
            f"{SMALLER} **We measure** 0.22 of the theoretical width with skips and 0.67 without: **agrees**.",
        ),
        (
            ({"residual": reached(9, 36), "plain": reached(9, 36)},),
            f"{SMALLER} **We measure** 0.67 of the theoretical width with skips and 0.67 without: **differs**.",
        ),
        (
            ({"residual": reached(9, 36), "plain": reached(9, 0)},),
            f"{SMALLER} Where nothing comes back there is no field to compare.",
        ),
    ],
    "shatter_note": [
        (
            (shattered((0.9, 0.75), (0.8, -0.05)),),
            "The correlation of ∂f/∂t at neighbouring points, of 5 on the line, mean of 2 initialisations: at 8 layers 0.90 with skips, "
            "0.80 without, 0.50 with neither skips nor norm; at 56 layers 0.75 with skips, −0.05 without, 0.50 with neither skips nor norm. "
            "Near 1 the gradient turns smoothly, near 0 it is noise.",
        )
    ],
    "shatter_claim": [
        (
            (shattered((0.9, 0.75), (0.8, -0.05)),),
            f"{SHATTERS}, from 8 to 56 layers, 0.90 → 0.75 with skips and 0.80 → −0.05 without: **agrees**.",
        ),
        (
            (shattered((0.9, 0.75), (0.8, 0.7)),),
            f"{SHATTERS}, from 8 to 56 layers, 0.90 → 0.75 with skips and 0.80 → 0.70 without: **differs**.",
        ),
    ],
    "trajectory_note": [
        (
            ({"residual": went(0.5, 0.25), "plain": went(0.4, 0.2, np.inf)},),
            f"{KEPT} with skips the plane holds **75 %** of the variance (50 % and 25 %), and its losses go from 0.500 to 2.00; without skips "
            f"the plane holds **60 %** of the variance (40 % and 20 %), and its losses go from 0.500 to 0.500. {PLANES}",
        ),
    ],
    "trajectory_claim": [
        (
            ({"residual": went(0.5, 0.25), "plain": went(0.4, 0.2)},),
            f"{DESCENTS} 75 % with skips and 60 % without skips: **agrees**.",
        ),
        (({"residual": went(0.75, 0.2)},), f"{DESCENTS} 95 % with skips: **differs**, more than there."),
        (({"plain": went(0.2, 0.1)},), f"{DESCENTS} 30 % without skips: **differs**, less than there."),
        (
            ({"residual": went(0.75, 0.2), "plain": went(0.2, 0.1)},),
            f"{DESCENTS} 95 % with skips and 30 % without skips: **differs**.",
        ),
    ],
    "similarity_note": [
        (
            (alike([[1, 0.8, 0.3], [0.8, 1, 0.6], [0.3, 0.6, 1]]), "A"),
            "In **A** what a block returns and what the next one does are alike to 0.70 on average; least alike are a and c, 0.30 "
            f"({CKA}).",
        ),
        (
            (alike([[0.9, 0.8, 0.3], [0.8, 0.7, 0.6], [0.3, 0.4, 0.2]]), "A", "B"),
            f"What a block of **A** returns finds its like in **B** to 0.70 on average; the last one's is b ({CKA}).",
        ),
    ],
    "shown_note": [
        (
            ("Net", layer_table(THREE, 8), 0, judged("level"), "the loss"),
            f"**Net** has {layer_table(THREE, 8).params:,} parameters. One input takes {layer_table(THREE, 8).macs:,} multiply-accumulates. "
            f"Of its blocks 3 have a skip: identity in 1, zero-padded in 2. The gradient of the loss {LEVEL}: {JUDGED}.",
        ),
        (
            (
                "Net",
                LayerTable(
                    (LayerRow("a", "linear", (4,), (2,), 10, 8, 0, 0), LayerRow("b", "linear", (2,), (1,), 2, 2, 0, 0)), 12, 10, 0
                ),
                1,
                None,
                "",
            ),
            "**Net** has 12 parameters. One input takes 10 multiply-accumulates. No block with a skip was found in it. 1 more join stands in no "
            "block that can be drawn.",
        ),
        (("Net", LayerTable((LayerRow("", "Net", (1,), (1,), 1, 0, 0, 0),), 1, 0, 0), 0, None, ""), "**Net** has 1 parameter."),
        (
            ("Net", LayerTable((LayerRow("", "Net", (1,), (1,), 1, 0, 0, 0),), 1, 0, 0), 0, None, "", ("a", "b", "c")),
            "**Net** has 1 parameter. 3 layers took no part in this answer, so without a gradient: `a` to `c` (3 of them).",
        ),
    ],
    "similarity_claim": [
        ((alike([[0.9, 0.8, 0.3], [0.8, 0.9, 0.6], [0.3, 0.4, 0.8]]),), f"{FINDS} 3 of 3 blocks (100 %): **agrees**."),
        (
            (alike([[0.9, 0.8, 0.3], [0.8, 0.7, 0.6], [0.3, 0.4, 0.8]]),),
            f"{FINDS} 2 of 3 blocks (67 %): **differs**: the others are more like another place.",
        ),
    ],
}


# what needs whole recordings is checked where they are made
ELSEWHERE = {
    "beside_jastrzebski": "test_anatomy.py",
    "beside_veit": "test_anatomy.py",
    "beside_veits_paths": "test_anatomy.py",
    "draws_note": "test_anatomy.py",
    "lesion_note": "test_anatomy.py",
    "lesions_note": "test_anatomy.py",
    "paths_by_length_note": "test_anatomy.py",
    "refinement_note": "test_anatomy.py",
    "skipless_note": "test_anatomy.py",
    "changed_note": "test_spot.py",
    "field_note": "test_spot.py",
    "forming_note": "test_spot.py",
    "neuron_note": "test_spot.py",
    "unit_note": "test_spot.py",
    "norm_answer": "test_stage.py",
    "chapter_note": "test_story.py",
    "outcome_note": "test_story.py",
    "story_line": "test_story.py",
    "seen_in_depth": "test_tour.py",
    "seen_of_a_cut": "test_tour.py",
    "seen_of_a_map": "test_tour.py",
    "seen_of_the_norm": "test_tour.py",
    "seen_of_the_skips": "test_tour.py",
}


def test_every_public_caption_has_rows() -> None:
    public = {name for name in captions.__all__ if inspect.isfunction(getattr(captions, name))}
    assert {*ROWS, *ELSEWHERE} == public
    for name, file in ELSEWHERE.items():
        assert f"{name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [pytest.param(name, *row, id=f"{name}-{n}") for name, rows in ROWS.items() for n, row in enumerate(rows, 1)],
)
def test_a_caption_is_true_of_its_numbers(name: str, args: tuple[object, ...], sentence: object) -> None:
    said = getattr(captions, name)(*args)
    assert ([(title, rank) for title, _, rank in said] if name == "ranking" else said) == sentence
