"""The map of the story: what it says is what was measured, no page says otherwise, and it knows where a page is on it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from resviz.data.datasets import named_sets
from resviz.data.images import probe_batch
from resviz.figures import captions
from resviz.figures.story import map_decades, story_markup
from resviz.figures.theme import number
from resviz.judgement import judge
from resviz.machine import fitting_threads
from resviz.nets.build import build
from resviz.probes.gradients import gradient_probe
from resviz.results import Chapter, GradientProfile, LabRecord
from resviz.spec.comparisons import COMPARISONS
from resviz.spec.lab import Edit
from resviz.spec.net import DESIGNS, Init, NetSpec, Norm
from resviz.training.detect import findings
from resviz.training.lab import Lab
from resviz.ui import cache
from resviz.ui.story import Here, chapters, here_in, in_the_lab
from resviz.zoo.first import FIRST, read_first

UNTRAINED = replace(NetSpec(), norm=Norm.NONE, init=Init.PYTORCH)
RECORD: LabRecord = read_first("story").values["record"]


@pytest.fixture(scope="module")
def told() -> dict[str, Chapter]:
    return {chapter.key: chapter for chapter in chapters()}


def numbers(text: str) -> list[str]:
    """Every number as it is written, but for those in names."""
    return re.findall(r"(?<![\w-])[\d,]+(?:\.\d+)?(?:×10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", text)


# what the pages' own captions say in the same four settings


def on_gradients() -> str:
    probes = {design: read_first("gradients").values[design] for design in DESIGNS}
    return captions.comparison(probes, {"residual": NetSpec(), "plain": NetSpec().plain()})


def on_degradation() -> str:
    runs = {"residual": cache.run("resnet56-cifar10"), "plain": cache.run("plain56-cifar10")}
    inside = {design: run.epochs[-1].probe for design, run in runs.items()}
    errors = " ".join(captions.overfitting(run) for run in runs.values())
    specs = {"residual": NetSpec(), "plain": NetSpec().plain()}
    return f"{captions.comparison(inside, specs)} {errors}"  # type: ignore[arg-type] # the last epoch has a probe


def in_lab(at: int) -> str:
    """What it says at that step: its note, and its detector's notes."""
    notes = [captions.lab_note(RECORD, at), *map(captions.finding_note, findings(RECORD, at))]
    return " ".join(notes)


PAGES = {"norm.start": on_gradients, "norm.end": on_degradation, "none.start": lambda: in_lab(1), "none.end": lambda: in_lab(150)}


@pytest.mark.parametrize("key", PAGES)
def test_no_page_says_otherwise(told: dict[str, Chapter], key: str) -> None:
    chapter, page = told[key], PAGES[key]()
    for sentence in captions.chapter_note(chapter).rstrip(".").split(". "):
        verb = next(verb for verb in ("explodes", "vanishes", "stays level") if verb in sentence)
        level_in_lab = key.startswith("none") and verb == "stays level"  # of which its detector says nothing
        if level_in_lab:
            assert chapter.specs["residual"].title in sentence
            assert f"**{chapter.specs['residual'].title}**: the gradient" not in page
            continue
        assert verb in page
        assert len(numbers(sentence)) == 2
        for found in numbers(sentence):
            assert found in numbers(page)
    for found in numbers(captions.outcome_note(chapter)) if chapter.trained else ():
        assert found in numbers(page)


@pytest.mark.parametrize("design", DESIGNS)
def test_gradients_without_a_norm_is_the_labs_first_step(told: dict[str, Chapter], design: str) -> None:
    """Another batch and three channels: the same judgement, and sizes within a decade."""
    spec = UNTRAINED if design == "residual" else UNTRAINED.plain()
    with fitting_threads(8):
        probe = gradient_probe(build(spec).train(), *probe_batch(64, 3, 8, 10))
    here, there = judge(probe.profile, spec, probe.signal), told["none.start"].profiles[design]  # type: ignore[index]
    assert judge(there, told["none.start"].specs[design]).kind == here.kind  # type: ignore[index]
    assert abs(np.log10(here.first[1]) - np.log10(there.norms[0])) < 1


def test_the_recording_is_small_and_what_the_lab_does_here() -> None:
    assert (FIRST / "story.npz").stat().st_size <= 60_000
    assert RECORD.plan == replace(COMPARISONS["With skips or without"](56), steps=150)
    lab = Lab(RECORD.plan, lambda: named_sets("digits"))
    with fitting_threads(8):
        lab.advance()
        lab.advance()
    now = lab.record()
    assert now is not None
    for kept, track in zip(RECORD.tracks, now.tracks, strict=True):
        assert np.allclose(kept.loss[:2], track.loss, rtol=1e-2)
        assert np.allclose(np.log10(kept.gradients[0]), np.log10(track.gradients[0]), atol=0.2)
        assert len(kept.loss) == 150


def test_homes_stage_shows_the_same_training() -> None:
    """Recorded by itself, and kept to three digits."""
    stage = read_first("home").values["stage"]
    assert stage.plan == RECORD.plan
    for i, track in enumerate(RECORD.tracks):
        assert np.allclose(stage.gradients[i, [0, -1]], np.log10(track.gradients[[0, -1]]), atol=0.2)
        assert abs(stage.accuracy[i, -1] - track.held_out[-1, 1]) <= 1


def test_every_number_follows_the_measurement(told: dict[str, Chapter]) -> None:
    chapter = told["norm.start"]
    assert "explodes" in captions.chapter_note(chapter)
    names = chapter.profiles["plain"].names
    falling, rising = (np.append(np.geomspace(first, 2, len(names) - 1), 1.0) for first in (1e-20, 8))
    profiles = {"plain": GradientProfile(names, falling, 2.25), "residual": GradientProfile(names, rising, 3.5)}
    other = replace(chapter, profiles=profiles)
    assert captions.chapter_note(other) == (
        "Plain-56's gradient vanishes: 1.0×10⁻²⁰ at the first layer, 5.0×10⁻²¹× that of the last convolution. "
        "ResNet-56's gradient stays level: 8.00 at the first layer, 4.00× that of the last convolution."
    )
    assert captions.outcome_note(other) == "Not trained yet. Loss: Plain-56 2.25, ResNet-56 3.50; guessing costs 2.30."
    better = replace(told["norm.end"], outcome={"residual": 4.56, "plain": 3.21})
    assert captions.outcome_note(better) == "Outcome: Plain-56 3.2 %, ResNet-56 4.6 % of their training pictures wrong."
    assert captions.story_line([other, *list(told.values())[1:]]) == (
        "What the gradient of Plain-56 does depends on the norm and on training: with batch norm it vanishes before training and "
        "stays level after it; with no norm and PyTorch init it vanishes before training and after it."
    )


def test_one_scale_of_three_decades_and_more_and_what_lies_under_it_in_words(told: dict[str, Chapter]) -> None:
    low, high = map_decades(list(told.values()))
    assert high - low >= 3
    markup = story_markup(list(told.values()))
    assert "↓ down to 10⁻²⁷" in markup
    assert markup.count("↓") == 2
    assert markup.count("Plain-56</i> <i>· no norm") == 2
    assert "here" not in re.findall(r'class="cell([^"]*)"', markup)


def test_the_pictures_are_told_in_words(told: dict[str, Chapter]) -> None:
    texts = [unescape(text) for text in re.findall(r'aria-label="([^"]+)"', story_markup(list(told.values())))]
    assert len(texts) == 4
    for text, chapter in zip(texts, told.values(), strict=True):
        for design in DESIGNS:
            norms = chapter.profiles[design].norms
            assert number(float(norms[0])) in text
            assert number(float(norms[-1])) in text


@pytest.mark.parametrize(
    ("here", "key", "apart"),
    [
        (Here(NetSpec()), "norm.start", ()),
        (Here(NetSpec().plain()), "norm.start", ()),
        (Here(UNTRAINED), "none.start", ()),
        (Here(NetSpec(), 30, "CIFAR-10"), "norm.end", ()),
        (in_the_lab(RECORD.plan, 1), "none.start", ()),
        (in_the_lab(RECORD.plan, 0), "none.start", ()),
        (in_the_lab(RECORD.plan, 150), "none.end", ()),
        (in_the_lab(RECORD.plan, 151), "none.end", ()),
        (in_the_lab(RECORD.plan, 54), "", ("step 54 of 150",)),
        (in_the_lab(replace(RECORD.plan, edits=(Edit(3, "cut", 0, "layer1.0"),)), 150), "", ("1 change on the way",)),
        (in_the_lab(replace(RECORD.plan, lr=0.1), 1), "", ("learning rate 0.1",)),
        (Here(NetSpec(), 12, "CIFAR-10"), "", ("epoch 12 of 30",)),
        (Here(replace(NetSpec(), blocks=(3, 3, 3)), 30, "CIFAR-10"), "", ("ResNet-20",)),
        (Here(replace(NetSpec(), cut=frozenset({"layer1.0"})), more=("32 px",)), "", ("1 skip cut", "32 px")),
        (Here(NetSpec(), 30), "", ("digits",)),
    ],
)
def test_a_page_knows_where_it_is(told: dict[str, Chapter], here: Here, key: str, apart: tuple[str, ...]) -> None:
    assert here_in(list(told.values()), here) == (key, apart)
    assert story_markup(list(told.values()), key).count("You are here") == bool(key)


def test_it_is_drawn_without_pytorch() -> None:
    code = (
        "import sys; from resviz.ui.story import chapters; from resviz.figures.story import story_markup;"
        "story_markup(chapters()); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"
