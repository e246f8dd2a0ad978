"""What the map of the story says, in the words and numbers that the pages have for the same measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from resviz.figures.captions.numbers import counted
from resviz.figures.theme import number
from resviz.judgement import judge
from resviz.results import Chapter, Judgement, Verdict
from resviz.spec.names import different
from resviz.spec.net import DESIGNS, Design

__all__ = ["chapter_note", "chapter_words", "outcome_note", "story_line"]

_ORDER: Final = DESIGNS[::-1]  # the network that fails first
# as `verdict` words them
_DOES: Final[Mapping[Verdict, str]] = {
    "overflow": "overflows",
    "zero": "is exactly 0",
    "bypassed": "reaches the first convolution alone",
    "gone": "is gone everywhere",
    "settled": "is small everywhere",
    "vanishes": "vanishes",
    "explodes": "explodes",
    "uneven": "is level from end to end, but not in between",
    "level": "stays level",
}


def _judged(chapter: Chapter, design: Design) -> Judgement:
    return judge(chapter.profiles[design], chapter.specs[design])


def chapter_note(chapter: Chapter) -> str:
    """What both networks' gradients do on their way from the answer to the picture."""

    def said(design: Design) -> str:
        judged = _judged(chapter, design)
        ends = f"{number(judged.first[1])} at the first layer, {number(judged.ratio)}× that of the last convolution"
        return f"{chapter.specs[design].title}'s gradient {_DOES[judged.kind]}: {ends}"

    return f"{'. '.join(said(design) for design in _ORDER)}."


def outcome_note(chapter: Chapter) -> str:
    """Where it led: what the trained networks get right or wrong, or the loss that an untrained one begins at."""
    if chapter.outcome:
        parts = [f"{chapter.specs[design].title} {_percent(chapter, design)}" for design in _ORDER]
        return f"Outcome: {', '.join(parts)} of {chapter.counted}."
    parts = [f"{chapter.specs[design].title} {number(_judged(chapter, design).loss)}" for design in _ORDER]
    return f"Not trained yet. Loss: {', '.join(parts)}; guessing costs {number(_judged(chapter, 'plain').guess)}."


def _percent(chapter: Chapter, design: Design) -> str:
    return f"{chapter.outcome[design]:.{chapter.decimals}f} %"


def story_line(chapters: Sequence[Chapter]) -> str:
    """The plain network's answers in one sentence: why pages that show the same layers say other things of them."""
    rows: dict[str, dict[bool, str]] = {}
    for chapter in chapters:
        rows.setdefault(_norm_words(chapter), {})[chapter.trained] = _DOES[_judged(chapter, "plain").kind]
    said = "; ".join(f"{norm} it {_before_and_after(row)}" for norm, row in rows.items())
    return f"What the gradient of {chapters[0].specs['plain'].title} does depends on the norm and on training: {said}."


def _before_and_after(row: Mapping[bool, str]) -> str:
    if row[False] == row[True]:
        return f"{row[False]} before training and after it"
    return f"{row[False]} before training and {row[True]} after it"


def chapter_words(chapter: Chapter) -> tuple[str, str]:
    """Its row and its column on the map: With batch norm, After 30 epochs of CIFAR-10."""
    row = _norm_words(chapter)
    trained = f"After {counted(chapter.length, chapter.unit)} of {chapter.data}"
    return f"{row[0].upper()}{row[1:]}", trained if chapter.trained else f"At the start, on {chapter.data}"


def _norm_words(chapter: Chapter) -> str:
    """As far as it differs from the networks of the papers, which have batch norm."""
    return f"with {' and '.join(different(chapter.specs['plain']).split(' · ')[1:]) or 'batch norm'}"
