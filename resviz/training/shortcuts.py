"""The races of the Shortcuts page, trained from several seeds and kept contender by contender, so that a stopped one goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode

import numpy as np
from joblib import Memory
from tqdm import tqdm

from resviz.data.datasets import named_sets
from resviz.data.images import data_root
from resviz.machine import fitting_threads
from resviz.progress import Tick, quiet
from resviz.results import LabRecord, RaceRecord
from resviz.spec.datasets import DATASETS
from resviz.spec.lab import LabPlan, plan_from_query, plan_to_query
from resviz.spec.shortcuts import RACES, race_plan
from resviz.training.lab import HELD_OUT, Lab

__all__ = ["SEEDS", "of_record", "recorded_race"]

SEEDS: Final = 3


def recorded_race(
    race: str, depth: int = 56, steps: int = 150, seeds: int = SEEDS, folder: Path | None = None, tick: Tick = quiet
) -> RaceRecord:
    """Every contender of a race, each trained by itself from each seed. What is done is kept in `folder`."""
    kept = Memory(folder or data_root() / "races", verbose=0)
    run = kept.cache(_run)
    kinds = RACES[race].kinds
    wanted = [(kind, seed) for kind in kinds for seed in range(seeds)]
    found = []
    for done, (kind, seed) in enumerate(tqdm(wanted, unit="training", leave=False, disable=None)):
        tick(done / len(wanted), f"{kind}, seed {seed}")
        found.append(run(urlencode(plan_to_query(race_plan(race, (kind,), depth, seed, steps)))))
    shape = len(kinds), seeds
    return RaceRecord(
        race=race,
        kinds=kinds,
        layers=depth,
        images=HELD_OUT,
        loss=np.stack([loss for loss, _ in found]).reshape(*shape, steps).astype(np.float32),
        held_out=np.array([error for _, error in found], np.float32).reshape(shape),
    )


def _run(query: str) -> tuple[np.ndarray, float]:
    """One contender's loss by step, and its held-out error in percent behind the last one."""
    plan, _ = plan_from_query(dict(parse_qsl(query)))
    assert plan is not None  # written by `recorded_race`
    record = _trained(plan)
    (track,) = record.tracks
    return np.asarray(track.loss, np.float32), 100 - float(track.held_out[-1, 1])


def _trained(plan: LabPlan) -> LabRecord:
    lab = Lab(plan, lambda: named_sets(plan.data), recording=False, looks=plan.steps)
    with fitting_threads(DATASETS[plan.data].side):
        for _ in range(plan.steps):
            lab.advance()
    record = lab.record()
    assert record is not None  # it has advanced
    return record


def of_record(record: LabRecord, race: str, kinds: tuple[str, ...]) -> RaceRecord:
    """A lab's run as a race of one seed, with the held-out error where it was looked at last."""
    return RaceRecord(
        race=race,
        kinds=kinds,
        layers=record.plan.contenders[0].depth,
        images=HELD_OUT,
        loss=np.stack([np.asarray(track.loss, np.float32)[None] for track in record.tracks]),
        held_out=np.array([[100 - track.held_out[-1, 1]] for track in record.tracks], np.float32),
    )
