"""Captions computed from what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from resviz.figures.theme import count, number
from resviz.results import (
    Attribution,
    DepthSweep,
    EpochRecord,
    Faithfulness,
    Finding,
    GradientProfile,
    LabRecord,
    LayerRow,
    LayerTable,
    Paths,
    Prediction,
    Run,
)

__all__ = [
    "attribution_note",
    "bottleneck_note",
    "branch_note",
    "comparison",
    "counted",
    "cut_note",
    "degradation",
    "finding_note",
    "focus_note",
    "growth_note",
    "lab_note",
    "layer_note",
    "overfitting",
    "paths_note",
    "prediction_note",
    "ranking",
    "sweep_note",
    "table_note",
    "trust_note",
    "verdict",
]

_UNDECIDED = 0.45  # of a guess's entropy: nine in ten of the bundled ResNet-18's right answers lie below
_FLAT = 30.0  # first-to-last ratios within this factor either way are called level


def verdict(profile: GradientProfile) -> str:
    """One clause on a profile: vanishes, explodes or stays level from the last layer back to the first, and by how much."""
    first, last = float(profile.norms[0]), float(profile.norms[-1])
    if not np.isfinite(profile.norms).all() or not math.isfinite(profile.loss):
        bad = int((~np.isfinite(profile.norms)).sum())
        return f"overflows: {bad} of {len(profile.norms)} layers have an infinite or undefined gradient"
    zeros = int((profile.norms == 0).sum())
    if not profile.norms.any():
        return "is exactly zero in every layer: nothing can be learned"
    if first == 0:
        return f"vanishes: it is exactly zero in {zeros} of {len(profile.norms)} layers, the first among them"
    if last == 0:
        return f"is {number(first)} at the first layer and exactly zero at the last"
    ratio = first / last
    if ratio > _FLAT:
        return f"explodes: the first layer's is {number(ratio)}× the last layer's"
    if ratio < 1 / _FLAT:
        return f"vanishes: the first layer's is {number(ratio)}× the last layer's"
    return f"stays level: the first layer's is {number(ratio)}× the last layer's"


def comparison(profiles: Mapping[str, GradientProfile], classes: int) -> str:
    """Both networks in a sentence or two, and a word on the loss where the forward signal has run away."""
    names = {"residual": "With skips", "plain": "Without skips"}
    sentences = [f"**{names[key]}** the gradient {verdict(profile)}." for key, profile in profiles.items()]
    guess = math.log(classes)
    for key, profile in profiles.items():
        if math.isfinite(profile.loss) and profile.loss > 3 * guess:
            sentences.append(
                f"The forward signal has run away {names[key].lower()}: "
                f"the loss is {number(profile.loss)} where guessing costs {number(guess)}."
            )
    return " ".join(sentences)


def layer_note(row: LayerRow, profiles: Mapping[str, GradientProfile]) -> str:
    """One layer's row in words, with its gradient in each network."""
    size = " → ".join("×".join(map(str, shape)) for shape in (row.in_shape, row.out_shape))
    norms = [f"{key} {number(float(p.norms[p.names.index(row.name)]))}" for key, p in profiles.items() if row.name in p.names]
    return f"`{row.name}` · {row.kind} · {size} · {row.params:,} parameters · receptive field {row.receptive_field} px" + (
        f" · ‖∂L/∂W‖ {', '.join(norms)}" if norms else ""
    )


def bottleneck_note(table: LayerTable, block: str) -> str:
    """What a bottleneck's three convolutions cost beside two 3×3 convolutions of the block's own width."""
    convs = [row for row in table.rows if row.name.startswith(f"{block}.conv")]
    channels, inside = convs[-1].out_shape[0], convs[0].out_shape[0]
    pixels = convs[-1].out_shape[1] * convs[-1].out_shape[2]
    weights = sum(row.macs // (row.out_shape[1] * row.out_shape[2]) for row in convs)
    pair = 2 * 9 * channels * channels
    if len(convs) == 2:
        return f"`{block}`: two 3×3 convolutions of {channels} channels, {count(weights)} weights, {count(weights * pixels, 'MACs')}."
    return (
        f"`{block}`: {convs[0].in_shape[0]} → {inside} → {inside} → {channels} channels, {count(weights)} weights. Two 3×3 convolutions "
        f"on {channels} channels would hold {count(pair)}: the bottleneck saves {100 * (1 - weights / pair):.0f} %."
    )


def sweep_note(sweeps: Mapping[str, DepthSweep]) -> str:
    """First-to-last ratio of the shallowest and the deepest network of each design."""
    parts = []
    for key, sweep in sweeps.items():
        ends = []
        for depth, norms in ((sweep.depths[0], sweep.norms[0]), (sweep.depths[-1], sweep.norms[-1])):
            first, last = float(norms[0]), float(norms[-1])
            ratio = number(first / last) + "×" if last > 0 and math.isfinite(first) else "undefined"
            ends.append(f"{ratio} at {depth} layers")
        parts.append(f"**{key}** {' and '.join(ends)}")
    return f"The first layer's gradient over the last layer's: {'; '.join(parts)}."


def table_note(table: LayerTable) -> str:
    heaviest = max(table.rows, key=lambda row: row.params)
    share = 100 * heaviest.params / table.params
    return (
        f"{count(table.params)} parameters and {count(table.macs, 'MACs')} an image; the heaviest layer, "
        f"`{heaviest.name}`, holds {share:.0f} % of the parameters."
    )


def prediction_note(prediction: Prediction) -> str:
    """What the network says, and how sure it is: entropy against that of guessing."""
    (best, probability), most = prediction.top(1)[0], math.log2(len(prediction.categories))
    share = prediction.entropy / most
    tail = f"It is undecided: none of its {len(prediction.categories)} classes fits well." if share > _UNDECIDED else ""
    return (
        f"**{best}** with {100 * probability:.1f} %. Entropy {prediction.entropy:.2f} of at most {most:.2f} bits. {tail}"
    ).strip()


def counted(n: int, noun: str) -> str:
    """1 picture, 52 pictures."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def attribution_note(delta: float | None, change: float | None, remedy: str = "more steps help") -> str:
    """A complete method's own check in words; `remedy` is what helps it, or where the rest went."""
    if delta is None or change is None:
        return ""
    off = abs(delta) / max(abs(change), 1e-12)
    judged = "complete" if off < 0.05 else f"roughly complete: {remedy}" if off < 0.2 else f"not complete: {remedy}"
    return f"Convergence delta {number(abs(delta))}, {100 * off:.1f} % of the score's change of {number(change)}: {judged}."


def trust_note(title: str, found: Faithfulness) -> str:
    """What the measurements say about one map, in a sentence or two."""
    parts = [
        f"**{title}**: taking away its strongest pixels leaves {100 * found.deletion_auc:.0f} % probability on average, "
        f"putting them back brings {100 * found.insertion_auc:.0f} %"
    ]
    if found.insertion_auc <= found.deletion_auc:
        parts.append(": it does not find what the network uses")
    first = float(found.similarity[0])
    if found.ignores_weights:
        parts.append(
            f". **Be careful**: with every weight shuffled the map is still much the same (rank correlation "
            f"{number(float(found.similarity[-1]))}), so it shows the picture more than the network"
        )
    elif abs(first) > 0.9:
        parts.append(
            f". Shuffling the classifier alone leaves it as it is (rank correlation {number(first)}): it hardly knows the class"
        )
    return "".join(parts) + "."


def ranking(measured: Mapping[str, Faithfulness]) -> list[tuple[str, Faithfulness, float]]:
    """Best first: the mean rank by deletion, insertion, infidelity and sensitivity; maps that ignore the weights come last."""
    order = list(measured.items())
    columns = [
        [found.deletion_auc for _, found in order],
        [-found.insertion_auc for _, found in order],
        [found.infidelity for _, found in order],
        [found.sensitivity for _, found in order],
    ]
    ranks = [float(np.mean([1 + sum(other < column[i] for other in column) for column in columns])) for i in range(len(order))]
    rows = [(title, found, rank) for (title, found), rank in zip(order, ranks, strict=True)]
    return sorted(rows, key=lambda row: (row[1].ignores_weights, row[2]))


def paths_note(paths: Paths) -> str:
    """Which of a block's two ways carries the evidence."""
    skip, branch = float(np.sum(paths.identity)), float(np.sum(paths.branch))
    share = float(np.abs(paths.identity).sum() / (np.abs(paths.identity).sum() + np.abs(paths.branch).sum() or 1.0))
    more = "the skip" if share > 0.5 else "the residual branch"
    return (
        f"At `{paths.block}` {more} carries more: {100 * share:.0f} % of the evidence's strength comes by the skip. It adds up to "
        f"{number(skip)} and the branch's to {number(branch)}; together they miss the whole by {number(100 * paths.error)} %."
    )


def cut_note(before: Prediction, after: Prediction, name: str, change: str) -> str:
    """What a change of the network did to the probability of one class."""
    at = before.categories.index(name)
    best, probability = after.top(1)[0]
    return (
        f"With {change} the probability of *{name}* goes from {100 * float(before.probabilities[at]):.1f} % to "
        f"{100 * float(after.probabilities[at]):.1f} %; the network now says **{best}** with {100 * probability:.1f} %."
    )


def focus_note(attribution: Attribution) -> str:
    """How concentrated the evidence is: the share of it that the strongest tenth of the pixels holds."""
    strength = np.sort(np.abs(attribution.values).ravel())[::-1]
    total = float(strength.sum())
    if total == 0:
        return "No pixel changes this class's score: the map is zero everywhere."
    share = 100 * float(strength[: max(1, strength.size // 10)].sum()) / total
    return f"The strongest tenth of the pixels holds {share:.0f} % of the evidence."


def degradation(runs: Mapping[tuple[bool, int], Run]) -> str:
    """What depth does to the *training* error without and with skips; `runs` is keyed (residual, depth)."""
    sentences = []
    for residual, words in ((False, "Without skips"), (True, "With skips")):
        depths = sorted(depth for r, depth in runs if r is residual)
        if len(depths) < 2:
            continue
        shallow, deep = (runs[residual, depth].epochs[-1].train_error for depth in (depths[0], depths[-1]))
        change = "rises" if deep > shallow + 0.5 else "falls" if deep < shallow - 0.5 else "hardly changes"
        sentences.append(
            f"**{words}**, going from {depths[0]} to {depths[-1]} layers the training error {change} from {shallow:.1f} % to {deep:.1f} %."
        )
    return " ".join(sentences)


def overfitting(run: Run) -> str:
    """Whether a network's trouble is overfitting: a high training error is not."""
    last = run.epochs[-1]
    gap = last.test_error - last.train_error
    judged = (
        "It fails on the very images it was trained on: this is not overfitting."
        if last.train_error > gap
        else "Most of its test error is overfitting."
    )
    return f"{last.train_error:.1f} % training error, {last.test_error:.1f} % test error: a gap of {gap:.1f} points. {judged}"


def branch_note(record: EpochRecord) -> str:
    """How much the blocks of a residual network add to what passes through them."""
    ratios = np.array(record.branch_ratio)
    return (
        f"The median block adds {number(float(np.median(ratios)))} of what passes it by; "
        f"{int((ratios < 0.5).sum())} of {len(ratios)} add less than half of it."
    )


def finding_note(finding: Finding) -> str:
    """One finding in a sentence that names the layers, and what to try."""
    where = _span(finding.names)
    who = f"**{finding.label}**"
    if finding.kind == "diverged":
        first = f", first seen in {where}" if finding.names else ""
        return (
            f"{who} diverged: its loss is {number(finding.value)}{first}. Its update was withheld. "
            "Lower the learning rate, clip the gradient or take a norm, then reset."
        )
    if finding.kind == "dead":
        share = f"up to {100 * finding.value:.0f} % of the ReLU units"
        return f"{who} has dead units in {where}: {share} are zero for every image of the batch."
    if finding.kind == "vanishing":
        size = "exactly 0" if finding.value == 0 else f"{number(finding.value)}× the last layer's"
        return f"{who}: the gradient vanishes in {where}, down to {size}."
    return f"{who}: the gradient explodes in {where}, up to {number(finding.value)}× the last layer's."


def _span(names: Sequence[str]) -> str:
    """`conv1` to `layer1.3` (12), so that a list of fifty layers stays readable."""
    if len(names) <= 2:
        return " and ".join(f"`{name}`" for name in names)
    return f"`{names[0]}` to `{names[-1]}` ({len(names)} of them)"


def lab_note(record: LabRecord, at: int) -> str:
    """Who has learned what by a step, whatever happened."""
    row = max(0, int(np.searchsorted(record.line_steps, at, side="right")) - 1)
    parts = []
    for track in record.tracks:
        recent = track.loss[max(0, row - 9) : row + 1]
        held = track.held_out[max(0, int(np.searchsorted(record.held_out_steps, at, side="right")) - 1)]
        first = float(track.loss[0])
        now = float(np.mean(recent))
        change = "falls" if now < 0.9 * first else "rises" if now > 1.1 * first else "stands still"
        moved = f"loss {change}: {number(first)} → {number(now)}" if math.isfinite(now) else "loss is no number any more"
        parts.append(f"**{track.label}**: {moved}, {held[1]:.0f} % of held-out images right")
    return f"Step {at:,}. {'; '.join(parts)}."


def growth_note(record: LabRecord, at: int) -> str:
    """Whether the variance grows linearly or exponentially with the block, by which line fits better (De & Smith 2020)."""
    row = max(0, int(np.searchsorted(record.signal_steps, at, side="right")) - 1)
    parts = []
    for track in record.tracks:
        variance = np.asarray(track.signals["variance"][row], np.float64)
        if len(variance) < 4 or not np.isfinite(variance).all() or (variance <= 0).any():
            parts.append(f"**{track.label}** has no variance that a line could be fitted to")
            continue
        change = variance[-1] / variance[0]
        linear, exponential = _fit(variance), _fit(np.log(variance))
        if 0.2 < change < 5 and np.ptp(np.log(variance)) < math.log(20):
            kind = "stays within a factor of twenty"
        else:
            better = "exponentially" if exponential > linear else "linearly"
            kind = f"{'grows' if change > 1 else 'decays'} {better} (R² {max(linear, exponential):.2f} against {min(linear, exponential):.2f})"
        parts.append(f"**{track.label}** {kind}, {number(float(variance[0]))} → {number(float(variance[-1]))}")
    return f"Variance from the first to the last block: {'; '.join(parts)}."


def _fit(values: np.ndarray) -> float:
    """R² of the straight line through the values by block."""
    x = np.arange(len(values))
    rest = values - np.polyval(np.polyfit(x, values, 1), x)
    spread = float(((values - values.mean()) ** 2).sum())
    return 1 - float((rest**2).sum()) / spread if spread else 0.0
