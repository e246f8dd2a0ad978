"""Captions computed from what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from resviz.figures.theme import count, number
from resviz.results import Attribution, GradientProfile, LayerTable, Prediction

__all__ = ["attribution_note", "comparison", "focus_note", "prediction_note", "table_note", "verdict"]

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
    tail = "It is undecided: none of its classes fits well." if share > 0.6 else ""
    return (
        f"**{best}** with {100 * probability:.1f} %. Entropy {prediction.entropy:.2f} of at most {most:.2f} bits. {tail}"
    ).strip()


def attribution_note(delta: float | None, change: float | None) -> str:
    """Integrated Gradients' own check in words."""
    if delta is None or change is None:
        return ""
    off = abs(delta) / max(abs(change), 1e-12)
    judged = "complete" if off < 0.05 else "roughly complete: more steps help" if off < 0.2 else "not complete: take more steps"
    return (
        f"The attributions miss the score's change of {number(change)} by {number(abs(delta))} "
        f"(convergence delta, {100 * off:.1f} %): {judged}."
    )


def focus_note(attribution: Attribution) -> str:
    """How concentrated the evidence is: the share of it that the strongest tenth of the pixels holds."""
    strength = np.sort(np.abs(attribution.values).ravel())[::-1]
    total = float(strength.sum())
    if total == 0:
        return "No pixel changes this class's score: the map is zero everywhere."
    share = 100 * float(strength[: max(1, strength.size // 10)].sum()) / total
    return f"The strongest tenth of the pixels holds {share:.0f} % of the evidence."
