"""What a sweep's table comes to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from resviz.figures.theme import number

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["skips_over_all", "trainings_of"]

_REST: Final = ("depth", "norm", "init", "width", "block", "shortcut", "activation")
_Setting = tuple[tuple[str, str], ...]


def skips_over_all(table: pd.DataFrame) -> str:
    """In how many settings skips won, where the table has each with them and without; "" where it has not."""
    if not {"skips", "accuracy"} <= set(table.columns):
        return ""
    if "probe" in table:  # what was not trained has no accuracy
        table = table[table["probe"] != "gradients"]
    runs: dict[_Setting, dict[str, list[float]]] = {}
    for row in table.to_dict("records"):
        setting = tuple((name, str(row[name])) for name in _REST if name in row)
        accuracy = float(row["accuracy"])
        runs.setdefault(setting, {}).setdefault(str(row["skips"]), []).append(accuracy if math.isfinite(accuracy) else 0.0)
    both = {
        setting: (float(np.median(each["all"])), float(np.median(each["none"])))
        for setting, each in runs.items()
        if {"all", "none"} <= set(each)
    }
    if not both:
        return ""
    won = [setting for setting, (with_, without) in both.items() if with_ > without]
    lost = [setting for setting, (with_, without) in both.items() if with_ < without]
    said = (
        f"**In {len(table)} trainings** of {len(both)} settings, each with skips and without, the median held-out accuracy is higher with "
        f"skips in {len(won)} and lower in {len(lost)}."
    )
    if won:
        said += f" They help most at {_at(max(won, key=lambda each: both[each][0] - both[each][1]), both)}."
    if lost:
        said += f" They cost most at {_at(min(lost, key=lambda each: both[each][0] - both[each][1]), both)}."
    return said + " One that diverged counts as 0 %."


def _at(setting: _Setting, both: dict[_Setting, tuple[float, float]]) -> str:
    where = ", ".join(f"{name} {value}" for name, value in setting) or "the one there is"
    return f"{where}: {number(both[setting][0])} % with, {number(both[setting][1])} % without"


def trainings_of(table: pd.DataFrame, what: str) -> str:
    """What became of the trainings in the table, which are all of the design that `what` names, with skips and without, by depth."""
    runs: dict[tuple[int, str], list[float]] = {}
    for row in table.to_dict("records"):
        accuracy = float(row["accuracy"])
        runs.setdefault((int(row["depth"]), str(row["skips"])), []).append(accuracy if math.isfinite(accuracy) else 0.0)
    both = sorted(depth for depth, skips in runs if skips == "all" and (depth, "none") in runs)
    if not both:
        return ""
    steps = int(table["steps"].iloc[0])
    parts = [
        f"{number(float(np.median(runs[depth, 'all'])))} % with skips and {number(float(np.median(runs[depth, 'none'])))} % without at {depth} layers"
        for depth in dict.fromkeys((both[0], both[-1]))
    ]
    return (
        f"In {len(table)} trainings of {what}, {both[0]} to {both[-1]} layers, {steps} steps on digits each, the median held-out accuracy is "
        f"{', and '.join(parts)}."
    ) + (" One that diverged counts as 0 %." if table["accuracy"].isna().any() else "")
