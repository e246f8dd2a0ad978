"""A lab whose steps another process takes: the same numbers, seen on the way, and nothing lost by a change, a pause or a crash."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import psutil
import pytest
import torch

from resviz.apart import Engine, Lost
from resviz.apart.lab import take_apart
from resviz.apart.processes import Processes
from resviz.data.datasets import lab_sets
from resviz.nets.families import FAMILIES
from resviz.probes.plane import Watch
from resviz.progress import Cancelled
from resviz.spec.comparisons import COMPARISONS
from resviz.spec.lab import Edit, LabPlan
from resviz.training.lab import Lab
from resviz.training.turn import Turn

FIRST = {name: next(iter(family.comparisons.values())) for name, family in FAMILIES.items()}
DEPTHS = {"resnet": 20, "densenet": 13, "transformer": 2, "unet": 18, "plane": 4}
RESNETS = COMPARISONS["With skips or without"](20)
LONG = 100_000


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    made = Processes(1)
    yield made
    made.close()


def lab_of(plan: LabPlan, augment: bool = False) -> Lab:
    return Lab(plan, lab_sets(plan), augment=augment)


def turn_of(lab: Lab, until: int) -> Turn:
    return Turn(lab, until, float("inf"), set())


def never() -> bool:
    return False


def quiet(fraction: float, note: str = "", partial: object = None) -> bool:
    return False


def taken_apart(lab: Lab, until: int, engine: Engine) -> None:
    """In as many turns as it takes: on a slow machine one is over before."""
    while take_apart(turn_of(lab, until), engine, quiet, never):
        pass
    assert lab.step_number == until


def stepped(lab: Lab, steps: int) -> Lab:
    turn_of(lab, steps).take(quiet)
    return lab


def equal(one: Lab, other: Lab) -> None:
    mine, theirs = one.record(), other.record()
    assert mine is not None
    assert theirs is not None
    assert mine.step == theirs.step
    assert mine.plan == theirs.plan
    for a, b in zip(mine.tracks, theirs.tracks, strict=True):
        for name in ("loss", "accuracy", "gradients", "updates", "held_out"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    for i in range(len(mine.tracks)):
        pairs = zip(one.network(i)[0].state_dict().values(), other.network(i)[0].state_dict().values(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("family", FIRST)
def test_steps_there_and_back_are_the_steps_taken_here(family: str, processes: Processes) -> None:
    plan = replace(FIRST[family](DEPTHS[family]), batch=16)
    lab = lab_of(plan)
    for until in (2, 3, 5):  # three ways there and back
        taken_apart(lab, until, processes)
    equal(lab, stepped(lab_of(plan), 5))


def test_augmented_batches_go_on_where_they_were(processes: Processes) -> None:
    lab = lab_of(RESNETS, augment=True)
    for until in (3, 60):  # past the first epoch's end
        taken_apart(lab, until, processes)
    equal(lab, stepped(lab_of(RESNETS, augment=True), 60))


def test_it_is_seen_on_the_way_and_a_pause_loses_nothing(processes: Processes) -> None:
    lab, seen = lab_of(RESNETS), []

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        record = lab.record()
        if record is not None and (not seen or record.step > seen[-1]):
            seen.append(record.step)
        if len(seen) > 3:
            raise Cancelled
        return False

    with pytest.raises(Cancelled):
        take_apart(turn_of(lab, LONG), processes, tick, never)
    assert seen == sorted(set(seen))
    assert lab.step_number >= seen[-1]
    equal(lab, stepped(lab_of(RESNETS), lab.step_number))


def test_a_change_asked_on_the_way_stands_at_its_step(processes: Processes) -> None:
    lab = lab_of(RESNETS)
    block = next(iter(RESNETS.contenders[0].block_names()))
    asked = False

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        nonlocal asked
        if lab.step_number > 3 and not asked:
            asked = True
            lab.ask(Edit(1, "cut", 0, block))
            assert [edit.block for edit in lab.plan.edits] == [block]
        return False

    assert take_apart(turn_of(lab, LONG), processes, tick, never)  # over, since something was asked
    at = lab.step_number
    taken_apart(lab, at + 3, processes)
    assert [(edit.step, edit.what, edit.block) for edit in lab.plan.edits] == [(at + 1, "cut", block)]
    equal(lab, stepped(lab_of(replace(lab.plan, steps=0)), at + 3))


def test_the_plane_is_looked_at_there(processes: Processes) -> None:
    plan = FIRST["plane"](4)
    watch, lab = Watch(), lab_of(plan)
    take_apart(replace(turn_of(lab, 3), watch=watch), processes, quiet, never)
    assert [each.step for each in watch.maps] == [3] * len(plan.contenders)


def test_a_process_that_dies_twice_costs_the_turn_alone(processes: Processes) -> None:
    lab = lab_of(RESNETS)
    taken_apart(lab, 2, processes)
    done = []

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        if lab.step_number > 2 and len(done) < 2 and (alive := workers()) - set(done):
            done.append(next(iter(alive - set(done))))
            os.kill(done[-1], signal.SIGKILL)
        return False

    with pytest.raises(Lost, match="SIGKILL"):
        take_apart(turn_of(lab, LONG), processes, tick, never)
    assert lab.step_number == 2
    assert not lab.broken
    taken_apart(lab, 4, processes)
    equal(lab, stepped(lab_of(RESNETS), 4))


def workers() -> set[int]:
    return {
        child.pid
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "resviz.apart.worker" in child.cmdline()
    }


def test_what_a_step_raises_leaves_the_lab_as_it_was(processes: Processes) -> None:
    lab = Lab(RESNETS, partial(lab_sets, RESNETS))  # no sets, but how they are made
    with pytest.raises(TypeError):
        take_apart(turn_of(lab, 3), processes, quiet, never)
    assert (lab.step_number, lab.broken) == (0, False)


def test_two_labs_take_turns_where_there_is_one_process(processes: Processes) -> None:
    labs, reached = [lab_of(RESNETS), lab_of(RESNETS)], threading.Barrier(2)

    def learn(lab: Lab) -> None:
        def tick(fraction: float, note: str = "", partial: object = None) -> bool:
            if all(each.step_number > 1 for each in labs):
                raise Cancelled
            return False

        reached.wait()
        with contextlib.suppress(Cancelled):
            while take_apart(turn_of(lab, LONG), processes, tick, never):
                pass

    threads = [threading.Thread(target=learn, args=(lab,), daemon=True) for lab in labs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert all(lab.step_number > 1 for lab in labs)


def test_a_cluster_takes_the_same_steps() -> None:
    pytest.importorskip("ray")
    from resviz.apart.on_ray import OnRay  # imports Ray

    cluster: Engine = OnRay("local")
    lab, seen = lab_of(RESNETS), []

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        seen.append(lab.step_number)
        if lab.step_number > 3:
            raise Cancelled
        return False

    taken_apart(lab, 2, cluster)
    with pytest.raises(Cancelled):
        take_apart(turn_of(lab, LONG), cluster, tick, never)
    assert lab.step_number > 3
    equal(lab, stepped(lab_of(RESNETS), lab.step_number))
