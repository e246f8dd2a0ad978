"""What a network said of a picture, where the evidence is, and how far to trust the map of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from resviz.figures.captions.numbers import counted, percent
from resviz.figures.theme import number
from resviz.results import Attribution, Faithfulness, Paths, Prediction, Scope
from resviz.results.card import AnswersCard, CalibrationCard

__all__ = [
    "answers_note",
    "attribution_note",
    "calibration_note",
    "cut_note",
    "focus_note",
    "paths_note",
    "prediction_note",
    "ranking",
    "trust_note",
]

_SCORES = {  # entropy is told as it is read: much of it is unfamiliar
    "probability": ("largest probability", "under", 1),
    "entropy": ("entropy", "over", -1),
    "energy": ("energy score (log Σ exp of its logits, Liu et al. 2020)", "under", 1),
    "logit": ("largest logit", "under", 1),
    "distance": ("distance from the nearest class in what its last layer reads", "over", -1),
}


def prediction_note(prediction: Prediction, scope: Scope | None = None) -> str:
    """What the network says, and whether the picture is one it can know, with the rates at which that judgement errs."""
    (best, probability), most = prediction.top(1)[0], math.log2(len(prediction.categories))
    entropy = max(0.0, prediction.entropy)  # rounding and −0 may put certainty below it
    said = f"**{best}** with {percent(probability)}. Entropy {entropy:.2f} of at most {most:.2f} bits."
    names = counted(len(prediction.categories), "name")
    if scope is None:
        return f"{said} It always chooses one of its {names}; how well it tells other pictures from its own was not measured."
    found = prediction.familiarity(scope.score)
    rates = f"flags {percent(scope.caught)} of pictures of other classes and {percent(scope.false_alarms)} of its own"
    score, beyond, sign = _SCORES[scope.score]
    limit = f"{beyond} {number(sign * scope.threshold)}, a limit that {rates}"
    if found < scope.threshold:
        return f"{said} **Perhaps none of its {names} fits**: its {score} is {number(sign * found)}, {limit}."
    return f"{said} Its {score} is {number(sign * found)}, not {limit}: {percent(1 - scope.caught)} of pictures of other classes pass it too."


def calibration_note(calibration: CalibrationCard, certain: tuple[float, float] | None = None) -> str:
    """What was done so that a certainty can be believed, and what it brought; `certain` is a scope's share of certain strangers."""
    before, after = calibration["error_before"], calibration["error_after"]
    gap = f"brings the gap between certainty and accuracy from {percent(before)} to {percent(after)}"
    if after >= before:
        gap = f"does not narrow the gap between certainty and accuracy, {percent(after)} after {percent(before)}"
    said = f"Its logits are divided by {calibration['temperature']:.2f} before the softmax, which {gap} on held-out pictures."
    if certain is None:
        return said
    return f"{said} Of pictures of other classes {percent(certain[1])} get 80 % and more, {percent(certain[0])} without that."


def answers_note(answers: AnswersCard, error: float) -> str:
    """How often the first name and the first five are right on held-out pictures, and which mistake is made most; `error` in percent."""
    said = f"On held-out pictures its first name is right in {percent(1 - error / 100)}"
    if len(answers["class_errors"]) > 5:
        said += f", one of its first five in {percent(1 - answers['top5_error'] / 100)}"
    if not answers["confusions"]:
        return f"{said}."
    true, taken, share = answers["confusions"][0]
    return f"{said}; its commonest mistake is “{taken}” for “{true}” ({percent(share / 100)} of them)."


def attribution_note(delta: float | None, change: float | None, remedy: str = "more steps help") -> str:
    """A complete method's own check in words; `remedy` is what helps it, or where the rest went."""
    if delta is None or change is None:
        return ""
    off = abs(delta) / max(abs(change), 1e-12)
    judged = "complete" if off < 0.05 else f"roughly complete: {remedy}" if off < 0.2 else f"not complete: {remedy}"
    return f"Convergence delta {number(abs(delta))}, {percent(off)} of the score's change of {number(change)}: {judged}."


def trust_note(title: str, found: Faithfulness) -> str:
    """What the measurements say about one map, in a few sentences."""
    if found.constant:
        return f"**{title}**: the map is the same everywhere, so it puts the pixels in no order that could be judged."
    last, first = float(found.similarity[-1]), float(found.similarity[0])
    parts = [f"**{title}**: {_deletion(found)}; {_insertion(found)}"]
    if found.deletion_judges and found.insertion_judges and found.insertion_auc <= found.deletion_auc:
        parts.append("It does not find what the network uses")
    if found.ignores_weights:
        parts.append(
            f"**Be careful**: with every weight shuffled the map is still much the same (rank correlation {number(last)}), so it shows "
            "the picture more than the network"
        )
    elif found.turned_round:
        parts.append(
            f"With every weight shuffled the map is turned round (rank correlation {number(last)}): it does depend on them"
        )
    if not found.ignores_weights and first > _UNCHANGED:
        parts.append(
            f"Shuffling the classifier alone leaves it as it is (rank correlation {number(first)}): it hardly knows the class"
        )
    return ". ".join(parts) + "."


_UNCHANGED = 0.9


def _deletion(found: Faithfulness) -> str:
    if found.deletion_judges:
        return f"taking away its strongest pixels leaves {percent(found.deletion_auc)} probability on average"
    return (
        f"**deletion cannot judge this class**, since the {found.baseline} picture without a pixel of the photograph still gets "
        f"{percent(float(found.deletion[-1]))}, the photograph {percent(float(found.deletion[0]))}: choose another baseline"
    )


def _insertion(found: Faithfulness) -> str:
    if found.insertion_judges:
        return f"putting them back brings {percent(found.insertion_auc)}"
    return f"**insertion cannot judge it** either way, since the blurred picture alone gets {percent(float(found.insertion[0]))}"


def ranking(measured: Mapping[str, Faithfulness]) -> list[tuple[str, Faithfulness, float]]:
    """Best first: the mean rank by infidelity, sensitivity, and deletion and insertion where they can judge the class.

    Maps that ignore the weights, and those that are the same everywhere, come last.
    """
    order = list(measured.items())
    columns = [
        *([[found.deletion_auc for _, found in order]] if all(found.deletion_judges for _, found in order) else []),
        *([[-found.insertion_auc for _, found in order]] if all(found.insertion_judges for _, found in order) else []),
        [found.infidelity for _, found in order],
        [found.sensitivity for _, found in order],
    ]
    ranks = [float(np.mean([1 + sum(other < column[i] for other in column) for column in columns])) for i in range(len(order))]
    rows = [(title, found, rank) for (title, found), rank in zip(order, ranks, strict=True)]
    return sorted(rows, key=lambda row: (row[1].constant, row[1].ignores_weights, row[2]))


def paths_note(paths: Paths) -> str:
    """Which of a block's two ways carries the evidence."""
    skip, branch = float(np.sum(paths.identity)), float(np.sum(paths.branch))
    share = float(np.abs(paths.identity).sum() / (np.abs(paths.identity).sum() + np.abs(paths.branch).sum() or 1.0))
    more = "the skip" if share > 0.5 else "the residual branch"
    return (
        f"At `{paths.block}` {more} carries more: {percent(share)} of the evidence's strength comes by the skip. It adds up to "
        f"{number(skip)} and the branch's to {number(branch)}; together they miss the whole by {number(100 * paths.error)} %."
    )


def cut_note(before: Prediction, after: Prediction, name: str, change: str) -> str:
    """What a change of the network did to the probability of one class."""
    at = before.categories.index(name)
    best, probability = after.top(1)[0]
    return (
        f"With {change} the probability of *{name}* goes from {percent(float(before.probabilities[at]))} to "
        f"{percent(float(after.probabilities[at]))}; the network now says **{best}** with {percent(probability)}."
    )


def focus_note(attribution: Attribution) -> str:
    """How concentrated the evidence is: the share of it that the strongest tenth of the pixels holds."""
    strength = np.sort(np.abs(attribution.values).ravel())[::-1]
    total = float(strength.sum())
    if total == 0:
        return "No pixel changes this class's score: the map is zero everywhere."
    if attribution.constant:
        behind = (
            f" What follows `{attribution.layer}` treats every place alike; ask at an earlier layer." if attribution.layer else ""
        )
        return f"The map is {number(float(attribution.values.flat[0]))} everywhere: it tells no place from another.{behind}"
    share = float(strength[: max(1, strength.size // 10)].sum()) / total
    kind = "evidence" if attribution.signed else "strength; it has no sign, neither for nor against"
    return f"The strongest tenth of the pixels holds {percent(share)} of the {kind}."
