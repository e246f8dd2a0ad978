"""The tour without its pages: its link, and that each stop's answer is what was measured and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from resviz.figures import captions
from resviz.judgement import judge
from resviz.results import Attribution, GradientProfile, LabRecord, Run
from resviz.spec.lab import Edit, plan_from_query, plan_to_query
from resviz.spec.net import NetSpec
from resviz.spec.query import from_query, to_query
from resviz.spec.tour import CHOICES, STOPS, TOUR_PARAMETERS, Tour, tour_from_query, tour_to_query
from resviz.ui import cache
from resviz.ui.pages import PAGES
from resviz.ui.state import EXPLAIN_PARAMETERS
from resviz.ui.tour import stops
from resviz.ui.tour.progress import FIRST
from resviz.zoo.first import read_first

# ------------------------------------------------------------------------------------------ the link


@pytest.mark.parametrize("tour", [Tour(), Tour(3, ("b", "c", "", "", "")), Tour(5, ("a", "", "b", "", "c")), Tour(2).choose(1)])
def test_a_link_holds_where_one_is_and_what_one_said(tour: Tour) -> None:
    assert tour_from_query(tour_to_query(tour)) == tour
    assert tour_from_query(tour_to_query(tour) | {"norm": "none"}) == tour


@pytest.mark.parametrize("stop", ["", "0", "6", "-1", "1.0", "٣", "33", "x"])
def test_no_stop_is_no_tour(stop: str) -> None:
    assert tour_from_query({"tour": stop, "said": "abc"}) is None
    assert tour_to_query(None) == {}


def test_nonsense_counts_as_not_said() -> None:
    assert tour_from_query({"tour": "2", "said": "aZ<c" + "b" * 900}) == Tour(2, ("a", "", "", "c", "b"))
    assert tour_from_query({"tour": "2"}) == Tour(2)
    assert tour_from_query({"said": "abc"}) is None


def test_a_prediction_is_of_its_stop() -> None:
    tour = Tour(2, ("c", "", "", "", ""))
    assert tour.choice is None
    assert tour.choose(1) == Tour(2, ("c", "b", "", "", ""))
    assert [Tour(1).choose(i).choice for i in range(len(CHOICES))] == [0, 1, 2]


def test_its_parameters_are_nobody_elses() -> None:
    plan, _ = plan_from_query(stops.STOPS[3].setting)
    assert plan is not None
    assert not TOUR_PARAMETERS & ({*to_query(NetSpec(seed=1, width=8)), *plan_to_query(plan)} | EXPLAIN_PARAMETERS)


# ------------------------------------------------------------------------------------------ the table


def test_the_stops_stand_on_real_pages_in_settings_that_these_can_read() -> None:
    assert len(stops.STOPS) == STOPS
    assert stops.STOPS[0].file == FIRST
    for stop in stops.STOPS:
        assert (stop.page, stop.file) in {(page.title, page.file) for page in PAGES}
        assert len(set(stop.choices)) == len(CHOICES)
        assert stop.source[1].startswith("https://arxiv.org/abs/")
        assert stop.why.count(". ") == 1  # two sentences
        if stop.page == "Gradients":
            assert from_query(stop.setting)[1] == ()
        if stop.page == "Lab":
            assert plan_from_query(stop.setting)[1] == ()
        if stop.page == "Explain":
            assert stop.setting.keys() <= EXPLAIN_PARAMETERS


# ------------------------------------------------------------------------------------------ what was seen follows from the measurement


def run(name: str, error: float | None = None) -> Run:
    recorded = cache.run(name)
    last = recorded.epochs[-1]
    return recorded if error is None else replace(recorded, epochs=(*recorded.epochs[:-1], replace(last, train_error=error)))


def test_depth() -> None:
    shallow, deep = run("plain20-cifar10"), run("plain56-cifar10")
    seen = captions.seen_in_depth(shallow, deep)
    assert seen.right == 2
    for recorded in (shallow, deep):
        assert f"{recorded.epochs[-1].train_error:.1f} %" in seen.words
    assert captions.seen_in_depth(run("plain20-cifar10", 7.5), run("plain56-cifar10", 1.26)) == (
        0,
        "After 30 epochs Plain-20 gets 7.5 % of its training pictures wrong and Plain-56 gets 1.3 % of its training pictures wrong.",
    )
    assert captions.seen_in_depth(shallow, run("plain56-cifar10", shallow.epochs[-1].train_error)).right == 1


def profile(first: float, last: float = 1.0) -> GradientProfile:
    names = tuple(f"{block}.conv{i}" for block in NetSpec().block_names() for i in (1, 2))
    return GradientProfile(("conv1", *names, "fc"), np.append(np.geomspace(first, last, len(names) + 1), 1.0), 2.3)


@pytest.mark.parametrize(("first", "right"), [(1e-20, 0), (1e-5, 1), (0.5, 2), (30.0, 2)])
def test_skips(first: float, right: int) -> None:
    plain, residual = (judge(profile(each), NetSpec()) for each in (1e-27, first))
    seen = captions.seen_of_the_skips(plain, residual)
    said = f"Without skips the gradient {captions.verdict(plain)}. With all of them it {captions.verdict(residual)}."
    assert seen == (right, said)


@pytest.mark.parametrize(("first", "right"), [(1e-20, 0), (0.02, 1), (50.0, 1), (1e3, 2)])
def test_norm(first: float, right: int) -> None:
    judged = judge(profile(first), NetSpec().plain())
    assert captions.seen_of_the_norm(judged) == (right, f"The plain network's gradient now {captions.verdict(judged)}.")


def cut(before: float, after: float, later: float, steps: int = 150) -> LabRecord:
    """A recorded run, in which the accuracy was such before a cut in step 101, after it, and from 15 steps later on."""
    record: LabRecord = read_first("story").values["record"]
    accuracy = np.concatenate([np.full(100, before), np.full(15, after), np.full(35, later)])
    track = replace(record.tracks[0], accuracy=accuracy)
    edits = (Edit(101, "cut", 0, "layer2.4"),)
    return replace(record, step=steps, tracks=(track, record.tracks[1]), plan=replace(record.plan, edits=edits))


@pytest.mark.parametrize(
    ("before", "after", "later", "right"), [(90, 85, 95, 0), (90, 20, 88, 1), (90, 20, 30, 2), (90, 85, 12, 2)]
)
def test_a_cut(before: float, after: float, later: float, right: int) -> None:
    said = (
        f"The skip of `layer2.4` was cut in step 101. Of the pictures it learned from {before} % were right in the 10 steps before, "
        f"{after} % in the 10 steps after, {later} % when 40 had passed."
    )
    assert captions.seen_of_a_cut(cut(before, after, later)) == (right, said)


def test_a_cut_is_judged_when_it_was_made_and_enough_steps_followed() -> None:
    made = cut(90, 20, 88)
    assert captions.seen_of_a_cut(cut(90, 20, 88, steps=140)) is None
    assert captions.seen_of_a_cut(replace(made, plan=replace(made.plan, edits=()))) is None
    early = replace(made.plan, edits=(Edit(3, "cut", 0, "layer2.4"),))
    assert captions.seen_of_a_cut(replace(made, plan=early)) is None


@pytest.mark.parametrize(("spots", "right"), [(30, 0), (400, 1), (1000, 2)])
def test_a_map(spots: int, right: int) -> None:
    values = np.zeros(1024)
    values[:spots] = np.resize([1.0, -1.0], spots)
    seen = captions.seen_of_a_map(Attribution("occlusion", 0, values.reshape(32, 32), True), "Occlusion", "Cat")
    share = captions.percent(spots / 2 / 1024)
    assert seen == (right, f"Occlusion of *Cat*: the strongest {share} of the picture hold half of all evidence.")


def test_the_shipped_map_is_what_the_last_stop_shows() -> None:
    values = read_first("explain").values
    seen = stops.STOPS[4].seen()
    assert seen == captions.seen_of_a_map(values["maps"]["occlusion"], "Occlusion", values["sample"])
