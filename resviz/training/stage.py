"""What Home's stage shows: one comparison step by step, and where it would have ended with other skips cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode

import numpy as np
from joblib import Memory
from tqdm import tqdm

from resviz.data.datasets import named_sets
from resviz.data.images import data_root
from resviz.machine import fitting_threads
from resviz.results import LabTrack, Stage
from resviz.spec.comparisons import COMPARISONS
from resviz.spec.datasets import DATASETS
from resviz.spec.families import Network
from resviz.spec.lab import LabPlan, plan_from_query, plan_to_query
from resviz.training.lab import HELD_OUT, Lab

__all__ = ["PLAN", "patterns", "record"]

PLAN: Final = replace(COMPARISONS["With skips or without"](56), steps=150)  # what the lab opens with


def patterns(blocks: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Which skips are cut, by a name as `Stage` has them. None of them and all of them are the comparison's own networks."""
    found = {f"one:{i}": frozenset({name}) for i, name in enumerate(blocks, 1)}
    found |= {f"first:{k}": frozenset(blocks[:k]) for k in range(2, len(blocks))}
    found |= {f"last:{k}": frozenset(blocks[-k:]) for k in range(2, len(blocks))}
    return found | {"odd": frozenset(blocks[::2]), "even": frozenset(blocks[1::2])}


def record(plan: LabPlan = PLAN, folder: Path | None = None) -> Stage:
    """Train the plan's residual and plain network, then the residual one anew for every pattern of cuts.

    Each runs `plan.steps` steps of the lab by itself, from the same weights and over the same batches. What is done is kept in
    `folder` until the last is, so that the same call takes up where it was stopped.
    """
    kept = Memory(folder or data_root() / "stage", verbose=0)
    run = kept.cache(_run)

    def trained(contender: int, cut: frozenset[str] = frozenset(), looks: int = plan.steps) -> LabTrack:
        track: LabTrack = run(urlencode(plan_to_query(replace(plan, contenders=(_cut(plan, contender, cut),)))), looks)
        return track

    both = [trained(i, looks=1) for i in (0, 1)]
    cuts = patterns(both[0].blocks)
    ends = [trained(0, cut) for cut in tqdm(cuts.values(), unit="pattern", leave=False, disable=None)]
    kept.clear(warn=False)
    return Stage(
        plan=plan,
        layers=both[0].layers,
        blocks=both[0].blocks,
        images=HELD_OUT,
        gradients=np.stack([_logs(track.gradients) for track in both]),
        loss=np.stack([np.asarray(track.loss, np.float32) for track in both]),
        accuracy=np.stack([np.asarray(track.held_out[:, 1], np.float32) for track in both]),
        cuts=tuple(cuts),
        cut_gradients=np.stack([_logs(track.gradients[-1]) for track in ends]),
        cut_accuracy=np.array([track.held_out[-1, 1] for track in ends], np.float32),
    )


def _cut(plan: LabPlan, contender: int, cut: frozenset[str]) -> Network:
    return replace(plan.contenders[contender], cut=cut)


def _run(query: str, looks: int) -> LabTrack:
    """One network's whole training; looked at with held-out images at the first step and every `looks`."""
    plan, _ = plan_from_query(dict(parse_qsl(query)))
    assert plan is not None  # written by `record`
    lab = Lab(plan, lambda: named_sets(plan.data), looks=looks)
    with fitting_threads(DATASETS[plan.data].side):
        for _ in range(plan.steps):
            lab.advance()
    found = lab.record()
    assert found is not None
    return found.tracks[0]


def _logs(norms: np.ndarray) -> np.ndarray:
    """Powers of ten to three digits; a gradient that is exactly 0 has none."""
    with np.errstate(divide="ignore"):
        return np.log10(norms).astype(np.float16)
